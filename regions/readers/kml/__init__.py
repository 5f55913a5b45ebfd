"""Placemarks of KML, read and written."""
