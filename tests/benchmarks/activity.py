"""Rows 5, 6, 8 and 10: activity is logged, and counted."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from ipaddress import IPv4Address
from itertools import cycle
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

import surf_data
from benchmarks import peer_psycopg
from benchmarks.ground import Ground, fill_activity, lamp_id
from benchmarks.measuring import Side, Timing, side, timed
from benchmarks.peer_asyncpg import Asyncpg
from benchmarks.results import AtLeast, AtMost, Question, Result, Row, compare
from surf_data.lamps.activity_entries import checked

_OURS = "surf_data"
_COLUMNS = ("lamp_id", "activity_type", "status", "details", "ip_address", "user_agent")
_TYPES = ("uuid", "varchar", "varchar", "jsonb", "inet", "text")
_COPY = f"COPY activity_log ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_INSERT = f"INSERT INTO activity_log ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
_BUFFER, _BUFFERED = 1000, "surf_data, buffer"
_COPIED = f"binary COPY by hand, {_BUFFER:,} at once"
# So many times the buffer is filled in a turn, since a service that logs that much goes on logging.
_FILLS = 10
_AGENT = "lamp/1.4"
_ADDRESS = "192.0.2.1"
_BY_LAMP = "the index by lamp"
# What could stand in the place of the index by lamp.
_OTHER_INDEXES = {
    "a hash of the lamp, and the time": "btree (hashtext(lamp_id::text), created_at)",
    "BRIN": "brin (lamp_id, created_at)",
}


def log_many(ground: Ground) -> Row:
    """Row 5: many entries at once."""
    rows, lamps = ground.sizes.batch, ground.sizes.lamps
    # Each side is given what its own interface takes: entries as dictionaries here, JSON as a dict there.
    details = [{"attempt": number % 5, "by": "operator"} for number in range(rows)]
    ids = [lamp_id(1 + number % lamps) for number in range(rows)]
    entries = [
        dict(zip(_COLUMNS, (wanted, "status", "success", detail, _ADDRESS, _AGENT), strict=True))
        for wanted, detail in zip(ids, details, strict=True)
    ]
    with (
        ground.database("batches") as url,
        surf_data.open(url, pool_max_size=1) as data,
        peer_psycopg.pool(url, 1) as pool,
        Asyncpg(url, json="binary", size=1) as asyncpg,
        psycopg.connect(url, autocommit=True) as janitor,
    ):

        def rows_of(adapt: Callable[[dict[str, Any]], object], address: object) -> list[tuple[object, ...]]:
            return [
                (wanted, "status", "success", adapt(detail), address, _AGENT)
                for wanted, detail in zip(ids, details, strict=True)
            ]

        address = IPv4Address(_ADDRESS)
        sides = [
            side(_OURS, lambda: data.activity.log_activities(entries)),
            side("binary COPY by hand", lambda: peer_psycopg.copy(pool, _COPY, _TYPES, rows_of(Jsonb, address))),
            side("executemany", lambda: peer_psycopg.insert_many(pool, _INSERT, rows_of(Jsonb, address))),
            asyncpg.side(
                "asyncpg, copy_records_to_table",
                lambda: asyncpg.copy(rows_of(lambda detail: detail, address), "activity_log", _COLUMNS),
            ),
        ]
        measurement = ground.measure.once(
            *(emptied(each, janitor) for each in sides),
            side("surf_data, of which checking", lambda: [checked(entry) for entry in entries]),
        )
    _, by_hand, many, copied, _ = measurement.names
    return Row(
        5,
        f"`log_activities` of {rows:,} rows",
        f"{rows:,} entries",
        [
            compare(measurement, "against binary COPY by hand", _OURS, by_hand, AtLeast(0.95), asks=Question.HAND),
            compare(measurement, "against executemany", _OURS, many, AtLeast(2), asks=Question.WAYS),
            compare(
                measurement,
                "against asyncpg's copy_records_to_table",
                _OURS,
                copied,
                AtLeast(1),
                asks=Question.OTHERS,
            ),
            compare(measurement, "binary COPY by hand against executemany", by_hand, many, None),
        ],
        [(f"{rows:,} entries", measurement)],
        "Into an empty log. The entries are there as dictionaries with JSON as a dict; `log_activities` checks them, "
        "the others do not.",
    )


def log_one(ground: Ground) -> Row:
    """Row 6: one entry."""
    ids = cycle(ground.lamp_ids)
    details = {"by": "operator", "attempt": 1}
    insert = peer_psycopg.statement("activity_insert")
    rest = {"activity_type": "status", "status": "success", "ip_address": None, "user_agent": None}
    with (
        ground.database("entries") as url,
        surf_data.open(url, pool_max_size=2) as data,
        surf_data.open(url, pool_max_size=2, journal_buffer=_BUFFER) as buffered,
        peer_psycopg.pool(url) as pool,
    ):

        def log_and_flush(calls: int) -> None:
            for _ in range(calls):
                buffered.activity.log_activity(next(ids), "status", "success", details)
            buffered.activity.flush()

        def copy(calls: int) -> None:
            for _ in range(calls // _BUFFER):
                rows = [(next(ids), "status", "success", Jsonb(details), None, None) for _ in range(_BUFFER)]
                peer_psycopg.copy(pool, _COPY, _TYPES, rows)

        measurement = ground.measure(
            Side(_BUFFERED, lambda _: timed(log_and_flush)(_FILLS * _BUFFER)),
            Side(_COPIED, lambda _: timed(copy)(_FILLS * _BUFFER)),
            side(_OURS, lambda: data.activity.log_activity(next(ids), "status", "success", details)),
            side(
                "insert by hand",
                lambda: peer_psycopg.execute(pool, insert, {**rest, "lamp_id": next(ids), "details": Jsonb(details)}),
            ),
            side("surf_data, of which checking", lambda: checked({**rest, "lamp_id": next(ids), "details": details})),
        )
    work = "against an insert by hand"
    return Row(
        6,
        "one `log_activity`",
        "an entry",
        [
            compare(measurement, work, _OURS, "insert by hand", AtMost(1.1), asks=Question.HAND),
            compare(measurement, work, _OURS, "insert by hand", None, quantity="CPU time"),
            compare(
                measurement, f"with a buffer, {work}", _BUFFERED, "insert by hand", AtLeast(10), asks=Question.WAYS
            ),
            compare(measurement, f"{_COPIED}, {work}", _COPIED, "insert by hand", None),
        ],
        [("an entry", measurement)],
        f"The buffer is one of {_BUFFER:,} entries, and a turn is {_FILLS * _BUFFER:,} of them. It ends when all are "
        "in the database.",
    )


_PLAIN = "a GROUP BY of the largest"
# The same statistics, but that they begin where a minute does, so that no part of one is read entry by entry.
_WHOLE = "the statistics' query from a whole minute on"
_BEGINS, _BEGINS_WHOLE = "SELECT CURRENT_TIMESTAMP -", "SELECT date_bin('1 minute', CURRENT_TIMESTAMP, '2000-01-01Z') -"
_GROUP_BY = """
SELECT activity_type, status, count(*) FROM activity_log
WHERE created_at >= CURRENT_TIMESTAMP - interval '24 hours' GROUP BY activity_type, status
"""


def growth(ground: Ground) -> Row:
    """Row 8: what becomes of reads when the log grows."""
    sizes = decades(ground.sizes.activity)
    names = [f"{rows:,} entries" for rows in sizes]
    with ExitStack() as opened:
        urls = [opened.enter_context(ground.database(f"growth_{rows}")) for rows in sizes]
        for url, rows in zip(urls, sizes, strict=True):
            fill_activity(url, rows, lamps=ground.sizes.lamps)
        loggers = [opened.enter_context(surf_data.open(url, pool_max_size=1)).activity for url in urls]
        ends = {names[at]: opened.enter_context(peer_psycopg.pool(urls[at], 1)) for at in (0, -1)}
        whole = _from_a_minute_on(peer_psycopg.statement("activity_statistics"))
        for url, logger in zip(urls, loggers, strict=True):
            logger.roll_up()
            with psycopg.connect(url, autocommit=True) as connection:
                # As in any database some minutes later: with new figures, statements are planned anew for a while.
                connection.execute("VACUUM ANALYZE")
        statistics = ground.measure(
            *(
                side(name, partial(logger.get_activity_statistics, 24))
                for name, logger in zip(names, loggers, strict=True)
            ),
            side(_PLAIN, lambda: peer_psycopg.all_rows(ends[names[-1]], _GROUP_BY)),
        )
        minutes = ground.measure(
            *(
                side(name, partial(peer_psycopg.all_rows, pool, whole, {"hours": 24, "allow_unrolled": True}))
                for name, pool in ends.items()
            )
        )
        history = ground.measure(
            *(
                side(name, partial(logger.get_lamp_activity_history, lamp_id(1)))
                for name, logger in zip(names, loggers, strict=True)
            )
        )
    works = {"`get_activity_statistics(24)`": statistics, "`get_lamp_activity_history`": history}
    quantity = f"time, {names[-1]} / {names[0]}"
    return Row(
        8,
        "reading a growing log",
        f"{sizes[-1] // sizes[0]:,} × the log",
        [
            *(
                Result(
                    work, quantity, AtMost(1.3), measurement.ratio(names[-1], names[0], "time"), asks=Question.GROWTH
                )
                for work, measurement in works.items()
            ),
            Result(_WHOLE, quantity, None, minutes.ratio(names[-1], names[0], "time")),
            compare(statistics, f"statistics against {_PLAIN}", names[-1], _PLAIN, AtLeast(20), asks=Question.WAYS),
        ],
        [*works.items(), (_WHOLE, minutes)],
        "The log holds 90 days at each size, so the last day's share grows with it. Every hundredth entry is of the "
        "lamp whose hundred latest are read. What is over was rolled up before, and the tables are analyzed.",
        {
            work.strip("`"): [(rows, measurement.median(name).wall) for rows, name in zip(sizes, names, strict=True)]
            for work, measurement in works.items()
        },
    )


def _from_a_minute_on(statistics: str) -> str:
    """Return the statistics' query with a begin that is a whole minute."""
    if statistics.count(_BEGINS) != 1:
        raise ValueError("the statistics' query begins otherwise")
    return statistics.replace(_BEGINS, _BEGINS_WHOLE)


def decades(most: int) -> list[int]:
    """Return ten thousand and its tenfolds below ``most``, and that."""
    sizes, size = [], 10_000
    while size < most:
        sizes.append(size)
        size *= 10
    return [*sizes, most]


def insert_rate(ground: Ground) -> Row:
    """Row 10: what becomes of writes when the log has grown."""
    lamps, rows = ground.sizes.lamps, ground.sizes.activity
    portion = max(1, ground.sizes.batch // 10)
    ids = [lamp_id(1 + number % lamps) for number in range(portion)]
    entries = [{"lamp_id": wanted, "activity_type": "status", "status": "success"} for wanted in ids]
    turns = cycle(ids)
    full, empty = f"{rows:,} entries", "an empty log"
    with ExitStack() as opened:
        filled_url = opened.enter_context(ground.database("filled"))
        fill_activity(filled_url, rows, lamps=lamps)
        bare = opened.enter_context(ground.database("filled_bare", like="filled"))
        urls = {full: filled_url, empty: opened.enter_context(ground.database("empty"))}
        bare_urls = {full: bare, empty: opened.enter_context(ground.database("empty_bare"))}

        def sides(urls: dict[str, str], calls: Callable[[Any], Callable[[], object]]) -> list[Side]:
            made = []
            for name, url in urls.items():
                logger = opened.enter_context(surf_data.open(url, pool_max_size=1)).activity
                made.append(side(name, calls(logger)))
            janitor = opened.enter_context(psycopg.connect(urls[empty], autocommit=True))
            return [made[0], emptied(made[1], janitor)]

        def change(statement: str) -> None:
            for url in bare_urls.values():
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(statement.encode())

        many = ground.measure.once(*sides(urls, lambda logger: partial(logger.log_activities, entries)))
        change("DROP INDEX idx_activity_log_lamp_time")
        without = ground.measure.once(*sides(bare_urls, lambda logger: partial(logger.log_activities, entries)))
        others = {}
        for name, index in _OTHER_INDEXES.items():
            change(f"CREATE INDEX other ON activity_log USING {index}")
            others[name] = ground.measure.once(
                *sides(bare_urls, lambda logger: partial(logger.log_activities, entries))
            )
            if name != "BRIN":
                change("DROP INDEX other")
        logs = {name: surf_data.open(url) for name, url in {_BY_LAMP: filled_url, "BRIN": bare}.items()}
        history = ground.measure.once(
            *(
                # Of a lamp of which there are few entries: others' latest are found by the time, too.
                side(name, partial(opened.enter_context(log).activity.get_lamp_activity_history, ids[-1]))
                for name, log in logs.items()
            )
        )
        single = ground.measure(
            *sides(urls, lambda logger: lambda: logger.log_activity(next(turns), "status", "success"))
        )
    return Row(
        10,
        f"logging into {rows:,} entries",
        f"into {rows:,} entries",
        [
            compare(single, "one by one, against an empty log", full, empty, AtLeast(0.9), asks=Question.GROWTH),
            compare(
                many, f"{portion:,} at once, against an empty log", full, empty, AtLeast(0.9), asks=Question.GROWTH
            ),
            compare(without, f"{portion:,} at once, without the index by lamp, likewise", full, empty, None),
            *(
                compare(measured, f"{portion:,} at once, with {name} in its place, likewise", full, empty, None)
                for name, measured in others.items()
            ),
            compare(history, "a lamp's history by BRIN, against the index by lamp", "BRIN", _BY_LAMP, None),
        ],
        [
            ("an entry by itself", single),
            (f"{portion:,} entries at once", many),
            (f"{portion:,} entries at once, without the index by lamp", without),
            *((f"{portion:,} entries at once, with {name} in its place", found) for name, found in others.items()),
            ("a lamp's history", history),
        ],
    )


def emptied(each: Side, janitor: psycopg.Connection[Any]) -> Side:
    """Return a side that finds an empty log each time."""

    def turn(calls: int) -> Timing:
        janitor.execute("TRUNCATE activity_log")
        return each.turn(calls)

    return Side(each.name, turn)
