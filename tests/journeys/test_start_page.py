"""The first page, the viewer at /docs, and what they may load."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from api.routes.start import FOLDER
from tests.rigs.running import Service

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PAGES = ("index.html", "start.html")


class Shown(NamedTuple):
    """A running service, and the path below which it is seen."""

    url: str
    prefix: str


@pytest.fixture(scope="module", params=["", "/geofence"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("start")
    url = f"sqlite:///{folder}/r.db"
    with Service(url, folder / "log", ROOT_PATH=request.param) as running:
        yield Shown(running.url, request.param)


def base(service: Shown) -> str:
    return service.url + service.prefix


def test_the_vendored_files_are_those_that_were_published() -> None:
    lines = (FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
    assert {line.split()[1] for line in lines} >= {
        "LICENSE",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
    }


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_another_host_or_holds_a_script(page: str) -> None:
    text = (FOLDER / page).read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text)


def test_the_first_page_is_html_for_browsers_and_json_for_programs(service: Shown) -> None:
    page = httpx.get(base(service) + "/", headers={"Accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    about = httpx.get(base(service) + "/").json()
    for link in re.findall(r'(?:href|src)="([^"]+)"', page.text) + list(about["links"].values()):
        assert httpx.get(service.url + link).status_code == 200, link


def test_every_file_of_the_viewer_is_served_by_the_service_under_a_strict_policy(
    service: Shown,
) -> None:
    page = httpx.get(base(service) + "/docs")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for link in re.findall(r'(?:href|src)="([^"]+)"', page.text):
        answer = httpx.get(f"{base(service)}/{link}")
        assert answer.status_code == 200, link
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(base(service) + "/docs/index.html").status_code == 404
    assert httpx.get(base(service) + "/docs/..%2f..%2fapp.py").status_code == 404
    assert httpx.get(base(service) + "/redoc").status_code == 404


def test_the_document_names_the_server_it_was_read_from(service: Shown) -> None:
    document = httpx.get(base(service) + "/openapi.json").json()
    assert document["servers"] == [{"url": service.prefix or "/"}]
    assert httpx.get(base(service) + "/v1/project").json()["code"] == "unauthorized"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_shows_the_operations_and_breaks_no_policy(
    service: Shown, tmp_path: Path
) -> None:
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    options += [f"--user-data-dir={tmp_path}", "--enable-logging=stderr", "--v=0"]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    ran = subprocess.run(
        [
            CHROMIUM,
            *options,
            "--virtual-time-budget=15000",
            "--dump-dom",
            base(service) + "/docs",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    shown = set(re.findall(r'data-path="([^"]+)"', ran.stdout))
    document = json.loads(httpx.get(base(service) + "/openapi.json").text)
    assert {path.replace("\u200b", "") for path in shown} == set(document["paths"])
    complaints = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints, complaints
