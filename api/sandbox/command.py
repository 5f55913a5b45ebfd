"""`geofence sandbox`: run the stand-ins and show what arrives."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from api.sandbox.box import Sandbox
from api.sandbox.inbox import Received


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    fcm_port: Annotated[
        int, typer.Option(help="Port of the push provider and of the inbox page.")
    ] = 8090,
    smtp_port: Annotated[int, typer.Option(help="Port of the mail relay.")] = 8025,
    directory: Annotated[Path, typer.Option(help="Where the service account file is kept.")] = Path(
        "data/sandbox"
    ),
) -> None:
    """Run a local push provider and mail relay, and show pushes and mails as they arrive."""
    console = Console(highlight=False)
    try:
        box = Sandbox.start(host, fcm_port, smtp_port, directory.resolve())
    except OSError as error:
        console.print(f"The sandbox cannot start: {error.strerror or error}", style="red")
        raise typer.Exit(1) from None
    with box:
        console.print("Start the service with these settings:", style="bold")
        for name, value in box.settings().items():
            console.print(f"export {name}={value}", soft_wrap=True)
        console.print(
            f"Inbox: {box.fcm_endpoint}/  (JSON: {box.fcm_endpoint}/inbox)  Ctrl-C ends it.\n",
            soft_wrap=True,
        )
        try:
            _follow(box, console)
        except KeyboardInterrupt:
            console.print(f"{len(box.inbox())} delivered.")


def _follow(box: Sandbox, console: Console) -> None:
    seq = 0
    while True:
        for item in box.box.wait_after(seq, timeout_s=3600):
            console.print(line(item), soft_wrap=True)
            seq = item.seq


def line(item: Received) -> Text:
    """One message on one line: when, what, to whom, title and body."""
    clock = time.strftime("%H:%M:%S", time.localtime(item.at_ms / 1000))
    to = item.to if len(item.to) <= 32 else f"{item.to[:29]}..."
    text = Text(f"{clock} ", style="dim")
    text.append(f"{item.kind:<5} ", style="cyan" if item.kind == "push" else "magenta")
    text.append(f"{to}  ", style="dim")
    text.append(item.title, style="bold")
    text.append(f"  {' '.join(item.body.split())[:120]}")
    if not item.delivered:
        text.append(f"  refused {item.status}", style="red")
    return text
