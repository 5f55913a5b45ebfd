"""HTTP as a sender needs it.

Time-outs, one connection a receiver, addresses checked before dialling.
"""
