"""The pool: who gets a connection, who does not and why, and that every one comes back."""

import logging
import os
import select
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseError, DatabaseUnavailable, PoolTimeout
from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.postgres.pool import _try_on

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]

#: Seconds after which something that should have happened by now is a failure.
DEADLINE = 30.0

SESSIONS = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'surf_data' AND datname = current_database()
"""


@pytest.fixture
def queries(load: Callable[..., Any]) -> Any:
    """Load queries about the session itself."""
    return load(
        {
            "backend()$": "SELECT pg_backend_pid();",
            "sleep(seconds)$": "SELECT pg_sleep(:seconds::float8);",
            "setting(name)$": "SELECT current_setting(:name::text);",
        }
    )


def sessions(watcher: Connection) -> set[int]:
    """Return the backends that serve the pool."""
    return {pid for (pid,) in watcher.execute(SESSIONS.encode()).fetchall()}


def settled(database: DatabaseManager) -> bool:
    """Return whether every connection has come back and waits."""
    status = database.get_pool_status()
    return database._pool._borrowers == {} and 0 < status["size"] == status["idle_size"]


def test_fifty_threads_are_served_by_five_connections(
    open_database: Opener, queries: Any, watcher: Connection, eventually: Any
) -> None:
    """Fifty threads that begin at once are all served, by no more than five connections, which all come back."""
    database = open_database(pool_max_size=5, pool_timeout=60)
    barrier = threading.Barrier(50)

    def serve(number: int) -> tuple[int, int]:
        barrier.wait()
        served = [queries.backend(database) for _ in range(5)]
        with database.transaction() as tx:
            served += [queries.backend(tx), queries.backend(tx)]
        assert served[-1] == served[-2]
        return number, len(served)

    with ThreadPoolExecutor(50) as threads:
        assert sorted(threads.map(serve, range(50))) == [(number, 7) for number in range(50)]
    eventually(lambda: settled(database))
    assert len(sessions(watcher)) == database.get_pool_status()["size"] <= 5


def test_an_exhausted_pool_says_who_holds_it(
    open_database: Opener, queries: Any, watcher: Connection, refused: Callable[..., Any], eventually: Any
) -> None:
    """The error of a caller that timed out names each holder: its thread, what it runs, and for how many seconds."""
    database = open_database(pool_max_size=2, pool_timeout=60)
    cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()"
    sleeper = threading.Thread(target=lambda: refused(lambda: queries.sleep(database, seconds=600), DatabaseError))
    sleeper.name = "sleeper"
    with database.transaction():
        sleeper.start()
        eventually(lambda: len(database._pool._borrowers) == 2)
        error = refused(lambda: database.ping(timeout=0.05), PoolTimeout)
        eventually(lambda: watcher.execute(cancel).fetchone())
        sleeper.join()
    assert error.query == "kernel.session_ping"
    assert error.cause is None
    main, other = error.holders
    assert main.startswith(f"thread {threading.current_thread().name} has run transaction for 0.")
    assert other.startswith("thread sleeper has run sleep for 0.")
    assert f"no connection for kernel.session_ping within 0.05 s; 2 of at most 2 in use; {main}; {other}" == str(error)
    assert queries.backend(database) > 0


def test_who_waits_is_served_when_a_connection_comes_back(open_database: Opener, queries: Any) -> None:
    """A caller that waits in time gets the connection that another gives back."""
    database = open_database(pool_max_size=1, pool_timeout=60)
    with ThreadPoolExecutor(1) as threads:
        with database.transaction() as tx:
            backend = queries.backend(tx)
            waiting = threads.submit(lambda: queries.backend(database))
            assert not waiting.done()
        assert waiting.result() == backend


def test_a_thread_that_waits_for_itself_is_told_so(
    open_database: Opener, queries: Any, refused: Callable[..., Any]
) -> None:
    """Asking for a second connection while holding the last one ends at once, with an error that names the thread."""
    database = open_database(pool_max_size=1, pool_timeout=3600)
    with database.transaction():
        error = refused(lambda: queries.backend(database), PoolTimeout)
    assert threading.current_thread().name in error.holders[0]
    assert str(error).startswith("no connection for backend, because all who hold one wait for another; 1 of at most 1")
    assert queries.backend(database) > 0


def test_dead_connections_are_replaced_unseen(
    open_database: Opener, queries: Any, watcher: Connection, eventually: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """After the server has ended every idle session the next caller is served without an error."""
    caplog.set_level(logging.INFO, "surf_data")
    database = open_database(pool_min_size=4, pool_max_size=4)
    assert queries.backend(database) > 0
    eventually(lambda: len(sessions(watcher)) == 4 and settled(database))
    before = sessions(watcher)
    for pid in before:
        # Returns when the server process has ended.
        watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    assert {queries.backend(database) for _ in range(8)}.isdisjoint(before)
    assert "connection replaced" in {record.msg for record in caplog.records}
    eventually(lambda: len(sessions(watcher)) == 4 and settled(database))


def test_a_connection_with_news_is_not_dead(open_database: Opener, queries: Any, watcher: Connection) -> None:
    """A connection on which a notification waits is used as any other."""
    database = open_database(pool_max_size=1)
    with database.connection() as held:
        held._connection.execute("LISTEN news")
    backend = queries.backend(database)
    with database.connection() as held:
        connection = held._connection
    watcher.execute("NOTIFY news")
    assert select.select([connection.fileno()], [], [], DEADLINE)[0]
    assert queries.backend(database) == backend


def test_a_connection_is_replaced_after_its_lifetime(open_database: Opener, queries: Any, eventually: Any) -> None:
    """However well it works: a caller notices nothing but another backend."""
    database = open_database(pool_max_size=1, pool_max_lifetime=1)
    first = queries.backend(database)
    eventually(lambda: queries.backend(database) != first)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_connection_closed_by_its_borrower_is_replaced(open_database: Opener, queries: Any, moment: str) -> None:
    """A connection that comes back closed, or is closed behind the pool's back, is not lent again."""
    database = open_database(pool_max_size=1)
    with database.connection() as held:
        connection = held._connection
        if moment == "before":
            connection.close()
    connection.close()
    assert queries.backend(database) > 0


def test_a_borrower_that_left_a_transaction_open_does_not_pass_it_on(open_database: Opener, queries: Any) -> None:
    """A transaction that a query began behind our back is rolled back before the connection is lent again."""
    database = open_database(pool_max_size=1)
    with database.connection() as held:
        held._connection.execute("BEGIN READ ONLY")
    assert queries.setting(database, name="transaction_read_only") == "off"


def test_a_server_that_is_gone_is_the_cause(
    open_database: Opener, private_server: Any, queries: Any, refused: Callable[..., Any]
) -> None:
    """When the server has stopped, the error of who waits for a connection says why there is none."""
    database = open_database(database_url=private_server.url, pool_timeout=5)
    assert queries.backend(database) > 0
    private_server.stop()
    error = refused(lambda: database.ping(timeout=0.3), PoolTimeout)
    assert (error.cause, error.holders) == ("no server at that socket", ())
    assert str(error).endswith("0 of at most 20 in use; the last attempt to connect failed: no server at that socket")
    assert str(refused(database.connect, DatabaseUnavailable)) == "cannot connect: no server at that socket"


def test_a_closed_pool_serves_no_caller(database: DatabaseManager, queries: Any, refused: Callable[..., Any]) -> None:
    """After close(), which is idempotent, every use says that the data layer is closed."""
    assert queries.backend(database) > 0
    database.close()
    database.close()
    uses: list[Callable[[], object]] = [
        lambda: queries.backend(database),
        lambda: database.transaction().__enter__(),
        lambda: database.connection().__enter__(),
        database.ping,
        database.connection_info,
    ]
    for use in uses:
        assert str(refused(use, DatabaseUnavailable)) == "the data layer is closed"
    assert database.get_pool_status()["size"] == 0


def test_a_pool_closed_before_its_first_use_stays_closed(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any]
) -> None:
    """Nothing is connected by the first use of a closed data layer."""
    assert database.get_pool_status() == {"size": 0, "min_size": 1, "max_size": 5, "idle_size": 0, "queries_count": 0}
    database.close()
    assert str(refused(lambda: queries.backend(database), DatabaseUnavailable)) == "the data layer is closed"


def test_who_waits_while_the_pool_closes_is_told_so(
    open_database: Opener, queries: Any, watcher: Connection, refused: Callable[..., Any], eventually: Any
) -> None:
    """A caller that waits is not left waiting, and a connection that is lent is closed when it comes back."""
    database = open_database(pool_max_size=1, pool_timeout=60)
    with ThreadPoolExecutor(1) as threads, database.transaction() as tx:
        assert queries.backend(tx) > 0
        waiting = threads.submit(lambda: refused(lambda: queries.backend(database), DatabaseUnavailable))
        eventually(lambda: database._pool._pool.get_stats().get("requests_waiting"))
        database.close()
        assert str(waiting.result()) == "the data layer is closed"
        assert queries.backend(tx) > 0
    eventually(lambda: sessions(watcher) == set())


def test_an_interrupted_query_gives_its_connection_back(
    open_database: Opener, queries: Any, watcher: Connection, eventually: Any
) -> None:
    """Ctrl-C during a query cancels it on the server, and its connection serves the next."""
    database = open_database(pool_max_size=1)
    running = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query ~ 'pg_sleep' AND pid <> pg_backend_pid()"

    def interrupt() -> None:
        eventually(lambda: watcher.execute(running).fetchone())
        os.kill(os.getpid(), signal.SIGINT)

    backend = queries.backend(database)
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        queries.sleep(database, seconds=600)
    interrupter.join()
    assert watcher.execute(running).fetchone() is None
    assert queries.backend(database) == backend


def test_the_status_counts_connections_and_queries(open_database: Opener, queries: Any, eventually: Any) -> None:
    """The pool's status has the keys of the specification, and counts every statement."""
    database = open_database(pool_min_size=2, pool_max_size=2)
    for _ in range(4):
        queries.backend(database)
    eventually(lambda: settled(database))
    assert database.get_pool_status() == {"size": 2, "min_size": 2, "max_size": 2, "idle_size": 2, "queries_count": 4}
    with database.transaction():
        assert database.get_pool_status()["idle_size"] == 1


def test_a_ping_takes_some_time(database: DatabaseManager) -> None:
    """A ping returns the seconds it took, and is a query as any other."""
    assert 0 < database.ping(timeout=60) < 60
    assert database.statistics()["kernel.session_ping"]["count"] == 1


def test_a_connection_of_one_s_own_is_outside_the_pool(database: DatabaseManager, watcher: Connection) -> None:
    """A connection outside the pool is not counted by the pool, and the caller closes it."""
    with database.connect() as connection:
        assert connection.autocommit
        assert sessions(watcher) == {connection.info.backend_pid}
        assert database.get_pool_status()["size"] == 0
    assert connection.closed


def test_no_connection_is_made_without_a_caller(database: DatabaseManager) -> None:
    """After a failed series of attempts another one begins only when a caller still waits for a connection."""
    database.ping()
    pool = database._pool._pool
    assert pool is not None
    before = pool.get_stats()["requests_num"]
    _try_on(pool)
    assert pool.get_stats()["requests_num"] == before


def test_a_database_has_statistics_of_its_queries(database: DatabaseManager, queries: Any) -> None:
    """Each query that was run is counted, with percentiles and with a histogram; without a replica none has read."""
    queries.backend(database)
    assert database.statistics()["backend"]["count"] == database.histograms()["backend"].count == 1
    assert database.replica_statistics() == {"reads": 0, "fallbacks": 0}
