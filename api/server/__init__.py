"""Uvicorn as the service and the demo start it."""
