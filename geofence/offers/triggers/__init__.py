"""The triggers: which events a campaign means. One file per kind of event.

Each has `NAME` (the word in a campaign), `KIND` (the event's) and `matches(event, trigger)`.
"""
