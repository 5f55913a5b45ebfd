"""`geofence replay FILE`: posts a recorded walk to a running service, in the order of time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from api.client.pings import PingClient, Posted, PostError, Tally, posted
from api.client.service_url import Url
from api.client.timeline import Timeline
from api.client.traces import read
from api.client.traces.columns import TraceError

SPAN_S = 1.0  # at a given pace, at most this much of the wall clock's time goes into one batch

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="a recorded walk: .csv, .gpx or .parquet")
]
Key = Annotated[
    str, typer.Option(help="a key of the project", envvar="GEOFENCE_DEV_KEY", show_default=False)
]
Speed = Annotated[
    float,
    typer.Option(
        "--speed",
        min=0.0,
        help="times faster than it was walked; 0: as fast as the service answers",
    ),
]
Batch = Annotated[int, typer.Option(min=1, max=10_000, help="pings per request")]
Patience = Annotated[
    float,
    typer.Option("--patience-s", min=0.0, help="seconds to send one batch again before giving up"),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="print one JSON object at the end, and nothing else")
]


def replay(
    file: File,
    key: Key,
    url: Url,
    pace: Speed = 0.0,
    batch: Batch = 1_000,
    patience_s: Patience = 120.0,
    as_json: AsJson = False,
) -> None:
    """Post a recorded walk to a running service, in the order of time.

    A batch that is not answered is sent again.

    Exit codes: 0 posted; 1 refused, unreachable, or every ping rejected; 2 the file cannot be read.
    """
    console = Console(stderr=True, quiet=as_json)
    try:
        with console.status("reading and sorting"):
            timeline = Timeline(read(file))
        with timeline:
            console.print(f"{len(timeline):,} pings of {timeline.devices:,} devices")
            tally = _post(timeline, PingClient(url, key, patience_s), batch, pace, console)
    except TraceError as error:
        raise _failed(console, str(error), as_json, exit_code=2) from None
    except PostError as error:
        raise _failed(console, str(error), as_json, exit_code=1) from None
    _report(console, tally, as_json)
    if tally.pings and not tally.accepted and not tally.duplicates:
        raise typer.Exit(1)


def _post(
    timeline: Timeline, poster: PingClient, batch: int, pace: float, console: Console
) -> Tally:
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} pings/s"),
        TimeRemainingColumn(),
    )
    with (
        poster,
        Progress(*columns, console=console, transient=True, disable=console.quiet) as progress,
    ):
        task = progress.add_task("posting", total=len(timeline), rate="...")
        wait = _pacer(pace)
        for pings in _batches(timeline, batch, pace):
            wait(pings[-1].ts)
            poster.post(pings)
            rate = poster.tally.pings / max(poster.tally.seconds, 1e-6)
            progress.update(task, advance=len(pings), rate=f"{rate:,.0f}")
    return poster.tally


def _batches(timeline: Timeline, most: int, pace: float) -> Iterator[list[Posted]]:
    """Batches of at most `most` pings; at a given pace, of at most one second of real time."""
    span_ms = SPAN_S * 1000 * pace
    waiting: list[Posted] = []
    for columns in timeline:
        for ping in posted(columns):
            if waiting and (len(waiting) >= most or (pace and ping.ts - waiting[0].ts > span_ms)):
                yield waiting
                waiting = []
            waiting.append(ping)
    if waiting:
        yield waiting


def _pacer(pace: float) -> Callable[[int], None]:
    """Waits until a moment of the walk has come, at that pace; never at pace 0."""
    began_s = time.monotonic()
    first_ms: int | None = None

    def wait(ts_ms: int) -> None:
        nonlocal first_ms
        first_ms = ts_ms if first_ms is None else first_ms
        if pace:
            time.sleep(max(0.0, began_s + (ts_ms - first_ms) / 1000 / pace - time.monotonic()))

    return wait


def _report(console: Console, tally: Tally, as_json: bool) -> None:
    facts = tally.facts()
    if as_json:
        typer.echo(json.dumps(facts))
        return
    refused = ", ".join(f"{count:,} {code}" for code, count in tally.rejected.most_common())
    rejected = f"{tally.rejected.total():,} rejected" + (f" ({refused})" if refused else "")
    console.print(f"{tally.accepted:,} accepted, {tally.duplicates:,} duplicates, {rejected}")
    console.print(
        f"{tally.seconds:,.1f} s, {facts['pings_per_second'] or 0:,} pings/s, "
        f"{tally.resent:,} batches sent again"
    )


def _failed(console: Console, why: str, as_json: bool, exit_code: int) -> typer.Exit:
    if as_json:
        typer.echo(json.dumps({"error": why}))
    console.print(why, style="red", markup=False)
    return typer.Exit(exit_code)
