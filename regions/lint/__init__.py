"""Warnings about a map as a whole: overlaps, misplaced stores, thin areas."""
