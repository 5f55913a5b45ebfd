"""What the OpenAPI document says: in words, names, scopes, units and examples."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from api.app import make_app
from api.http.describe import public_name
from api.http.fields import Body
from api.http.route_modules import found_routes
from api.metrics import Metrics
from api.openapi import FILE_CODES, plain_arrays
from api.schemas.coupons import RedemptionIn
from api.schemas.customers import CustomerIn
from api.schemas.devices import DeviceIn
from api.schemas.geofences import GeofenceIn
from api.schemas.keys import KeyIn, ProjectIn
from api.schemas.stores import RingIn, StoreIn
from api.settings import Settings
from geofence.model.ping import PingIn
from geofence.offers.plan import read_plan

ROOT = Path(__file__).resolve().parents[2]
NEVER_OF_AN_UPLOAD = {"not_found", "not_writable", "too_large"}  # the last is 413


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    # the document is the same over any services
    services: Any = SimpleNamespace(metrics=Metrics(), settings=Settings())
    return make_app(services).openapi()


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


def test_no_json_is_described_where_none_comes(found: dict[str, Any]) -> None:
    for label, operation in operations(found):
        for status, response in operation["responses"].items():
            assert all(media.get("schema") for media in response.get("content", {}).values()), (
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


def test_schemas_bear_the_plain_names_of_nouns_and_bodies_end_in_input(
    found: dict[str, Any],
) -> None:
    names = set(found["components"]["schemas"])
    assert {"Store", "StoreInput", "Event", "Campaign", "CampaignInput", "PingInput"} <= names
    assert {"LintFinding", "ImportReport", "DeviceErasureReceipt"} <= names
    assert not [name for name in names if re.search(r"(Out|[a-z]In)$", name)]


def test_two_schemas_of_one_public_name_are_refused(tmp_path: Path) -> None:
    """A copy of the sources in which one module has one struct more does not describe itself."""
    for folder in ("api", "geofence", "regions"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    with (tmp_path / "api/schemas/events.py").open("a", encoding="utf-8") as module:
        module.write("\n\nclass Store(msgspec.Struct):\n    id: str\n")
    program = "from api.openapi import _schemas; _schemas()"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "ValueError: two schemas are called Store"


def test_every_operation_below_v1_names_the_scopes_of_its_key(found: dict[str, Any]) -> None:
    for label, operation in operations(found):
        if " /v1/" not in label:
            assert operation["security"] == [], label
            continue
        scopes = {scope for one in operation["security"] for (scope,) in one.values()}
        assert scopes, label
        assert scopes <= {"ingest", "manage", "redeem", "read"}
        assert all(f"`{scope}`" in operation["description"] for scope in scopes), label
    assert _scopes(found, "/v1/stores", "get") == {"read", "manage"}
    assert _scopes(found, "/v1/stores/{external_id}", "put") == {"manage"}
    assert _scopes(found, "/v1/coupons/{code}/redeem", "post") == {"redeem"}
    assert _scopes(found, "/v1/pings", "post") == {"ingest"}


def test_a_patch_needs_the_scopes_of_put_and_takes_both_media_types(found: dict[str, Any]) -> None:
    patched = [path for path, methods in found["paths"].items() if "patch" in methods]
    assert len(patched) == 5
    for path in patched:
        assert _scopes(found, path, "patch") == _scopes(found, path, "put")
        content = found["paths"][path]["patch"]["requestBody"]["content"]
        assert list(content) == ["application/merge-patch+json", "application/json"]
        for one in content.values():
            assert one["schema"] == {"$ref": "#/components/schemas/MergePatch"}
    assert "RFC 7396" in found["components"]["schemas"]["MergePatch"]["description"]


def test_every_tag_is_described_and_a_server_is_named(found: dict[str, Any]) -> None:
    described = {tag["name"]: tag["description"] for tag in found["tags"]}
    used = {tag for _, operation in operations(found) for tag in operation["tags"]}
    assert set(described) == used
    assert list(described) == sorted(described)
    assert all(len(text) > 15 for text in described.values())
    assert found["servers"][0]["url"] == "/"


def test_every_field_of_a_ping_has_its_meaning_and_an_example(found: dict[str, Any]) -> None:
    ping = found["components"]["schemas"]["PingInput"]
    for name, facts in ping["properties"].items():
        assert len(facts["description"]) > 10, name
        assert facts["examples"], name
    units = {"lat": "degrees", "accuracy_m": "metres", "speed_mps": "metres per second"}
    assert all(unit in ping["properties"][name]["description"] for name, unit in units.items())
    assert msgspec.convert(ping["examples"][0], PingIn).lat == 52.5163


@pytest.mark.parametrize(
    "body", [StoreIn, RingIn, GeofenceIn, DeviceIn, CustomerIn, RedemptionIn, KeyIn, ProjectIn]
)
def test_the_example_of_a_body_is_one_that_is_accepted(
    found: dict[str, Any], body: type[Body]
) -> None:
    schema = found["components"]["schemas"][public_name(body.__name__)]
    assert body.model_validate(schema["examples"][0])


def test_the_example_of_a_campaign_is_one_that_is_accepted(found: dict[str, Any]) -> None:
    example = found["components"]["schemas"]["CampaignInput"]["examples"][0]
    assert read_plan(example, now_ms=0).name == "Lunch coffee"


def test_pairs_are_written_as_arrays_of_two(found: dict[str, Any]) -> None:
    text = json.dumps(found)
    assert "prefixItems" not in text
    assert '"items": false' not in text
    between = found["components"]["schemas"]["Schedule"]["properties"]["between"]["anyOf"][0]
    assert (between["type"], between["minItems"], between["maxItems"]) == ("array", 2, 2)
    assert between["items"]["type"] == "string"


def test_what_is_no_pair_of_one_schema_stays_as_it_is() -> None:
    mixed = {"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False}
    assert plain_arrays(mixed) == mixed


def test_the_stream_and_the_idempotency_key_are_described(found: dict[str, Any]) -> None:
    stream = found["paths"]["/v1/events/stream"]["get"]
    assert stream["responses"]["200"]["content"]["text/event-stream"]["schema"]["examples"]
    assert "reconnects" in stream["description"]
    for path in ("/v1/keys", "/v1/coupons/{code}/redeem"):
        header = found["paths"][path]["post"]["parameters"][-1]
        assert header["name"] == "Idempotency-Key"
        assert "24 hours" in header["description"]


def test_a_new_file_of_routes_is_found_without_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "more_routes"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "pears.py").write_text(
        '"""Pears: one more noun."""\nfrom fastapi import APIRouter\n'
        'router = APIRouter(prefix="/v1/pears", tags=["pears"])\n'
    )
    (folder / "helpers.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    pears = found_routes(importlib.import_module("more_routes"))
    assert [router.prefix for router in pears.routers] == ["/v1/pears"]
    assert pears.tags == ({"name": "pears", "description": "Pears: one more noun."},)
    files = {path.stem for path in (ROOT / "api" / "routes").glob("*.py")} - {"__init__"}
    assert len(found_routes().routers) + 1 == len(files)  # pings are plain Starlette routes


def _scopes(found: dict[str, Any], path: str, method: str) -> set[str]:
    security = found["paths"][path][method]["security"]
    return {scope for one in security for scopes in one.values() for scope in scopes}


def test_the_document_uses_no_retired_word(found: dict[str, Any]) -> None:
    words = {word.lower() for word in re.findall(r"[A-Za-z]+", msgspec.json.encode(found).decode())}
    retired = {"house", "door", "doors", "drawer", "crew", "scribe", "parcel", "errand", "told"}
    assert words & (retired | {"bystander", "whoever", "nobody", "somebody", "anew"}) == set()
