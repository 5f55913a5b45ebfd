"""The tables of `docs/reference/` say what the code says.

Each row exists in the code, and each thing there has its row.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.rules.rules.source import FLOORS, Wrong, python_files, tree_of, wrong

_METRIC_KINDS = {
    "Counter",
    "Gauge",
    "Histogram",
    "Summary",
    "Info",
    "CounterMetricFamily",
    "GaugeMetricFamily",
    "HistogramMetricFamily",
}
PAGES = "docs/reference"
_ROW = re.compile(r"^\|\s*`([^`]+)`")


def settings_in_code(root: Path) -> dict[str, str]:
    """Every declared setting with its default, as the environment would spell it."""
    for node in ast.walk(tree_of(root / "api" / "settings.py")):
        if isinstance(node, ast.ClassDef) and node.name == "Settings":
            fields = [
                field
                for field in node.body
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            ]
            return {f"GEOFENCE_{_target(field).upper()}": _default(field.value) for field in fields}
    return {}


def _target(field: ast.AnnAssign) -> str:
    return field.target.id if isinstance(field.target, ast.Name) else ""


def _default(value: ast.expr | None) -> str:
    first = value.args[0] if isinstance(value, ast.Call) and value.args else value
    if not first:
        return ""
    code = compile(ast.Expression(first), "default", "eval")
    return str(eval(code, {"__builtins__": {}}))  # noqa: S307 our own arithmetic, such as 8 * 1024


def rejections_in_code(root: Path) -> dict[str, str]:
    """Every code an item of a batch can be refused with, and what it says."""
    for node in ast.walk(tree_of(root / "geofence" / "street/normalise.py")):
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "REJECTION_CODES" for t in node.targets
        ):
            return {str(key): str(value) for key, value in ast.literal_eval(node.value).items()}
    return {}


def ping_fields_in_code(root: Path) -> dict[str, str]:
    """Every field of a ping as a phone posts it."""
    for node in ast.walk(tree_of(root / "geofence" / "model" / "ping.py")):
        if isinstance(node, ast.ClassDef) and node.name == "PingIn":
            fields = (field for field in node.body if isinstance(field, ast.AnnAssign))
            return {_target(field): "" for field in fields}
    return {}


def kinds_in_code(root: Path) -> dict[str, str]:
    """Every kind of event."""
    for node in ast.walk(tree_of(root / "geofence" / "model" / "event.py")):
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "EventKind" for t in node.targets
        ):
            return {
                n.value: ""
                for n in ast.walk(node.value)
                if isinstance(n, ast.Constant) and isinstance(n.value, str)
            }
    return {}


def metrics_in_code(root: Path) -> dict[str, str]:
    """Every metric, as `/metrics` spells it."""
    found = {}
    for path in python_files(root, *FLOORS):
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Call)
                and _called(node) in _METRIC_KINDS
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                name = str(node.args[0].value)
                found[
                    name + "_total"
                    if _called(node).startswith("Counter") and not name.endswith("_total")
                    else name
                ] = ""
    return found


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


class Table(NamedTuple):
    """A table of a page: where it stands, and its rows, first cell -> (line, whole row)."""

    path: Path
    line: int
    rows: dict[str, tuple[int, str]]


def table_of(root: Path, name: str) -> Table:
    """The rows between `<!-- name -->` and the next empty line, on the page that holds that mark.

    A table that no page holds has no rows and stands at the top of the index of the documents.
    """
    for path in sorted((root / PAGES).glob("*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for start, line in enumerate(lines, 1):
            if line.strip() == f"<!-- {name} -->":
                return Table(path, start, dict(_rows(lines, start)))
    return Table(root / "docs" / "README.md", 1, {})


def _rows(lines: list[str], start: int) -> Iterator[tuple[str, tuple[int, str]]]:
    for number, line in enumerate(lines[start:], start + 1):
        if not line.strip():
            break
        if match := _ROW.match(line):
            yield match[1], (number, line)


def _compare(root: Path, name: str, code: dict[str, str], *, quotes: bool) -> Iterator[Wrong]:
    table = table_of(root, name)
    for item, text in code.items():
        if item not in table.rows:
            yield wrong(root, table.path, table.line, f"the table of {name} lacks {item}")
        elif quotes and text and text not in table.rows[item][1]:
            yield wrong(
                root,
                table.path,
                table.rows[item][0],
                f"the table of {name} should say {text!r} of {item}",
            )
    for item in table.rows.keys() - code.keys():
        yield wrong(
            root,
            table.path,
            table.rows[item][0],
            f"the table of {name} has {item}, the code does not",
        )


def the_settings_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every setting is documented with its default, and nothing else is."""
    yield from _compare(root, "settings", settings_in_code(root), quotes=True)


def the_rejections_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every rejection code is documented in the words the service uses."""
    yield from _compare(root, "rejections", rejections_in_code(root), quotes=True)


def the_pings_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every field of a ping is documented."""
    yield from _compare(root, "pings", ping_fields_in_code(root), quotes=False)


def the_events_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every event kind is documented."""
    yield from _compare(root, "events", kinds_in_code(root), quotes=False)


def the_metrics_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every metric is documented."""
    yield from _compare(root, "metrics", metrics_in_code(root), quotes=False)


def order_of_gates(root: Path) -> list[str]:
    """The gates as `decide` walks them."""
    parts = {}
    for node in ast.walk(tree_of(root / "geofence" / "street/decide.py")):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id.endswith("_ARBITRATION")
        ):
            parts[node.targets[0].id] = list(ast.literal_eval(node.value))
    return [
        *parts.get("BEFORE_ARBITRATION", []),
        "arbitration",
        *parts.get("AFTER_ARBITRATION", []),
    ]


def reasons_of_gate(path: Path) -> set[str]:
    """The reason tokens in the docstring of `judge`, without the values that may follow."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.name == "judge":
            return {
                token.partition("=")[0]
                for token in re.findall(r"`([^`]+)`", ast.get_docstring(node) or "")
            }
    return set()


def spoken_by_gate(path: Path) -> set[str]:
    """The reason tokens that a gate's code spells out in `stopped(...)` and `Verdict(...)`."""
    calls = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and _called(node) in {"stopped", "Verdict"} and node.args
    ]
    texts = {
        part.value
        for call in calls
        for part in _choices(call.args[0])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
    return {text for text in texts if text}


def _choices(node: ast.expr) -> list[ast.expr]:
    return [*_choices(node.body), *_choices(node.orelse)] if isinstance(node, ast.IfExp) else [node]


def names_in_drawer(root: Path, drawer: str) -> dict[str, Path]:
    """The members of a drawer by their NAME."""
    found = {}
    for path in python_files(root, drawer):
        for node in tree_of(path).body:
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
                continue
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == "NAME":
                found[str(ast.literal_eval(node.value))] = path
    return found


def the_gates_table_is_true(root: Path) -> Iterator[Wrong]:
    """Each gate stands in its table in the order of `decide`, with each reason it may give.

    The docstring of a gate names its reasons.
    """
    page, line, rows = table_of(root, "gates")
    order = order_of_gates(root)
    gates = names_in_drawer(root, "geofence/offers/gates")
    if list(rows) != order:
        yield wrong(root, page, line, f"the table of gates should have the rows {', '.join(order)}")
    for name in gates.keys() ^ (set(order) - {"arbitration"}):
        yield wrong(
            root,
            gates.get(name, root / "geofence" / "street/decide.py"),
            1,
            f"the gate {name} is in the drawer or in the order, not in both",
        )
    for name, path in gates.items():
        for token in spoken_by_gate(path) - reasons_of_gate(path):
            yield wrong(root, path, 1, f"the docstring of judge lacks the reason {token}")
        for token in reasons_of_gate(path) if name in rows else ():
            if f"`{token}`" not in rows[name][1]:
                yield wrong(
                    root,
                    page,
                    rows[name][0],
                    f"the table of gates lacks the reason {token} of {name}",
                )


def the_triggers_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every trigger is documented with the kind of event it waits for."""
    kinds = {}
    for name, path in names_in_drawer(root, "geofence/offers/triggers").items():
        constants = {
            node.targets[0].id: node.value
            for node in tree_of(path).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        kinds[name] = f"`{ast.literal_eval(constants['KIND'])}`"
    yield from _compare(root, "triggers", kinds, quotes=True)


def the_channels_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every channel is documented, with how often it tries again."""
    tries = {
        name: _tries(path)
        for name, path in names_in_drawer(root, "geofence/delivery/channels").items()
    }
    yield from _compare(root, "channels", tries, quotes=True)


def the_formats_table_is_true(root: Path) -> Iterator[Wrong]:
    """Every format that maps are read and written in is documented."""
    yield from _compare(
        root, "formats", dict.fromkeys(names_in_drawer(root, "regions/readers"), ""), quotes=False
    )


def _tries(path: Path) -> str:
    """`5 tries more` for a channel that tries again five times, nothing for one that does not."""
    constants: dict[str, ast.expr] = {}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = node.value
        elif (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.value is not None
        ):
            constants[node.target.id] = node.value
    schedule = constants.get("retry_s", constants.get("RETRY_S"))
    schedule = constants.get(schedule.id) if isinstance(schedule, ast.Name) else schedule
    count = len(ast.literal_eval(schedule)) if schedule is not None else 0
    return f"{count} tries more" if count else ""


TABLES: tuple[Callable[[Path], Iterator[Wrong]], ...] = (
    the_settings_table_is_true,
    the_rejections_table_is_true,
    the_pings_table_is_true,
    the_events_table_is_true,
    the_metrics_table_is_true,
    the_gates_table_is_true,
    the_triggers_table_is_true,
    the_channels_table_is_true,
    the_formats_table_is_true,
)
