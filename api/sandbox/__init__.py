"""The sandbox.

Local stand-ins for the push provider and the mail relay, over real sockets and the real protocols.

For the demo, for tests, and for app developers who want to see what would arrive on a phone.
"""

from __future__ import annotations

from api.sandbox.box import Sandbox
from api.sandbox.inbox import Received

__all__ = ["Received", "Sandbox"]
