"""The bearer token for FCM.

One for all threads, kept until shortly before it ends, renewed with a time-out.
"""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import requests
from google.auth.credentials import TokenState
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from geofence.errors import InputError
from geofence.model.message import Outcome

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
# after a failed renewal the next callers fail at once, instead of each waiting for a time-out
_HOLD_OFF_S = 2.0


class NoToken(Exception):
    """There is no bearer token; `outcome` is what that means for every message of the batch."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def read_credentials(path: str | Path) -> Any:
    """The service account in this JSON file.

    Raises `InputError`; its text never holds what is in the file.
    """
    try:
        info = json.loads(Path(path).read_text(encoding="utf-8"))
        credentials = Credentials.from_service_account_info(info, scopes=[SCOPE])  # type: ignore[no-untyped-call]  # google-auth is half typed
    except OSError as error:
        raise InputError(
            f"the FCM credentials cannot be read: {error.strerror}", code="fcm_credentials"
        ) from None
    except (ValueError, TypeError, AttributeError, GoogleAuthError):
        raise InputError(
            "the FCM credentials are not a service account file", code="fcm_credentials"
        ) from None
    if not credentials.project_id:
        raise InputError("the FCM credentials name no project_id", code="fcm_credentials")
    return credentials


class Tokens:
    """Bearer tokens of one service account.

    Safe from several threads: one renews, the others wait for it.
    """

    def __init__(self, credentials: Any, timeout_s: float) -> None:
        self._credentials = credentials
        self._session = requests.Session()
        self._session.max_redirects = 0  # the signed assertion goes to token_uri and nowhere else
        self._request = partial(Request(session=self._session), timeout=timeout_s)
        self._lock = threading.Lock()
        self._worked = False
        self._failed: tuple[float, Outcome] | None = None

    def bearer(self) -> str:
        """A token to send with. Raises `NoToken`."""
        if self._credentials.token_state is not TokenState.FRESH:
            with self._lock:
                self._renew()
        return str(self._credentials.token)

    def accepted(self) -> None:
        """The provider took a message with the present token."""
        self._worked = True

    def refused(self) -> bool:
        """The provider answered 401: forget the token.

        True when it had worked before, so a new one may help.
        """
        with self._lock:
            worked, self._worked = self._worked, False
            self._credentials.token = None
        return worked

    def close(self) -> None:
        """Let go of the connection to the token server."""
        self._session.close()

    def _renew(self) -> None:
        state = self._credentials.token_state
        if state is TokenState.FRESH:  # another thread has renewed it meanwhile
            return
        if self._failed and time.monotonic() < self._failed[0]:
            raise NoToken(self._failed[1])
        try:
            self._credentials.refresh(self._request)
            self._failed = None
        except (GoogleAuthError, requests.RequestException, ValueError) as error:
            self._failed = (time.monotonic() + _HOLD_OFF_S, _outcome(error))
            if state is TokenState.INVALID:  # a stale one still works for some minutes
                raise NoToken(self._failed[1]) from None


def _outcome(error: Exception) -> Outcome:
    kind = type(error).__name__
    if isinstance(error, RefreshError) and not error.retryable:
        return Outcome(
            "pause", "credentials_refused", f"the token server refused the service account ({kind})"
        )
    reason = (
        "token_unreachable"
        if isinstance(error, (TransportError, requests.RequestException))
        else "token_unavailable"
    )
    return Outcome("retry", reason, f"no access token ({kind})")
