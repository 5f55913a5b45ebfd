"""Stores and geofences: editing them, the catalogue in memory, opening hours, export."""
