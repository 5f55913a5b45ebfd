"""The token server of the sandbox (RFC 7523): a signed assertion in, a bearer token out."""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from api.sandbox.http import Asked, Reply

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PROJECT = "geofence-sandbox"


class Account:
    """A service account of our own: its key, its file, the tokens given out.

    Only this account's signature is accepted.

    The file is made again when there is none, so that a service keeps working when the sandbox
    starts again.
    """

    def __init__(self, directory: Path, lifetime_s: int = 3600) -> None:
        self.path = directory / "service-account.json"
        self.lifetime_s = lifetime_s
        self.granted = 0
        self._key = self._read() or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._tokens: dict[str, float] = {}

    def write(self, root: str) -> None:
        """Write the credentials file, readable by its owner only; `root` is the sandbox's URL."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        info = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "sandbox",
            "private_key": pem,
            "client_email": f"sandbox@{PROJECT}.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{root}/token",
        }
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(info, file, indent=1)

    def grant(self, asked: Asked) -> Reply:
        """Answer a token request."""
        form = parse_qs(asked.body.decode("latin-1"))
        assertion = form.get("assertion", [""])[0]
        if form.get("grant_type") != [GRANT] or not self._signed(assertion):
            return Reply(
                400,
                b'{"error":"invalid_grant",'
                b'"error_description":"The assertion is not signed by this account."}',
            )
        self.granted += 1
        token = f"sandbox.{secrets.token_urlsafe(24)}"
        self._tokens[token] = time.monotonic() + self.lifetime_s
        return Reply(
            200,
            msgspec.json.encode(
                {"access_token": token, "expires_in": self.lifetime_s, "token_type": "Bearer"}
            ),
        )

    def knows(self, authorization: str) -> bool:
        """Whether the header carries a token that was given out and has not run out."""
        kind, _, token = authorization.partition(" ")
        return kind == "Bearer" and self._tokens.get(token, 0.0) > time.monotonic()

    def forget_tokens(self) -> None:
        """End every token now, as a provider may."""
        self._tokens.clear()

    def _signed(self, assertion: str) -> bool:
        try:
            head, claims, signature = assertion.split(".")
            body = msgspec.json.decode(_bytes(claims), type=dict[str, Any])
            self._key.public_key().verify(
                _bytes(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (ValueError, msgspec.MsgspecError, InvalidSignature):
            return False
        return bool(body.get("exp", 0) > time.time())

    def _read(self) -> rsa.RSAPrivateKey | None:
        try:
            key = serialization.load_pem_private_key(
                json.loads(self.path.read_text())["private_key"].encode(), None
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return key if isinstance(key, rsa.RSAPrivateKey) else None


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
