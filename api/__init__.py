"""The top layer: HTTP and the command line. Translates, never decides; async lives here alone."""
