"""`geofence demo`.

An invented town in which people walk past stores and hear from them; it is shown live in the
terminal.

Everything goes over HTTP as any client sends it: stores, customers and campaigns are put, pings
posted, events and decisions read. Pushes and mails go to the sandbox on this machine and nowhere
else, whatever the environment says.
"""

from __future__ import annotations

import fcntl
import itertools
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api import settings as declared
from api.client.event_stream import watch
from api.client.pings import PingClient, Posted, PostError
from api.demo.counts import Decided, counted
from api.demo.screen import Screen
from api.demo.seed import CAMPAIGNS, settle
from api.logs import set_up_logs
from api.sandbox import Received, Sandbox
from api.server.embedded import Running, serving
from geofence.clock import Clock, SystemClock
from geofence.errors import GeofenceError
from geofence.model.ping import PingIn
from geofence.simulate.city import City, build_city
from geofence.simulate.shoppers import Shopper, shoppers
from geofence.simulate.walk import people as crowd_of
from geofence.simulate.walk import walk

KEY = "sk_demo_marrowfield"
FILE = Path("data/demo.sqlite")
SENDER = "Marrowfield offers <offers@marrowfield.example>"
TICK_S = 0.25
COUNTS_S = 60.0

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="port to listen on; 0 takes any free one [default: 8000]"),
]
Speed = Annotated[
    float,
    typer.Option(
        "--speed",
        min=0.1,
        max=50.0,
        help="how much faster than life people walk; their pings still carry true times",
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        min=0.0, help="stop after this many seconds [default: at Ctrl-C]", show_default=False
    ),
]
Seed = Annotated[int, typer.Option(help="another seed, another town")]
People = Annotated[int, typer.Option(min=1, max=999, help="how many walkers and drivers")]


def demo(
    port: Port = None,
    pace: Speed = 1.0,
    seconds: Seconds = None,
    seed: Seed = 1,
    people: People = 300,
) -> None:
    """Show an invented town in which people hear from the stores they pass, live.

    Overwrites ./data/demo.sqlite.
    """
    console = Console()
    try:
        set_up_logs("warning")
        with Sandbox.start() as sandbox:
            environment = {
                "GEOFENCE_DEV_KEY": KEY,
                **os.environ,
                **sandbox.settings(),
                "GEOFENCE_EMAIL_FROM": SENDER,
            }
            chosen = declared.load(
                environment, port=port, clock="system", database_url=f"sqlite:///{_fresh(FILE)}"
            ).settings
            with serving(chosen) as running:
                _Show(running, sandbox, console, build_city(seed), _Crowd(seed, people, pace)).run(
                    seconds
                )
    except (PostError, OSError, GeofenceError, declared.SettingError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None


class _Crowd:
    """Who walks: a seed, how many, how fast; and the clock their pings are stamped by."""

    def __init__(self, seed: int, count: int, hurry: float, clock: Clock | None = None) -> None:
        self.count = count
        self._seed, self._hurry = seed, hurry
        self._clock = clock or SystemClock()

    def shoppers(self) -> tuple[Shopper, ...]:
        """Who they are to the retailers."""
        return shoppers(crowd_of(self._seed, self.count), self._clock.now_ms(), self._seed)

    def batches(self, city: City) -> Iterator[list[Posted]]:
        """Without end.

        What became due since the last batch, stamped with times that have just passed.
        """
        waiting = walk(city, self._clock.now_ms(), self._seed, self.count, self._hurry)
        ping = next(waiting)
        while True:
            now_ms = self._clock.now_ms()
            due: list[Posted] = []
            while _ts_ms(ping) <= now_ms and len(due) < 1_000:
                due.append(
                    Posted(
                        ping.device_id,
                        _ts_ms(ping),
                        ping.lat,
                        ping.lon,
                        ping.accuracy_m,
                        ping.speed_mps,
                    )
                )
                ping = next(waiting)
            yield due


def _ts_ms(ping: PingIn) -> int:
    assert isinstance(ping.ts, int)  # noqa: S101 the simulator counts milliseconds
    return ping.ts


class _Show:
    """One demo from its first store to its last count."""

    def __init__(
        self, running: Running, sandbox: Sandbox, console: Console, city: City, crowd: _Crowd
    ) -> None:
        self._running, self._sandbox, self._city, self._crowd = running, sandbox, city, crowd
        self._screen = Screen(console, {store.external_id: store.name for store in city.stores})
        self._events: Counter[str] = Counter()

    def run(self, seconds: float | None) -> None:
        """Let people walk until the time is over, or Ctrl-C."""
        with PingClient(self._running.url, self._running.key) as poster:
            decided = Decided(poster)
            with _interruptible():
                self._invite()
                settle(poster, self._city.stores, self._crowd.shoppers())
                with self._screen, self._telling():
                    self._walk(poster, decided, seconds)
            self._count(poster, decided)

    def _walk(self, poster: PingClient, decided: Decided, seconds: float | None) -> None:
        began_s = time.monotonic()
        until_s = math.inf if seconds is None else began_s + seconds
        next_count_s = began_s + COUNTS_S
        for due in itertools.takewhile(
            lambda _: time.monotonic() < until_s, self._crowd.batches(self._city)
        ):
            if due:
                poster.post(due)
            self._screen.status(
                f"{self._crowd.count} people, {poster.tally.accepted:,} pings; Ctrl-C ends"
            )
            if time.monotonic() >= next_count_s:
                next_count_s += COUNTS_S
                self._count(poster, decided)
            time.sleep(TICK_S)

    def _count(self, poster: PingClient, decided: Decided) -> None:
        decided.read()
        tally, received = poster.tally, self._sandbox.attempts()
        refused = f" ({tally.rejected.total():,} pings rejected)" if tally.rejected else ""
        self._screen.tell(
            f"So far: {counted(tally.accepted, self._events, decided, received)}{refused}"
        )

    def _invite(self) -> None:
        url, city = self._running.url, self._city
        curl = f"curl -s -H 'Authorization: Bearer {self._running.key}'"
        self._screen.tell(
            f"\n{city.name}: {len(city.stores)} stores, {self._crowd.count} people, "
            f"{len(CAMPAIGNS)} campaigns. It exists nowhere, and nothing leaves this machine."
        )
        self._screen.tell(f"  API     {url}/docs")
        self._screen.tell(f"  inbox   {self._sandbox.fcm_endpoint}/")
        self._screen.tell(f"  try     {curl} '{url}/v1/decisions?order=desc&limit=3'")
        self._screen.tell(f"          {curl} '{url}/v1/events?order=desc&limit=3'\n")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What happens and what arrives is shown beside what the block does."""
        stop = threading.Event()
        for work in (self._tell_events, self._tell_arrivals):
            threading.Thread(target=work, args=(stop,), name=work.__name__, daemon=True).start()
        try:
            yield
        finally:
            stop.set()

    def _tell_events(self, stop: threading.Event) -> None:
        for event in itertools.takewhile(
            lambda _: not stop.is_set(), watch(self._running.url, self._running.key, stop)
        ):
            self._events[event.kind] += 1
            self._screen.happened(event)

    def _tell_arrivals(self, stop: threading.Event) -> None:
        seq, invited = 0, False
        while not stop.is_set():
            for item in self._sandbox.box.wait_after(seq, timeout_s=0.5):
                seq = item.seq
                self._screen.arrived(item)
                invited = invited or self._invite_to_redeem(item)

    def _invite_to_redeem(self, item: Received) -> bool:
        """Once, with a code that has just arrived: how a till takes it."""
        data = item.content.get("data") or {}
        code, store = data.get("coupon"), data.get("store_id")
        if code is None or store is None:
            return False
        url = f"{self._running.url}/v1/coupons/{code}/redeem"
        body = f'{{"store": "{store}", "till": "1"}}'
        bearer = f"Authorization: Bearer {self._running.key}"
        self._screen.tell(f"  redeem  curl -s -X POST -H '{bearer}' '{url}' -d '{body}'")
        return True


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C is how one leaves; it is not an error."""
    try:
        yield
    except KeyboardInterrupt:
        return


def _fresh(file: Path) -> Path:
    """The demo's database file, with nothing left of an earlier demo.

    Raises OSError while one still runs on it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{file}.lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(f"another demo runs on {file}; end it first") from None
        for ending in ("", "-wal", "-shm"):
            Path(f"{file}{ending}").unlink(missing_ok=True)
    return file
