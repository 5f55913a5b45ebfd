"""Manners of the tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.rules.rules.imports import imports_of, within
from tests.rules.rules.shape import Function, functions_of
from tests.rules.rules.source import Wrong, name_of, python_files, tree_of, wrong

WORDS = 4
_SAYS = (
    "assert",
    "check",
    "expect",
    "same_",
    "refuse",
    "must_",
    "verify",
    "call_and_validate",
    "run_state_machine_as_test",
)
_LOOPS = (ast.For, ast.While)


def tests_of(path: Path) -> Iterator[Function]:
    """The test functions of a file."""
    if path.name.startswith("test_"):
        yield from (
            function for function in functions_of(path) if function.name.startswith("test_")
        )


def test_names_are_sentences(root: Path) -> Iterator[Wrong]:
    """`test_a_ping_on_the_border_counts_as_inside`, not `test_border`."""
    for path in python_files(root, "tests"):
        for test in tests_of(path):
            if len([word for word in test.name.removeprefix("test_").split("_") if word]) < WORDS:
                yield wrong(root, path, test.lineno, f"{test.name} is not a sentence")


def every_test_asserts(root: Path) -> Iterator[Wrong]:
    """A test that asserts nothing cannot fail for the right reason.

    It may leave that to a function of its own file.
    """
    for path in python_files(root, "tests"):
        others = {
            function.name
            for function in functions_of(path)
            if any(map(_asserts, ast.walk(function)))
        }
        for test in tests_of(path):
            if not any(
                _asserts(node) or (isinstance(node, ast.Call) and _called(node) in others)
                for node in ast.walk(test)
            ):
                yield wrong(root, path, test.lineno, f"{test.name} asserts nothing")


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    return isinstance(node, ast.Call) and (
        _called(node) in {"raises", "warns", "fail"} or _called(node).lstrip("_").startswith(_SAYS)
    )


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def no_test_sleeps_blindly(root: Path) -> Iterator[Wrong]:
    """`time.sleep` is only allowed inside a loop that asks again and again for a condition.

    In the long suites it also chooses the random moment of a kill, which no condition tells.
    """
    for path in python_files(root, "tests"):
        if path.is_relative_to(root / "tests" / "long"):
            continue
        waiting = {
            id(call)
            for loop in ast.walk(tree_of(path))
            if isinstance(loop, _LOOPS)
            for call in ast.walk(loop)
        }
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and _called(node) == "sleep" and id(node) not in waiting:
                yield wrong(root, path, node.lineno, "a sleep where a condition can be awaited")


def nothing_of_ours_is_mocked(root: Path) -> Iterator[Wrong]:
    """Tests use the real thing.

    No `unittest.mock`, and `monkeypatch` only for environment and working folder.
    """
    for path in python_files(root, "tests"):
        for imported in imports_of(path, name_of(root, path)):
            if within(imported.name, ("unittest.mock", "mock", "pytest_mock")):
                yield wrong(root, path, imported.line, "no mocks")
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and _patches(node.func)
            ):
                yield wrong(root, path, node.lineno, "no mocks of our own modules")


def _patches(function: ast.Attribute) -> bool:
    owner = function.value
    return (
        isinstance(owner, ast.Name)
        and owner.id == "monkeypatch"
        and function.attr in {"setattr", "setitem", "delattr"}
    )


def every_skip_says_why(root: Path) -> Iterator[Wrong]:
    """A skip names what is missing."""
    for path in python_files(root, "tests"):
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Call)
                and _called(node) in {"skip", "skipif", "xfail"}
                and not _reasoned(node)
            ):
                yield wrong(root, path, node.lineno, "a skip without its reason")


def _reasoned(call: ast.Call) -> bool:
    named = any(keyword.arg == "reason" for keyword in call.keywords)
    return named or (_called(call) == "skip" and bool(call.args))


def rigs_live_in_one_place(root: Path) -> Iterator[Wrong]:
    """Suites import what they share from `tests.rigs`, never from a test module."""
    for path in python_files(root, "tests", "bench"):
        own = (
            ("tests.rigs", "tests.rules")
            if path.is_relative_to(root / "tests" / "rules")
            else ("tests.rigs",)
        )
        for imported in imports_of(path, name_of(root, path)):
            if (
                within(imported.name, ("tests",))
                and imported.name != "tests"
                and not within(imported.name, own)
            ):
                yield wrong(root, path, imported.line, f"{imported.name} is not in tests/rigs")
