"""How messages leave: channels, and the HTTP they share."""
