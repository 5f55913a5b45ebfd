"""How the columns and cells of other programs' files are understood."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from api.schemas.profiles import ProfileIn
from geofence.importing import cells
from geofence.importing.address import address_of
from geofence.importing.columns import make_plan, unit_of
from geofence.importing.report import RowError
from geofence.model.place import Profile, Ring

KAGGLE = (
    "Brand,Store Number,Store Name,Ownership Type,Street Address,City,State/Province,Country,"
    "Postcode,Timezone,Longitude,Latitude"
)
ATP = (
    "ref,@spider,branch,name,brand,brand:wikidata,operator,addr:housenumber,addr:street,"
    "addr:city,addr:postcode,phone,opening_hours,end_date"
)


def _read(header: str, kind: Any = "stores", **given: str) -> dict[str, str]:
    return make_plan(header.split(","), kind, given).column


def test_the_headers_of_a_known_list_are_understood() -> None:
    assert _read(KAGGLE) == {
        "brand": "Brand",
        "external_id": "Store Number",
        "name": "Store Name",
        "address": "Street Address",
        "city": "City",
        "state": "State/Province",
        "postcode": "Postcode",
        "country": "Country",
        "time_zone": "Timezone",
        "lat": "Latitude",
        "lon": "Longitude",
    }
    assert make_plan(KAGGLE.split(","), "stores", {}).rest == ("Ownership Type",)


def test_all_the_places_is_understood_by_its_own_words() -> None:
    plan = make_plan(ATP.split(","), "stores", {})
    assert plan.column["external_id"] == "ref"
    assert (plan.column["name"], plan.column["brand"], plan.column["end_date"]) == (
        "name",
        "brand",
        "end_date",
    )
    assert (plan.column["housenumber"], plan.column["street"], plan.column["city"]) == (
        "addr:housenumber",
        "addr:street",
        "addr:city",
    )
    assert plan.rest == ("@spider", "branch", "brand:wikidata", "operator", "phone")


@pytest.mark.parametrize(
    ("header", "field", "column"),
    [
        ("storeNumber,lng", "external_id", "storeNumber"),
        ("ID,AlternateIdentifier.ID", "external_id", "ID"),
        ("Address.Latitude,Address.Longitude", "lat", "Address.Latitude"),
        ("Radius (km)", "radius", "Radius (km)"),
        ("BREITENGRAD,LÄNGENGRAD", "lon", "LÄNGENGRAD"),
        ("x,y", "lon", "x"),
        ("tz,name", "time_zone", "tz"),
    ],
)
def test_one_thing_has_many_names(header: str, field: str, column: str) -> None:
    assert _read(header)[field] == column


def test_what_the_caller_says_of_a_column_wins() -> None:
    assert _read("lat,hoehe,id,kasse", lat="hoehe", external_id="kasse") == {
        "lat": "hoehe",
        "external_id": "kasse",
    }


def test_a_geofence_names_its_store_where_a_store_names_itself() -> None:
    assert _read("store_id,name") == {"external_id": "store_id", "name": "name"}
    assert _read("geofence_id,store_id,ring", "geofences") == {
        "external_id": "geofence_id",
        "store": "store_id",
        "ring": "ring",
    }


@pytest.mark.parametrize(
    ("column", "unit"),
    [("radius", "m"), ("Radius (km)", "km"), ("radius_ft", "ft"), ("radius miles", "mi")],
)
def test_the_unit_of_a_radius_may_stand_in_its_header(column: str, unit: str) -> None:
    assert unit_of(column) == unit


@pytest.mark.parametrize(
    ("cell", "metres"),
    [
        (150, 150.0),
        ("150", 150.0),
        ("150 m", 150.0),
        ("0,5 km", 500.0),
        ("500ft", 152.4),
        ("1 mi.", 1609.344),
        ("", None),
    ],
)
def test_a_radius_is_read_with_its_unit(cell: Any, metres: float | None) -> None:
    assert cells.metres(cell, "m") == (None if metres is None else pytest.approx(metres))


@pytest.mark.parametrize(
    ("cell", "mark", "metres"),
    [
        ("50,000", ".", 50_000.0),
        ("1,000,000", ".", 1_000_000.0),
        ("10.000", ",", 10_000.0),
        ("150.000", ".", 150.0),
        ("150,000 m", ",", 150.0),
        ("10,500 ft", ".", 3200.4),
        ("1.500,5", None, 1500.5),
        ("1,500.5", ".", 1500.5),
        ("0,500 km", None, 500.0),
        ("0,5 km", ".", 500.0),
        ("1500.25", ",", 1500.25),
    ],
)
def test_a_length_is_read_with_the_decimal_mark_of_its_file(
    cell: str, mark: Any, metres: float
) -> None:
    assert cells.metres(cell, "m", mark=mark) == pytest.approx(metres)


@pytest.mark.parametrize(
    ("cell", "mark"),
    [
        ("50,000", None),
        ("10.000", None),
        ("1,000,000", None),
        ("1,000,000", ","),
        ("1.50.000", "."),
        ("1,500.5", ","),
        ("1,5,", None),
    ],
)
def test_a_length_that_may_be_two_is_refused_in_words(cell: str, mark: Any) -> None:
    with pytest.raises(RowError) as refused:
        cells.metres(cell, "m", mark=mark)
    assert (refused.value.field, refused.value.code) == ("radius", "invalid_radius")
    assert cell in refused.value.detail


@pytest.mark.parametrize(
    "cell", ["near:10.000", "near:10,000", '[{"name": "near", "radius_m": "12,340"}]']
)
def test_a_ring_of_thousands_is_refused_and_one_that_we_wrote_is_not(cell: str) -> None:
    with pytest.raises(RowError, match="thousands"):
        cells.rings(cell)
    assert cells.rings("near:150.125;wide:12345.678") == (
        Ring("near", 150.125),
        Ring("wide", 12_345.678),
    )
    with pytest.raises(RowError, match="thousands"):
        cells.rings("near:150.125", ",")


@pytest.mark.parametrize("cell", ["wide", "10 parsec", True, [], {}])
def test_a_radius_that_is_no_length_is_refused(cell: Any) -> None:
    with pytest.raises(RowError) as refused:
        cells.metres(cell, "m")
    assert (refused.value.field, refused.value.code) == ("radius", "invalid_radius")


@pytest.mark.parametrize(
    ("cell", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("(GMT-08:00) America/Los_Angeles", "America/Los_Angeles"),
        ("GMT-07:00 America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
        ("CST", None),
        ("Asia/Beijing", None),
        ("../../etc/passwd", None),
        ("", None),
    ],
)
def test_a_time_zone_is_found_within_what_surrounds_it(cell: str, zone: str | None) -> None:
    assert cells.zone(cell) == zone


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("a; b ;a", ("a", "b")),
        ("a|b", ("a", "b")),
        ("a, b", ("a", "b")),
        (["a;b", "c"], ("a;b", "c")),
        ('["x,y"]', ("x,y",)),
        (None, ()),
    ],
)
def test_tags_are_a_list_or_a_parted_text(cell: Any, tags: tuple[str, ...]) -> None:
    assert cells.tags(cell) == tags


def test_rings_are_read_from_text_and_from_json() -> None:
    assert cells.rings("near:150; wide:0.8 km") == (Ring("near", 150.0), Ring("wide", 800.0))
    strict = [{"name": "a:b", "radius_m": 20.5, "profile": {"name": "strict", "confirm_s": 30}}]
    assert cells.rings(strict) == (Ring("a:b", 20.5, Profile("strict", confirm_s=30)),)
    for wrong in (
        "near",
        "near:",
        ":5",
        "a/b:5",
        [{"name": "x"}],
        [{"name": "x", "radius_m": 5, "colour": "red"}],
        [5],
    ):
        with pytest.raises(RowError):
            cells.rings(wrong)


@pytest.mark.parametrize(
    "profile",
    [
        {"name": "exact", "dwell_s": [60, 5]},
        {"name": "lax"},
        {"confirm_s": -1},
        {"max_accuracy_m": 0},
        {"max_accuracy_m": 1_000_001},
        {"exit_margin_m": 100_001},
        {"presence_timeout_s": 59},
        {"presence_timeout_s": 60},
        {"dwell_s": [0]},
        {"dwell_s": list(range(1, 12))},
        {"cool_down_s": 604_801},
        {"colour": "red"},
    ],
)
def test_a_profile_in_a_file_keeps_the_rules_of_the_api(profile: dict[str, Any]) -> None:
    try:
        wanted = ProfileIn.model_validate(profile).model()
    except ValidationError:
        with pytest.raises(RowError):
            cells.profile(profile)
    else:
        assert cells.profile(profile) == wanted


@pytest.mark.parametrize(
    ("row", "address"),
    [
        (
            {"street": "Hauptstr.", "housenumber": "5", "postcode": "80331", "city": "München"},
            "Hauptstr. 5, 80331 München",
        ),
        (
            {
                "street": "Oxford St",
                "housenumber": "5",
                "city": "Napa",
                "state": "CA",
                "postcode": 94558,
            },
            "5 Oxford St, Napa, CA 94558",
        ),
        (
            {"address": "400 Blvd, Oxford, AL 36203", "city": "Oxford", "state": "AL"},
            "400 Blvd, Oxford, AL 36203",
        ),
        ({"address": "", "city": None}, None),
    ],
)
def test_an_address_is_made_of_its_pieces(row: dict[str, Any], address: str | None) -> None:
    assert address_of(row, {name: name for name in row}) == address


@pytest.mark.parametrize("cell", ['{"name": "\\ud800"}', '{"\\ud800": 1}', "\ud800"])
def test_half_a_character_in_a_profile_spoils_its_own_row_alone(cell: str) -> None:
    with pytest.raises(RowError) as caught:
        cells.profile(cell)
    assert caught.value.code == "invalid_profile"
