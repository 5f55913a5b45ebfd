"""First floor: what happens when a phone is near a store.

Synchronous, no HTTP, time is passed in.
"""
