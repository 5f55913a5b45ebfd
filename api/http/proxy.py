"""What a reverse proxy says about the outside, believed only from the networks listed.

`X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix` are read. The client's own address
(`X-Forwarded-For`) is neither used nor logged, so it is not read.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# the first segments of our own addresses: below one of them an address has two readings
_OURS = frozenset({"", "v1", "p", "docs", "openapi.json", "livez", "readyz", "metrics"})
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class Proxies:
    """The path below which the service is seen, and the proxies whose headers count.

    Args:
        root_path: Such as `/geofence`; empty for none.
        trusted: Addresses and networks in CIDR notation, separated by commas.

    Raises:
        ValueError: An argument cannot be used; the text says why.
    """

    def __init__(self, root_path: str = "", trusted: str = "") -> None:
        self.root_path = root_path
        if root_path and not _is_prefix(root_path):
            raise ValueError("must be a path such as /geofence that is none of the service's own")
        self._networks = networks_of(trusted)
        self.idle = not root_path and not self._networks
        self._trusts = lru_cache(maxsize=1024)(self._in_networks)

    def apply(self, scope: Scope) -> Scope:
        """The scope as the outside sees it: `root_path`, `scheme` and the `Host` header.

        A proxy may strip the root path or leave it: both are understood.
        """
        scope = {**scope, "root_path": self.root_path}
        client = scope.get("client")
        if client is None or not self._trusts(client[0]):
            return scope
        said = {n.decode("latin-1"): v.decode("latin-1") for n, v in scope["headers"]}
        prefix = said.get("x-forwarded-prefix", "").rstrip("/")
        if prefix and _is_prefix(prefix):
            scope["root_path"] = prefix
        if said.get("x-forwarded-proto") in ("http", "https"):
            scope["scheme"] = said["x-forwarded-proto"]
        host = said.get("x-forwarded-host", "")
        if _HOST.fullmatch(host):
            others = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [(b"host", host.encode("ascii")), *others]
        return scope

    def _in_networks(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks in a list that is separated by commas. Raises `ValueError`."""
    parts: Iterable[str] = (part.strip() for part in text.split(","))
    try:
        return tuple(ipaddress.ip_network(part) for part in parts if part)
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, by commas") from None


def _is_prefix(path: str) -> bool:
    return bool(_PREFIX.fullmatch(path)) and path.split("/")[1] not in _OURS
