"""The one list of what an erasure removes and what it blanks is complete."""

from __future__ import annotations

from geofence.backends.sql.schema import metadata
from geofence.people.erasure import ANONYMISED, BLANKED, REMOVED


def test_every_table_that_names_a_customer_is_removed_or_blanked():
    named = {table.name for table in metadata.tables.values() if "customer_id" in table.c}
    assert named == {*REMOVED, *ANONYMISED}


def test_every_blanked_table_loses_its_customer():
    assert {blank.noun for blank in BLANKED if "customer_id" in blank.values} == set(ANONYMISED)


def test_an_erasure_names_only_columns_that_exist():
    missing = [
        (blank.noun, name)
        for blank in BLANKED
        for name in (*blank.values, *blank.unless)
        if name not in metadata.tables[blank.noun].c
    ]
    assert missing == []
