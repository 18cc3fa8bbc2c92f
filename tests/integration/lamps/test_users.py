"""Users: registration and credentials."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import surf_data
from rig import eventually
from surf_data import ConstraintViolation, DatabaseError, LampsDataLayer, ValidationError

Admin = psycopg.Connection[Any]


def user_data(**changes: Any) -> dict[str, Any]:
    """Return the data of a new user."""
    return {
        "lamp_id": str(uuid4()),
        "email": "kai@example.org",
        "name": "Kai",
        "password_hash": "planted-hash-7f3a",
        "location_index": 0,
        **changes,
    }


def test_a_registered_user_has_a_lamp(data: LampsDataLayer) -> None:
    """A user who registers has credentials and an active lamp with full brightness."""
    user = user_data()
    assert data.users.register_user(user) is True
    assert data.users.validate_user_credentials("kai@example.org", "planted-hash-7f3a") is True
    lamp = data.lamps.get_lamp_configuration(user["lamp_id"])
    assert lamp is not None
    assert (lamp.is_active, lamp.brightness) == (True, 100)


def test_the_address_is_shown_as_typed(data: LampsDataLayer, admin: Admin) -> None:
    """The stored address is the one that was typed; only the key is normalized."""
    data.users.register_user(user_data(email=" Straße@Example.ORG "))
    stored = admin.execute("SELECT email, email_key FROM lamp_registry").fetchone()
    assert stored == (" Straße@Example.ORG ", "strasse@example.org")


# Each pair is one address in two spellings: case, composition, surrounding space, full case folding.
SPELLINGS = [
    ("kai@example.org", "KAI@EXAMPLE.ORG"),
    ("kai@example.org", "  kai@example.org\t"),
    ("zoë@example.org", "zoe\u0308@example.org"),
    ("straße@example.org", "STRASSE@example.org"),
    ("σίσυφος@example.org", "ΣΊΣΥΦΟΣ@example.org"),
]


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
def test_one_address_is_one_user_in_any_spelling(data: LampsDataLayer, admin: Admin, first: str, second: str) -> None:
    """Another spelling of a registered address is refused, and logs in."""
    data.users.register_user(user_data(email=first))
    with pytest.raises(ValidationError) as caught:
        data.users.register_user(user_data(email=second))
    assert str(caught.value) == "User already registered"
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (1,)
    assert data.users.validate_user_credentials(second, "planted-hash-7f3a") is True


def test_fifty_threads_register_one_address_once(migrated_url: str, admin: Admin) -> None:
    """Of 50 threads that register one address in different spellings, one succeeds and 49 get an error."""
    spellings = ["kai@example.org", "KAI@example.org", " Kai@Example.Org", "kAI@EXAMPLE.org "]
    barrier = threading.Barrier(50)

    with surf_data.open(migrated_url, pool_min_size=5, pool_max_size=10, pool_timeout=60) as data:

        def register(number: int) -> str:
            barrier.wait()
            try:
                data.users.register_user(user_data(email=spellings[number % len(spellings)]))
            except ValidationError as error:
                return str(error)
            return "registered"

        with ThreadPoolExecutor(50) as threads:
            outcomes = list(threads.map(register, range(50)))
    assert sorted(outcomes) == ["User already registered"] * 49 + ["registered"]
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (1,)


def test_credentials_are_address_and_hash_of_an_active_user(data: LampsDataLayer) -> None:
    """A wrong hash, an unknown address and an inactive user are all `False`."""
    user = user_data()
    data.users.register_user(user)
    assert data.users.validate_user_credentials("kai@example.org", "planted-hash-7f3b") is False
    assert data.users.validate_user_credentials("kai@example.org", "planted-hash-7f3") is False
    assert data.users.validate_user_credentials("nobody@example.org", "planted-hash-7f3a") is False
    data.lamps.update_lamp_status(user["lamp_id"], "inactive")
    assert data.users.validate_user_credentials("kai@example.org", "planted-hash-7f3a") is False


def test_the_stand_in_hash_of_nobody_opens_nothing(data: LampsDataLayer) -> None:
    """What unknown users are compared with is not a password for them."""
    assert data.users.validate_user_credentials("nobody@example.org", "!" * 60) is False


def test_credentials_of_an_unknown_user_take_the_same_statements(data: LampsDataLayer) -> None:
    """Known and unknown addresses send the same one statement."""
    data.users.register_user(user_data())
    before = data.stats()["queries"]
    data.users.validate_user_credentials("kai@example.org", "x")
    data.users.validate_user_credentials("nobody@example.org", "x")
    after = data.stats()["queries"]
    assert after["lamps.user_password_hash"]["count"] == 2
    assert after.keys() - before.keys() == {"lamps.user_password_hash"}


BAD_VALUES = [
    ("lamp_id", "x"),
    ("lamp_id", None),
    ("email", "no address"),
    ("email", "@example.org"),
    ("email", "kai@"),
    ("email", "kai kai@example.org"),
    ("email", "kai\0@example.org"),
    ("email", "kai\u202e@example.org"),
    ("email", "a" * 250 + "@example.org"),
    ("email", None),
    ("name", ""),
    ("name", "\ud800"),
    ("name", "n" * 256),
    ("password_hash", ""),
    ("password_hash", 7),
    ("password_hash", "h" * 256),
    ("location_index", -1),
    ("location_index", 2**31),
    ("location_index", True),
    ("location_index", "2"),
    ("location_index", 2.0),
    ("brightness", -1),
    ("brightness", 101),
    ("brightness", None),
]


@pytest.mark.parametrize(("field", "value"), BAD_VALUES)
@pytest.mark.parametrize("method", ["register_user", "register_new_lamp"])
def test_bad_registrations_are_refused_by_name(
    data: LampsDataLayer, caplog: pytest.LogCaptureFixture, method: str, field: str, value: object
) -> None:
    """A value that cannot be stored is refused with its name, nothing is sent, and the hash is nowhere."""
    caplog.set_level(logging.DEBUG)
    register = data.users.register_user if method == "register_user" else data.lamps.register_new_lamp
    with pytest.raises(ValidationError) as caught:
        register(user_data(**{field: value}))
    assert caught.value.field == field
    assert field in str(caught.value)
    assert data.stats()["queries"] == {}
    assert "planted-hash" not in caplog.text + repr(caught.value)


@pytest.mark.parametrize("field", ["lamp_id", "email", "name", "password_hash", "location_index"])
def test_a_missing_key_is_named(data: LampsDataLayer, field: str) -> None:
    """A registration without one of its keys says which."""
    user = user_data()
    del user[field]
    with pytest.raises(ValidationError, match=f"user_data lacks {field}"):
        data.users.register_user(user)


def test_an_unknown_key_is_refused(data: LampsDataLayer) -> None:
    """A key that would be lost is refused instead."""
    with pytest.raises(ValidationError, match="unknown key 'brightnes'") as caught:
        data.users.register_user(user_data(brightnes=3))
    assert caught.value.field == "brightnes"


@pytest.mark.parametrize("email", [None, 7, "", "nobody", "a" * 300 + "@example.org"])
def test_credentials_need_an_address(data: LampsDataLayer, email: Any) -> None:
    """What cannot be an address is refused before anything is sent."""
    with pytest.raises(ValidationError, match="email"):
        data.users.validate_user_credentials(email, "x")


@pytest.mark.parametrize("password_hash", [None, 7, "", "x" * 256, "\ud800"])
def test_credentials_need_a_hash(data: LampsDataLayer, password_hash: Any) -> None:
    """What cannot be a hash is refused before anything is sent."""
    with pytest.raises(ValidationError, match="password_hash"):
        data.users.validate_user_credentials("kai@example.org", password_hash)


def test_a_constraint_of_the_owner_is_no_registered_lamp(data: LampsDataLayer, admin: Admin) -> None:
    """Only what is taken is said to be; what else the table refuses is named by its constraint."""
    admin.execute("ALTER TABLE lamp_registry ADD CONSTRAINT own CHECK (name <> 'Bad')")
    with pytest.raises(ConstraintViolation) as caught:
        data.users.register_user(user_data(name="Bad"))
    assert caught.value.constraint == "own"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    user=st.fixed_dictionaries(
        {},
        optional={
            key: st.none() | st.text() | st.integers() | st.floats() | st.binary() | st.lists(st.text())
            for key in ("lamp_id", "email", "name", "password_hash", "location_index", "brightness", "other")
        },
    )
)
def test_no_other_error_escapes_a_registration(data: LampsDataLayer, admin: Admin, user: dict[str, Any]) -> None:
    """Whatever is handed in is registered or refused by name; nothing else is raised, nothing is stored."""
    with pytest.raises(ValidationError) as caught:
        data.users.register_user(user)
    assert caught.value.field
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (0,)


@pytest.fixture
def owner(migrated_url: str) -> Iterator[LampsDataLayer]:
    """Open the data layer with a role that owns the tables."""
    with surf_data.open(migrated_url, pool_min_size=0) as opened:
        yield opened


def test_an_erased_user_leaves_what_happened_and_no_more(owner: LampsDataLayer, admin: Admin) -> None:
    """Account, lamp and sessions are gone, and in the log is nothing that names the user; others stay as they are."""
    users = [user_data(), user_data(email="noa@example.org", name="Noa")]
    for user in users:
        owner.lamps.register_new_lamp(user)
        owner.sessions.begin_session(user["lamp_id"])
        owner.activity.log_activity(
            user["lamp_id"], "login", "success", {"by": "app"}, ip_address="192.0.2.1", user_agent="app"
        )
    assert owner.users.erase_user("  KAI@example.org") is True
    assert owner.users.erase_user("kai@example.org") is False
    log = "SELECT lamp_id, activity_type, details IS NULL, ip_address IS NULL, user_agent IS NULL FROM activity_log"
    other = UUID(users[1]["lamp_id"])
    assert admin.execute(log + " ORDER BY id").fetchall() == [
        (None, "registration", True, True, True),
        (None, "login", True, True, True),
        (other, "registration", False, True, True),
        (other, "login", False, False, False),
    ]
    assert admin.execute("SELECT lamp_id FROM user_sessions").fetchall() == [(other,)]
    assert admin.execute("SELECT lamp_id FROM lamp_registry").fetchall() == [(other,)]
    assert owner.activity.get_activity_statistics()["by_type"] == {"login": 2, "registration": 2}


def test_the_application_erases_no_user(data: LampsDataLayer, admin: Admin) -> None:
    """It may not rewrite the log, so nothing is changed at all."""
    data.users.register_user(user_data())
    with pytest.raises(DatabaseError, match="InsufficientPrivilege"):
        data.users.erase_user("kai@example.org")
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (1,)


def test_nothing_is_logged_for_a_user_meanwhile(owner: LampsDataLayer, admin: Admin) -> None:
    """An entry that comes while a user is erased waits, and finds no lamp; it cannot slip in with an address."""
    user = user_data()
    owner.users.register_user(user)
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with ThreadPoolExecutor() as threads:
        with owner.transaction() as tx:
            assert tx.users.erase_user("kai@example.org") is True
            logged = threads.submit(owner.activity.log_activity, user["lamp_id"], "login", "success")
            eventually(lambda: admin.execute(waits).fetchone() != (0,))
        logged.result()
    assert admin.execute("SELECT count(*) FROM activity_log").fetchone() == (0,)
    assert owner.stats()["activity"] == {"failures": 1}
