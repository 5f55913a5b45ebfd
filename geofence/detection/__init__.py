"""From sightings to presences, transitions and visits. Pure: time is passed in."""
