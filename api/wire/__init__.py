"""How answers are written for each kind of client, one file per format."""
