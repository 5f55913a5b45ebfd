"""Ids. Those of consequences are made from facts, so the same fact found twice is one row."""

from __future__ import annotations

import base64
import hashlib
import secrets

# RFC 4648's letters spelled as Crockford's: no I, L, O, U, which people mistake for others
_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)


def of_facts(prefix: str, *facts: object) -> str:
    """`prefix_` and 26 characters (130 bits of SHA-256) of the facts, in order."""
    text = "\x1f".join(map(str, facts))
    return f"{prefix}_{_spell(hashlib.sha256(text.encode('utf-8', 'surrogatepass')).digest(), 26)}"


def new(prefix: str) -> str:
    """`prefix_` and 26 random characters (130 bits)."""
    return f"{prefix}_{_spell(secrets.token_bytes(20), 26)}"


def new_secret(kind: str) -> str:
    """An API key: `pk_` or `sk_` and 32 random characters (160 bits)."""
    return f"{kind}_{_spell(secrets.token_bytes(20), 32)}"


def digest(secret: str) -> str:
    """SHA-256 of a key, in hex: what the record keeps.

    Keys carry 160 random bits, so no salt is needed.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def _spell(data: bytes, length: int) -> str:
    """The first `length` letters of at least that many times five bits."""
    return base64.b32encode(data[:20]).translate(_CROCKFORD)[:length].decode()
