"""Which column of a file is which field, by the names that others give to the same thing.

Names compare in lower case, with every run of other characters than letters and digits as one
underscore, and with camel case taken apart. A name with dots (`Address.Latitude`) compares whole
first, then by its last part. The first synonym that is present wins, so the order within a row is
a preference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from geofence.importing.mapping import constant_columns
from geofence.importing.opening_hours import DayColumn, day_column
from geofence.importing.report import Kind
from regions.readers.text.column_names import without_degrees

MOST_COLUMNS = 500
DBF_NAME = 10  # characters of a column's name in a Shapefile
FEWEST_DAYS = 5  # of opening hours: a column `fr` alone is likely French

_SHARED = {
    "brand": "brand chain banner brand_name chain_name retailer operator marke kette",
    "lat": (
        "lat latitude y breitengrad breite geo_lat gps_lat lat_deg lat_dd latitud "
        "location_lat coordinates_latitude"
    ),
    "lon": (
        "lon lng long longitude x laengengrad längengrad laenge länge geo_lon geo_lng gps_lon "
        "gps_lng lon_deg lon_dd longitud location_lng location_lon coordinates_longitude"
    ),
    "radius": (
        "radius_m radius radius_meters radius_metres geofence_radius geofence_radius_m "
        "fence_radius geometry_radius radius_km radius_mi radius_miles radius_ft radius_feet "
        "radius_in_meters"
    ),
    "radius_units": "radius_units radius_unit",
    "tags": "tags tag labels",
    "metadata": "metadata",
}
_STORES = _SHARED | {
    "external_id": (
        "external_id store_id ref store_number store_no store_num store_nr store_code "
        "branch_id branch_code branch_number site_id site_code location_id location_number "
        "location_code shop_id outlet_id filialnummer filial_nummer filialnr filial_nr "
        "filial_id standort_id geometry_id id osm_id number nummer nr code identifier key uid"
    ),
    "name": (
        "name store_name title branch_name shop_name location_name site_name display_name "
        "filialname filial_name standortname standort_name marktname bezeichnung nom nombre "
        "branch label filiale standort"
    ),
    "address": (
        "addr_full full_address address_full formatted_address address street_address "
        "addr_street_address address_line1 address_line_1 address1 anschrift adresse"
    ),
    "address_more": "address_line2 address_line_2 address2",
    "housenumber": "addr_housenumber housenumber house_number hausnummer hausnr",
    "street": "addr_street street street_name strasse straße",
    "city": "addr_city city town municipality locality ort stadt ville ciudad",
    "state": "addr_state state state_province province subdivision",
    "postcode": "addr_postcode postcode postal_code zip zip_code zipcode plz postleitzahl",
    "country": "addr_country country country_code country_name land",
    "time_zone": (
        "time_zone timezone tz tzid timezone_name time_zone_name iana_timezone timezone_raw "
        "zeitzone"
    ),
    "opening_hours": (
        "opening_hours hours store_hours business_hours openinghours öffnungszeiten oeffnungszeiten"
    ),
    "rings": "rings",
    "end_date": "end_date closed_date",
}
_GEOFENCES = _SHARED | {
    "external_id": (
        "external_id geofence_id fence_id zone_id area_id geometry_id ref id osm_id nummer nr "
        "identifier code key uid"
    ),
    "name": (
        "name geofence_name fence_name zone_name area_name title display_name label "
        "bezeichnung nom nombre description"
    ),
    "store": "store store_id store_external_id",
    "ring": "ring",
    "profile": "profile",
    "active_from": "active_from valid_from",
    "active_until": "active_until valid_until valid_to",
    "enabled": "enabled",
    "end_date": "end_date",
}
del _GEOFENCES["brand"]

SYNONYMS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "stores": {field: tuple(words.split()) for field, words in _STORES.items()},
    "geofences": {field: tuple(words.split()) for field, words in _GEOFENCES.items()},
}
ADDRESS = (
    "address",
    "address_more",
    "housenumber",
    "street",
    "city",
    "state",
    "postcode",
    "country",
)
_DROPPED = frozenset({"sub_type", "shape_type"})  # what circles carry besides


class Plan(NamedTuple):
    """How rows with certain columns are read."""

    column: dict[str, str]
    """Field -> column."""
    days: tuple[tuple[str, DayColumn], ...]
    """Columns of opening hours, with the days that they are about."""
    rest: tuple[str, ...]
    """Columns that become metadata."""
    fields_present: frozenset[str]
    """The fields of a store or geofence that these columns hold."""

    def report(self) -> dict[str, str]:
        """Column -> what it is read as."""
        return (
            {
                column: "address" if field in ADDRESS else field
                for field, column in self.column.items()
            }
            | dict.fromkeys((column for column, _ in self.days), "opening_hours")
            | dict.fromkeys(self.rest, "metadata")
        )


def make_plan(
    names: Iterable[str],
    kind: Kind,
    given: Mapping[str, str],
    no_id: str | None = None,
    said: frozenset[str] = frozenset(),
) -> Plan:
    """How a row with columns of these names is read.

    Args:
        given: Field -> column, as the caller says; wins over synonyms.
        no_id: A column that is not the id, whatever its name.
        said: Fields that the row's geometry holds: no column is read as one of them.
    """
    names = list(names)[:MOST_COLUMNS]
    column = {field: name for field, name in given.items() if name in names and field not in said}
    left = [name for name in names if name not in column.values() and name != no_id]
    for field, name in _by_synonym(left, kind):
        if field not in column and field not in said and name not in column.values():
            column[field] = name
    used = {*column.values(), *constant_columns(given).values()}
    left = [name for name in names if name not in used]
    wants_days = kind == "stores" and "opening_hours" not in column
    days = _day_columns(left) if wants_days else ()
    return _with_rest(column, days, left)


def _with_rest(
    column: dict[str, str], days: tuple[tuple[str, DayColumn], ...], left: list[str]
) -> Plan:
    """The plan whose other columns become metadata."""
    taken = {name for name, _ in days}
    rest = tuple(name for name in left if name not in taken and normal(name) not in _DROPPED)
    return Plan(column, days, rest, _fields(column, bool(days), bool(rest)))


def _by_synonym(names: list[str], kind: Kind) -> Iterator[tuple[str, str]]:
    """(field, column) for each field that one of the names is a synonym of."""
    whole = _first((normal(name), name) for name in names)
    last = _first((normal(name.rpartition(".")[2]), name) for name in names if "." in name)
    for field, words in SYNONYMS[kind].items():
        known = (whole,) if field == "radius" else (whole, last)
        found = next(
            (some[word] for some in known for word in _spellings(words) if word in some), None
        )
        if found is not None:
            yield field, found


def normal(name: str) -> str:
    """A column's name in the form in which names compare."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", without_degrees(name))
    return re.sub(r"[\W_]+", "_", apart.casefold()).strip("_")


def unit_of(column: str) -> str:
    """The unit at the end of the name of a column of radii; `m` without one."""
    return {"km": "km", "mi": "mi", "miles": "mi", "ft": "ft", "feet": "ft"}.get(
        normal(column).rpartition("_")[2], "m"
    )


def _day_columns(names: Iterable[str]) -> tuple[tuple[str, DayColumn], ...]:
    """Columns of opening hours; none where they are about fewer than five days."""
    found = tuple((name, day) for name in names if (day := day_column(name)))
    days = {day for _, column in found for day in column.days}
    return found if len(days) >= FEWEST_DAYS else ()


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, name in pairs:
        found.setdefault(word, name)
    return found


@cache
def _spellings(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words, and the words as Shapefiles cut them."""
    return (*words, *(word[:DBF_NAME] for word in words if len(word) > DBF_NAME))


def _fields(column: Mapping[str, str], days: bool, rest: bool) -> frozenset[str]:
    fields = {"address" if field in ADDRESS else field for field in column}
    if days:
        fields.add("opening_hours")
    if rest:
        fields.add("metadata")
    return frozenset(fields)
