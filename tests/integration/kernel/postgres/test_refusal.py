"""What a server or libpq refuses is said at once and as what it is, in whatever language it is said."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import PGconn

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel import settings
from surf_data.kernel.postgres import DatabaseManager, refusal
from surf_data.kernel.postgres.connector import Connector

Open = Callable[..., DatabaseManager]


StandIn = Callable[[bytes], str]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Return a function that starts what answers each client with some bytes and leaves, and returns its URL."""
    listeners: list[socket.socket] = []

    def start(answer: bytes) -> str:
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
                    client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return f"postgresql://kai:x@127.0.0.1:{listener.getsockname()[1]}/surf?sslmode=disable&gssencmode=disable"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def message(kind: bytes, body: bytes) -> bytes:
    """Return a message as the server sends it: PostgreSQL's manual, "Message Formats"."""
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def refusal_of(sqlstate: str, function: str = "") -> bytes:
    """Return the answer of a server that refuses, in German, and says everything there that could mislead."""
    fields = {"S": "SCHWERWIEGEND", "V": "FATAL", "C": sqlstate, "M": '»kai« darf "nicht" C "53300" R "x"'}
    fields |= {"R": function} if function else {}
    return message(b"E", b"".join(f"{code}{text}".encode() + b"\0" for code, text in fields.items()) + b"\0")


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
    stand_in: StandIn,
    refused: Callable[..., Any],
    sqlstate: str,
    function: str,
    reason: str,
) -> None:
    """The SQLSTATE decides, and not the text."""
    database = open_database(database_url=stand_in(refusal_of(sqlstate, function)), pool_min_size=0)
    assert str(refused(database.connect, DatabaseUnavailable)) == f"cannot connect: {reason}"


def test_without_a_trace(
    open_database: Open, stand_in: StandIn, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where libpq traces nothing, as on macOS, a refusal is one, and why is in the server's log."""
    monkeypatch.delattr("os.memfd_create")
    monkeypatch.setattr("sys.platform", "darwin")
    database = open_database(database_url=stand_in(refusal_of("3D000")), pool_min_size=0)
    assert str(refused(database.connect, DatabaseUnavailable)) == "cannot connect: connection failed"


def test_connecting_without_a_trace(database: DatabaseManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libpq traces nothing, one connects as elsewhere."""
    monkeypatch.delattr("os.memfd_create")
    monkeypatch.setattr("sys.platform", "darwin")
    with database.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection lost"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "connection failed"),
        (message(b"R", (5).to_bytes(4, "big") + b"salt"), "connection lost"),
        (message(b"R", (99).to_bytes(4, "big")), "connection failed"),
        (
            message(b"R", (10).to_bytes(4, "big") + b"SCRAM-SHA-256\0\0") + message(b"R", (11).to_bytes(4, "big")),
            "authentication failed",
        ),
        (message(b"R", (0).to_bytes(4, "big")), "connection lost"),
    ],
    ids=["nothing", "another protocol", "half way", "unknown method", "an impostor", "after the login"],
)
def test_what_a_server_does_without_a_word(
    open_database: Open, stand_in: StandIn, refused: Callable[..., Any], answer: bytes, reason: str
) -> None:
    """Without a refusal it is known by who has ended the connection, and how far it had come."""
    database = open_database(database_url=stand_in(answer), pool_min_size=0)
    assert str(refused(database.connect, DatabaseUnavailable)) == f"cannot connect: {reason}"


@pytest.mark.parametrize(
    ("database", "options", "reason"),
    [
        ("template0", "", "the database takes no connections"),
        ("postgres", "-c nothing=1", "the server refuses an option of the connection"),
        ("postgres", "-c work_mem=much", "the server refuses an option of the connection"),
        ("postgres", "--nothing", "the server refuses an option of the connection"),
    ],
)
def test_what_a_server_refuses_is_not_tried_again(
    open_database: Open, refused: Callable[..., Any], watcher: Any, database: str, options: str, reason: str
) -> None:
    """What no waiting mends is reported at once."""
    url = f"host={watcher.info.host} user={watcher.info.user} dbname={database} options='{options}'"
    lent = open_database(database_url=url, pool_min_size=0, pool_timeout=60)
    assert refused(lent.ping, DatabaseUnavailable).cause == reason


def test_of_several_servers_the_last_one_counts(
    open_database: Open, stand_in: StandIn, refused: Callable[..., Any]
) -> None:
    """With several hosts the reason is the last one's, and names none of them."""
    ports = [url.partition("127.0.0.1:")[2].partition("/")[0] for url in map(stand_in, [b"", refusal_of("28P01")])]
    url = "host=127.0.0.1,127.0.0.1 port={} user=kai password=x dbname=surf sslmode=disable gssencmode=disable"
    for order, reason in ((ports, "authentication failed"), (ports[::-1], "connection lost")):
        database = open_database(database_url=url.format(",".join(order)), pool_min_size=0)
        assert str(refused(database.connect, DatabaseUnavailable)) == f"cannot connect: {reason}"


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("nowhere.invalid", "unknown host"),
        ("/nowhere", "no server at that socket"),
        ("/etc/passwd", "no server at that socket"),
        (f"/{'x' * 200}", "connection failed"),
    ],
)
def test_a_service_that_leads_nowhere(
    open_database: Open,
    refused: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    reason: str,
) -> None:
    """What libpq takes from a service file, and the driver does not see, is known by trying it."""
    (tmp_path / "services").write_text(f"[surf]\nhost={host}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    database = open_database(database_url="service=surf user=kai", pool_min_size=0)
    assert str(refused(database.connect, DatabaseUnavailable)) == f"cannot connect: {reason}"


def test_a_server_of_another_kind(
    open_database: Open, refused: Callable[..., Any], watcher: psycopg.Connection[Any]
) -> None:
    """A primary where a standby is wanted is not a server that refuses."""
    url = f"host={watcher.info.host} user={watcher.info.user} dbname={watcher.info.dbname}"
    database = open_database(database_url=f"{url} target_session_attrs=standby", pool_min_size=0)
    said = str(refused(database.connect, DatabaseUnavailable))
    assert said == "cannot connect: the server is not of the kind that target_session_attrs names"


def test_a_client_that_refuses(open_database: Open, refused: Callable[..., Any], watcher: Any) -> None:
    """A login that the client finds too weak is no matter of the network."""
    url = f"host={watcher.info.host} user={watcher.info.user} dbname={watcher.info.dbname}"
    database = open_database(database_url=f"{url} require_auth=scram-sha-256", pool_min_size=0, pool_timeout=60)
    assert refused(database.ping, DatabaseUnavailable).cause == "authentication failed"


def test_an_address_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the driver, libpq or the second try waits for in vain has timed out."""
    monkeypatch.setattr(refusal, "_TRIAL", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        # Linux lets in one more than the backlog, and answers no other.
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        url = f"postgresql://kai@127.0.0.1:{listener.getsockname()[1]}/surf?tcp_user_timeout=100"
        with pytest.raises(DatabaseUnavailable, match=r"^cannot connect: timed out$"):
            Connector(settings.load({}, database_url=url)).direct()
    assert refusal.unattempted(psycopg.errors.ConnectionTimeout("x"), {}) == "timed out"


def test_an_address_that_is_there_again() -> None:
    """Where the second try succeeds, why the first one failed is not known, and nothing is made up."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = PGconn.connect_start(f"host=127.0.0.1 port={listener.getsockname()[1]}".encode())
        assert refusal._unreached(server) == "connection refused"
        listener.listen()
        assert refusal._unreached(server) == "connection failed"
        server.finish()


@pytest.mark.parametrize(
    "parameter",
    [
        "sslmode=no-verify",
        "target_session_attrs=rw",
        "service=nowhere",
        "channel_binding=maybe",
        "gssencmode=x",
        "connect_timeout=soon",
        "port=1,2",
        "hostaddr=127.0.0.1,127.0.0.2",
    ],
)
def test_what_libpq_refuses_is_said_at_once(
    open_database: Open, refused: Callable[..., Any], parameter: str, watcher: psycopg.Connection[Any]
) -> None:
    """A parameter that libpq does not take is no matter of waiting."""
    database = open_database(database_url=f"host={watcher.info.host} {parameter}", pool_min_size=0, pool_timeout=60)
    said = refused(database.ping, DatabaseUnavailable)
    assert said.cause == "libpq refuses a parameter of the connection"
