"""The drawer of triggers: the rule of a campaign that names an event. One file per kind of event.

Each has `NAME` (the word in a campaign), `KIND` (the event's) and `matches(event, trigger)`.
"""
