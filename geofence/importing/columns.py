"""Which column of a stranger's file is what: by the names that others give to the same thing.

Names are compared in lower case with everything but letters and digits as one underscore, and camel
case taken apart; a name with dots (`Address.Latitude`) is tried whole first and then by its last
part. The first synonym that is there wins, so the order within a row is a preference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from geofence.importing.opening_hours import DayColumn, day_column
from geofence.importing.report import Kind
from regions.readers.text.column_names import without_degrees

MOST_COLUMNS = 500
DBF_NAME = 10  # characters of a column's name in a Shapefile

_SHARED = {
    "brand": "brand chain banner brand_name chain_name retailer operator marke kette",
    "lat": "lat latitude y breitengrad breite geo_lat gps_lat lat_deg lat_dd latitud location_lat coordinates_latitude",
    "lon": "lon lng long longitude x laengengrad längengrad laenge länge geo_lon geo_lng gps_lon gps_lng lon_deg lon_dd longitud "
    "location_lng location_lon coordinates_longitude",
    "radius": "radius_m radius radius_meters radius_metres geofence_radius geofence_radius_m fence_radius geometry_radius "
    "radius_km radius_mi radius_miles radius_ft radius_feet radius_in_meters",
    "radius_units": "radius_units radius_unit",
    "tags": "tags tag labels",
    "metadata": "metadata",
}
_STORES = _SHARED | {
    "external_id": "external_id store_id ref store_number store_no store_num store_nr store_code branch_id branch_code branch_number "
    "site_id site_code location_id location_number location_code shop_id outlet_id filialnummer filial_nummer filialnr filial_nr filial_id "
    "standort_id geometry_id id osm_id number nummer nr code identifier key uid",
    "name": "name store_name title branch_name shop_name location_name site_name display_name filialname filial_name "
    "standortname standort_name marktname bezeichnung nom nombre branch label filiale standort",
    "address": "addr_full full_address address_full formatted_address address street_address addr_street_address address_line1 "
    "address_line_1 address1 anschrift adresse",
    "address_more": "address_line2 address_line_2 address2",
    "housenumber": "addr_housenumber housenumber house_number hausnummer hausnr",
    "street": "addr_street street street_name strasse straße",
    "city": "addr_city city town municipality locality ort stadt ville ciudad",
    "state": "addr_state state state_province province subdivision",
    "postcode": "addr_postcode postcode postal_code zip zip_code zipcode plz postleitzahl",
    "country": "addr_country country country_code country_name land",
    "time_zone": "time_zone timezone tz tzid timezone_name time_zone_name iana_timezone timezone_raw zeitzone",
    "opening_hours": "opening_hours hours store_hours business_hours openinghours öffnungszeiten oeffnungszeiten",
    "rings": "rings",
    "end_date": "end_date closed_date",
}
_GEOFENCES = _SHARED | {
    "external_id": "external_id geofence_id fence_id zone_id area_id geometry_id ref id osm_id nummer nr identifier code key uid",
    "name": "name geofence_name fence_name zone_name area_name title display_name label bezeichnung nom nombre description",
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
    """How rows with certain columns are read.

    Field -> column, day columns, and the columns that become metadata.
    """

    column: dict[str, str]
    days: tuple[tuple[str, DayColumn], ...]
    rest: tuple[str, ...]
    fields_present: frozenset[str]
    """The fields of a store or geofence that these columns speak of."""

    def report(self) -> dict[str, str]:
        """Column -> what it was read as."""
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

    `given` is what the caller said: field -> column; `no_id` is not the id.

    `said` are fields that the row's geometry says: no column is read as one of them.
    """
    names = list(names)[:MOST_COLUMNS]
    column = {field: name for field, name in given.items() if name in names and field not in said}
    left = [name for name in names if name not in column.values() and name != no_id]
    whole = _first((normal(name), name) for name in left)
    last = _first((normal(name.rpartition(".")[2]), name) for name in left if "." in name)
    for field, words in SYNONYMS[kind].items():
        found = next(
            (
                known[word]
                for known in ((whole,) if field == "radius" else (whole, last))
                for word in _spellings(words)
                if word in known
            ),
            None,
        )
        if (
            field not in column
            and field not in said
            and found is not None
            and found not in column.values()
        ):
            column[field] = found
    taken = set(column.values())
    days = (
        _day_columns([name for name in names if name not in taken])
        if kind == "stores" and "opening_hours" not in column
        else ()
    )
    taken |= {name for name, _ in days}
    rest = tuple(name for name in names if name not in taken and normal(name) not in _DROPPED)
    return Plan(column, days, rest, _told(column, bool(days), bool(rest)))


def normal(name: str) -> str:
    """A column's name as it is compared."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", without_degrees(name))
    return re.sub(r"[\W_]+", "_", apart.casefold()).strip("_")


def unit_of(column: str) -> str:
    """The unit that the name of a column of radii ends in, `m` without one."""
    return {"km": "km", "mi": "mi", "miles": "mi", "ft": "ft", "feet": "ft"}.get(
        normal(column).rpartition("_")[2], "m"
    )


def _day_columns(names: Iterable[str]) -> tuple[tuple[str, DayColumn], ...]:
    """Columns of opening hours.

    None where they speak of less than five days: a column `fr` alone is likely French.
    """
    found = tuple((name, day) for name in names if (day := day_column(name)))
    return found if len({day for _, column in found for day in column.days}) >= 5 else ()


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, name in pairs:
        found.setdefault(word, name)
    return found


@cache
def _spellings(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words, and as Shapefiles cut them."""
    return (*words, *(word[:DBF_NAME] for word in words if len(word) > DBF_NAME))


def _told(column: Mapping[str, str], days: bool, rest: bool) -> frozenset[str]:
    fields = {"address" if field in ADDRESS else field for field in column}
    if days:
        fields.add("opening_hours")
    if rest:
        fields.add("metadata")
    return frozenset(fields)
