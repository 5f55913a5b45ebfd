"""The drawer of gates: each one reason to speak or to stay silent.

A gate has `NAME` and `judge(case) -> Verdict`, and looks at nothing but the case. Their order is
meaning and stands in `street/decide.py`.
"""
