"""How bodies come in.

Within limits of size, and of objects and arrays.
"""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from api.http.problems import Refusal

MAX_CONTAINERS = 200_000


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, at most `limit` bytes.

    Refuses more (413) without keeping it, and compressed bodies (415).
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(
            415,
            "unsupported_encoding",
            "Send the body without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise Refusal(400, "malformed", "The body ended early.") from None
    return bytes(body)


def guard_containers(body: bytes) -> None:
    """Refuse (413) so many objects and arrays that they would cost far more memory than text."""
    if len(body) > MAX_CONTAINERS and body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise Refusal(
            413, "too_large", f"The body holds more than {MAX_CONTAINERS} objects and arrays."
        )


def _too_large(limit: int) -> Refusal:
    # the rest of the body is not read, so the connection cannot be used again
    return Refusal(
        413,
        "too_large",
        f"The body is larger than {limit} bytes; nothing was stored.",
        headers={"Connection": "close"},
    )
