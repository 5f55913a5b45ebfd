"""A field that is accepted is honoured: every field of a request, setting and column is read.

What is only stored or exported so far stands in a list, with the step that will read it.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from api import schemas
from api.http.fields import Body
from api.http.filters import Page, TimedPage
from api.schemas.geofences import GeofenceFilters
from api.settings import Settings
from geofence import model
from geofence.backends.sql.schema import metadata
from geofence.delivery.channels import CAMPAIGN_CHANNELS
from geofence.model import campaign
from geofence.model.campaign import Campaign, CampaignMatches
from geofence.model.ping import PingIn
from geofence.ports import listing as ports
from tests.rules.rules.readers import Read, reads, sources, unread
from tests.rules.rules.source import tree_of

ROOT = Path(__file__).resolve().parents[2]
# words after which things of a class are named in the code that acts on them
NOUNS: dict[str, tuple[str, ...]] = {
    "CouponPlan": ("coupon",),
    "Geofence": ("fence", "event", "place"),  # an event carries the names of its geofence
    "Key": ("body",),
    "Plan": ("plan", "campaign"),
    "Preview": ("body",),
    "Profile": ("rules",),
    "QuietHours": ("hours",),
    "Redemption": ("body",),
    "StoreFilter": ("wanted", "trigger"),
}
# the plans of channels; their templates are rendered by the channel, which its own tests see
PLANS = {
    kind.plan.__name__: tuple(set(kind.plan.__struct_fields__) - set(kind.templates))
    for kind in CAMPAIGN_CHANNELS.values()
    if kind.plan is not None
}
NOUNS |= dict.fromkeys(PLANS, ("plan",)) | {"MessagePlan": ("plan",)}
NO_BODIES = (Campaign, CampaignMatches)
# stored: kept, and no code acts on it yet. exported: also given back. ignored: dropped.
NOT_READ_YET: dict[tuple[str, str], str] = {
    ("Customer", "locale"): "exported: step 8 chooses a message's language",
    ("Customer", "tags"): "exported: step 8 chooses the audience",
    ("Device", "attributes"): "exported: step 8 chooses the audience",
    ("Device", "locale"): "exported: step 8 chooses a message's language",
    ("Device", "time_zone"): "exported: step 8 knows the customer's quiet hours abroad",
    ("Geofence", "metadata"): "exported: the retailer's own facts",
    ("Geofence", "tags"): "exported: lists are filtered by tag",
    ("Key", "name"): "exported: people tell keys apart by it",
    ("Ping", "altitude_m"): "ignored: step 14 tells floors apart",
    ("Ping", "attributes"): "ignored: step 8 records pings for backtests",
    ("Ping", "battery"): "ignored: step 13 chooses the next ping by it",
    ("Ping", "heading_deg"): "ignored: step 13 estimates arrivals",
    ("Redemption", "amount"): "exported: step 10 reports revenue",
    ("Redemption", "currency"): "exported: step 10 reports revenue",
    ("Redemption", "till"): "exported: step 10 reports by till",
    ("Store", "metadata"): "exported: the retailer's own facts",
}
# read under a computed name: the file that does it, and the code there
READ_OTHERWISE: dict[tuple[str, str], tuple[str, str]] = {
    ("Consents", "location"): ("geofence/model/customer.py", "self.consent.get(purpose)"),
    ("Consents", "push"): ("geofence/model/customer.py", "self.consent.get(purpose)"),
    ("Consents", "email"): ("geofence/model/customer.py", "self.consent.get(purpose)"),
    ("Offer", "title"): ("geofence/offers/filling.py", '"offer": {"title": case'),
    ("Device", "customer_id"): ("geofence/backends/sql/customers.py", "d.customer_id.in_"),
}
COLUMNS_NOT_READ_YET: dict[tuple[str, str], str] = {}


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for entry in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{entry.name}")


def _bodies() -> dict[str, tuple[str, ...]]:
    """The fields of every JSON body: strict models, and the structs of a campaign and a ping."""
    found: dict[str, tuple[str, ...]] = {
        kind.__name__.removesuffix("In"): tuple(kind.model_fields)
        for module in _modules(schemas)
        for kind in _own(module, Body)
    }
    structs = [PingIn, *(one for one in _own(campaign, msgspec.Struct) if one not in NO_BODIES)]
    given = {kind.__name__.removesuffix("In"): kind.__struct_fields__ for kind in structs}
    return found | given | PLANS


def _own(module: ModuleType, parent: type) -> Iterator[Any]:
    """The public subclasses of a class that a module defines."""
    for name, kind in vars(module).items():
        own = isinstance(kind, type) and kind.__module__ == module.__name__
        if own and issubclass(kind, parent) and not name.startswith("_"):
            yield kind


@pytest.fixture(scope="module")
def found() -> set[Read]:
    return reads(sources(ROOT))


def test_every_field_of_a_body_is_read_or_stands_in_the_list(found: set[Read]) -> None:
    without = set(unread(_bodies(), NOUNS, found))
    assert without - READ_OTHERWISE.keys() == NOT_READ_YET.keys()
    kinds = {why.partition(":")[0] for why in NOT_READ_YET.values()}
    assert kinds <= {"stored", "exported", "ignored"}


def test_what_is_read_under_a_computed_name_is_read_where_the_list_says() -> None:
    for field, (path, code) in READ_OTHERWISE.items():
        assert code in (ROOT / path).read_text(encoding="utf-8"), field


def test_every_filter_of_a_list_is_handed_to_the_list() -> None:
    filters = {
        kind.__name__: kind
        for module in _modules(schemas)
        for kind in _own(module, Page)
        if kind is not GeofenceFilters  # near, within_m and format choose another list
    }
    assert len(filters) >= 7
    for name, kind in filters.items():
        wanted = kind().wanted(dict)
        own = set(kind.model_fields) - set(TimedPage.model_fields)
        assert len(wanted.keys() - {"since_ms", "until_ms", "descending"}) == len(own), name
        listing = getattr(ports, name.replace("Filters", "Filter"))
        assert wanted.keys() <= set(listing.__struct_fields__), name


def test_every_setting_is_read() -> None:
    modules = sources(ROOT, leave_out=["api/settings.py"]).values()
    read = {  # a setting that is passed on under its own name is read
        node.attr
        for tree in modules
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and "settings" in ast.unparse(node.value)
    }
    channels = set(_names(ROOT / "geofence" / "delivery" / "channels"))  # handed over by name
    unread_settings = set(Settings.__dataclass_fields__) - read - channels
    assert unread_settings == {"config"}  # the file of the other settings, read where they are


def test_every_column_holds_a_field_of_the_model_or_is_named_by_the_database_code() -> None:
    fields = {
        name
        for module in _modules(model)
        for kind in _own(module, msgspec.Struct)
        for name in kind.__struct_fields__
    }
    named = set(_names(ROOT / "geofence" / "backends" / "sql"))
    columns = {(table.name, one.name) for table in metadata.tables.values() for one in table.c}
    unknown = {(table, name) for table, name in columns if name not in fields | named}
    assert unknown == COLUMNS_NOT_READ_YET.keys()


def test_a_planted_field_setting_or_copy_is_caught(found: set[Read]) -> None:
    planted = {"Device": ("platform", "plums"), "Store": ("time_zone",)}
    assert list(unread(planted, {}, found)) == [("Device", "plums")]
    shared = planted | {"Device": ("platform", "time_zone")}
    assert list(unread(shared, {}, found)) == [("Device", "time_zone")]
    code = "keep(plums=device.plums, more={'pears': device.pears})\nuse(x=device.figs)\n"
    listed = reads({"x.py": ast.parse(code)})
    assert listed == {Read("figs", "device")}
    assert not list(unread({"Device": ("figs",)}, {}, listed))


def _names(folder: Path) -> Iterator[str]:
    """Every attribute and text in the database's code, tables and migrations aside."""
    for path in sorted(folder.rglob("*.py")):
        if {"schema", "migrations"} & set(path.relative_to(folder).parts):
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.keyword) and node.arg is not None:
                yield node.arg
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"\w+", node.value)
