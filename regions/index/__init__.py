"""The spatial index: H3 covers, exact tests and nearest geofences."""
