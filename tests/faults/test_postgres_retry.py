"""What is tried again and what is not, and which error reports work with an unknown outcome."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import surf_data
from rig import PostgresServer, Relay, eventually
from rig.contention import errors, locked, readers
from rig.secrecy import LOGIN
from rig.users import user_data
from surf_data import CommitUnknown, DatabaseUnavailable, LampsTransaction
from surf_data.kernel.postgres import load_queries

Admin = psycopg.Connection[Any]
OpenData = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]
Relayed = Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]]
StartServer = Callable[..., PostgresServer]

WAITING = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'surfboard_lamp_backend' AND wait_event_type = 'Lock' AND datname = current_database()
"""


def end_the_waiting(admin: Admin) -> None:
    """End, at the server, the one statement of the data layer that waits for a lock."""
    eventually(lambda: admin.execute(WAITING).fetchone())
    for (pid,) in admin.execute(WAITING).fetchall():
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def lamps(server: PostgresServer) -> int:
    """Return how many lamps are registered."""
    number: int = server.execute("SELECT count(*) FROM lamp_registry")
    return number


def test_a_read_whose_connection_is_ended(
    application_url: str, admin: Admin, open_data: OpenData, measure: Measure
) -> None:
    """3. A read that is under way when the server ends its connection is run again, and its caller sees no error."""
    data = open_data(application_url, pool_min_size=1, pool_max_size=2)
    lamp_id = uuid4()
    with ThreadPoolExecutor(1) as threads:
        with locked(application_url):
            reading = threads.submit(data.lamps.get_lamp_configuration, lamp_id)
            end_the_waiting(admin)
            eventually(lambda: admin.execute(WAITING).fetchone())
        assert reading.result() is None
    again = errors(data, "lamps.lamp_configuration")
    assert again == 1
    measure("The server ends the connection of a read under way", ("run again", again, "time"), ("errors", 0, ""))


def test_a_write_whose_connection_is_ended(
    application_url: str, admin: Admin, open_data: OpenData, refused: Callable[..., Any], measure: Measure
) -> None:
    """4. A write that is under way when the server ends its connection is not run again, and may have been applied."""
    data = open_data(application_url, pool_min_size=1, pool_max_size=2)
    user = user_data()
    with ThreadPoolExecutor(1) as threads, locked(application_url):
        writing = threads.submit(lambda: refused(lambda: data.users.register_user(user), CommitUnknown))
        end_the_waiting(admin)
        error = writing.result()
    assert (error.query, error.retryable) == ("lamps.lamp_insert", False)
    assert str(error).endswith("; it may have been applied")
    assert data.stats()["queries"]["lamps.lamp_insert"]["count"] == 1
    assert data.lamps.get_lamp_configuration(user["lamp_id"]) is None
    measure(
        "The server ends the connection of a write under way", ("run again", 0, "times"), ("reported unknown", 1, "")
    )


def test_the_server_stays_away(
    own_postgres: StartServer,
    open_data: OpenData,
    sql_folder: Callable[..., Path],
    refused: Callable[..., Any],
    measure: Measure,
) -> None:
    """4. When the server does not come back, a read is lost and no more; what may have written is reported as such."""
    server = own_postgres()
    server.execute("CREATE SEQUENCE number")
    server.execute("GRANT USAGE ON SEQUENCE number TO surf_lamp_app")
    statements = {
        "counted": "SELECT count(*) FROM lamp_registry",
        "taken": "SELECT nextval('number') FROM lamp_registry",
    }
    queries = load_queries(
        sql_folder(lost="\n\n".join(f"-- name: {name}()$\n-- Lost.\n{sql};" for name, sql in statements.items()))
    )
    data = open_data(server.url_for(LOGIN), pool_timeout=0.5, pool_min_size=1, pool_max_size=2)
    told = {"counted": DatabaseUnavailable, "taken": CommitUnknown}
    lost: dict[str, Future[Any]] = {}
    with ThreadPoolExecutor(len(told)) as threads:
        with suppress(psycopg.OperationalError), locked(server.url):
            for name, kind in told.items():
                lost[name] = threads.submit(refused, partial(getattr(queries, name), data.database), kind)
            eventually(lambda: server.execute(f"SELECT count(*) FROM ({WAITING}) AS waiting") == len(lost))
            server.kill()
        errors = {name: found.result() for name, found in lost.items()}
    for name, error in errors.items():
        assert (type(error), error.query) == (told[name], name)
    measure(
        "The server is killed under a read and a write, and stays away",
        ("the read", 0, "times in doubt"),
        ("the write", 1, "time in doubt"),
    )


@pytest.mark.parametrize("way", ["block", "run"])
def test_a_commit_without_an_answer(relayed: Relayed, measure: Measure, way: str) -> None:
    """5. When the answer to a COMMIT is lost, the server is asked what it did, and the caller hears nothing of it."""
    server, line, data = relayed(pool_min_size=1, pool_max_size=2)
    user, took = user_data(), 0.0

    def register(tx: LampsTransaction) -> bool:
        line.lose_replies(b"COMMIT")
        nonlocal took
        took = time.monotonic()
        return tx.users.register_user(user)

    if way == "block":
        with data.transaction() as tx:
            assert register(tx)
    else:
        assert data.run(register)
    took = time.monotonic() - took
    assert lamps(server) == 1
    assert data.lamps.get_lamp_configuration(user["lamp_id"]) is not None
    measure(
        f"The answer to a COMMIT is lost; data.{'run' if way == 'run' else 'transaction'}",
        ("reported committed after", took, "s"),
    )


def test_a_commit_that_did_not_arrive(relayed: Relayed, measure: Measure) -> None:
    """5. When the COMMIT itself is lost, that is found out, and data.run does the whole again: it is applied once."""
    server, line, data = relayed(pool_min_size=1, pool_max_size=2)
    tries = []

    def register(tx: LampsTransaction) -> bool:
        tries.append(tx.users.register_user(user_data()))
        if len(tries) == 1:
            line.lose_request(b"COMMIT")
        return True

    assert data.run(register)
    assert len(tries) == 2
    assert lamps(server) == 1
    measure("A COMMIT is lost on its way; data.run", ("run", 2, "times"), ("applied", 1, "time"))


def test_a_commit_at_another_server(
    own_postgres: StartServer,
    relay: Callable[..., Relay],
    open_data: OpenData,
    refused: Callable[..., Any],
    measure: Measure,
) -> None:
    """5. When another server answers after a COMMIT, what the first one did is reported as unknown."""
    first, second = own_postgres(), own_postgres()
    # A copy of the first one's data has its identifier; one that was promoted has another timeline.
    second.stop()
    (second.data / "standby.signal").touch()
    second.start()
    second.execute("SELECT pg_promote()")
    line = relay(first.path)
    data = open_data(first.url_for(LOGIN, line.address), pool_min_size=1, pool_max_size=2)

    def register(tx: LampsTransaction) -> None:
        tx.users.register_user(user_data())
        line.lose_replies(b"COMMIT")
        line.redirect(second.path)

    error = refused(lambda: data.run(register), CommitUnknown)
    assert str(error) == "transaction failed: no answer to COMMIT; it may have been applied"
    assert (lamps(first), lamps(second)) == (1, 0)
    measure("The answer to a COMMIT is lost, and another server answers", ("reported unknown", 1, ""))


def test_a_crash_before_a_commit(relayed: Relayed, measure: Measure) -> None:
    """5. After a crash of the server a transaction whose COMMIT never came is known not to have been applied."""
    server, line, data = relayed(pool_min_size=1, pool_max_size=2, pool_timeout=60)
    tries = []

    def register(tx: LampsTransaction) -> bool:
        tries.append(tx.users.register_user(user_data()))
        if len(tries) == 1:
            line.lose_request(b"COMMIT")
            killing.start()
        return True

    def crash() -> None:
        eventually(lambda: any(b"COMMIT" in request for request in line.requests))
        server.kill()
        server.start()

    killing = threading.Thread(target=crash)
    assert data.run(register)
    killing.join()
    # Whether the server could still be asked before it was killed or not.
    assert len(tries) == 2
    assert lamps(server) == 1
    measure("A COMMIT is lost, and the server crashes", ("run", 2, "times"), ("applied", 1, "time"))


def test_a_crash_after_a_commit(
    own_postgres: StartServer, open_data: OpenData, refused: Callable[..., Any], measure: Measure
) -> None:
    """5. After a crash the id of a transaction may be another's by now: what seems committed is reported as unknown."""
    server = own_postgres("-c", "synchronous_standby_names=ghost")
    data = open_data(server.url_for(LOGIN), pool_min_size=1, pool_max_size=2, pool_timeout=60)

    def register() -> bool:
        return data.run(lambda tx: tx.users.register_user(user_data()))

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(lambda: refused(register, CommitUnknown))
        eventually(lambda: server.execute("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
        server.kill()
        server.start()
        writing.result()
    assert lamps(server) == 1
    measure("The server crashes after a COMMIT, and before its answer", ("reported unknown", 1, ""))


def test_a_commit_and_then_nobody(relayed: Relayed, refused: Callable[..., Any], measure: Measure) -> None:
    """5. When no server can be asked after a COMMIT, that is reported as soon as the wait for a connection ends."""
    server, line, data = relayed(pool_min_size=1, pool_max_size=1, pool_timeout=1)

    def register(tx: LampsTransaction) -> None:
        tx.users.register_user(user_data())
        line.lose_replies(b"COMMIT")
        line.redirect("/nowhere")

    started = time.monotonic()
    refused(lambda: data.run(register), CommitUnknown)
    took = time.monotonic() - started
    assert lamps(server) == 1
    measure(
        "The answer to a COMMIT is lost, and the server is out of reach; pool_timeout 1 s",
        ("reported unknown after", took, "s"),
    )


@pytest.mark.parametrize("reading", ["plain", "with functions"])
def test_a_commit_of_nothing(relayed: Relayed, measure: Measure, reading: str) -> None:
    """5. A lost COMMIT of a transaction that has changed nothing is no doubt: data.run reads again."""
    _, line, data = relayed(pool_min_size=1, pool_max_size=2)
    tries = []

    def read(tx: LampsTransaction) -> int:
        if not tries:
            line.lose_request(b"COMMIT")
        tries.append(1)
        if reading == "plain":
            return len(tx.lamps.get_all_active_lamps())
        total: int = tx.activity.get_activity_statistics()["total"]
        return total

    assert data.run(read) == 0
    assert len(tries) == 2
    measure(
        f"A COMMIT after {'mere reads' if reading == 'plain' else 'reads that call functions'} is lost",
        ("run", 2, "times"),
    )


def test_a_commit_that_waits(
    own_postgres: StartServer,
    relay: Callable[..., Relay],
    open_data: OpenData,
    refused: Callable[..., Any],
    measure: Measure,
) -> None:
    """5. A COMMIT that waits for a standby when its connection goes is in doubt as long as it waits, and no longer."""
    server = own_postgres("-c", "synchronous_standby_names=ghost")
    line = relay(server.path)
    data = open_data(server.url_for(LOGIN, line.address), pool_min_size=1, pool_max_size=2, pool_timeout=1)
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

    def register() -> bool:
        return data.run(lambda tx: tx.users.register_user(user_data()))

    with ThreadPoolExecutor(1) as threads:
        lost = threads.submit(lambda: refused(register, CommitUnknown))
        eventually(lambda: server.execute(waits))
        started = time.monotonic()
        line.cut()
        lost.result()
        took = time.monotonic() - started
        server.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM ({waits}) AS w")
        ended = threads.submit(register)
        eventually(lambda: server.execute(waits))
        server.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM ({waits}) AS w")
        assert ended.result() is True
    assert lamps(server) == 2
    measure(
        "COMMIT waits for a standby: connection cut (1 s to find out), session ended",
        ("reported unknown after", took, "s"),
        ("reported committed", 1, ""),
    )


def writer(data: surf_data.LampsDataLayer, stop: threading.Event) -> Callable[[], tuple[int, int]]:
    """Return a function for a thread, which registers users by data.run until ``stop``.

    It returns how many it has registered, and of how many the outcome is unknown.
    """

    def write() -> tuple[int, int]:
        done = unknown = 0
        while not stop.is_set():
            try:
                assert data.run(lambda tx: tx.users.register_user(user_data()))
                done += 1
            except CommitUnknown:
                unknown += 1
        return done, unknown

    return write


def break_under_load(
    server: PostgresServer, data: surf_data.LampsDataLayer, fault: Callable[[PostgresServer], None]
) -> list[tuple[str, float, str]]:
    """Break the server twice while threads read and write; return what was measured when no thread saw an error."""
    stop, slowest = threading.Event(), [0.0]
    with ThreadPoolExecutor(5) as threads:
        reading: list[Future[int]] = [threads.submit(readers(data, stop, slowest), number) for number in range(4)]
        writing = threads.submit(writer(data, stop))
        try:
            for _ in range(2):
                seen = len(slowest) + 500
                eventually(lambda seen=seen: len(slowest) > seen)
                fault(server)
            seen = len(slowest) + 500
            eventually(lambda: len(slowest) > seen)
        finally:
            stop.set()
        reads, (written, unknown) = sum(future.result() for future in reading), writing.result()
    assert written <= lamps(server) <= written + unknown
    return [
        ("reads", reads, ""),
        ("transactions", written, ""),
        ("reported unknown", unknown, ""),
        ("slowest read", max(slowest), "s"),
    ]


def test_a_restart_under_load(own_postgres: StartServer, open_data: OpenData, measure: Measure) -> None:
    """6. When the server is restarted no read and no data.run fails, and each transaction is applied once."""
    server = own_postgres()

    def restart(server: PostgresServer) -> None:
        server.stop()
        server.start()

    data = open_data(server.url_for(LOGIN), pool_min_size=2, pool_max_size=8, pool_timeout=60)
    measured = break_under_load(server, data, restart)
    assert ("reported unknown", 0, "") in measured
    measure("The server is restarted twice under load", *measured)


def test_a_killed_process_under_load(own_postgres: StartServer, open_data: OpenData, measure: Measure) -> None:
    """7. When a process of the server is killed, and it recovers, no read fails, and data.run does what it says."""
    server = own_postgres()

    def kill(server: PostgresServer) -> None:
        pid = server.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'surfboard_lamp_backend'")
        [victim] = [process for process in server.processes() if process.pid == pid]
        victim.kill()
        eventually(lambda: not victim.is_running())

    data = open_data(server.url_for(LOGIN), pool_min_size=2, pool_max_size=8, pool_timeout=60)
    measure("A session's process is killed with -9 twice under load", *break_under_load(server, data, kill))


def test_a_deadlock(application_url: str, open_data: OpenData, measure: Measure) -> None:
    """13. Two transactions that wait for one another are both committed: data.run does one of them again."""
    data = open_data(application_url, pool_min_size=2, pool_max_size=4)
    users = [user_data(), user_data()]
    for user in users:
        data.users.register_user(user)
    barrier, tries = threading.Barrier(2), [0, 0]

    def update(number: int) -> bool:
        def both(tx: LampsTransaction) -> bool:
            tries[number] += 1
            order = users[:: -1 if number else 1]
            assert tx.lamps.update_lamp_status(order[0]["lamp_id"], "active")
            if tries[number] == 1:
                barrier.wait()
            return tx.lamps.update_lamp_status(order[1]["lamp_id"], "active")

        return data.run(both)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(update, range(2))) == [True, True]
    assert sorted(tries) == [1, 2]
    measure("Two transactions lock the same rows in opposite order", ("committed", 2, "of 2"), ("run again", 1, "time"))


def test_write_skew(application_url: str, open_data: OpenData, measure: Measure) -> None:
    """14. Under SERIALIZABLE the rule that each of two transactions keeps by itself is kept by both together."""
    data = open_data(f"{application_url}&options=-c%20default_transaction_isolation%3Dserializable")
    users = [user_data(), user_data()]
    for user in users:
        data.users.register_user(user)
    barrier, tries = threading.Barrier(2), [0, 0]

    def leave(number: int) -> bool:
        def unless_last(tx: LampsTransaction) -> bool:
            tries[number] += 1
            active = len(tx.lamps.get_all_active_lamps())
            if tries[number] == 1:
                barrier.wait()
            return active > 1 and tx.lamps.update_lamp_status(users[number]["lamp_id"], "inactive")

        return data.run(unless_last)

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(leave, range(2))) == [False, True]
    assert len(data.lamps.get_all_active_lamps()) == 1
    measure("Each of two transactions turns its lamp off unless it is the last", ("lamps left on", 1, ""))
