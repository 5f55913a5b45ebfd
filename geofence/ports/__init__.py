"""What the street needs from outside: one protocol per module, at most eight methods each.

A `Unit` is one open transaction on the record; every change goes through one. Reads that change
nothing (`Queries`) run on their own connections, from any thread.
"""
