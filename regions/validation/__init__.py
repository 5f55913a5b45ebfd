"""Finds and repairs defects of polygons."""
