"""What a phone may skip: how far it may move, and which geofences its own system watches."""
