"""START HERE: the street a ping walks, one module a step; `pipeline.py` is the order."""
