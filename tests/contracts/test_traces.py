"""Every reader of recorded walks reads the same walk from its own format.

The sample is `tests/samples/traces/walk` + suffix.
"""

from __future__ import annotations

from pathlib import Path

import gpxpy
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.client.timeline import Timeline
from api.client.traces import read, readers
from api.client.traces.columns import Columns, TraceError, epoch_ms

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "traces"
FIRST_MS = 1_764_000_000_000
ONE_OF_EACH = sorted({reader.SUFFIXES[0] for reader in readers().values()})


def one(path: Path) -> Columns:
    (columns,) = read(path)
    return columns


@pytest.mark.parametrize("suffix", ONE_OF_EACH)
def test_every_reader_of_the_drawer_reads_the_same_walk(suffix: str) -> None:
    columns, found = one(SAMPLES / f"walk{suffix}"), one(SAMPLES / "walk.parquet")
    assert set(columns.device_id) == {"walk"}
    assert columns.ts_ms.dtype == np.int64
    assert FIRST_MS <= columns.ts_ms[0] < FIRST_MS + 15_000
    for name in ("ts_ms", "lat", "lon", "accuracy_m", "speed_mps"):
        np.testing.assert_array_equal(getattr(columns, name), getattr(found, name))


@pytest.mark.parametrize("suffix", ONE_OF_EACH)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\xff" * 50,
        b"PAR1 but not really",
        b"a,b\n1,2\n",
        b"<gpx><trk><trkseg><trkpt lat='1'",
    ],
)
def test_no_reader_answers_rubbish_with_anything_but_words(
    suffix: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"rubbish{suffix}"
    path.write_bytes(content)
    with pytest.raises(TraceError, match="rubbish"):
        list(read(path))


def test_our_gpx_reader_agrees_with_another_one() -> None:
    columns = one(SAMPLES / "walk.gpx")
    theirs = [
        point
        for track in gpxpy.parse((SAMPLES / "walk.gpx").read_text()).tracks
        for part in track.segments
        for point in part.points
    ]
    assert [(p.latitude, p.longitude) for p in theirs] == list(
        zip(columns.lat, columns.lon, strict=True)
    )
    assert [round(p.time.timestamp() * 1000) for p in theirs if p.time] == columns.ts_ms.tolist()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "device,time,lat,lng\nbus,2026-11-22T09:00:00Z,48.1,16.2\n",
        "vehicle_id;timestamp;latitude;longitude\nbus;1795338000;48.1;16.2\n",
        "\ufeffX\tY\tTS\tDevice_ID\n16.2\t48.1\t1795338000000\tbus\n",
        "lon,lat,ts,id\n16.2,48.1,2026-11-22T10:00:00+01:00,bus\n\n",
    ],
)
def test_a_csv_header_is_understood_in_many_spellings(text: str, tmp_path: Path) -> None:
    columns = one(write(tmp_path / "day.csv", text))
    assert (list(columns.device_id), columns.ts_ms.tolist()) == (["bus"], [1_795_338_000_000])
    assert (columns.lat.tolist(), columns.lon.tolist()) == ([48.1], [16.2])
    assert np.isnan(columns.accuracy_m).all()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("device,lat,lon\na,1,2\n", "no column for time"),
        ("time,lat,lon\n2026-11-22T09:00:00,1,2\n", "line 2: the time has no offset"),
        ("time,lat,lon\n1795338000,1,2\n\n1795338001,x,2\n", "line 4: not a number"),
        ("time,lat,lon\n1795338000,1,2\nsoon,1,2\n", "line 3: not a number"),
        ("time,lat,lon\n1795338000,1,2\n,1,2\n", "line 3: has no time"),
        ("time,lat,lon\n1795338000,1\n", "line 2: 2 columns where the header has 3"),
    ],
)
def test_a_csv_that_cannot_be_read_says_the_line_and_why(
    text: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(TraceError, match=why):
        list(read(write(tmp_path / "day.csv", text)))


def gpx(*points: str, before: str = "") -> str:
    return f"<?xml version='1.0'?>{before}<gpx><trk><trkseg>{''.join(points)}</trkseg></trk></gpx>"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (gpx("<trkpt lat='1' lon='2'><ele>3</ele></trkpt>"), "track point 1: has no time"),
        (
            gpx("<trkpt lat='1'><time>2026-11-22T09:00:00Z</time></trkpt>"),
            "track point 1: lat, lon or time",
        ),
        (gpx(), "no track points"),
        (
            gpx(before="<!DOCTYPE gpx [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>]>"),
            "declares XML entities",
        ),
        (gpx(before="<!DOCTYPE gpx SYSTEM 'file:///etc/hostname'>"), "declares XML entities"),
    ],
)
def test_a_gpx_that_cannot_be_replayed_says_why(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=why):
        list(read(write(tmp_path / "day.gpx", text)))


def test_a_gpx_time_without_offset_is_utc_as_its_schema_says(tmp_path: Path) -> None:
    text = gpx("<trkpt lat='1' lon='2'><time>2026-11-22T09:00:00</time></trkpt>")
    assert one(write(tmp_path / "day.gpx", text)).ts_ms.tolist() == [1_795_338_000_000]


def test_a_long_gpx_is_read_in_little_memory(tmp_path: Path) -> None:
    point = "<trkpt lat='1' lon='2'><time>2026-11-22T09:00:00Z</time></trkpt>"
    path = write(tmp_path / "long.gpx", gpx(point * 60_000))
    assert [len(columns) for columns in read(path)] == [50_000, 10_000]


@pytest.mark.parametrize(
    "times",
    [
        pa.array([1], pa.timestamp("ms")),
        pa.array(["2026-11-22T09:00:00"]),
        pa.array([None], pa.int64()),
    ],
)
def test_a_parquet_time_without_a_zone_or_a_value_is_refused(
    times: pa.Array, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"ts": times, "lat": [1.0], "lon": [2.0]}), tmp_path / "day.parquet")
    with pytest.raises(TraceError, match="time"):
        list(read(tmp_path / "day.parquet"))


def test_a_file_without_a_reader_names_the_readers_there_are(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"\.csv, \.gpx, .*\.parquet"):
        read(tmp_path / "day.docx")


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3, 1e6])
def test_seconds_millis_micros_and_nanos_are_reported_apart(unit: float) -> None:
    assert epoch_ms(np.array([1_795_338_000_000.0 * unit])).tolist() == [1_795_338_000_000]


def day(n: int, seed: int) -> Columns:
    random = np.random.default_rng(seed)
    devices = np.sort(random.integers(0, 7, n))
    ts_ms = random.integers(0, n // 3, n)
    order = np.lexsort((ts_ms, devices))
    number = np.arange(
        n, dtype=np.float64
    )  # stands in for the position, so that rows can be distinguished
    return Columns([f"d{d}" for d in devices[order]], ts_ms[order], number, number, number, number)


def pieces(walk: Columns, rows: int) -> list[Columns]:
    columns = [walk.ts_ms, walk.lat, walk.lon, walk.accuracy_m, walk.speed_mps]
    return [
        Columns(walk.device_id[i : i + rows], *(column[i : i + rows] for column in columns))
        for i in range(0, len(walk), rows)
    ]


@pytest.mark.parametrize(
    ("run_rows", "block_rows"), [(10_000, 50), (300, 50), (300, 1_000), (1, 1), (999, 7)]
)
def test_a_file_sorted_by_device_comes_out_in_order_of_time(run_rows: int, block_rows: int) -> None:
    walk = day(1_000, seed=run_rows)
    parts = [
        Columns(
            walk.device_id[i : i + 90],
            *(
                getattr(walk, n)[i : i + 90]
                for n in ("ts_ms", "lat", "lon", "accuracy_m", "speed_mps")
            ),
        )
        for i in range(0, 1_000, 90)
    ]
    with Timeline(parts, run_rows, block_rows) as timeline:
        assert (len(timeline), timeline.devices) == (1_000, 7)
        batches = list(timeline)
    number = np.concatenate([batch.lat for batch in batches])
    times = np.concatenate([batch.ts_ms for batch in batches])
    np.testing.assert_array_equal(number, walk.lat[np.argsort(walk.ts_ms, kind="stable")])
    assert times.tolist() == sorted(walk.ts_ms.tolist())
    assert [name for batch in batches for name in batch.device_id] == [
        walk.device_id[int(n)] for n in number
    ]


def test_what_was_laid_aside_on_disk_is_removed_at_the_end(tmp_path: Path) -> None:
    def laid_aside() -> list[Path]:
        return list(tmp_path.rglob("*.npy"))

    with Timeline(pieces(day(500, 1), 90), run_rows=100, folder=tmp_path) as timeline:
        assert len(timeline) == 500
        assert laid_aside()
    assert not laid_aside()
