"""From the rows of anybody's file to stores and geofences, with a word about every row that did not go smoothly."""
