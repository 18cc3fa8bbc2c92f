"""Row 4: many read and write at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import attrs
from psycopg.types.json import Jsonb

import surf_data
from benchmarks import peer_psycopg
from benchmarks.ground import Ground
from benchmarks.measuring import Side, timed
from benchmarks.peer_asyncpg import LOG_ACTIVITY, UPDATE_LAMP_STATUS, Asyncpg
from benchmarks.results import AtLeast, Question, Row, compare

_THREADS = 8
_DETAILS = {"by": "operator", "attempt": 1}


def mixed(ground: Ground) -> Row:
    """Row 4: of ten calls eight read a lamp, one writes its status, and one logs."""
    read, update, insert = (
        peer_psycopg.statement(name) for name in ("lamp_configuration", "lamp_status_update", "activity_insert")
    )
    ids = ground.lamp_ids
    with (
        ground.database("threads") as url,
        surf_data.open(url, pool_min_size=_THREADS, pool_max_size=_THREADS) as data,
        peer_psycopg.pool(url, _THREADS) as pool,
        Asyncpg(url, size=_THREADS) as asyncpg,
        ThreadPoolExecutor(_THREADS) as executor,
    ):

        def ours(turn: int) -> None:
            wanted = ids[turn % len(ids)]
            if turn % 10 == 0:
                data.lamps.update_lamp_status(wanted, "active")
            elif turn % 10 == 1:
                data.activity.log_activity(wanted, "status", "success", _DETAILS)
            else:
                data.lamps.get_lamp_configuration(wanted)

        def by_hand(turn: int) -> None:
            wanted = ids[turn % len(ids)]
            if turn % 10 == 0:
                peer_psycopg.execute(pool, update, {"lamp_id": wanted, "is_active": True})
            elif turn % 10 == 1:
                peer_psycopg.execute(pool, insert, {**_ENTRY, "lamp_id": wanted, "details": Jsonb(_DETAILS)})
            else:
                peer_psycopg.first_row(pool, read, {"lamp_id": wanted})

        async def specified(turn: int) -> None:
            wanted = ids[turn % len(ids)]
            if turn % 10 == 0:
                await asyncpg.execute(UPDATE_LAMP_STATUS, wanted, True)  # noqa: FBT003 - a parameter of the statement
            elif turn % 10 == 1:
                await asyncpg.execute(LOG_ACTIVITY, wanted, "status", "success", _DETAILS)
            else:
                await asyncpg.lamp_configuration(wanted)

        turns = count()
        # Which thread runs when makes one round differ from the next by a third.
        measure = attrs.evolve(ground.measure, rounds=3 * ground.measure.rounds)
        measurement = measure(
            threaded("surf_data", ours, executor, turns),
            threaded("psycopg_pool by hand", by_hand, executor, turns),
            asyncpg.side("asyncpg + uvloop", lambda: specified(next(turns)), tasks=_THREADS),
        )
    work, ours_name = "against psycopg_pool by hand", "surf_data"
    return Row(
        4,
        f"{_THREADS} threads, reads and writes",
        f"{_THREADS} threads",
        [
            compare(measurement, work, ours_name, "psycopg_pool by hand", AtLeast(0.95), asks=Question.HAND),
            compare(measurement, work, ours_name, "psycopg_pool by hand", None, quantity="CPU time"),
            compare(
                measurement,
                f"against asyncpg with {_THREADS} tasks",
                ours_name,
                "asyncpg + uvloop",
                AtLeast(1),
                asks=Question.OTHERS,
            ),
        ],
        [("a call", measurement)],
        "Of ten calls eight read a lamp, one writes its status and one logs. By hand a lamp is a tuple; the others "
        "make it what it is in row 1.",
    )


_ENTRY = {"activity_type": "status", "status": "success", "ip_address": None, "user_agent": None}


def threaded(name: str, call: Callable[[int], object], executor: ThreadPoolExecutor, turns: Iterator[int]) -> Side:
    """Return a side whose calls are shared among the executor's threads; each call receives its number."""

    def some(calls: int) -> None:
        for _ in range(calls):
            call(next(turns))

    def run(calls: int) -> None:
        list(executor.map(some, [-(-calls // _THREADS)] * _THREADS))

    return Side(name, timed(run))
