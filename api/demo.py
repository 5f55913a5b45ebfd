"""`geofence demo`: an invented town in which people walk past stores; what happens is shown live in the terminal.

Everything goes through the doors that any client uses: stores are created, pings posted and events read over HTTP.
"""

from __future__ import annotations

import fcntl
import itertools
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from api import settings as declared
from api.bystander import Happening, watch
from api.embedded import Running, serving
from api.logs import set_up_logs
from api.poster import Posted, Poster, PostError
from geofence.clock import Clock, SystemClock
from geofence.errors import GeofenceError
from geofence.model.ping import PingIn
from geofence.model.place import Store
from geofence.simulate.city import City, build_city
from geofence.simulate.walk import walk

KEY = "sk_demo_marrowfield"
FILE = Path("data/demo.sqlite")
TICK_S = 0.25
STYLES = {"geofence.entered": "bold green", "geofence.exited": "red", "geofence.dwelled": "cyan"}

_PLAIN: dict[str, Any] = {"highlight": False, "soft_wrap": True}  # what is to be pasted is never wrapped

Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="port to listen on; 0 takes any free one [default: 8000]")]
Speed = Annotated[
    float, typer.Option("--speed", min=0.1, max=50.0, help="how much faster than life people walk; their pings still carry true times")
]
Seconds = Annotated[float | None, typer.Option(min=0.0, help="stop after this many seconds [default: at Ctrl-C]", show_default=False)]
Seed = Annotated[int, typer.Option(help="another seed, another town")]
People = Annotated[int, typer.Option(min=1, max=999, help="how many walkers and drivers")]


def demo(port: Port = None, pace: Speed = 1.0, seconds: Seconds = None, seed: Seed = 1, people: People = 300) -> None:
    """Show an invented town in which people walk past stores: what happens, live. Writes ./data/demo.sqlite anew."""
    console = Console()
    environment = {"GEOFENCE_DEV_KEY": KEY, **os.environ}
    try:
        set_up_logs("warning")
        chosen = declared.load(environment, port=port, clock="system", database_url=f"sqlite:///{_fresh(FILE)}").settings
        with serving(chosen) as running:
            _show(running, console, build_city(seed), _Crowd(seed, people, pace), seconds)
    except (PostError, OSError, GeofenceError, declared.SettingError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None


class _Crowd:
    """Who walks: a seed, how many, how fast; and the clock their pings are stamped by."""

    def __init__(self, seed: int, count: int, hurry: float, clock: Clock | None = None) -> None:
        self.count = count
        self._seed, self._hurry = seed, hurry
        self._clock = clock or SystemClock()

    def batches(self, city: City) -> Iterator[list[Posted]]:
        """Without end: what became due since the last batch, stamped with times that have just passed."""
        waiting = walk(city, self._clock.now_ms(), self._seed, self.count, self._hurry)
        ping = next(waiting)
        while True:
            now_ms = self._clock.now_ms()
            due: list[Posted] = []
            while _ts_ms(ping) <= now_ms and len(due) < 1_000:
                due.append(Posted(ping.device_id, _ts_ms(ping), ping.lat, ping.lon, ping.accuracy_m, ping.speed_mps))
                ping = next(waiting)
            yield due


def _ts_ms(ping: PingIn) -> int:
    assert isinstance(ping.ts, int)  # noqa: S101 told to the type checker: the simulator counts milliseconds
    return ping.ts


def _show(running: Running, console: Console, city: City, crowd: _Crowd, seconds: float | None) -> None:
    until_s = math.inf if seconds is None else time.monotonic() + seconds
    with Poster(running.url, running.key) as poster, _interruptible():
        for store in city.stores:
            poster.put(f"/v1/stores/{store.external_id}", _body(store))
        _invite(console, running, city, crowd)
        names = {store.external_id: store.name for store in city.stores}
        with _printing(running, console, names), console.status("people are setting out") as status:
            for due in itertools.takewhile(lambda _: time.monotonic() < until_s, crowd.batches(city)):
                _report(poster, due)
                status.update(f"{crowd.count} people, {poster.tally.accepted:,} pings; Ctrl-C ends")
                time.sleep(TICK_S)
    console.print(f"{poster.tally.accepted:,} pings accepted, {poster.tally.rejected.total()} rejected")


def _report(poster: Poster, due: list[Posted]) -> None:
    if due:
        poster.post(due)


@contextmanager
def _printing(running: Running, console: Console, names: dict[str, str]) -> Iterator[None]:
    """What happens is printed beside what the block does."""
    stop = threading.Event()
    threading.Thread(target=_print_events, args=(running, console, names, stop), name="events", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C is how one leaves; it is not an error."""
    try:
        yield
    except KeyboardInterrupt:
        return


def _invite(console: Console, running: Running, city: City, crowd: _Crowd) -> None:
    near = f"near={city.lat:.4f},{city.lon:.4f}"
    console.print(
        f"\n[bold]{city.name}[/] {len(city.stores)} stores, {crowd.count} people, {len(city.streets.names):,} streets. It exists nowhere."
    )
    console.print(f"  API   {running.url}/docs", highlight=False)
    console.print(
        "  try   " + escape(f"curl -s -H 'Authorization: Bearer {running.key}' '{running.url}/v1/events?order=desc&limit=3'"), **_PLAIN
    )
    console.print(
        "        " + escape(f"curl -s -H 'Authorization: Bearer {running.key}' '{running.url}/v1/geofences?{near}&within_m=500'"), **_PLAIN
    )
    console.print()


def _print_events(running: Running, console: Console, names: dict[str, str], stop: threading.Event) -> None:
    for event in itertools.takewhile(lambda _: not stop.is_set(), watch(running.url, running.key, stop)):
        console.print(_line(event, names), highlight=False)


def _line(event: Happening, names: dict[str, str]) -> str:
    verb = event.kind.rpartition(".")[2]
    time_of_day, style = event.ts[11:19], STYLES.get(event.kind, "yellow")
    stayed = f" after {event.duration_s / 60:.1f} min" if event.duration_s else ""
    place = escape(names.get(event.store_id or "", event.geofence_id))
    return f"{time_of_day}  {escape(event.device_id):<12} [{style}]{verb:<8}[/] {place} [dim]({event.ring or 'no ring'}{stayed})[/]"


def _body(store: Store) -> dict[str, object]:
    rings = [{"name": ring.name, "radius_m": ring.radius_m} for ring in store.rings]
    told = ("name", "lat", "lon", "brand", "address", "time_zone", "opening_hours", "tags")
    return {**{name: getattr(store, name) for name in told}, "rings": rings}


def _fresh(file: Path) -> Path:
    """The demo's database file, with nothing left of an earlier demo. Raises OSError while one still runs on it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{file}.lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(f"another demo runs on {file}; end it first") from None
        for ending in ("", "-wal", "-shm"):
            Path(f"{file}{ending}").unlink(missing_ok=True)
    return file
