"""What the OpenAPI document says in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.app import make_app
from api.metrics import Metrics
from api.openapi import FILE_CODES

ROOT = Path(__file__).resolve().parents[2]
NEVER_OF_AN_UPLOAD = {"not_found", "not_writable", "too_large"}  # the last is 413


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    house: Any = SimpleNamespace(metrics=Metrics())  # the document is the same over any house
    return make_app(house).openapi()


def operations(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_summary_is_a_short_sentence_and_not_the_name_of_a_function(
    found: dict[str, Any],
) -> None:
    for label, operation in operations(found):
        summary = operation["summary"]
        assert " " in summary, label
        assert len(summary) <= 90, label
        assert summary[-1] not in ".:;", label
        assert summary != operation["operationId"].replace("_", " ").title(), label


def test_every_operation_has_a_name_of_its_own_that_says_no_path(found: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(found)]
    assert len(set(names)) == len(names)
    assert not [name for name in names if "__" in name or "_v1_" in name]


def test_no_json_is_told_of_where_none_comes(found: dict[str, Any]) -> None:
    for label, operation in operations(found):
        for status, response in operation["responses"].items():
            assert all(told.get("schema") for told in response.get("content", {}).values()), (
                label,
                status,
            )
    assert (
        "application/json"
        not in found["paths"]["/v1/events/stream"]["get"]["responses"]["200"]["content"]
    )
    assert (
        "application/json"
        not in found["paths"]["/v1/exports/{kind}"]["get"]["responses"]["200"]["content"]
    )


def test_an_import_tells_every_code_of_a_file_that_nobody_can_read(found: dict[str, Any]) -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("regions/readers", "geofence/importing")
        for path in (ROOT / folder).rglob("*.py")
    ]
    raised = {code for text in sources for code in re.findall(r'FileError\(\s*"(\w+)"', text)}
    assert raised - NEVER_OF_AN_UPLOAD == set(FILE_CODES)
    refusals = found["paths"]["/v1/imports"]["post"]["responses"]
    assert all(code in refusals["422"]["description"] for code in FILE_CODES)
    assert "JSON" not in refusals["415"]["description"]


def test_what_a_visit_says_is_explained_where_its_name_does_not_tell(found: dict[str, Any]) -> None:
    fields = found["components"]["schemas"]["Visit"]["properties"]
    unclear = (
        "visit_id",
        "visit",
        "last_inside",
        "departure",
        "points",
        "best_probability",
        "inferred",
        "amended",
        "reason",
    )
    assert [name for name in unclear if not fields[name].get("description")] == []
