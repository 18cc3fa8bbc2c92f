"""Users: registered once, changed as asked, found in any spelling."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from surf_data.daylight import DaylightDataLayer
from surf_data.errors import SurfDataError, ValidationError

Refused = Callable[..., SurfDataError]

KAI = {"email": "kai@example.org", "username": "kai", "password_hash": "planted-hash"}


def test_a_user_and_a_profile_are_created_together(data: DaylightDataLayer) -> None:
    """`create_user` returns the pair, and camelCase keys mean the same as snake_case ones."""
    user, profile = data.users.create_user({**KAI, "firstName": "Kai", "preferences": {"units": "metric"}})
    assert user.id.startswith("user_")
    assert (user.email, user.is_active, user.last_login_at) == ("kai@example.org", True, None)
    assert (profile.user_id, profile.first_name, profile.timezone) == (user.id, "Kai", "UTC")
    assert profile.preferences == {"units": "metric"}
    assert data.users.get_user_by_id(user.id) == user
    assert data.users.get_user_by_email(" KAI@Example.org ") == user
    assert data.users.get_user_profile(user.id) == profile


def test_the_original_names_are_the_same_methods(data: DaylightDataLayer) -> None:
    """Callers of the original find their way: names and keys in camelCase."""
    created = data.users.createUser(KAI)
    assert created.to_dict()["user"].keys() == {
        "id",
        "email",
        "username",
        "isActive",
        "emailVerified",
        "createdAt",
        "updatedAt",
        "lastLoginAt",
    }
    assert created.to_dict()["profile"]["firstName"] == ""
    assert created.to_dict()["user"]["createdAt"].endswith("Z")


@pytest.mark.parametrize(
    ("again", "field"),
    [
        ({"id": "kai", "email": "b@example.org", "username": "b"}, "id"),
        ({"id": "b", "email": " KAI@example.org", "username": "b"}, "email"),
        ({"id": "b", "email": "b@example.org", "username": "KAI "}, "username"),
    ],
)
def test_a_duplicate_conflicts_and_changes_nothing(
    data: DaylightDataLayer, refused: Refused, again: dict[str, str], field: str
) -> None:
    """A taken id, address or username is refused by name; the account that exists is as it was."""
    before = data.users.create_user({"id": "kai", **KAI}).user
    error = refused(lambda: data.users.create_user({**again, "password_hash": "other"}))
    assert isinstance(error, ValidationError)
    assert (error.field, str(error)) == (field, f"{field} is taken")
    assert data.users.get_user_by_id("kai") == before
    assert data.users.get_user_by_id("b") is None


def test_an_update_applies_what_it_names(data: DaylightDataLayer) -> None:
    """What is named changes, the rest stays; null clears what may be null."""
    user = data.users.create_user({"id": "kai", **KAI}).user
    changed = data.users.update_user("kai", {"email": "k@example.org", "emailVerified": True})
    assert changed is not None
    assert (changed.email, changed.email_verified, changed.username) == ("k@example.org", True, "kai")
    assert changed.updated_at > user.updated_at
    data.users.update_user("kai", {"lastLoginAt": "2026-03-01T10:00:00+01:00"})
    data.users.update_user("kai", {"username": "Kaimana", "last_login_at": None})
    after = data.users.get_user_by_id("kai")
    assert after is not None
    assert (after.username, after.last_login_at) == ("Kaimana", None)
    profile = data.users.update_user_profile("kai", {"avatar": "a.png", "settings": {"dark": True}})
    assert profile is not None
    assert (profile.avatar, profile.settings, profile.preferences) == ("a.png", {"dark": True}, {})
    assert data.users.update_user("nobody", {"is_active": False}) is None
    assert data.users.update_user_profile("nobody", {"avatar": None}) is None


def test_an_update_to_a_taken_value_conflicts(data: DaylightDataLayer, refused: Refused) -> None:
    """An address that is another's is refused."""
    data.users.create_user({"id": "kai", **KAI})
    data.users.create_user({"id": "b", "email": "b@example.org", "username": "b", "password_hash": "x"})
    assert refused(lambda: data.users.update_user("b", {"email": "KAI@example.org"})).args == ("email is taken",)


def test_an_expected_moment_makes_the_second_writer_lose(data: DaylightDataLayer) -> None:
    """Of two writers that have read the same row, the second gets None."""
    user, profile = data.users.create_user({"id": "kai", **KAI})
    first = data.users.update_user("kai", {"username": "one"}, expected_updated_at=user.updated_at)
    second = data.users.update_user("kai", {"username": "two"}, expected_updated_at=user.updated_at)
    assert first is not None
    assert second is None
    assert data.users.update_user_profile("kai", {"avatar": "x"}, expected_updated_at=profile.updated_at) is not None
    assert data.users.update_user_profile("kai", {"avatar": "y"}, expected_updated_at=profile.updated_at) is None


def test_a_password_hash_leaves_by_its_own_method_alone(data: DaylightDataLayer) -> None:
    """No record and no repr has the hash; inactive users have none to give."""
    created = data.users.create_user({"id": "kai", **KAI})
    assert "planted-hash" not in repr(created) + str(created.to_dict())
    stored = data.users.get_password_hash("KAI@example.org")
    assert stored is not None
    assert stored.reveal() == "planted-hash"
    assert data.users.deactivate_user("kai") is True
    assert data.users.deactivate_user("nobody") is False
    assert data.users.get_password_hash("kai@example.org") is None


def test_a_profile_expires_with_its_user(data: DaylightDataLayer, admin: psycopg.Connection[Any]) -> None:
    """An active account never expires by age; deactivated, account and profile count from the same moment."""
    since = (
        "SELECT u.inactive_since, p.inactive_since FROM daylight.users u, daylight.user_profiles p WHERE id = user_id"
    )
    data.users.create_user({"id": "kai", **KAI})
    assert admin.execute(since).fetchone() == (None, None)
    data.users.deactivate_user("kai")
    ages = admin.execute(since).fetchone()
    assert ages is not None
    assert ages[0] is not None
    assert ages[0] == ages[1]
    data.users.update_user("kai", {"is_active": True})
    assert admin.execute(since).fetchone() == (None, None)


def test_activity_is_written_once_a_day(data: DaylightDataLayer, admin: psycopg.Connection[Any]) -> None:
    """The first call of a day writes, the others cost no row version."""
    data.users.create_user({"id": "kai", **KAI})
    assert data.users.note_activity("kai") is False
    admin.execute("UPDATE daylight.users SET last_active_at = now() - interval '2 days'")
    assert data.users.note_activity("kai") is True
    assert data.users.note_activity("kai") is False


def test_one_address_is_registered_once_by_twenty_threads(data: DaylightDataLayer) -> None:
    """Of 20 threads that register one address in different spellings, one succeeds."""
    barrier = threading.Barrier(5)

    def register(number: int) -> str:
        barrier.wait()
        email = "kai@example.org" if number % 2 else "KAI@example.org"
        try:
            data.users.create_user({"email": email, "username": f"u{number}", "password_hash": "x"})
        except ValidationError as error:
            return str(error)
        return "created"

    with ThreadPoolExecutor(5) as threads:
        outcomes = list(threads.map(register, range(20)))
    assert sorted(outcomes) == ["created"] + ["email is taken"] * 19


@pytest.mark.parametrize(
    ("user_data", "message"),
    [
        (None, "user_data must be a mapping"),
        ({1: 2}, "user_data must have text keys"),
        ({**KAI, "emial": "x"}, "user_data has an unknown key 'emial'"),
        ({"email": "kai@example.org"}, "user_data lacks username"),
        ({**KAI, "email": "kai"}, "email must be an e-mail address"),
        ({**KAI, "id": "x" * 2000}, "id must have 1 to 128 characters"),
        ({**KAI, "timezone": "Mars/Phobos"}, "timezone must be the IANA name of a time zone"),
        ({**KAI, "timezone": "../etc"}, "timezone must be the IANA name of a time zone"),
        ({**KAI, "preferences": [1]}, "preferences must be a mapping"),
        ({**KAI, "firstName": "a", "first_name": "b"}, "user_data has first_name twice"),
        ({**KAI, "username": "a\0b"}, "username must not contain NUL characters or lone surrogates"),
    ],
)
def test_bad_user_data_is_refused_by_name(
    data: DaylightDataLayer, refused: Refused, user_data: Any, message: str
) -> None:
    """What cannot be stored unchanged is refused before anything is sent, and the error names the field."""
    assert str(refused(lambda: data.users.create_user(user_data))) == message


def test_bad_updates_are_refused_by_name(data: DaylightDataLayer, refused: Refused) -> None:
    """An unknown key is refused instead of ignored, and so is what is no boolean or no moment."""
    assert "unknown key 'id'" in str(refused(lambda: data.users.update_user("kai", {"id": "b"})))
    assert str(refused(lambda: data.users.update_user("kai", {"is_active": 1}))) == "is_active must be true or false"
    late = refused(lambda: data.users.update_user("kai", {}, expected_updated_at="2026-03-01"))
    assert str(late) == "expected_updated_at must have a time zone"
