"""An invented town and the people in it, made from a seed: for the demo, tests and benchmarks.

The same seed, the same town.
"""
