"""Where a webhook may go."""

from __future__ import annotations

import pytest

from geofence.delivery.http.egress import check_url, is_public
from geofence.errors import InputError

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1",
    "127.255.0.9",
    "10.0.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - judged, not bound
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "localhost",
    "",
    "1.2.3",
]
REFUSED = [
    ("ftp://example.com/", "invalid_url"),
    ("https://", "invalid_url"),
    ("nonsense", "invalid_url"),
    ("https://user:secret@example.com/", "invalid_url"),
    ("https://example.com:99999/", "invalid_url"),
    ("https://example.com:0/", "invalid_url"),
    ("https://exa mple.com/", "invalid_url"),
    ("https://example.com/\r\nX: y", "invalid_url"),
    ("https://[::1/", "invalid_url"),
    ("https://8.8.8.8\\@127.0.0.1/", "invalid_url"),
    ("https://example.com/" + "x" * 3000, "invalid_url"),
    ("http://127.0.0.1/", "private_url"),
    ("http://localhost:8000/hook", "private_url"),
    ("http://2130706433/", "private_url"),
    ("http://0x7f000001/", "private_url"),
    ("http://0177.0.0.1/", "private_url"),
    ("http://127.1/", "private_url"),
    ("http://[::1]/", "private_url"),
    ("http://[::ffff:169.254.169.254]/", "private_url"),
    ("http://169.254.169.254/latest/meta-data", "private_url"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_leads_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(("url", "code"), REFUSED)
def test_a_url_no_webhook_may_have_is_refused_and_not_repeated(url: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        check_url(url, allow_private=False)
    assert refused.value.code == code
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]:8443/hook",
        "https://not-there.invalid/hook",
    ],
)
def test_a_public_url_is_accepted_also_when_its_name_does_not_resolve_now(url: str) -> None:
    assert check_url(url, allow_private=False) is None


def test_private_urls_are_accepted_where_the_operator_allows_them() -> None:
    assert check_url("http://127.0.0.1:9000/hook", allow_private=True) is None
    with pytest.raises(InputError):
        check_url("ftp://127.0.0.1/", allow_private=True)
