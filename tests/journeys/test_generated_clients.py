"""Clients generated from the served document work against the running service.

The generators are tools of other ecosystems with pins of their own, so they are installed into a
temporary folder; where that is not possible, the test is skipped and says why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.rigs.running import KEY, Service

PYTHON_GENERATOR = "openapi-python-client==0.29.1"
NODE_PACKAGES = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5")
# a field with a default need not be sent
OPTIONAL = ("--default-non-nullable", "false")

PYTHON_CLIENT = """
import sys, time
from shop_client import AuthenticatedClient
from shop_client.api.pings import post_device_ping
from shop_client.api.stores import get_store, put_store
from shop_client.models import PingAnswer, PingInput, Problem, RingInput, Store, StoreInput

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
body = StoreInput(
    name="Third Kettle", lat=48.231, lon=16.742, rings=[RingInput(name="near", radius_m=150)]
)
made = put_store.sync("kettle-1", client=client, body=body)
assert isinstance(made, Store), made
assert made.rings[0].radius_m == 150
ping = PingInput(
    device_id="kims-phone", lat=48.2311, lon=16.7421, accuracy_m=8, ts=int(time.time() * 1000)
)
answer = post_device_ping.sync("kims-phone", client=client, body=ping)
assert isinstance(answer, PingAnswer), answer
assert [inside.geofence_id for inside in answer.geofences] == ["kettle-1/near"], answer
missing = get_store.sync("nowhere", client=client)
assert isinstance(missing, Problem), missing
assert missing.code == "not_found" and missing.request_id
"""

TYPESCRIPT_CLIENT = """
import createClient from "openapi-fetch";
import type { components, paths } from "./shop.js";

const [url, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
const body: components["schemas"]["StoreInput"] = {
  name: "Third Kettle", lat: 48.231, lon: 16.742, rings: [{ name: "near", radius_m: 150 }],
};
const params = { path: { external_id: "kettle-2" } };
const made = await client.PUT("/v1/stores/{external_id}", { params, body });
if (made.data?.rings[0].radius_m !== 150) throw new Error(JSON.stringify(made.error));
const ping: components["schemas"]["PingInput"] = {
  device_id: "lees-phone", lat: 48.2311, lon: 16.7421, accuracy_m: 8, ts: Date.now(),
};
const answer = await client.POST("/v1/pings", { body: ping });
if (answer.data?.accepted !== 1) throw new Error(JSON.stringify(answer.error));
"""

TSCONFIG = """{"compilerOptions": {"strict": true, "target": "es2022", "module": "nodenext",
"moduleResolution": "nodenext", "skipLibCheck": true, "types": [], "outDir": "built"},
"files": ["main.ts"]}"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("generated")
    with Service(f"sqlite:///{folder}/r.db", folder / "log") as running:
        yield running


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def installed(folder: Path, *command: str | Path) -> None:
    """Install a generator, or skip the test with the installer's last words."""
    try:
        run(folder, *command)
    except AssertionError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        pytest.skip(f"the generator cannot be installed here: {lines[-1] if lines else command[0]}")


def test_a_generated_python_client_creates_a_store_and_posts_a_ping(
    service: Service, tmp_path: Path
) -> None:
    tools = Path(sys.executable).parent
    run(tmp_path, sys.executable, "-m", "venv", "--without-pip", "env")
    python = tmp_path / "env" / "bin" / "python"
    installed(tmp_path, tools / "uv", "pip", "install", "-q", "--python", python, PYTHON_GENERATOR)
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{service.url}/openapi.json").content)
    generate = ("generate", "--path", "openapi.json", "--meta", "none")
    said = run(
        tmp_path,
        python.with_name("openapi-python-client"),
        *generate,
        "--output-path",
        "shop_client",
        PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    )
    # one body in three formats, of which the generator knows not the third
    warnings = [line for line in said.splitlines() if line.startswith("WARNING")]
    assert warnings == ["WARNING parsing POST /v1/pings within pings."], said
    assert "application/x-ndjson" in said
    (tmp_path / "use.py").write_text(PYTHON_CLIENT, encoding="utf-8")
    run(tmp_path, python, "use.py", service.url, KEY)


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no Node.js with npm here")
def test_a_generated_typescript_client_creates_a_store_and_posts_a_ping(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    installed(tmp_path, "npm", "install", "--silent", "--no-audit", "--no-fund", *NODE_PACKAGES)
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{service.url}/openapi.json").content)
    programs = tmp_path / "node_modules" / ".bin"
    run(tmp_path, programs / "openapi-typescript", "openapi.json", "-o", "shop.ts", *OPTIONAL)
    declared = "declare const process: { argv: string[] };\n"
    (tmp_path / "main.ts").write_text(declared + TYPESCRIPT_CLIENT, encoding="utf-8")
    (tmp_path / "tsconfig.json").write_text(TSCONFIG, encoding="utf-8")
    run(tmp_path, programs / "tsc", "--project", ".")
    run(tmp_path, "node", "built/main.js", service.url, KEY)
