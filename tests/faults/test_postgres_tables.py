"""Tables that others have locked or changed: what waits, what gives up, and what is run again."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

import surf_data
from rig import PostgresServer, Relay, eventually
from rig.contention import errors, locked, readers
from rig.users import user_data
from surf_data import LampsTransaction, LockTimeout

Admin = psycopg.Connection[Any]
OpenData = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]
Relayed = Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]]
StartServer = Callable[..., PostgresServer]

WAITING = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'surfboard_lamp_backend' AND wait_event_type = 'Lock' AND datname = current_database()
"""


def test_a_table_that_is_locked(
    application_url: str, open_data: OpenData, refused: Callable[..., Any], measure: Measure
) -> None:
    """15. A write that cannot have its lock in time raises an error of its own, and is not run again."""
    data = open_data(f"{application_url}&options=-c%20lock_timeout%3D200", pool_min_size=1, pool_max_size=2)
    with locked(application_url):
        started = time.monotonic()
        error = refused(lambda: data.users.register_user(user_data()), LockTimeout)
        took = time.monotonic() - started
    assert (error.query, error.sqlstate, error.retryable) == ("lamps.lamp_insert", "55P03", False)
    assert errors(data, "lamps.lamp_insert") == 1
    measure("Another session has locked the table; lock_timeout 200 ms", ("raised after", took, "s"))


@pytest.mark.parametrize(("options", "runs"), [({}, 1), ({"retry_lock_timeout": True}, 3)], ids=["no", "yes"])
def test_work_that_meets_a_locked_table(
    application_url: str, open_data: OpenData, refused: Callable[..., Any], options: dict[str, bool], runs: int
) -> None:
    """15. A unit of work that cannot have its lock in time is run again where its caller says so, and only there."""
    data = open_data(f"{application_url}&options=-c%20lock_timeout%3D20", pool_min_size=1, pool_max_size=2)
    tries = []

    def register(tx: LampsTransaction) -> bool:
        tries.append(1)
        return tx.users.register_user(user_data())

    with locked(application_url):
        refused(lambda: data.run(register, **options), LockTimeout)
    assert len(tries) == runs
    assert data.run(register, **options) is True


def test_a_table_that_changes_under_load(
    application_url: str, admin: Admin, open_data: OpenData, measure: Measure
) -> None:
    """16. When a column's type changes under prepared statements, no caller sees an error."""
    data = open_data(application_url, pool_min_size=4, pool_max_size=4)
    stop, slowest = threading.Event(), [0.0]
    with ThreadPoolExecutor(8) as threads:
        reading: list[Future[int]] = [threads.submit(readers(data, stop, slowest), number) for number in range(8)]
        try:
            for kind in ("bigint", "integer") * 5:
                seen = len(slowest) + 100
                eventually(lambda seen=seen: len(slowest) > seen)
                admin.execute(f"ALTER TABLE lamp_registry ALTER COLUMN brightness TYPE {kind}".encode())
            seen = len(slowest) + 100
            eventually(lambda: len(slowest) > seen)
        finally:
            stop.set()
        reads = sum(future.result() for future in reading)
    again = errors(data, "lamps.lamp_configuration")
    assert again > 0
    measure(
        "A column's type is changed 10 times under load",
        ("reads", reads, ""),
        ("run again", again, ""),
        ("errors", 0, ""),
        ("slowest", max(slowest), "s"),
    )
