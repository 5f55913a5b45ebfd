"""A client of our own service, as the command line uses it."""
