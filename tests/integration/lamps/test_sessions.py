"""Sessions and passwords: what is stored opens nothing, and no client learns whether there is such a user."""

import hmac
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import CheckViolation

import surf_data
from surf_data.errors import ConstraintViolation
from surf_data.kernel import crypto

Connection = psycopg.Connection[Any]


@pytest.fixture
def lamp_id(data: surf_data.LampsDataLayer) -> UUID:
    """Register a lamp and return its id."""
    lamp_id = uuid4()
    lamp = {"lamp_id": lamp_id, "email": "kai@example.com", "name": "Kai", "password_hash": "made up"}
    data.users.register_user({**lamp, "location_index": 0})
    return lamp_id


def test_a_session_from_its_beginning_to_its_end(data: surf_data.LampsDataLayer, lamp_id: UUID) -> None:
    """The token is recognized until the session is ended, and no other token is."""
    token = data.sessions.begin_session(lamp_id)
    assert data.sessions.get_session_lamp(token.reveal()) == lamp_id
    assert data.sessions.get_session_lamp(token.reveal()[:-1]) is None
    assert data.sessions.end_session(token.reveal())
    assert not data.sessions.end_session(token.reveal())
    assert data.sessions.get_session_lamp(token.reveal()) is None


def test_only_the_hash_is_stored(data: surf_data.LampsDataLayer, admin: Connection, lamp_id: UUID) -> None:
    """A reader of the table finds nothing that is recognized as a token, and the server refuses anything else."""
    token = data.sessions.begin_session(lamp_id).reveal()
    [stored] = admin.execute("SELECT session_token FROM user_sessions").fetchone() or []
    assert stored == crypto.token_digest(token)
    assert data.sessions.get_session_lamp(stored) is None
    with pytest.raises(CheckViolation):
        admin.execute("UPDATE user_sessions SET session_token = %s", [token])


def test_a_token_shows_itself_on_request_only(data: surf_data.LampsDataLayer, lamp_id: UUID) -> None:
    """In a log or a message there are asterisks; and no two tokens are the same."""
    first, second = (data.sessions.begin_session(lamp_id) for _ in range(2))
    assert first.reveal() not in f"{first} {first!r}"
    assert first != second


def test_sessions_that_hold_no_more(data: surf_data.LampsDataLayer, admin: Connection, lamp_id: UUID) -> None:
    """Neither an expired session nor one of a lamp that is out of use is recognized."""
    expired, inactive = (data.sessions.begin_session(lamp_id, 60).reveal() for _ in range(2))
    admin.execute(
        "UPDATE user_sessions SET expires_at = now() WHERE session_token = %s", [crypto.token_digest(expired)]
    )
    assert data.sessions.get_session_lamp(expired) is None
    assert data.sessions.get_session_lamp(inactive) == lamp_id
    data.lamps.update_lamp_status(lamp_id, "inactive")
    assert data.sessions.get_session_lamp(inactive) is None


def test_a_session_of_nobody(data: surf_data.LampsDataLayer, refused: Callable[..., Any]) -> None:
    """A session needs a lamp."""
    refused(lambda: data.sessions.begin_session(uuid4()), ConstraintViolation)


def test_an_unknown_user_costs_the_same(
    data: surf_data.LampsDataLayer, lamp_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right hash, a wrong one and an unknown address are each one statement and one comparison of the same kind."""
    compared: list[int] = []
    compare = hmac.compare_digest
    monkeypatch.setattr(
        "surf_data.kernel.crypto.passwords.hmac.compare_digest",
        lambda one, other: compared.append(len(other)) or compare(one, other),
    )
    work = []
    for email, given in (
        ("kai@example.com", "made up"),
        ("kai@example.com", "made it"),
        ("leo@example.com", "made up"),
    ):
        compared.clear()
        before = data.stats()["queries"].get("lamps.user_password_hash", {"count": 0})["count"]
        data.users.validate_user_credentials(email, given)
        work.append((data.stats()["queries"]["lamps.user_password_hash"]["count"] - before, list(compared)))
    assert work == [(1, [7])] * 3


def test_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash verifies its password alone, and an unknown user's costs one verification with the same parameters too."""
    hasher = crypto.PasswordHasher()
    stored = hasher.hash("waves")
    assert stored != hasher.hash("waves")
    verified: list[str] = []
    verify = type(hasher._hasher).verify
    monkeypatch.setattr(
        type(hasher._hasher),
        "verify",
        lambda self, known, password: (
            verified.append(known.rpartition("$")[0].rpartition("$")[0]) or verify(self, known, password)
        ),
    )
    answers = [hasher.verify(*pair) for pair in ((stored, "waves"), (stored, "wave"), (None, "waves"), (None, ""))]
    assert answers == [True, False, False, False]
    assert len(verified) == 4
    assert len({*verified}) == 1
    assert not hasher.verify("no hash", "waves")
