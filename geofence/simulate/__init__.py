"""An invented town and its people, made from a seed: for the demo, tests and benchmarks."""
