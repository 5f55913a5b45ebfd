"""Migrations.

What they build is what the code believes, on every backend, however often and by however many they
are run.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from geofence.backends.sql.database import open_database
from geofence.backends.sql.migrate import configuration
from geofence.backends.sql.schema import metadata
from geofence.errors import RecordError
from geofence.model.campaign import CouponPlan
from tests.rigs import some

MIGRATE = (
    "import sys; from geofence.backends.sql.database import open_database;"
    " r = open_database(sys.argv[1], writer=False); r.migrate(); r.close()"
)

OLD_EVENT = (
    "INSERT INTO events (id, stream_seq, project_id, kind, device_id, geofence_uid, geofence_id,"
    " visit_id, ts_ms, recorded_ms, profile) VALUES ('{id}', 1000, 'p1', 'geofence.entered', 'd1',"
    " 'gf_1', 'fence', 'vis_old', 1, 1, 'exact')"
)

OLD_CAMPAIGN = (
    "INSERT INTO campaigns (project_id, id, plan, status, version, salt, created_ms, updated_ms)"
    " VALUES ('p1', 'coffee', :plan, 'active', 1, 'salt', 1, 1)"
)
OLD_VERSION = (
    "INSERT INTO campaign_versions (project_id, id, version, plan)"
    " VALUES ('p1', 'coffee', 1, :plan)"
)


def test_the_migrated_schema_is_the_one_in_the_code(empty_url: str):
    database = open_database(empty_url)
    database.migrate()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_schema_that_differs_is_noticed(empty_url: str):
    database = open_database(empty_url)
    database.migrate()
    with database.begin() as unit:
        unit.connection.exec_driver_sql("DROP INDEX ix_visits_arrival")
        unit.commit()
    with database.engine.connect() as connection:
        assert [
            change[0]
            for change in compare_metadata(MigrationContext.configure(connection), metadata)
        ] == ["add_index"]
    database.close()


def test_migrating_again_keeps_what_is_there(empty_url: str):
    database = open_database(empty_url)
    database.migrate()
    some.add_project(database)
    database.migrate()
    assert database.queries.projects() == [some.project()]
    assert database.queries.health() == {
        "database": database.engine.dialect.name,
        "schema": "0004",
        "unnumbered": 0,
    }
    database.close()


def test_a_record_of_the_version_before_keeps_its_events_and_still_takes_each_fact_once(
    empty_url: str,
):
    database = open_database(empty_url)
    with database.engine.connect() as connection, connection.begin():
        command.upgrade(configuration(connection), "0002")
        connection.execute(sa.text(OLD_EVENT.format(id="evt_1")))
    database.migrate()
    some.add_events(
        database,
        some.event(7),
        some.event(8, kind="visit.amended"),
        some.event(9, kind="visit.amended", visit_id="vis_000008"),
    )
    assert len(database.queries.events.page("p1", None, None, 9)) == 4
    with database.begin() as unit, pytest.raises(RecordError):
        unit.connection.execute(sa.text(OLD_EVENT.format(id="evt_2")))
    database.close()


@pytest.mark.parametrize("coupon", ['{"valid_days": 3, "budget": 5}', "null"])
def test_a_stored_campaign_with_fields_that_were_ignored_still_loads(empty_url: str, coupon: str):
    plan = (
        '{"name": "Coffee", "trigger": {"event": "entered"}, "attribution_days": 3,'
        f' "offer": {{"title": "2 for 1", "coupon": {coupon}}}, "variants": [{{"name": "a",'
        ' "messages": [{"channel": "push", "title": "Hi", "body": "Ho"}]}]}'
    )
    database = open_database(empty_url)
    with database.engine.connect() as connection, connection.begin():
        command.upgrade(configuration(connection), "0003")
        connection.execute(sa.text(OLD_CAMPAIGN), {"plan": plan})
        connection.execute(sa.text(OLD_VERSION), {"plan": plan})
    database.migrate()
    [campaign] = database.queries.campaigns.page("p1", None, None, 9)
    assert campaign.plan.offer.coupon == (None if coupon == "null" else CouponPlan(valid_days=3))
    with database.begin() as unit:
        unit.campaigns.put("p1", campaign)
    database.close()


def test_four_processes_may_migrate_at_once(empty_url: str):
    line = [sys.executable, "-c", MIGRATE, empty_url]
    root = Path(__file__).parents[2]
    started = [
        subprocess.Popen(line, cwd=root, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    found = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0, 0], found
    database = open_database(empty_url)
    assert database.queries.health()["schema"] == "0004"
    database.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty_url: str):
    database = open_database(empty_url)
    database.migrate()
    with database.begin() as unit:
        unit.connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        unit.commit()
    with pytest.raises(RecordError, match="newer version"):
        database.migrate()
    assert database.queries.health()["schema"] == "9999"
    database.close()


def test_a_record_nobody_migrated_does_not_answer(empty_url: str):
    database = open_database(empty_url)
    with pytest.raises(RecordError):
        database.queries.health()
    with pytest.raises(RecordError):
        database.queries.projects()
    database.close()
