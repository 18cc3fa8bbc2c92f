"""What sits between a caller and its rows: a pooler, a fork, another server under the same name."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
import pytest

import surf_data
from rig import PgBouncer, PostgresServer, Relay, eventually
from rig.relay import chunks
from rig.secrecy import LOGIN
from rig.users import user_data
from surf_data import DatabaseError, MigrationError
from surf_data.embedded.account import Account

Admin = psycopg.Connection[Any]
OpenData = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]
StartServer = Callable[..., PostgresServer]


@pytest.fixture
def bouncer(admin: Admin, application_role: str, open_folder: Path, account: Account) -> Iterator[PgBouncer]:
    """Start a PgBouncer before the migrated database."""
    if PgBouncer.program is None:
        pytest.skip("PgBouncer is not installed")
    started = PgBouncer(open_folder, account, admin.info, application_role)
    yield started
    started.stop()


def test_a_pooler_in_transaction_mode(
    bouncer: PgBouncer, open_data: OpenData, refused: Callable[..., Any], measure: Measure
) -> None:
    """18. Behind PgBouncer in transaction mode every caller gets its own rows, and migrations refuse with a reason."""
    data = open_data(bouncer.url, pool_min_size=10, pool_max_size=10, pool_timeout=60)
    users = [user_data() for _ in range(10)]
    barrier = threading.Barrier(10)

    def work(user: dict[str, Any]) -> int:
        data.users.register_user(user)
        barrier.wait()
        wrong = 0
        for number in range(40):
            lamp = data.lamps.get_lamp_configuration(user["lamp_id"])
            wrong += lamp is None or lamp.lamp_id != user["lamp_id"]
            wrong += not data.users.validate_user_credentials(user["email"], user["password_hash"])

            def switch(tx: surf_data.LampsTransaction, number: int = number) -> bool:
                tx.activity.log_activity(user["lamp_id"], "status", "success", {"number": number})
                return tx.lamps.update_lamp_status(user["lamp_id"], "active")

            wrong += data.run(switch) is not True
        history = data.activity.get_lamp_activity_history(user["lamp_id"])
        wrong += [entry["details"]["number"] for entry in history] != list(range(39, -1, -1))
        return wrong

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(work, users)) == 0
    assert "pooler" in str(refused(data.migrations.up, MigrationError))
    measure(
        f"PgBouncer {PgBouncer.version()} in transaction mode, 10 threads over 2 server sessions",
        ("calls", 10 * (40 * 4 + 2), ""),
        ("wrong rows", 0, ""),
    )


def test_a_fork(application_url: str, admin: Admin, open_data: OpenData, measure: Measure) -> None:
    """19. A process that is forked while connections are in use gets its own, and neither sees the other's rows."""
    data = open_data(application_url, pool_min_size=2, pool_max_size=4)
    users = [user_data() for _ in range(20)]
    for user in users:
        data.users.register_user(user)

    def wrong_rows(mine: list[dict[str, Any]]) -> int:
        wrong = 0
        for user in mine * 40:
            lamp = data.lamps.get_lamp_configuration(user["lamp_id"])
            wrong += lamp is None or lamp.lamp_id != user["lamp_id"]
        return wrong

    with data.transaction() as tx:
        child = os.fork()
        if not child:
            os._exit(min(wrong_rows(users[:10]), 100))
        wrong = wrong_rows(users[10:])
        assert tx.lamps.get_lamp_configuration(users[0]["lamp_id"]) is not None
    _, status = os.waitpid(child, 0)
    assert (os.waitstatus_to_exitcode(status), wrong) == (0, 0)
    measure("A process forks in the middle of a transaction", ("reads in both", 800, ""), ("wrong rows", 0, ""))


def test_a_standby_in_the_primary_s_place(
    own_postgres: StartServer, relay: Callable[..., Relay], open_data: OpenData, measure: Measure
) -> None:
    """17. A write that meets a standby, where the address now leads to a primary, is applied once, without an error."""
    standby, primary = own_postgres(), own_postgres()
    standby.stop()
    (standby.data / "standby.signal").touch()
    standby.start()
    line = relay(standby.path)
    url = primary.url_for(LOGIN, line.address)
    data = open_data(url, pool_min_size=2, pool_max_size=4)
    assert data.lamps.get_all_active_lamps() == []
    line.redirect(primary.path)
    started = time.monotonic()
    assert data.users.register_user(user_data())
    took = time.monotonic() - started
    assert data.run(lambda tx: tx.users.register_user(user_data()))
    assert data.stats()["queries"]["lamps.lamp_insert"]["errors"] == 1
    assert primary.execute("SELECT count(*) FROM lamp_registry") == 2
    measure(
        "Connections lead to a standby, new ones to the primary", ("first write", took, "s"), ("refused", 1, "time")
    )


def test_a_connection_to_a_standby_that_comes_late(
    own_postgres: StartServer, relay: Callable[..., Relay], open_data: OpenData
) -> None:
    """17. A connection that was being made while a write met the standby is not lent: it leads to the standby, too."""
    standby, primary = own_postgres(), own_postgres()
    standby.stop()
    (standby.data / "standby.signal").touch()
    standby.start()
    made, refused = list[int](), threading.Event()

    def late(stream: BinaryIO) -> Iterator[bytes]:
        number = len(made)
        made.append(number)
        # The first is there at once, the next two when it was refused, and those to the primary after these.
        if number > 0:
            refused.wait(30)
        if number > 2:
            time.sleep(0.5)
        yield from chunks(stream)

    def observe(event: surf_data.QueryEvent) -> None:
        if event.error:
            refused.set()

    line = relay(standby.path, replies=late)
    url = primary.url_for(LOGIN, line.address)
    data = open_data(url, pool_min_size=3, pool_max_size=3, observer=observe)
    assert data.lamps.get_all_active_lamps() == []
    eventually(lambda: len(made) == 3)
    line.redirect(primary.path)
    assert data.users.register_user(user_data())
    assert data.stats()["queries"]["lamps.lamp_insert"]["errors"] == 1


def test_a_promotion(own_postgres: StartServer, own_standby: Any, open_data: OpenData, measure: Measure) -> None:
    """17. With both hosts in the URL, writes go on when the primary is killed and its standby promoted."""
    primary = own_postgres()
    standby: PostgresServer = own_standby(primary)
    hosts = f"{primary.folder},{standby.folder}"
    role, _, password = LOGIN.partition(":")
    url = (
        f"host={hosts} port=5432,5432 user={role} password={password} dbname=surf_data target_session_attrs=read-write"
    )
    data = open_data(url, pool_min_size=2, pool_max_size=4, pool_timeout=60)
    kept = user_data()
    assert data.run(lambda tx: tx.users.register_user(kept))
    replayed = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
    lsn = primary.execute("SELECT pg_current_wal_flush_lsn()::text")
    eventually(lambda: standby.execute(replayed, lsn))
    with ThreadPoolExecutor(1) as threads:
        primary.kill()
        killed = time.monotonic()
        writing = threads.submit(data.run, lambda tx: tx.users.register_user(user_data()))
        with pytest.raises(DatabaseError), data.deadline(0.5):
            data.users.register_user(user_data())
        standby.execute("SELECT pg_promote()")
        promoted = time.monotonic()
        assert writing.result() is True
    took = time.monotonic() - promoted
    assert data.users.register_user(user_data())
    assert data.lamps.get_lamp_configuration(kept["lamp_id"]) is not None
    assert standby.execute("SELECT count(*) FROM lamp_registry") == 3
    measure(
        f"The primary is killed, and {promoted - killed:.1f} s later its standby promoted",
        ("a write that waited was applied after", took, "s"),
        ("writes applied", 3, "of 3"),
    )
