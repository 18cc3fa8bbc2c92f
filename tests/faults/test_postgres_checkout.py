"""Connections that are dead, refused or all taken: callers get a living one soon, or hear at once why not."""

import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

import surf_data
from rig import PostgresServer, Relay, eventually
from rig.secrecy import LOGIN, planted
from rig.users import user_data
from surf_data import DatabaseError, PoolTimeout

OpenData = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]

SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'surfboard_lamp_backend'"


def sessions(admin: psycopg.Connection[Any]) -> set[int]:
    """Return the backends that serve the pool."""
    return {pid for (pid,) in admin.execute(f"{SESSIONS} AND datname = current_database()".encode()).fetchall()}


def end_sixteen(data: surf_data.LampsDataLayer, admin: psycopg.Connection[Any]) -> None:
    """Have sixteen idle connections, and end them all at the server."""
    assert data.lamps.get_all_active_lamps() == []
    eventually(lambda: data.database.get_pool_status()["idle_size"] == 16)
    for pid in sessions(admin):
        # Returns when the server process has ended.
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    assert sessions(admin) == set()


def test_a_read_after_all_connections_were_ended(
    application_url: str, admin: psycopg.Connection[Any], open_data: OpenData, measure: Measure
) -> None:
    """1. When the server has ended every idle connection, the next read is served without an error."""
    data = open_data(application_url, pool_min_size=16, pool_max_size=16, pool_timeout=60)
    end_sixteen(data, admin)
    started = time.monotonic()
    assert data.lamps.get_all_active_lamps() == []
    took = time.monotonic() - started
    assert data.stats()["queries"]["lamps.lamp_active_list"]["errors"] == 0
    measure("16 idle connections are ended by the server", ("next read", took, "s"), ("errors", 0, ""))


def test_a_transaction_after_all_connections_were_ended(
    application_url: str, admin: psycopg.Connection[Any], open_data: OpenData, measure: Measure
) -> None:
    """2. When the server has ended every idle connection, the next transaction is applied once, without an error."""
    data = open_data(application_url, pool_min_size=16, pool_max_size=16, pool_timeout=60)
    end_sixteen(data, admin)
    user = user_data()
    started = time.monotonic()
    with data.transaction() as tx:
        tx.users.register_user(user)
        tx.activity.log_activity(user["lamp_id"], "status", "success")
    took = time.monotonic() - started
    assert len(data.activity.get_lamp_activity_history(user["lamp_id"])) == 1
    measure("16 idle connections are ended by the server", ("next transaction", took, "s"), ("applied", 1, "time"))


def message(kind: bytes, fields: bytes) -> bytes:
    """Return a message of PostgreSQL's protocol."""
    return kind + (len(fields) + 4).to_bytes(4) + fields


def test_a_server_that_says_something_and_stays(
    relayed: Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]],
) -> None:
    """2. A server that says something unasked is asked whether it is still there, and its connection is kept."""
    _, relay, data = relayed(pool_min_size=1, pool_max_size=1)
    with data.database.connection() as session:
        connection = session._connection
    eventually(lambda: data.database.get_pool_status()["idle_size"] == 1)
    relay.say(message(b"N", b"SWARNING\0VWARNING\0C01000\0Mthere will be a storm\0\0"))
    eventually(lambda: select.select([connection.fileno()], [], [], 0)[0])
    with data.database.connection() as session:
        assert session._connection is connection


def test_a_server_that_has_said_goodbye_and_not_gone(
    relayed: Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]],
) -> None:
    """2. A server that ends a session says so, and is gone a moment later: no write is sent to it in between."""
    _, relay, data = relayed(pool_min_size=1, pool_max_size=1)
    with data.database.connection() as session:
        number = session._connection.fileno()
    eventually(lambda: data.database.get_pool_status()["idle_size"] == 1)
    # Whatever is sent on that connection now is lost, and the connection is closed.
    relay.answers.append(b"")
    sent = len(relay.requests)
    relay.say(message(b"E", b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"))
    eventually(lambda: select.select([number], [], [], 0)[0])
    data.users.register_user(user_data())
    assert b"INSERT" not in relay.requests[sent]
    assert data.stats()["queries"]["lamps.lamp_insert"]["errors"] == 0
    assert len(data.lamps.get_all_active_lamps()) == 1


@pytest.mark.parametrize("pool_max_size", [1, 8])
def test_a_long_outage(
    own_postgres: Callable[..., PostgresServer],
    open_data: OpenData,
    pytestconfig: pytest.Config,
    measure: Measure,
    pool_max_size: int,
) -> None:
    """8. While the server is down each call fails within its time and says why; when it is back, so are callers."""
    outage = 66.0 if pytestconfig.getoption("--full-length") else 4.0
    server = own_postgres()
    data = open_data(server.url_for(LOGIN), pool_max_size=pool_max_size, pool_timeout=60)
    assert data.lamps.get_all_active_lamps() == []
    server.stop()
    causes, longest, down = set(), 0.0, time.monotonic()
    while time.monotonic() < down + outage:
        started = time.monotonic()
        with pytest.raises(DatabaseError) as caught:
            data.database.ping(timeout=0.5)
        longest = max(longest, time.monotonic() - started)
        assert isinstance(caught.value, PoolTimeout)
        causes.add(caught.value.cause)
    assert causes == {"no server at that socket"}
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(data.lamps.get_all_active_lamps)
        server.start()
        back = time.monotonic()
        assert data.lamps.get_all_active_lamps() == waiting.result() == []
    recovered = time.monotonic() - back
    measure(
        f"The server is down for {outage:.0f} s; a pool of {pool_max_size}",
        ("longest call with 0.5 s to wait", longest, "s"),
        ("served again after", recovered, "s"),
    )


def test_a_server_that_accepts_and_says_nothing(open_data: OpenData, measure: Measure) -> None:
    """11. A listener that never answers costs a caller no more than its timeout, and the error says so."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        data = open_data(f"postgresql://{LOGIN}@127.0.0.1:{port}/x?sslmode=disable", pool_max_size=1, connect_timeout=2)
        started = time.monotonic()
        with pytest.raises(PoolTimeout) as caught:
            data.database.ping(timeout=4)
        took = time.monotonic() - started
    assert caught.value.cause == "timed out"
    measure("A listener accepts and never answers; connect_timeout 2 s, 4 s to wait", ("call ended after", took, "s"))


def test_too_many_connections(
    own_postgres: Callable[..., PostgresServer], open_data: OpenData, measure: Measure
) -> None:
    """12. When the server has no connection left, callers wait for those there are, and do not storm the server."""
    server = own_postgres()
    server.execute("ALTER ROLE surf_service CONNECTION LIMIT 2")
    data = open_data(server.url_for(LOGIN), pool_min_size=0, pool_max_size=20, pool_timeout=60)
    barrier = threading.Barrier(20)

    def read(_: int) -> list[Any]:
        barrier.wait()
        return [data.lamps.get_all_active_lamps() for _ in range(20)]

    started = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(read, range(20))) == [[[]] * 20] * 20
    took = time.monotonic() - started
    refused = server.log().count("too many connections for role")
    assert refused < 400, "an attempt for each call is a storm"
    measure(
        "20 threads, and a server that allows 2 connections",
        ("calls served", 400, "of 400"),
        ("attempts refused", refused, ""),
        ("took", took, "s"),
    )


def test_a_wrong_password(own_postgres: Callable[..., PostgresServer], open_data: OpenData, measure: Measure) -> None:
    """12. A permanent refusal by the server is raised at once, and not after the timeout."""
    server = own_postgres()
    host = quote(str(server.folder), safe="")
    causes = {}
    places = {
        "the database does not exist": f"{LOGIN}@/nowhere",
        "the role does not exist": f"absent:{planted('absent')}@/surf_data",
        "authentication failed": f"{LOGIN}-wrong@/surf_data",
    }
    started = time.monotonic()
    for name, place in places.items():
        data = open_data(f"postgresql://{place}?host={host}", pool_timeout=600)
        with pytest.raises(PoolTimeout) as caught:
            data.lamps.get_all_active_lamps()
        causes[name] = caught.value.cause
    took = (time.monotonic() - started) / len(places)
    assert causes == {name: name for name in places}
    measure("Role or database do not exist, or the password is wrong; 600 s to wait", ("call ended after", took, "s"))


def test_fifty_threads_and_five_connections(application_url: str, open_data: OpenData, measure: Measure) -> None:
    """20. Fifty threads are served by five connections, each in its turn, and all connections come back."""
    data = open_data(application_url, pool_min_size=5, pool_max_size=5, pool_timeout=60)
    barrier = threading.Barrier(50)

    def work(_: int) -> float:
        barrier.wait()
        longest = 0.0
        for _ in range(10):
            started = time.monotonic()
            with data.transaction() as tx:
                assert tx.lamps.get_all_active_lamps() == []
            longest = max(longest, time.monotonic() - started)
        return longest

    with ThreadPoolExecutor(50) as threads:
        longest = max(threads.map(work, range(50)))
    status = data.database.get_pool_status()
    eventually(lambda: data.database.get_pool_status()["idle_size"] == 5)
    assert status["size"] == 5
    measure("50 threads want 5 connections", ("transactions", 500, "of 500"), ("longest", longest, "s"))


def test_threads_that_wait_for_one_another(application_url: str, open_data: OpenData, measure: Measure) -> None:
    """20. When every holder of a connection waits for another one, the last to ask gets an error at once."""
    data = open_data(application_url, pool_min_size=2, pool_max_size=2, pool_timeout=600)
    holding, raised = threading.Barrier(2), []

    def nest(_: int) -> None:
        with data.transaction():
            holding.wait()
            try:
                assert data.lamps.get_all_active_lamps() == []
            except PoolTimeout as error:
                raised.append(str(error))

    started = time.monotonic()
    with ThreadPoolExecutor(2, thread_name_prefix="nester") as threads:
        list(threads.map(nest, range(2)))
    took = time.monotonic() - started
    [message] = raised
    assert message.startswith(
        "no connection for lamps.lamp_active_list, because all who hold one wait for another; 2 of at most 2 in use; "
    )
    assert "thread nester_0 has run transaction for " in message
    assert "thread nester_1 has run transaction for " in message
    measure("2 threads hold both connections and want a second, 600 s to wait", ("raised after", took, "s"))
