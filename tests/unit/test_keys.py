"""API keys as they are made, wherever that is."""

from __future__ import annotations

import pytest

from geofence import ids
from geofence.errors import InputError
from geofence.model.account import SCOPES
from geofence.people.keys import make_key


@pytest.mark.parametrize("kind", ["pk", "sk"])
def test_a_key_may_do_what_its_kind_may_and_knows_its_secret_by_digest_alone(kind: str) -> None:
    key, secret = make_key("p1", kind, 5, name="till")
    assert (key.kind, key.scopes, key.name, key.created_ms) == (kind, SCOPES[kind], "till", 5)
    assert secret.startswith(f"{kind}_")
    assert (key.digest, key.tail) == (ids.digest(secret), secret[-4:])
    assert key.digest != make_key("p1", kind, 5).key.digest


def test_a_given_secret_id_and_choice_of_scopes_are_kept() -> None:
    key, secret = make_key("p1", "sk", 5, scopes=("read",), secret="sk_fixed", key_id="key_1")
    assert (key.id, key.scopes, secret) == ("key_1", ("read",), "sk_fixed")


def test_a_publishable_key_may_not_manage() -> None:
    with pytest.raises(InputError) as caught:
        make_key("p1", "pk", 5, scopes=("ingest", "manage"))
    assert caught.value.code == "invalid_scope"
