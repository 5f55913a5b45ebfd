"""`geofence demo`: an invented town in which people hear from the stores they pass."""
