"""The rows of mining: beside psycopg2 as the original used it, SQLAlchemy, raw psycopg and redis-py."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter_ns
from typing import Any
from urllib.parse import urlsplit

import attrs
import psycopg
import redis

from benchmarks import peer_mining
from benchmarks.measuring import Measure, Side, Timing, side
from benchmarks.peer_mining import COLUMNS, KEY, Psycopg2, SqlAlchemy
from benchmarks.results import AtLeast, AtMost, Question, Row, compare
from benchmarks.sizes import Sizes
from surf_data import embedded, load_queries, mining
from surf_data.mining import (
    CycleRecord,
    MiningDataLayer,
    PgsqlActionDAO,
    ProcessInfoRecord,
    RedisKeyPattern,
    RedisSourceDAO,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
_SMALL = 10_000
_OURS, _ORIGINAL, _COPY = "surf_data", "psycopg2 execute_values", "raw COPY"
_LIST = ", ".join(COLUMNS)
_READ = f"SELECT {KEY}, {_LIST} FROM dx.asset_cycles WHERE cycle_status = %s ORDER BY created_date DESC LIMIT 100"
# With the same parameters: the planner looks at their values, which a constant spares it.
_FILE = """-- name: cycle_open(cycle_status, row_limit)
-- The latest cycles with a status.
SELECT t.asset_guid, t.cycle_status FROM dx.asset_cycles AS t WHERE t.cycle_status = :cycle_status::text
ORDER BY t.created_date DESC LIMIT :row_limit;
"""


@attrs.frozen
class Ground:
    """What all sides share."""

    data: MiningDataLayer
    dao: PgsqlActionDAO
    source: RedisSourceDAO
    psycopg2: Psycopg2
    sqlalchemy: SqlAlchemy
    raw: psycopg.Connection[Any]
    client: redis.Redis
    measure: Measure
    batch: int


def _cycle(number: int, **changes: Any) -> CycleRecord:
    return CycleRecord(
        **{
            "asset_guid": f"truck-{number % 200}",
            "cycle_status": "COMPLETE",
            "site_guid": "site-1",
            "current_work_state_id": 3,
            "created_date": NOON + timedelta(seconds=number),
            "updated_date": NOON + timedelta(seconds=number),
            "cycle_number": number + 1,
            "current_segment": "LOAD_TIME",
            "current_area": "LOAD",
            "loader_asset_guid": "loader-1",
            "loader_latitude": 31.11,
            "loader_longitude": 34.71,
            "current_loader_distance": 12.5,
            "is_outlier": False,
            "load_start_utc": NOON,
            "load_end_utc": NOON,
            "load_seconds": 95.0,
            **changes,
        }
    )


def small_batch(ground: Ground) -> Row:
    """Row 1: a hundred cycles at once."""
    return _batch(ground, 1, 100)


def large_batch(ground: Ground) -> Row:
    """Row 2: many cycles at once."""
    return _batch(ground, 2, ground.batch)


def _batch(ground: Ground, number: int, count: int) -> Row:
    records = [_cycle(number) for number in range(count)]

    def turn(insert: Callable[[Sequence[CycleRecord]], object]) -> Callable[[int], Timing]:
        def run(calls: int) -> Timing:
            taken = 0
            for _ in range(calls):
                started = perf_counter_ns()
                insert(records)
                taken += perf_counter_ns() - started
                for record in records:
                    # As new as before; the others do not set it.
                    record.set_key(None)
                if count > 1_000:
                    ground.raw.execute("TRUNCATE mining.asset_cycles")
            ground.raw.execute("TRUNCATE mining.asset_cycles")
            return Timing(taken / calls / 1000, None)

        return run

    sides = [
        Side(_OURS, turn(ground.dao.insert_many)),
        Side(_ORIGINAL, turn(ground.psycopg2.insert_many)),
        Side("psycopg executemany", turn(lambda given: peer_mining.executemany(ground.raw, given))),
        Side(_COPY, turn(lambda given: peer_mining.copy(ground.raw, given))),
    ]
    goals = {_ORIGINAL: AtLeast(3)}
    if count <= _SMALL:
        # A minute and a half, and two minutes, for 100,000.
        sides += [
            Side("SQLAlchemy Core", turn(ground.sqlalchemy.core)),
            Side("SQLAlchemy ORM", turn(ground.sqlalchemy.orm)),
        ]
        goals |= {"SQLAlchemy Core": AtLeast(3), "SQLAlchemy ORM": AtLeast(10)}
    measured = ground.measure.once(*sides) if count > 1_000 else ground.measure(*sides)
    return Row(
        number,
        f"`insert_many` of {count:,} cycles",
        f"{count:,} cycles",
        [
            *(compare(measured, f"against {n}", _OURS, n, goal, asks=Question.OTHERS) for n, goal in goals.items()),
            compare(measured, "against psycopg executemany", _OURS, "psycopg executemany", None, asks=Question.HAND),
            compare(measured, "raw COPY, unchecked, against psycopg2 execute_values", _COPY, _ORIGINAL, None),
        ],
        [(f"{count:,} cycles", measured)],
    )


def table_query(ground: Ground) -> Row:
    """Row 3: a table query of 100 rows."""
    _fill(ground)
    query = {
        "table": "asset_cycles",
        "target_filter": "cycle_status = 'INPROGRESS'",
        "target_order": "created_date DESC",
        "target_limit": 100,
    }
    measured = ground.measure(
        side(_OURS, lambda: ground.dao.pull_data_from_table(single_query=query)),
        side("SQLAlchemy ORM", lambda: ground.sqlalchemy.read(100)),
        side("psycopg2", lambda: ground.psycopg2.read(_READ, ["INPROGRESS"])),
    )
    return Row(
        3,
        "`pull_data_from_table` of 100 rows, 47 columns",
        "100 rows",
        [
            compare(measured, "against SQLAlchemy ORM", _OURS, "SQLAlchemy ORM", AtLeast(2), asks=Question.OTHERS),
            compare(measured, "against psycopg2", _OURS, "psycopg2", None, asks=Question.HAND),
        ],
        [("one query", measured)],
        "psycopg2 returns what it reads; here rows become dictionaries with aware times.",
    )


def composed(ground: Ground) -> Row:
    """Row 4: a composed statement beside the same one from a file."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cycle.sql").write_text(_FILE)
        queries = load_queries(Path(folder), namespace="bench")
    query = {
        "table": "asset_cycles",
        "target_columns": ["asset_guid", "cycle_status"],
        "target_filter": "cycle_status = 'INPROGRESS'",
        "target_limit": 100,
        "target_order": "created_date DESC",
    }
    measured = ground.measure(
        side("single_query", lambda: ground.dao.pull_data_from_table(single_query=query)),
        side("file", lambda: queries.cycle_open(ground.data.database, cycle_status="INPROGRESS", row_limit=100)),
    )
    work = "against the same statement from a file"
    return Row(
        4,
        "`single_query`, parsed and composed",
        "a composed query",
        [compare(measured, work, "single_query", "file", AtMost(1.5), asks=Question.HAND)],
        [("one query", measured)],
    )


def step(ground: Ground) -> Row:
    """Row 5: a step of the service, with its read of Redis."""
    numbers: Iterator[int] = iter(range(1, 10**9))

    def decided(last: CycleRecord, number: int) -> tuple[CycleRecord, CycleRecord, ProcessInfoRecord]:
        now = NOON + timedelta(seconds=number)
        last.cycle_status, last.cycle_end_utc, last.updated_date = "COMPLETE", now, now
        following = _cycle(
            number, asset_guid=last.asset_guid, cycle_status="INPROGRESS", cycle_number=last.cycle_number + 1
        )
        return (
            last,
            following,
            ProcessInfoRecord(
                asset_guid=last.asset_guid,
                site_guid="site-1",
                process_name="asset_cycle_vlx",
                process_date=now,
                created_date=now,
            ),
        )

    def together() -> None:
        ground.source.get_site_regions("site-1", "dump")
        last = ground.dao.cycle_state("truck-a", "site-1").cycle
        assert last is not None
        updated, new, checkpoint = decided(last, next(numbers))
        ground.dao.save_cycle_step(updated=updated, new=new, checkpoint=checkpoint)

    def separately() -> None:
        dao = ground.dao
        ground.source.get_site_regions("site-1", "dump")
        dao.pull_data_from_table(
            single_query={"table": "asset", "target_filter": "guid = 'truck-b'", "target_limit": 1}
        )
        checkpoints = "asset_guid = 'truck-b' AND process_name = 'asset_cycle_vlx'"
        dao.pull_data_from_table(
            single_query={"table": "tx_process_info", "target_filter": checkpoints, "target_limit": 1}
        )
        rows = dao.pull_data_from_table(
            single_query={
                "table": CycleRecord.TABLE_NAME,
                "target_filter": "asset_guid = 'truck-b' AND site_guid = 'site-1' AND cycle_status = 'INPROGRESS'",
                "target_order": "cycle_number DESC",
                "target_limit": 1,
            }
        )
        dao.pull_data_from_table({"query": mining.get_loaders_from_process_info_query(), "params": ["site-1"]})
        assert rows is not None
        updated, new, checkpoint = decided(CycleRecord(**rows[0]), next(numbers))
        dao.update_data(updated)
        dao.insert_new_final_cycle_data(updated)
        dao.insert_new_data(new)
        dao.advance_checkpoint(checkpoint)

    def original() -> None:
        peer = ground.psycopg2
        ground.source.get_site_regions("site-1", "dump")
        peer.read("SELECT * FROM dx.asset WHERE guid = 'truck-c' LIMIT 1", [])
        [stored] = peer.read("SELECT * FROM dx.tx_process_info WHERE asset_guid = 'truck-c' LIMIT 1", [])
        [row] = peer.read(
            f"SELECT {KEY}, {_LIST} FROM dx.asset_cycle_tmp_vlx WHERE asset_guid = 'truck-c' AND site_guid = 'site-1'"
            " AND cycle_status = 'INPROGRESS' ORDER BY cycle_number DESC LIMIT 1",
            [],
        )
        peer.read(
            "SELECT asset_guid, site_guid, current_latitude, current_longitude FROM dx.tx_process_info"
            " WHERE site_guid = 'site-1' AND process_name = 'asset_idle_vlx' AND asset_type_guid = 'loader'",
            [],
        )
        updated, new, checkpoint = decided(CycleRecord(**row), next(numbers))
        places = ", ".join(["%s"] * len(COLUMNS))
        peer.write(
            f"UPDATE mining.asset_cycles SET ({_LIST}) = ({places}) WHERE {KEY} = %s", updated.get_update_values()
        )
        final = f"INSERT INTO mining.final_cycles ({_LIST}, work_cycle_id, completed_date, finalized_date)"
        peer.write(f"{final} VALUES ({places}, %s, %s, now())", (*updated.data_to_insert_tuple()[0], updated.id, NOON))
        peer.write(f"INSERT INTO mining.asset_cycles ({_LIST}) VALUES ({places})", new.data_to_insert_tuple()[0])
        peer.write(
            "UPDATE mining.process_checkpoints SET process_date = %s WHERE tx_process_info_id = %s",
            [checkpoint.process_date, stored["tx_process_info_id"]],
        )

    for truck in ("truck-a", "truck-b", "truck-c"):
        ground.dao.insert_new_data(_cycle(0, asset_guid=truck, cycle_status="INPROGRESS"))
        ground.dao.insert_new_data(
            ProcessInfoRecord(
                asset_guid=truck,
                site_guid="site-1",
                process_name="asset_cycle_vlx",
                process_date=NOON,
                created_date=NOON,
            )
        )
    measured = ground.measure(
        side("one step", together), side("separate calls", separately), side("psycopg2, as the original", original)
    )
    theirs = measured.names[2]
    return Row(
        5,
        "a step of the service, with its read of Redis",
        "a step",
        [
            compare(measured, "against separate calls", "one step", "separate calls", AtLeast(2), asks=Question.WAYS),
            compare(measured, f"against {theirs}", "one step", theirs, None, asks=Question.OTHERS),
        ],
        [("one step", measured)],
    )


def regions(ground: Ground) -> Row:
    """Row 6: the regions of a site."""
    _fill_redis(ground.client)
    measured = ground.measure(
        side("get_asset_site", lambda: ground.source.get_asset_site("truck-1")),
        side("a call for each region", lambda: peer_mining.site(ground.client, "truck-1")),
    )
    ours, theirs = measured.names
    return Row(
        6,
        "`get_asset_site` of 50 regions",
        "50 regions",
        [compare(measured, f"against {theirs}", ours, theirs, AtLeast(5), asks=Question.WAYS)],
        [("one site", measured)],
    )


def value(ground: Ground) -> Row:
    """Row 7: a value of Redis."""
    ground.client.set("asset:truck-1:status", "driving")
    pattern = RedisKeyPattern("asset:{asset_id}:status", {"asset_id": "truck-1"})
    measured = ground.measure(
        side("get_data_by_key_pattern", lambda: ground.source.get_data_by_key_pattern(pattern)),
        side("redis-py GET", lambda: ground.client.get("asset:truck-1:status")),
    )
    ours, theirs = measured.names
    return Row(
        7,
        "`get_data_by_key_pattern`",
        "a value of Redis",
        [compare(measured, f"against {theirs}", ours, theirs, AtMost(1.8), asks=Question.HAND)],
        [("one value", measured)],
    )


ROWS: dict[int, Callable[[Ground], Row]] = {
    1: small_batch,
    2: large_batch,
    3: table_query,
    4: composed,
    5: step,
    6: regions,
    7: value,
}


def _fill(ground: Ground) -> None:
    ground.raw.execute("TRUNCATE mining.asset_cycles")
    ground.dao.insert_many(
        [_cycle(number, cycle_status="INPROGRESS" if number % 50 else "COMPLETE") for number in range(20_000)]
    )
    ground.raw.execute("VACUUM ANALYZE mining.asset_cycles")


def _fill_redis(client: redis.Redis) -> None:
    for number in range(50):
        client.sadd("asset:truck-1:regions", f"r{number}")
        fields = {
            "site_guid": "site-1",
            "created_date": f"2025-01-{number % 28 + 1:02d}",
            "region_points": "1 2,3 4" * 50,
        }
        client.hset(f"region:r{number}", mapping=fields)


def data(sizes: Sizes) -> str:
    """Return a sentence on how much data there is."""
    return f"20,000 cycles where they are read; large batches of {sizes.cycles:,}."


@contextmanager
def opened(sizes: Sizes, measure: Measure) -> Iterator[Ground]:
    """Yield what the rows are given: servers with the schema."""
    with ExitStack() as stack:
        servers = stack.enter_context(embedded.start())
        data = stack.enter_context(mining.open(servers.database_url, servers.redis_url, cache_timeout=10.0))
        data.migrations.up()
        psycopg2 = Psycopg2(servers.database_url)
        stack.callback(psycopg2.close)
        sqlalchemy = SqlAlchemy(servers.database_url)
        stack.callback(sqlalchemy.close)
        raw = stack.enter_context(psycopg.connect(servers.database_url, autocommit=True))
        assert servers.redis_url is not None
        client = stack.enter_context(redis.Redis(unix_socket_path=urlsplit(servers.redis_url).path))
        yield Ground(
            data,
            PgsqlActionDAO(data),
            RedisSourceDAO(data),
            psycopg2,
            sqlalchemy,
            raw,
            client,
            measure,
            sizes.cycles,
        )
