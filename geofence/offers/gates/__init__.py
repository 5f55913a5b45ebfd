"""The gates: each is one reason to send or to stay silent.

A gate has `NAME` and `judge(case) -> GateResult`, and reads nothing but the case. The order of the
gates has a meaning and stands in `street/decide.py`.
"""
