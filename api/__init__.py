"""Top floor: the doors. Translates, never decides; the only floor with async."""
