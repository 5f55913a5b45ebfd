"""HTTP as a sender needs it: time-outs, one connection a receiver, addresses checked before dialling."""
