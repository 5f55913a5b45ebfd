"""The OpenAPI document against the running service.

Whatever it allows or forbids, the answer is as it says.

`GEOFENCE_TEST_EXAMPLES` sets the number of examples for each operation.
"""

from __future__ import annotations

import contextlib
import os
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import make_app
from api.metrics import Metrics
from api.settings import Settings
from tests.rigs.shop import Shop, open_shop

EXAMPLES = int(os.environ.get("GEOFENCE_TEST_EXAMPLES", "12"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# a batch with bad items is accepted on purpose, and each bad item is reported
LENIENT = ("POST /v1/pings",)
ENDLESS = "/v1/events/stream"  # test_api_stream.py listens to it
_SERVICES: Any = SimpleNamespace(
    metrics=Metrics(), settings=Settings()
)  # the document is the same over any services
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(make_app(_SERVICES).openapi())
    .exclude(path=ENDLESS)
    .get_all_operations()
}


@pytest.fixture(scope="session")
def tenant(running: Any) -> Shop:
    shop = open_shop(running)
    shop.client.put(
        "/v1/stores/s",
        json={"name": "S", "lat": 1, "lon": 2, "rings": [{"name": "near", "radius_m": 100}]},
    )
    shop.client.post("/v1/devices/d/ping", json={"lat": 1, "lon": 2, "ts": shop.now_ms})
    return shop


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_the_service_keeps_to_its_document(label: str, tenant: Shop) -> None:
    checks = CHECKS if label in LENIENT else [*CHECKS, negative_data_rejection]
    url, headers = tenant.running.url, {"Authorization": f"Bearer {tenant.sk}"}
    with requests.Session() as session:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
            def hold(case: schemathesis.Case) -> None:
                answer = case.call(base_url=url, headers=headers, timeout=30, session=session)
                assert answer.status_code < 500
                case.validate_response(answer, checks=checks)

            with contextlib.suppress(
                Unsatisfiable
            ):  # nothing can be wrong with an operation that takes nothing
                hold()


def test_every_reference_in_the_document_leads_somewhere(tenant: Shop) -> None:
    found = httpx.get(f"{tenant.running.url}/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    names = set(found["components"]["schemas"])

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"].rpartition("/")[2]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    assert references(found) <= names


def test_every_route_but_health_says_which_key_it_wants(tenant: Shop) -> None:
    found = httpx.get(f"{tenant.running.url}/openapi.json").json()
    assert found["security"] == [{"bearer": []}, {"basic": []}]
    for path, operations in found["paths"].items():
        for operation in operations.values():
            assert ("security" in operation and operation["security"] == []) == (
                not path.startswith("/v1/")
            ), path
            assert "401" in operation["responses"] or not path.startswith("/v1/"), path
