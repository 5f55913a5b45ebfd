"""Turn the rows of a file into stores and geofences, and report each row that needs attention."""
