"""Several consumers at once: one wins, and nothing is lost or doubled."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from surf_data.mining import (
    CycleRecord,
    DataAccessError,
    MiningDataLayer,
    PgsqlActionDAO,
    ProcessInfoRecord,
    StatementFailed,
)

Admin = psycopg.Connection[Any]
Cycle = Callable[..., CycleRecord]
Checkpoint = Callable[..., ProcessInfoRecord]

THREADS = 12
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def at_once(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Return what ``work`` returns in so many threads that begin together."""
    barrier = threading.Barrier(threads)

    def begin(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(begin, range(threads)))


def count(admin: Admin, table: str) -> int:
    """Return how many rows a table has."""
    row = admin.execute(f"SELECT count(*) FROM mining.{table}".encode()).fetchone()
    return row[0] if row else -1


@pytest.mark.parametrize("batch", [1, 200])
def test_archiving(data: MiningDataLayer, admin: Admin, cycle: Cycle, batch: int) -> None:
    """Twelve connections that archive the same 200 cycles copy each once; 200 calls, or rows of a batch, have won."""
    cycles = [cycle(cycle_number=number + 1, cycle_status="COMPLETE") for number in range(200)]
    data.cycles.insert_many(cycles)

    def archive(number: int) -> int:
        # Each begins elsewhere, so that their locks would cross.
        turned = cycles[number * 16 :] + cycles[: number * 16]
        portions = [turned[start : start + batch] for start in range(0, 200, batch)]
        dao = PgsqlActionDAO(data)
        return sum(dao.insert_new_final_cycle_data(portion) for portion in portions)

    assert sum(at_once(archive)) == 200
    assert count(admin, "final_cycles") == 200


def test_archiving_what_was_left(data: MiningDataLayer, admin: Admin, cycle: Cycle) -> None:
    """Several workers share the cycles that wait."""
    data.cycles.insert_many([cycle(cycle_number=number + 1, cycle_status="OUTLIER") for number in range(200)])

    def work(_number: int) -> int:
        dao = PgsqlActionDAO(data)
        return sum(iter(lambda: dao.finalize_completed(10), 0))

    assert sum(at_once(work)) == 200
    assert count(admin, "final_cycles") == 200


def test_opening_the_next_cycle(data: MiningDataLayer, admin: Admin, cycle: Cycle, checkpoint: Checkpoint) -> None:
    """Of the consumers that open cycle n+1 one wins; the others get a conflict, and nothing of their step is stored."""
    first = cycle()
    data.cycles.insert(first)

    def work(number: int) -> bool:
        try:
            PgsqlActionDAO(data).save_cycle_step(
                new=cycle(cycle_number=2, dump_region_guid=str(number)),
                checkpoint=checkpoint(process_date=NOON + timedelta(seconds=number)),
            )
        except StatementFailed as error:
            return error.constraint != "asset_cycles_open"
        return True

    won = at_once(work)
    assert won.count(True) == 1
    assert admin.execute("SELECT dump_region_guid FROM mining.asset_cycles WHERE cycle_number = 2").fetchall() == [
        (str(won.index(True)),)
    ]
    assert admin.execute("SELECT process_date FROM mining.process_checkpoints").fetchall() == [
        (NOON + timedelta(seconds=won.index(True)),)
    ]


def test_closing_the_last_cycle(data: MiningDataLayer, admin: Admin, cycle: Cycle) -> None:
    """Of the consumers that close and archive a cycle and open the next one, one does all of it."""
    first = cycle()
    data.cycles.insert(first)
    first.cycle_status = "COMPLETE"

    def work(_number: int) -> bool:
        try:
            outcome = PgsqlActionDAO(data).save_cycle_step(updated=first, new=cycle(cycle_number=2))
        except DataAccessError:
            return False
        return outcome.archived

    assert at_once(work).count(True) == 1
    assert (count(admin, "asset_cycles"), count(admin, "final_cycles")) == (2, 1)


def test_advancing_a_checkpoint(data: MiningDataLayer, admin: Admin, checkpoint: Checkpoint) -> None:
    """Whatever the order in which checkpoints arrive, the latest stays."""

    def work(number: int) -> None:
        for step in range(20):
            moment = NOON + timedelta(seconds=(step * 7 + number) % 240)
            PgsqlActionDAO(data).advance_checkpoint(checkpoint(process_date=moment))

    at_once(work)
    latest = max((step * 7 + number) % 240 for step in range(20) for number in range(THREADS))
    assert admin.execute("SELECT process_date FROM mining.process_checkpoints").fetchall() == [
        (NOON + timedelta(seconds=latest),)
    ]


def test_a_change_while_it_is_archived(data: MiningDataLayer, admin: Admin, cycle: Cycle) -> None:
    """A cycle that is changed in another transaction is archived as it is once that has ended."""
    stored = cycle(cycle_status="COMPLETE")
    data.cycles.insert(stored)
    started = threading.Event()

    def archive() -> int:
        started.set()
        return PgsqlActionDAO(data).insert_new_final_cycle_data(stored)

    with ThreadPoolExecutor(1) as pool:
        with data.transaction() as tx:
            changed = cycle(**{**stored.to_dict(), "load_seconds": 7.5})
            tx.cycles.update(changed)
            archived = pool.submit(archive)
            started.wait()
            while not admin.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
                pass
        assert archived.result() == 1
    assert admin.execute("SELECT load_seconds FROM mining.final_cycles").fetchall() == [(7.5,)]
