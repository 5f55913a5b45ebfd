"""`geofence simulate` writes files that the other doors read, and says what it cannot do."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.main import app
from api.client.traces import read
from api.wire.native_in import read_pings
from regions.geojson import read_region
from tests.rigs.running import Service

DOC = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "simulate-phones.md"
BLOCK = re.compile(r"<!-- run -->\n```sh\n(.*?)\n```", re.DOTALL)
SMALL = ("--devices", "6", "--days", "0.25")


def simulated(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_is_read_by_replay_ping_for_ping(tmp_path: Path) -> None:
    done = simulated(str(tmp_path), *SMALL, "--json")
    facts = json.loads(done.stdout)
    columns = list(read(tmp_path / "pings.csv"))
    assert sum(map(len, columns)) == facts["pings"] > 1_000
    assert len({device for one in columns for device in one.device_id}) == facts["devices"] == 6


def test_the_ndjson_is_taken_by_the_door_for_pings(tmp_path: Path) -> None:
    assert simulated(str(tmp_path), *SMALL, "--format", "ndjson", "--phone", "poor").exit_code == 0
    body = (tmp_path / "pings.ndjson").read_bytes()
    intake = read_pings(body, 100_000, "application/x-ndjson")
    assert len(intake.items) == len(body.splitlines()) > 1_000
    assert not intake.rejected


def test_the_truth_names_geofences_that_are_written_with_it(tmp_path: Path) -> None:
    simulated(str(tmp_path), *SMALL)
    features = json.loads((tmp_path / "geofences.geojson").read_text())["features"]
    assert all(read_region(feature).region for feature in features)
    visits = rows(tmp_path / "visits.csv")
    assert len(visits) > 5
    assert {visit["geofence_id"] for visit in visits} <= {feature["id"] for feature in features}
    for visit in (visit for visit in visits if visit["departure"]):
        lasted = datetime.fromisoformat(visit["departure"]) - datetime.fromisoformat(
            visit["arrival"]
        )
        assert lasted.total_seconds() == float(visit["duration_s"]) > 0


def pasted(text: str, folder: Path, url: str) -> str:
    """What a block of the documentation prints in that folder, against a service elsewhere."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {**os.environ, "PATH": path, "GEOFENCE_PUBLIC_URL": url}
    command = ["bash", "-euc", text.replace("http://127.0.0.1:8000", url)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, cwd=folder, env=settings
    ).stdout


def test_what_is_simulated_comes_in_as_the_documentation_says_and_its_visits_are_found(
    tmp_path: Path,
) -> None:
    blocks = BLOCK.findall(DOC.read_text(encoding="utf-8"))
    with Service(
        f"sqlite:///{tmp_path}/record.sqlite", tmp_path / "log", CLOCK="pings", DEV_KEY="sk_try_me"
    ) as service:
        answers = [pasted(block, tmp_path, service.url) for block in blocks]
    found, of, true = answers[-1].split()[:3]
    assert of == "of"
    assert int(found) >= 0.9 * int(true) > 50


def test_the_stores_of_the_invented_town_are_those_whose_rings_are_visited(tmp_path: Path) -> None:
    simulated(str(tmp_path), *SMALL)
    stores = [
        feature["properties"]
        for feature in json.loads((tmp_path / "stores.geojson").read_text())["features"]
    ]
    rings = {
        f"{one['external_id']}/{part.partition(':')[0]}"
        for one in stores
        for part in one["rings"].split(";")
    }
    assert rings == {
        feature["id"]
        for feature in json.loads((tmp_path / "geofences.geojson").read_text())["features"]
    }


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        simulated(str(tmp_path / name), *SMALL, "--seed", seed)
    names = ("pings.csv", "visits.csv", "geofences.geojson", "stores.geojson")
    assert all(
        (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        for name in names
    )
    assert (tmp_path / "a" / "pings.csv").read_bytes() != (
        tmp_path / "c" / "pings.csv"
    ).read_bytes()


def test_people_live_around_the_geofences_of_a_file(tmp_path: Path) -> None:
    square = [
        [
            [151.200, -33.870],
            [151.203, -33.870],
            [151.203, -33.867],
            [151.200, -33.867],
            [151.200, -33.870],
        ]
    ]
    far = [[[179.9, 0.0], [-179.9, 0.0], [-179.9, 0.1], [179.9, 0.1], [179.9, 0.0]]]
    features = [
        {
            "type": "Feature",
            "id": "harbour",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": square},
        },
        {
            "type": "Feature",
            "properties": {"ref": "17"},
            "geometry": {"type": "Point", "coordinates": [151.21, -33.868], "radius": 120},
        },
        {
            "type": "Feature",
            "id": "date line",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": far},
        },
    ]
    places = tmp_path / "places.geojson"
    places.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    facts = json.loads(
        simulated(
            str(tmp_path / "out"),
            *SMALL,
            "--scenario",
            "trip",
            "--geofences",
            str(places),
            "--json",
        ).stdout
    )
    assert {visit["geofence_id"] for visit in rows(tmp_path / "out" / "visits.csv")} == {
        "harbour",
        "17",
    }
    assert facts["left_out"] == 1
    assert not (tmp_path / "out" / "stores.geojson").exists()


def test_every_parameter_is_written_beside_the_pings(tmp_path: Path) -> None:
    simulated(str(tmp_path), *SMALL, "--interval-s", "30", "--phone", "lying")
    found = json.loads((tmp_path / "parameters.json").read_text())
    assert found["phone"]["interval_s"] == 30.0
    assert found["phone"]["lie_accuracy_m"] == 1.7
    assert found["phone"]["indoors"]["sigma_m"] == [20.0, 60.0]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--start", "yesterday"), "no time"),
        (("--start", "2026-03-02T00:00:00"), "offset"),
        (("--devices", "100000", "--days", "30"), "fewer"),
        (("--geofences", "nowhere.geojson"), "cannot be read"),
    ],
)
def test_what_cannot_be_used_ends_with_two_and_a_word(
    tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    done = simulated(str(tmp_path / "out"), *arguments)
    assert done.exit_code == 2
    assert word in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null}]}',
        "[" * 9_000,
    ],
)
def test_a_broken_file_of_geofences_ends_with_two_as_json_too(tmp_path: Path, text: str) -> None:
    places = tmp_path / "places.geojson"
    places.write_text(text)
    done = simulated(str(tmp_path / "out"), "--geofences", str(places), "--json")
    assert done.exit_code == 2
    assert "places.geojson" in json.loads(done.stdout)["error"]


def test_where_nothing_can_be_written_it_ends_with_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = simulated(str(tmp_path / "file" / "out"), *SMALL)
    assert done.exit_code == 1
    assert "cannot write" in done.stderr
