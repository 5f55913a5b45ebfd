"""The demo in the terminal.

What happens on the street and what arrives, side by side; plain lines where there is no terminal.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import datetime
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from api.client.event_stream import Happening
from api.sandbox import Received
from api.sandbox.command import line

STYLES = {"geofence.entered": "bold green", "geofence.exited": "red", "geofence.dwelled": "cyan"}
ABOVE = 11  # rows for what is printed above the lists
LEAST_ROWS, WIDE = 22, 130
EVENTS_PER_S = 2.0


class Screen:
    """Safe from several threads.

    As a context manager it holds the terminal until the end of the block.
    """

    def __init__(self, console: Console, names: dict[str, str]) -> None:
        self._console, self._names = console, names
        rows = max(3, (console.height - ABOVE) // (1 if console.width >= WIDE else 2) - 2)
        self._events, self._inbox = deque[Text](maxlen=rows), deque[Text](maxlen=rows)
        self._rows, self._status = rows, ""
        self._lock = threading.Lock()
        self._printed_s = 0.0
        lively = (
            console.is_terminal and not console.is_dumb_terminal and console.height >= LEAST_ROWS
        )
        self._live = (
            Live(get_renderable=self._drawn, console=console, refresh_per_second=2)
            if lively
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, text: str | Text) -> None:
        """Something that stays: it is never wrapped, so that it can be pasted."""
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)

    def status(self, words: str) -> None:
        """The line below the lists."""
        self._status = words

    def happened(self, event: Happening) -> None:
        """An event on the street.

        As plain lines no more than a few each second are shown: every one is counted.
        """
        text = _as_text(event, self._names)
        if self._live is not None:
            with self._lock:
                self._events.append(text)
        elif time.monotonic() - self._printed_s >= 1 / EVENTS_PER_S:
            self._printed_s = time.monotonic()
            self.tell(text)

    def arrived(self, item: Received) -> None:
        """A push or a mail; each is shown."""
        if self._live is None:
            self.tell(line(item))
            return
        with self._lock:
            self._inbox.append(line(item))

    def _drawn(self) -> RenderableType:
        with self._lock:
            street = self._panel("On the street", self._events)
            inbox = self._panel("What arrived", self._inbox)
        if self._console.width < WIDE:
            return Group(street, inbox, Text(self._status, style="dim"))
        beside = Table.grid(expand=True)
        beside.add_column(ratio=2)
        beside.add_column(ratio=3)
        beside.add_row(street, inbox)
        return Group(beside, Text(self._status, style="dim"))

    def _panel(self, title: str, texts: deque[Text]) -> Panel:
        body = Text("\n", no_wrap=True, overflow="ellipsis").join(texts)
        body.no_wrap, body.overflow = True, "ellipsis"
        return Panel(
            body, title=title, title_align="left", height=self._rows + 2, border_style="dim"
        )


def _as_text(event: Happening, names: dict[str, str]) -> Text:
    """One event on one line, at the time of the machine it is read on."""
    text = Text(f"{datetime.fromisoformat(event.ts).astimezone():%H:%M:%S} ", style="dim")
    text.append(f"{event.kind.rpartition('.')[2]:<7} ", style=STYLES.get(event.kind, "yellow"))
    stayed = f" after {event.duration_s / 60:.1f} min" if event.duration_s else ""
    text.append(
        f"{event.device_id}  {names.get(event.store_id or '', event.geofence_id)}", style="default"
    )
    text.append(f" ({event.ring or 'no ring'}{stayed})", style="dim")
    return text
