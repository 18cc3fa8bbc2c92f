"""Calls that carry secrets while nothing works: none of the secrets comes to light, which `watch` sees to."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet

import surf_data
from rig import PostgresServer, RedisServer
from rig.secrecy import LOGIN, Watch, planted
from rig.users import user_data
from surf_data import ConstraintViolation, DatabaseError, DatabaseUnavailable, EncryptionError, ValidationError

OpenData = Callable[..., surf_data.LampsDataLayer]


@pytest.fixture
def server(own_postgres: Callable[..., PostgresServer]) -> PostgresServer:
    """Start a server that has an API key in plain text."""
    started = own_postgres()
    started.execute("UPDATE api_configuration SET api_key = %s", planted("api-key"))
    return started


@pytest.fixture
def data(
    server: PostgresServer, own_redis: Callable[..., RedisServer], open_data: OpenData, watch: Watch
) -> surf_data.LampsDataLayer:
    """Open a data layer with a key for API keys."""
    key = Fernet.generate_key().decode()
    watch.others.add(key)
    login = server.url_for(LOGIN)
    return open_data(login, own_redis().url, encryption_keys=key, pool_timeout=0.2, pool_min_size=1, pool_max_size=2)


@pytest.fixture
def calls(data: surf_data.LampsDataLayer, watch: Watch) -> list[Callable[[], Any]]:
    """Return calls that carry secrets to the server, or back."""
    user = user_data()
    data.users.register_user(user)
    token = data.sessions.begin_session(user["lamp_id"]).reveal()
    watch.others.add(token)
    return [
        partial(data.users.register_user, user_data()),
        partial(data.lamps.register_new_lamp, user_data()),
        partial(data.users.validate_user_credentials, user["email"], user["password_hash"]),
        partial(data.sessions.begin_session, user["lamp_id"]),
        partial(data.sessions.get_session_lamp, token),
        partial(data.sessions.end_session, token),
        partial(data.lamps.get_lamp_configuration, user["lamp_id"]),
        lambda: data.run(lambda tx: tx.users.register_user(user_data())),
    ]


def test_the_server_is_down(
    server: PostgresServer, calls: list[Callable[[], Any]], refused: Callable[..., DatabaseError]
) -> None:
    """8. While the server is down calls that carry secrets fail, and tell none of them."""
    server.kill()
    for call in calls:
        refused(call, DatabaseUnavailable)


def test_the_server_refuses(
    server: PostgresServer, calls: list[Callable[[], Any]], refused: Callable[..., DatabaseError]
) -> None:
    """12. When the server refuses calls that carry secrets, as it does without the rights, no error shows one."""
    server.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM surf_lamp_app")
    assert {refused(call, DatabaseError).sqlstate for call in calls} == {"42501"}


def test_the_data_are_no_good(
    data: surf_data.LampsDataLayer, refused: Callable[..., Any], server: PostgresServer
) -> None:
    """4. Rows and values that are refused, by the server or before, are not repeated; nor is what cannot be read."""
    user = user_data(name=planted("name"))
    assert data.users.register_user(user)
    again = {**user, "email": f"{planted('email')}@example.org"}
    server.execute("ALTER TABLE lamp_registry ADD CONSTRAINT none_other CHECK (NOT starts_with(email, 'planted'))")
    refused(partial(data.users.register_user, {**again, "lamp_id": uuid4()}), ConstraintViolation)
    refused(partial(data.users.register_user, again), DatabaseError)
    refused(partial(data.users.register_user, {**user, "password_hash": planted("hash\0")}), ValidationError)
    refused(partial(data.sessions.begin_session, uuid4()), ConstraintViolation)
    refused(partial(data.sessions.get_session_lamp, planted("token") * 20), ValidationError)
    sealed = Fernet(Fernet.generate_key()).encrypt(planted("api-key").encode()).decode()
    server.execute("UPDATE api_configuration SET api_key = %s", f"fernet:{sealed}")
    refused(partial(data.lamps.get_lamp_configuration, user["lamp_id"]), EncryptionError)


def test_calls_wait_too_long(
    server: PostgresServer,
    data: surf_data.LampsDataLayer,
    calls: list[Callable[[], Any]],
    refused: Callable[..., DatabaseError],
) -> None:
    """9. When calls that carry secrets are ended at their deadline, they tell none of them."""
    with psycopg.connect(server.url) as other:
        other.execute("LOCK TABLE lamp_registry, user_sessions IN ACCESS EXCLUSIVE MODE")
        for call in calls:
            with data.deadline(0.1):
                refused(call, DatabaseError)
