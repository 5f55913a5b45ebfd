"""What a Dockerfile must and must not say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.rules.source import Wrong, wrong


def the_dockerfile_is_sound(root: Path) -> Iterator[Wrong]:
    """Pinned bases, pinned packages, no root, a health check, no shell forms, nothing left behind by apt."""
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
        yield image.endswith(":latest") or (":" not in image and " " not in rest), "a base image without a version"
    if word == "RUN":
        yield "apt-get install" in rest and "rm -rf /var/lib/apt/lists" not in rest, "apt's lists stay in the layer"
        yield "apt-get install" in rest and "--no-install-recommends" not in rest, "apt brings what nobody asked for"
        yield bool(re.search(r"pip install.*-r", rest)) and "--require-hashes" not in rest, "packages without their hashes"
        yield bool(re.search(r"pip install", rest)) and "--no-cache" not in rest, "pip's cache stays in the layer"
        yield bool(re.search(r"\bsudo\b|chmod 777", rest)), "more rights than needed"
    if word == "ADD":
        yield True, "COPY does what is meant"
    if word in {"CMD", "ENTRYPOINT"}:
        yield not rest.strip().startswith("["), f"{word} in shell form swallows signals"
    if word in {"ENV", "ARG"}:
        yield bool(re.search(r"(?i)(password|secret|dev_key|token)\s*=", rest)), "a secret in the image"
