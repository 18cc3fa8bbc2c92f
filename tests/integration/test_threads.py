"""Threads that use every part of one data layer at once, while the interpreter changes between them all the time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import surf_data

THREADS = 12
TURNS = 50


def registered(data: surf_data.LampsDataLayer) -> UUID:
    """Register a lamp of the caller's own."""
    lamp_id = uuid4()
    user = {"lamp_id": lamp_id, "email": f"{lamp_id}@example.org", "name": str(lamp_id), "location_index": 0}
    assert data.users.register_user({**user, "password_hash": "x" * 60})
    return lamp_id


def turn(data: surf_data.LampsDataLayer, lamp_id: UUID, number: int) -> None:
    """Write and read in every way, and find what was written."""
    status = ("active", "inactive")[number % 2]
    assert data.lamps.update_lamp_status(lamp_id, status)
    found = data.lamps.get_lamp_configuration(str(lamp_id))
    assert (found and found.lamp_id) == (lamp_id if status == "active" else None)

    def log(tx: surf_data.LampsTransaction) -> None:
        tx.activity.log_activity(lamp_id, "turn", "success", {"number": number})

    data.run(log)
    [newest] = data.activity.get_lamp_activity_history(lamp_id, 1)
    assert (newest["lamp_id"], newest["details"]) == (str(lamp_id), {"number": number})
    kept = data.cache.get_or_load_lamp_status(lamp_id, lambda: {"number": number})
    assert kept == {"number": number}
    data.cache.invalidate_lamp_status(lamp_id)
    with data.deadline(60), data.transaction() as tx:
        assert tx.lamps.update_lamp_status(lamp_id, "active")
        assert [each.lamp_id for each in tx.lamps.get_lamp_configurations([lamp_id])] == [lamp_id]
    data.stats()
    data.database.get_pool_status()


@pytest.mark.usefixtures("constant_switching")
def test_every_thread_sees_its_own(data: surf_data.LampsDataLayer, admin: psycopg.Connection[Any]) -> None:
    """Each thread finds what it has written and nothing else, nothing is counted twice or not at all, none is lost."""
    barrier = threading.Barrier(THREADS)

    def work(_: int) -> UUID:
        lamp_id = registered(data)
        barrier.wait()
        for number in range(TURNS):
            turn(data, lamp_id, number)
        return lamp_id

    with ThreadPoolExecutor(THREADS) as threads:
        lamps = set(threads.map(work, range(THREADS)))
    assert len(lamps) == THREADS
    logged = admin.execute("SELECT count(*) FROM activity_log WHERE activity_type = 'turn'").fetchone()
    assert logged == (THREADS * TURNS,)
    counted = {name: (found["count"], found["errors"]) for name, found in data.stats()["queries"].items()}
    assert counted["lamps.lamp_insert"] == (THREADS, 0)
    assert counted["lamps.lamp_configuration"] == (THREADS * TURNS, 0)
    assert {errors for _, errors in counted.values()} == {0}
    pool = data.database.get_pool_status()
    assert pool["idle_size"] == pool["size"] <= pool["max_size"] == 5
