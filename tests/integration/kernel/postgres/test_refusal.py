"""What a server or libpq refuses is said at once and as what it is, in whatever language it is said."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.postgres import DatabaseManager

Open = Callable[..., DatabaseManager]


@pytest.fixture
def stand_in() -> Iterator[Callable[[dict[str, str]], str]]:
    """Return a function that starts what answers each login with a refusal, and returns its URL."""
    listeners: list[socket.socket] = []

    def start(fields: dict[str, str]) -> str:
        body = b"".join(f"{code}{text}".encode() + b"\0" for code, text in fields.items()) + b"\0"
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with closing(client):
                    client.recv(4096)
                    client.sendall(b"E" + (len(body) + 4).to_bytes(4, "big") + body)

        threading.Thread(target=serve, daemon=True).start()
        return f"postgresql://kai:x@127.0.0.1:{listener.getsockname()[1]}/surf?sslmode=disable&gssencmode=disable"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.mark.parametrize(
    ("sqlstate", "function", "reason"),
    [
        ("28P01", "auth_failed", "authentication failed"),
        ("28P01", "", "authentication failed"),
        ("28000", "InitializeSessionUserId", "the role does not exist"),
        ("28000", "ClientAuthentication", "refused by pg_hba.conf"),
        ("28000", "other", "authentication failed"),
        ("3D000", "InitPostgres", "the database does not exist"),
        ("42501", "CheckMyDatabase", "no permission for the database"),
        ("53300", "InitProcess", "too many connections"),
        ("57P03", "BackendInitialize", "the server is starting"),
        ("XX000", "", "connection failed"),
    ],
)
def test_a_refusal_is_known_by_its_code(
    open_database: Open,
    stand_in: Callable[..., str],
    refused: Callable[..., Any],
    sqlstate: str,
    function: str,
    reason: str,
) -> None:
    """The SQLSTATE decides, and not the text."""
    fields = {"S": "SCHWERWIEGEND", "V": "FATAL", "C": sqlstate, "M": '»kai« darf "nicht" C "53300" R "x"'}
    database = open_database(
        database_url=stand_in({**fields, **({"R": function} if function else {})}), pool_min_size=0
    )
    assert str(refused(database.connect, DatabaseUnavailable)) == f"cannot connect: {reason}"


@pytest.mark.parametrize(
    "parameter",
    ["sslmode=no-verify", "target_session_attrs=rw", "service=nowhere", "channel_binding=maybe", "gssencmode=x"],
)
def test_what_libpq_refuses_is_said_at_once(
    open_database: Open, refused: Callable[..., Any], parameter: str, watcher: psycopg.Connection[Any]
) -> None:
    """A parameter that libpq does not take is no matter of waiting."""
    database = open_database(database_url=f"host={watcher.info.host} {parameter}", pool_min_size=0, pool_timeout=60)
    said = refused(database.ping, DatabaseUnavailable)
    assert said.cause == "libpq refuses a parameter of the connection"
