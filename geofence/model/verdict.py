"""What one gate says: a pass, or a stable reason with the measured value and the threshold."""

from __future__ import annotations

from typing import NamedTuple


class GateResult(NamedTuple):
    """`reason` is empty for a pass.

    `measured` and `threshold` are words for people, also on a pass.
    """

    reason: str = ""
    measured: str = ""
    threshold: str = ""

    @property
    def passed(self) -> bool:
        """Whether the case may go on."""
        return not self.reason


def passed(measured: object = "", threshold: object = "") -> GateResult:
    """A pass, with what was measured."""
    return GateResult("", str(measured), str(threshold))


def stopped(token: str, measured: object, threshold: object) -> GateResult:
    """A stop.

    The token alone where there is nothing to compare, `token=measured/threshold` otherwise.
    """
    values = "/".join(str(value) for value in (measured, threshold) if value != "")
    return GateResult(f"{token}={values}" if values else token, str(measured), str(threshold))
