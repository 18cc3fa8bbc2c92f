"""Rows 1 to 3 and 11: lamps are read."""

from collections import deque
from collections.abc import Iterable
from itertools import cycle, repeat
from time import perf_counter_ns
from typing import Any

import psycopg
from psycopg.rows import tuple_row

import surf_data
from benchmarks import peer_psycopg, peer_sqlalchemy
from benchmarks.ground import Ground, lamp_id
from benchmarks.measuring import Ratio, side
from benchmarks.memory import growth
from benchmarks.peer_asyncpg import LAMP_CONFIGURATION, Asyncpg
from benchmarks.peer_pgbench import pgbench, program
from benchmarks.results import AtLeast, AtMost, Question, Result, Row, ShareOf, compare
from surf_data.kernel import resources
from surf_data.kernel.observation import Observation
from surf_data.kernel.postgres import load_queries
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.types import LampConfig

_OURS = "surf_data"
# The driver's own limit: nothing is pooled, and nothing made of the row.
_CURSOR = "a bare cursor on the bare lamp row"
_LAMP = "SELECT lamp_id, location_index, brightness, is_active, last_seen FROM lamp_registry WHERE is_active"
_BARE_ROW = f"{_LAMP} AND lamp_id = %(lamp_id)s"
_BARE_LAMP = f"\\set n random(1, :lamps)\n{_LAMP} AND lamp_id = md5(:n::text)::uuid;\n"


def one_lamp(ground: Ground) -> Row:
    """Row 1: one lamp with all that belongs to it."""
    floor = program(ground)
    engine = peer_sqlalchemy.engine(ground.url)
    ids = cycle(ground.lamp_ids)
    with (
        surf_data.open(ground.url, pool_max_size=2) as data,
        Asyncpg(ground.url) as asyncpg,
        Asyncpg(ground.url, json="text") as undecoded,
        psycopg.connect(ground.url, autocommit=True) as connection,
    ):
        wanted = ground.lamp_ids[0]
        lamp = data.lamps.get_lamp_configuration(wanted)
        same = [
            lamp and lamp.to_dict(),
            asyncpg.run(asyncpg.lamp_configuration(wanted)),
            peer_sqlalchemy.core(engine, wanted),
            peer_sqlalchemy.orm(engine, wanted),
        ]
        if not all(each == same[0] for each in same):
            raise AssertionError(f"the sides differ: {same}")
        measurement = ground.measure(
            side(_OURS, lambda: data.lamps.get_lamp_configuration(next(ids))),
            asyncpg.side("asyncpg + uvloop", lambda: asyncpg.lamp_configuration(next(ids))),
            undecoded.side("asyncpg + uvloop, JSON left as text", lambda: undecoded.row(LAMP_CONFIGURATION, next(ids))),
            side("SQLAlchemy Core", lambda: peer_sqlalchemy.core(engine, next(ids))),
            side("SQLAlchemy ORM", lambda: peer_sqlalchemy.orm(engine, next(ids))),
            side(_CURSOR, lambda: peer_psycopg.bare_row(connection, _BARE_ROW, {"lamp_id": next(ids)})),
            *([pgbench(floor, "pgbench", ground.url, _BARE_LAMP, {"lamps": ground.sizes.lamps})] if floor else []),
        )
    engine.dispose()
    results = [
        compare(measurement, f"against {name}", _OURS, name, target, asks=Question.OTHERS if target else None)
        for name, target in (
            ("asyncpg + uvloop", AtLeast(2)),
            ("asyncpg + uvloop, JSON left as text", None),
            ("SQLAlchemy Core", AtLeast(3)),
            ("SQLAlchemy ORM", AtLeast(5)),
        )
    ]
    work, least = "against pgbench on the bare lamp row", ShareOf(0.6)
    if floor:
        results += [
            compare(measurement, work, _OURS, "pgbench", least, asks=Question.LIMIT),
            # A driver in Python gets no nearer.
            Result(
                f"{_CURSOR} against pgbench",
                "share of its speed, time",
                ratio=measurement.ratio("pgbench", _CURSOR, "time"),
                asks=Question.LIMIT,
            ),
        ]
    else:
        results.append(Result(work, "share of its speed, time", least, why_not="no pgbench"))
    return Row(
        1,
        "`get_lamp_configuration`, one thread, pooled",
        "a lamp",
        results,
        [("one lamp", measurement)],
        "All sides but pgbench return the same lamp, which is checked: asyncpg and Core by the specification's "
        "statement, the ORM by three of its own. The engine is in autocommit mode, the fastest that there is.",
    )


def query_path(ground: Ground) -> Row:
    """Row 2: what this library adds to a statement."""
    queries = load_queries(resources.directory("sql") / "lamps", namespace="bench")
    bare_queries = peer_psycopg.by_aiosql()
    sql = peer_psycopg.statement("lamp_configuration")
    parameters: dict[str, object] = {"lamp_id": ground.lamp_ids[0]}
    observation = Observation()

    def observed() -> None:
        started = perf_counter_ns()
        observation.record("query", perf_counter_ns() - started, 1)

    def through_aiosql() -> object:
        with pool.connection() as borrowed:
            return bare_queries.lamp_configuration(borrowed, **parameters)

    with (
        surf_data.open(ground.url, pool_max_size=2) as data,
        peer_psycopg.pool(ground.url) as pool,
        data.database.connection() as session,
        pool.connection() as connection,
    ):
        pooled = ground.measure(
            side(_OURS, lambda: queries.lamp_configuration(data.database, **parameters)),
            side("psycopg_pool by hand", lambda: peer_psycopg.first_row(pool, sql, parameters)),
            side("bare aiosql over psycopg_pool", through_aiosql),
        )
        held = ground.measure(
            side(_OURS, lambda: queries.lamp_configuration(session, **parameters)),
            side("bare cursor", lambda: peer_psycopg.bare_row(connection, sql, parameters)),
            side("bare aiosql", lambda: bare_queries.lamp_configuration(connection, **parameters)),
        )
        alone = ground.measure(side("observed", observed), side("nothing", lambda: None))
    by_hand, cursor = "psycopg_pool by hand", "bare cursor"
    return Row(
        2,
        "the same query path, the same SQL",
        "a statement",
        [
            compare(
                pooled,
                "pooled, against psycopg_pool by hand",
                _OURS,
                by_hand,
                AtMost(1.10),
                quantity="CPU time",
                asks=Question.HAND,
            ),
            compare(
                held,
                "held, against a bare cursor",
                _OURS,
                cursor,
                AtMost(1.15),
                quantity="CPU time",
                asks=Question.HAND,
            ),
            compare(pooled, "pooled, against bare aiosql", _OURS, pooled.names[2], None, quantity="CPU time"),
            compare(held, "held, against bare aiosql", _OURS, held.names[2], None, quantity="CPU time"),
            Result(
                "observation without an observer",
                "CPU time of a statement",
                AtMost(1, "µs"),
                alone.difference("observed", "nothing", "CPU time"),
            ),
        ],
        [("one row, pooled", pooled), ("one row on a held connection", held)],
        "Rows are tuples on all sides.",
    )


def many_lamps(ground: Ground) -> Row:
    """Row 3: many lamps at once."""
    ids = ground.lamp_ids
    bare = "a bare cursor, each row a tuple"
    sql = peer_psycopg.statement("lamp_configurations")
    parameters: dict[str, object] = {"lamp_ids": ids, "known_version": None}
    with (
        surf_data.open(ground.url, pool_max_size=2) as data,
        psycopg.connect(ground.url, autocommit=True) as connection,
        connection.cursor(binary=True) as cursor,
    ):

        def loop() -> None:
            for wanted in ids:
                data.lamps.get_lamp_configuration(wanted)

        many = ground.measure(
            side("`get_lamp_configurations`", lambda: data.lamps.get_lamp_configurations(ids)),
            side("a loop", loop),
            side(bare, lambda: cursor.execute(sql, parameters).fetchall()),
        )
    limit = many.ratio("a loop", bare, "time")
    return Row(
        3,
        f"`get_lamp_configurations` of {len(ids):,} ids",
        f"{len(ids):,} lamps",
        [
            compare(many, "against a loop", many.names[0], "a loop", AtLeast(20), asks=Question.WAYS),
            Result(f"{bare}, against a loop", "time, loop / cursor", None, limit),
        ],
        [(f"{len(ids):,} lamps", many)],
    )


def streamed_lamps(ground: Ground) -> Row:
    """Row 11: all lamps, one after another."""
    lamps = ground.sizes.stream
    sql = peer_psycopg.statement("lamp_active_stream")
    with (
        ground.database("stream", lamps=lamps) as url,
        surf_data.open(url, pool_max_size=1) as data,
        psycopg.connect(url) as connection,
    ):
        streams = [
            side(_OURS, lambda: exhaust(data.lamps.iter_active_lamps())),
            side("bare server-side cursor", lambda: exhaust(peer_psycopg.stream(connection, sql, tuple_row))),
            side(
                "server-side cursor, each row made a LampConfig",
                lambda: exhaust(map(bare_config, peer_psycopg.stream(connection, sql, tuple_row))),
            ),
        ]
        sample = lamp_queries().lamp_configuration(data.database, lamp_id=lamp_id(1))

        def make_all() -> None:
            exhaust(data.lamps._reference.configs(data.database, repeat(sample, lamps)))

        measurement = ground.measure.once(*streams, side("surf_data, of which making the objects", make_all))
        grown = growth(url)
    memory = "peak memory after the first thousand lamps"
    return Row(
        11,
        f"`iter_active_lamps` over {lamps:,} lamps",
        f"{lamps:,} lamps",
        [
            compare(
                measurement,
                "against a bare server-side cursor",
                _OURS,
                streams[1].name,
                AtLeast(0.9),
                asks=Question.HAND,
            ),
            compare(measurement, "against one whose rows become the same objects", _OURS, streams[2].name, None),
            compare(measurement, "such a one against a bare one", streams[2].name, streams[1].name, None),
            Result(memory, "growth", AtMost(16, "MB"), None if grown is None else Ratio.of([grown]), "no `/proc` here"),
        ],
        [(f"{lamps:,} lamps", measurement)],
    )


def bare_config(row: tuple[Any, ...]) -> LampConfig:
    """Return the least that a row can become: nothing is looked up."""
    lamp, location_index, brightness, is_active, last_seen, _ = row
    return LampConfig(
        lamp_id=lamp,
        location_index=location_index,
        brightness=brightness,
        is_active=is_active,
        last_seen=last_seen,
        location_name="",
        coordinates=None,
        api_configs=(),
    )


def exhaust(rows: Iterable[object]) -> None:
    """Take all rows, and keep none."""
    deque(rows, maxlen=0)
