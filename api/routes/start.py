"""The first page, the OpenAPI document, and its viewer, which asks no other host."""

from __future__ import annotations

import gzip
from functools import lru_cache
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.dependencies import OpenServices, reply
from api.http.problems import Refusal
from api.services import Services
from api.version import our_version

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).resolve().parents[1] / "static" / "docs"
_KINDS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "viewer.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "viewer.css": "text/css; charset=utf-8",
    "start.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {"Content-Security-Policy": _CSP, "Cache-Control": "no-cache"}
_LOCAL = ("127.0.0.1", "localhost", "::1")


@router.get("/")
async def start(request: Request, services: OpenServices) -> Response:
    """Where things are: a page for browsers, JSON for everything else."""
    base = request.scope.get("root_path", "") + "/"
    if "text/html" not in request.headers.get("accept", ""):
        links = {name: base + name for name in ("docs", "openapi.json", "livez", "readyz")}
        about = {"name": "Geofence", "version": our_version(), "links": links}
        return reply(about, headers={"Vary": "Accept"})
    title, inbox = _inbox(services)
    text = (FOLDER / "start.html").read_text(encoding="utf-8")
    page = text.format(base=base, version=our_version(), inbox_title=title, inbox=inbox)
    return HTMLResponse(page, headers={**_PAGE_HEADERS, "Vary": "Accept"})


@router.get("/docs")
async def docs() -> Response:
    """The viewer of the OpenAPI document."""
    return HTMLResponse((FOLDER / "index.html").read_bytes(), headers=_PAGE_HEADERS)


@router.get("/docs/{name}")
async def docs_file(name: str, request: Request) -> Response:
    """A file of the viewer."""
    if name not in _KINDS:
        raise Refusal(404, "not_found", "There is nothing at this address.")
    headers = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
    packed = "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(_content(name, packed=packed), headers=headers, media_type=_KINDS[name])


@router.get("/openapi.json")
async def openapi_json(request: Request, services: OpenServices) -> Response:
    """The OpenAPI document, with the servers it is reached at."""
    servers = [{"url": request.scope.get("root_path", "") or "/"}]
    if services.settings.public_url:
        servers.append({"url": services.settings.public_url.rstrip("/")})
    return Response(
        msgspec.json.encode({**request.app.openapi(), "servers": servers}),
        media_type="application/json",
    )


@lru_cache(maxsize=32)
def _content(name: str, *, packed: bool) -> bytes:
    content = (FOLDER / name).read_bytes()
    return gzip.compress(content, mtime=0) if packed else content


def _inbox(services: Services) -> tuple[str, str]:
    """Title and text of the inbox: a link where pushes go to a sandbox on this machine."""
    endpoint = services.settings.fcm_endpoint.rstrip("/")
    if urlsplit(endpoint).hostname in _LOCAL and services.settings.fcm_credentials:
        link = escape(endpoint + "/", quote=True)
        return f'<a href="{link}">Inbox</a>', "What the sandbox received instead of phones."
    return "Inbox", "<code>geofence sandbox</code> shows what phones and mailboxes would receive."
