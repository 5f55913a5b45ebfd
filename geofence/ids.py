"""Ids. Those of consequences are made from facts, so the same fact found twice is one row."""

from __future__ import annotations

import hashlib
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U


def of_facts(prefix: str, *facts: object) -> str:
    """`prefix_` and 26 characters (130 bits of SHA-256) of the facts, in order."""
    text = "\x1f".join(map(str, facts))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:17], "big") >> 6
    return f"{prefix}_{_spell(number, 26)}"


def new(prefix: str) -> str:
    """`prefix_` and 26 random characters (130 bits)."""
    return f"{prefix}_{_spell(secrets.randbits(130), 26)}"


def new_secret(kind: str) -> str:
    """An API key: `pk_` or `sk_` and 32 random characters (160 bits)."""
    return f"{kind}_{_spell(secrets.randbits(160), 32)}"


def digest(secret: str) -> str:
    """SHA-256 of a key, in hex: what the record keeps. Keys carry 160 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _spell(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))
