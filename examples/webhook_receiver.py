"""Receives signed webhooks (Standard Webhooks 1.0), and prints each message once.

WEBHOOK_SECRET=whsec_... python examples/webhook_receiver.py 8081
"""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BYTES = 1_000_000


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to a message with a valid signature, also a repeated one, else 401."""

    verifier: Webhook
    seen: set[
        str
    ]  # a real receiver keeps these in its database, with what it does about the message

    def do_POST(self) -> None:
        """Verify first, on the bytes as they came: parsed and written again, they may differ."""
        size = self.headers.get("Content-Length", "")
        if not size.isdigit() or int(size) > LARGEST_BYTES:
            self._answer(413)
            return
        body = self.rfile.read(int(size))
        try:
            message = self.verifier.verify(body, dict(self.headers.items()))
        except WebhookVerificationError:  # a wrong signature, or a time more than five minutes off
            self._answer(401)
            return
        self._take(self.headers["webhook-id"], message)
        self._answer(204)

    def _take(self, message_id: str, message: Any) -> None:
        """Act on the message once: its id is the same on every attempt."""
        if message_id not in self.seen:
            self.seen.add(message_id)
            print(message_id, message["type"], message["data"], flush=True)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print messages only."""


def main() -> None:
    """Serve on 127.0.0.1 until Ctrl-C. Port 0 takes a free one; the first line names it."""
    Receiver.verifier = Webhook(os.environ["WEBHOOK_SECRET"])
    Receiver.seen = set()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 2 or "WEBHOOK_SECRET" not in os.environ:
        raise SystemExit(__doc__)
    main()
