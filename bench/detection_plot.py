"""A plot of the detection bench as SVG: one panel per measure, one line per profile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

Row = dict[str, object]

COLOURS = {"exact": "#888888", "balanced": "#0b6e4f", "strict": "#b5651d"}
WIDE, TALL, LEFT, TOP, GAP = 330, 210, 62, 40, 74
TICKS_S = (1, 5, 15, 30, 60, 120, 300)


class Panel(NamedTuple):
    """A title, the figure of a row, and whether the axis is logarithmic."""

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


class Scale(NamedTuple):
    """Where figures stand within a panel: its corner in pixels, and the marks of its axis."""

    left: float
    top: float
    marks: list[float]
    logarithmic: bool

    def x(self, interval_s: float) -> float:
        share = math.log(interval_s / TICKS_S[0]) / math.log(TICKS_S[-1] / TICKS_S[0])
        return self.left + WIDE * (0.04 + 0.92 * share)

    def y(self, value: float) -> float:
        low, high, at = self.marks[0], self.marks[-1], value
        if self.logarithmic:
            at = math.log(max(value, low))
            low, high = math.log(max(low, 1e-3)), math.log(max(high, 1e-3))
        return self.top + TALL * (1.0 - (at - low) / (high - low))


def plot(rows: Sequence[Row], heading: str) -> str:
    """The SVG text; `rows` as the bench writes them, with `profile` and `interval_s`."""
    across = 2
    width = LEFT + across * (WIDE + GAP)
    height = TOP + math.ceil(len(PANELS) / across) * (TALL + GAP) + 20
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(LEFT, 20, heading, size=14),
    ]
    for number, panel in enumerate(PANELS):
        row, column = divmod(number, across)
        left, top = LEFT + column * (WIDE + GAP), TOP + 20 + row * (TALL + GAP)
        parts += _panel(panel, rows, left, top)
    return "\n".join([*parts, *_legend(height), "</svg>\n"])


def _legend(height: int) -> Iterator[str]:
    for number, (profile, colour) in enumerate(COLOURS.items()):
        x = LEFT + 110 * number
        yield _line(x, height - 18, x + 22, height - 18, colour, width=2)
        yield _text(x + 28, height - 14, profile)


def _panel(panel: Panel, rows: Sequence[Row], left: float, top: float) -> list[str]:
    known = [
        (str(row["profile"]), float(str(row["interval_s"])), value)
        for row in rows
        if (value := panel.value(row)) is not None
    ]
    parts = [
        _text(left, top - 8, panel.title),
        f'<rect x="{left}" y="{top}" width="{WIDE}" height="{TALL}" fill="none" stroke="#bbb"/>',
    ]
    if not known:
        return parts
    marks = _marks([value for _, _, value in known], panel.logarithmic)
    scale = Scale(left, top, marks, panel.logarithmic)
    parts += _axes(scale)
    for profile, colour in COLOURS.items():
        line = [
            (scale.x(at_s), scale.y(value))
            for name, at_s, value in sorted(known)
            if name == profile
        ]
        parts += _curve(line, colour)
    return parts


def _axes(scale: Scale) -> Iterator[str]:
    for mark in scale.marks:
        y = scale.y(mark)
        yield _line(scale.left, y, scale.left + WIDE, y, "#eee")
        yield _text(scale.left - 6, y + 4, f"{mark:g}", anchor="end")
    for tick in TICKS_S:
        yield _text(scale.x(tick), scale.top + TALL + 15, f"{tick} s", anchor="middle")


def _curve(points: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: int = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


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
