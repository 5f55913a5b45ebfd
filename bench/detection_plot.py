"""A plot of the detection bench as SVG, written by hand.

One panel for each measure, one line for each profile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

Row = dict[str, object]

COLOURS = {"exact": "#888888", "balanced": "#0b6e4f", "strict": "#b5651d"}
WIDE, TALL, LEFT, TOP, GAP = 330, 210, 62, 40, 74
TICKS_S = (1, 5, 15, 30, 60, 120, 300)


class Panel(NamedTuple):
    """What is shown, the figure of a row, and whether its axis is logarithmic."""

    title: str
    value: Callable[[Row], float | None]
    logarithmic: bool


def _scaled(name: str, factor: float) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        found = row[name]
        return factor * found if isinstance(found, int | float) else None

    return value


def _false_share(row: Row) -> float | None:
    precision = row["precision"]
    return 100.0 * (1.0 - precision) if isinstance(precision, float) else None


PANELS = (
    Panel("visits of 5 min and more found, %", _scaled("recall", 100.0), False),
    Panel("detected visits that are false, %", _false_share, False),
    Panel("false enters per device-day", _scaled("false_enters_per_day", 1.0), False),
    Panel("false exits per device-day", _scaled("false_exits_per_day", 1.0), False),
    Panel("delay of an enter, median, s", _scaled("enter_median_s", 1.0), True),
    Panel("delay of an exit, median, s", _scaled("exit_median_s", 1.0), True),
)


def plot(rows: Sequence[Row], heading: str) -> str:
    """The SVG text; `rows` as the bench writes them, with `profile` and `interval_s`."""
    across = 2
    width = LEFT + across * (WIDE + GAP)
    height = TOP + math.ceil(len(PANELS) / across) * (TALL + GAP) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(LEFT, 20, heading, size=14),
    ]
    for number, panel in enumerate(PANELS):
        left, top = (
            LEFT + (number % across) * (WIDE + GAP),
            TOP + 20 + (number // across) * (TALL + GAP),
        )
        parts += _panel(panel, rows, left, top)
    for number, (profile, colour) in enumerate(COLOURS.items()):
        x = LEFT + 110 * number
        parts.append(
            f'<line x1="{x}" y1="{height - 18}" x2="{x + 22}" y2="{height - 18}" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(_text(x + 28, height - 14, profile))
    return "\n".join([*parts, "</svg>\n"])


def _panel(panel: Panel, rows: Sequence[Row], left: float, top: float) -> list[str]:
    shown = [(str(row["profile"]), float(str(row["interval_s"])), panel.value(row)) for row in rows]
    known = [
        (profile, interval_s, value) for profile, interval_s, value in shown if value is not None
    ]
    parts = [
        _text(left, top - 8, panel.title),
        f'<rect x="{left}" y="{top}" width="{WIDE}" height="{TALL}" fill="none" stroke="#bbb"/>',
    ]
    if not known:
        return parts
    marks = _marks([value for _, _, value in known], panel.logarithmic)

    def place(interval_s: float, value: float) -> tuple[float, float]:
        x = left + WIDE * (
            0.04 + 0.92 * math.log(interval_s / TICKS_S[0]) / math.log(TICKS_S[-1] / TICKS_S[0])
        )
        low, high = (
            (math.log(max(mark, 1e-3)) for mark in (marks[0], marks[-1]))
            if panel.logarithmic
            else (marks[0], marks[-1])
        )
        at = math.log(max(value, marks[0])) if panel.logarithmic else value
        return x, top + TALL * (1.0 - (at - low) / (high - low))

    for mark in marks:
        y = place(TICKS_S[0], mark)[1]
        parts.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{left + WIDE}" y2="{y:.1f}" stroke="#eee"/>'
        )
        parts.append(_text(left - 6, y + 4, f"{mark:g}", anchor="end"))
    parts += [
        _text(place(tick, marks[0])[0], top + TALL + 15, f"{tick} s", anchor="middle")
        for tick in TICKS_S
    ]
    for profile, colour in COLOURS.items():
        points = [
            place(interval_s, value) for name, interval_s, value in sorted(known) if name == profile
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return parts


def _marks(values: Sequence[float], logarithmic: bool) -> list[float]:
    """Round numbers from below the least to above the greatest."""
    if logarithmic:
        low = math.floor(math.log10(max(min(values), 1.0)))
        high = max(math.ceil(math.log10(max(*values, 10.0))), low + 1)
        return [10.0**power for power in range(low, high + 1)]
    low, high = min(values), max(values)
    step = _round_step((high - low or max(high, 1.0)) / 4.0)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [round(number * step, 6) for number in range(first, last + 1)]


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough)


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    safe = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{safe}</text>'
