"""Whatever stands in a file.

No row breaks the import, and nothing gets in that the API's own door would refuse.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api.schemas.geofences import GeofenceIn
from api.schemas.stores import StoreIn
from geofence.importing.columns import SYNONYMS
from geofence.importing.loader import Loader
from geofence.importing.report import Kind, Report
from geofence.importing.sheet import Sheet
from geofence.model.place import Geofence, Store
from geofence.places.export_rows import items_of_geofences, items_of_stores
from regions.readers.item import Item

TODAY = date(2026, 11, 22)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
TEXTS = (
    "",
    "48.1",
    "11,5",
    "near:150;wide:1 km",
    "24/7",
    "Mo-Fr",
    "strict",
    "2026-01-01",
    "a;b",
    "yes",
    "true",
    "0",
    "7/8",
    "x" * 1001,
)
STRANGE = (
    "\x00",
    "\ud800",
    '{"a": NaN}',
    "[[",
    "(GMT-08:00) America/Los_Angeles",
    "nan",
    "1e999",
    "9:00-17:00",
)
LIKELY = st.sampled_from([*TEXTS, *STRANGE, 48.1, 10**400])
WORDS = sorted(
    {words[0] for fields in SYNONYMS.values() for words in fields.values()}
    | {"Monday", "tue", "wed", "thu", "fri", "note"}
)
NUMBERS = st.floats(-89, 89) | st.floats(-400, 400, allow_nan=False)
GEOMETRY = st.none() | st.one_of(
    st.builds(lambda lat, lon: {"type": "Point", "coordinates": [lon, lat]}, NUMBERS, NUMBERS),
    st.builds(
        lambda lat, lon, r: {"type": "circle", "lat": lat, "lon": lon, "radius_m": r},
        NUMBERS,
        NUMBERS,
        st.floats(0, 2e5),
    ),
    st.just(
        {
            "type": "Polygon",
            "coordinates": [[[11, 48], [11.1, 48.1], [11.1, 48], [11, 48.1], [11, 48]]],
        }
    ),
    st.just({"type": "LineString", "coordinates": [[11, 48], [12, 48]]}),
)
ROWS = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(WORDS), LIKELY | JSON, max_size=8), GEOMETRY),
    max_size=6,
)


def _loaded(kind: Kind, items: list[Item]) -> tuple[Report, list[Any]]:
    put: list[Any] = []

    def collect(chunk: Any) -> Any:
        return [("created", one.place) for one in chunk]

    report = Report(kind, "geojson", "feature", dry_run=True)
    Loader(Sheet(report, TODAY), collect, put.append).load(items)
    return report, put


def _document(place: Store | Geofence) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(place))
    return {name: value for name, value in found.items() if not name.endswith("_ms")}


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_a_store_that_gets_in_by_a_file_would_get_in_by_the_door(
    rows: list[tuple[dict[str, Any], Any]],
) -> None:
    report, stores = _loaded("stores", [Item(number, *row) for number, row in enumerate(rows, 1)])
    assert report.rows == len(rows) == report.created + report.skipped + report.failed
    for store in stores:
        body = _document(store)
        name = body.pop("external_id")
        again = StoreIn.model_validate(body).model(name)
        assert again == store
        assert name.isprintable()
        assert 1 <= len(name) <= 128
        assert "/" not in name


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_a_geofence_that_gets_in_by_a_file_would_get_in_by_the_door(
    rows: list[tuple[dict[str, Any], Any]],
) -> None:
    report, fences = _loaded(
        "geofences", [Item(number, *row) for number, row in enumerate(rows, 1)]
    )
    assert report.rows == len(rows) == report.created + report.skipped + report.failed
    for fence in fences:
        body = {
            name: value
            for name, value in _document(fence).items()
            if name not in ("uid", "external_id", "store_id")
        }
        again = GeofenceIn.model_validate({**body, "store": fence.store_id}).model(
            fence.external_id
        )
        times = {"active_from_ms": fence.active_from_ms, "active_until_ms": fence.active_until_ms}
        assert msgspec.structs.replace(again, **times) == fence


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_what_got_in_comes_out_as_rows_that_say_the_same(
    rows: list[tuple[dict[str, Any], Any]],
) -> None:
    items = [Item(number, *row) for number, row in enumerate(rows, 1)]
    _, stores = _loaded("stores", items)
    report, again = _loaded("stores", list(items_of_stores(stores)))
    assert (again, report.failed, report.warned) == (
        stores,
        0,
        not stores,
    )  # that nothing came is reported
    _, fences = _loaded("geofences", items)
    report, again = _loaded("geofences", list(items_of_geofences(fences)))
    assert (again, report.failed) == (fences, 0)
