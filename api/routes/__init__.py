"""The doors, one file per noun."""
