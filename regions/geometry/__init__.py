"""Distances, edges and shapes on the WGS84 ellipsoid."""
