"""Where a webhook may go: public addresses only, unless the operator allows private ones.

`check_url` is for the creation of a webhook and gives early, readable answers. What counts is
`is_public` at the address actually dialled: a name may point elsewhere tomorrow.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from geofence.errors import InputError

MAX_URL = 2048
_NAT64 = IPv6Network(
    "64:ff9b::/96"
)  # RFC 6052: the last 32 bits are the IPv4 address that is reached


def is_public(address: str) -> bool:
    """Whether a literal IP address belongs to the public internet.

    Private, loopback, link-local (with the clouds' metadata address), shared, unspecified,
    multicast and reserved ones do not, nor do IPv6 forms that lead to such an IPv4 address (mapped,
    NAT64, 6to4, Teredo).
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(ip)
    return _is_public(ip) if inner is None else _is_public(inner)


def check_url(url: str, allow_private: bool) -> None:
    """Raises `InputError` (code `invalid_url` or `private_url`) for a URL no webhook may have.

    It does not echo the URL.

    A name is looked up; one that does not resolve now is accepted, since every attempt checks the
    dialled address again.
    """
    parts = _split(url)
    if not allow_private:
        for address in _addresses(parts.hostname or ""):
            if not is_public(address):
                raise InputError("the URL leads to a private address", code="private_url")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError("this is not a URL", code="invalid_url") from None
    problem = _problem(url, parts, port)
    if problem:
        raise InputError(problem, code="invalid_url")
    return parts


def _problem(url: str, parts: SplitResult, port: int | None) -> str:
    if len(url) > MAX_URL or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        return f"the URL is longer than {MAX_URL} characters or holds spaces or control characters"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "the URL must start with https:// or http:// and name a host"
    if parts.username is not None or parts.password is not None or "\\" in parts.netloc:
        return "the URL must not hold a user name or password"
    return "the port is out of range" if port == 0 else ""


def _addresses(host: str) -> list[str]:
    try:
        return [
            socket.inet_ntoa(socket.inet_aton(host))
        ]  # also 2130706433, 0x7f.1 and 127.1, as dialling would read them
    except OSError:
        pass  # not an IPv4 address in any spelling: a name or IPv6
    try:
        return [
            str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        ]
    except (OSError, UnicodeError):
        return []


def _inner(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local:
        return False
    return ip.is_global and not (isinstance(ip, IPv6Address) and ip.is_site_local)
