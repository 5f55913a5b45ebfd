"""What a Dockerfile and a compose file must and must not say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.rules.rules.source import Wrong, wrong

_BOUNDED = {"cpus", "memory", "pids"}


def the_dockerfile_is_sound(root: Path) -> Iterator[Wrong]:
    """Pinned bases and packages, no root, a health check, no shell forms, no lists of apt."""
    path = root / "Dockerfile"
    text = path.read_text(encoding="utf-8")
    lines = _instructions(text)
    for number, instruction, rest in lines:
        for broken, why in _broken(instruction, rest):
            if broken:
                yield wrong(root, path, number, why)
    last_stage = lines[max(i for i, (_, word, _rest) in enumerate(lines) if word == "FROM") :]
    for needed in ("USER", "HEALTHCHECK", "VOLUME", "CMD", "EXPOSE"):
        if not any(word == needed for _, word, _rest in last_stage):
            yield wrong(root, path, 1, f"the last stage has no {needed}")
    users = [rest.split(":")[0] for _, word, rest in last_stage if word == "USER"]
    if users and (users[-1] == "root" or users[-1] == "0"):
        yield wrong(root, path, 1, "the container would run as root")


def _instructions(text: str) -> list[tuple[int, str, str]]:
    found, number = [], 1
    for logical in re.split(r"(?<!\\)\n", text):
        if match := re.match(r"\s*([A-Z]+)\s+(.*)", logical, re.DOTALL):
            found.append((number, match[1], match[2].replace("\\\n", " ")))
        number += logical.count("\n") + 1
    return found


def _broken(word: str, rest: str) -> Iterator[tuple[bool, str]]:
    if word == "FROM":
        image = rest.split(maxsplit=1)[0]
        yield (
            image.endswith(":latest") or (":" not in image and " " not in rest),
            "a base image without a version",
        )
    if word == "RUN":
        yield (
            "apt-get install" in rest and "rm -rf /var/lib/apt/lists" not in rest,
            "apt's lists stay in the layer",
        )
        yield (
            "apt-get install" in rest and "--no-install-recommends" not in rest,
            "apt brings what nobody asked for",
        )
        yield (
            bool(re.search(r"pip install.*-r", rest)) and "--require-hashes" not in rest,
            "packages without their hashes",
        )
        yield (
            bool(re.search(r"pip install", rest)) and "--no-cache" not in rest,
            "pip's cache stays in the layer",
        )
        yield bool(re.search(r"\bsudo\b|chmod 777", rest)), "more rights than needed"
    if word == "ADD":
        yield True, "COPY does what is meant"
    if word in {"CMD", "ENTRYPOINT"}:
        yield not rest.strip().startswith("["), f"{word} in shell form swallows signals"
    if word in {"ENV", "ARG"}:
        yield (
            bool(re.search(r"(?i)(password|secret|dev_key|token)\s*=", rest)),
            "a secret in the image",
        )


def the_compose_file_is_sound(root: Path) -> Iterator[Wrong]:
    """Every service.

    A read-only root, no more rights than needed, bounds, a health check, a restart policy, pinned
    images.

    Only the door is published; secrets come from a file; every folder that is written is a named
    volume or in memory.
    """
    path = root / "compose.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    volumes = set(plan.get("volumes") or {})
    for name, service in plan["services"].items():
        for broken, why in _unsound(name, service, volumes):
            if broken:
                yield wrong(root, path, 1, f"{name}: {why}")


def _unsound(name: str, service: dict[str, Any], volumes: set[str]) -> Iterator[tuple[bool, str]]:
    image, environment = str(service.get("image", "")), service.get("environment") or {}
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    yield service.get("read_only") is not True, "its root can be written to"
    yield service.get("cap_drop") != ["ALL"], "it keeps rights that it was not given on purpose"
    yield "no-new-privileges:true" not in service.get("security_opt", []), "it may gain rights"
    yield (
        service.get("privileged", False) or service.get("network_mode") == "host",
        "it is not kept apart",
    )
    yield "healthcheck" not in service, "it has no health check"
    yield service.get("restart") not in {"unless-stopped", "always"}, "nothing starts it again"
    yield (
        bool(_BOUNDED - limits.keys()),
        f"it has no bounds for {', '.join(sorted(_BOUNDED - limits.keys()))}",
    )
    yield (
        "build" not in service and (":" not in image or image.endswith(":latest")),
        "its image has no version",
    )
    yield (
        bool(service.get("ports")) and name not in {"serve", "sandbox"},
        "it is reachable from outside",
    )
    yield (
        any(not str(port).startswith("127.0.0.1:") for port in service.get("ports", ())),
        "its port is open to the whole network",
    )
    yield (
        any(
            re.search(r"(?i)password|secret|_key|database_url|smtp_url", key) for key in environment
        ),
        "a secret in the open",
    )
    yield (
        any(str(mount).split(":")[0] not in volumes for mount in service.get("volumes", ())),
        "a volume without a name",
    )
