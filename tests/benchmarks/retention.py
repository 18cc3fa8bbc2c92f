"""Row 9: old entries go."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg

from benchmarks.ground import Ground, fill_activity
from benchmarks.measuring import Measurement, Ratio, Side, Timing, timed
from benchmarks.reading import Reads, reader
from benchmarks.results import AtMost, Question, Result, Row, ShareOf, compare
from surf_data.lamps.layer import DOMAIN
from surf_data.retention import maintain as maintain_tables
from surf_data.retention import policies

_OURS, _THEIRS, _VACUUM = "surf_data", "DELETE", "VACUUM after DELETE"
# What is left of the work for who is connected, and knows what has expired.
_DROP = "DROP TABLE by hand"
# The month before the last: its begin and its end.
_EXPIRED = """
SELECT m.begin - interval '1 month', m.begin
FROM (SELECT date_trunc('month', now()) - interval '1 month' AS begin) AS m
"""


def retention(ground: Ground) -> Row:
    """Row 9: old entries go."""
    with (
        ground.database("expiring") as url,
        reader(url) as reading,
        psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC") as janitor,
    ):
        fill_activity(url, ground.sizes.activity, lamps=ground.sizes.lamps)
        # The month before the last one, of which all entries are there; what is older is none of the work.
        [(month, end)] = janitor.execute(_EXPIRED).fetchall()
        name = f"activity_log_{month:%Y_%m}"
        keep_days = (datetime.now(UTC) - end).days

        def maintain(days: int) -> None:
            maintain_tables(lambda: psycopg.connect(url), policies(DOMAIN, "activity_log", keep_days=days))

        maintain(keep_days + 31)
        janitor.execute(f"CREATE TABLE expired AS SELECT * FROM {name}")
        [(rows,)] = janitor.execute(f"SELECT count(*) FROM {name}").fetchall()
        size = _size(janitor, name)
        left: list[float] = []
        left_then: list[float] = []
        reads: dict[str, list[list[Reads]]] = {_OURS: [], _THEIRS: []}

        def watched(side: str, work: Callable[[], object]) -> Timing:
            _refill(janitor, name, month, end)
            timing, *found = reading.during(work)
            reads[side].append(found)
            return timing

        def vacuum(_: int) -> Timing:
            left.append(_size(janitor, name) / size)
            timing = timed(lambda _: janitor.execute(f"VACUUM {name}"))(1)
            left_then.append(_size(janitor, name) / size)
            return timing

        def drop(_: int) -> Timing:
            _refill(janitor, name, month, end)
            return timed(lambda _: janitor.execute(f"DROP TABLE {name}"))(1)

        delete = "DELETE FROM activity_log WHERE created_at < %s"
        measurement = ground.measure.once(
            Side(_OURS, lambda _: watched(_OURS, lambda: maintain(keep_days))),
            Side(_DROP, drop),
            Side(_THEIRS, lambda _: watched(_THEIRS, lambda: janitor.execute(delete, [end]))),
            Side(_VACUUM, vacuum),
        )
        maintain(keep_days)
        dropped = janitor.execute("SELECT to_regclass(%s) IS NULL", [name]).fetchone() == (True,)
    work = f"removing a month of {rows:,} entries"
    longest, percentile = _compared(reads, "longest"), _compared(reads, "percentile")
    return Row(
        9,
        "removing a month of expired activity",
        "a month removed",
        [
            compare(measurement, "against DROP TABLE by hand", _OURS, _DROP, ShareOf(0.65), asks=Question.LIMIT),
            compare(measurement, "against DELETE", _OURS, _THEIRS, None, asks=Question.WAYS),
            compare(measurement, f"{_DROP} against DELETE", _DROP, _THEIRS, None),
            Result(
                "against DELETE and VACUUM",
                "time, theirs / ours",
                None,
                Ratio.of([(turn[_THEIRS].wall + turn[_VACUUM].wall) / turn[_OURS].wall for turn in measurement.rounds]),
            ),
            Result(
                f"what is left of {size / 1e6:,.1f} MB",
                "disk",
                AtMost(0, "MB"),
                Ratio.of([0.0 if dropped else size / 1e6]),
            ),
            Result("what is left before VACUUM, by DELETE", "disk", None, Ratio.of(left)),
            Result("what is left after VACUUM, by DELETE", "disk", None, Ratio.of(left_then)),
            *(
                Result(
                    f"reading a lamp's history meanwhile, {what} during {side}",
                    "time, meanwhile / as long afterwards",
                    None,
                    times.ratio(f"during {side}", f"as long after {side}", "time"),
                )
                for side in (_OURS, _THEIRS)
                for what, times in (("the longest", longest), ("the 99th percentile", percentile))
            ),
        ],
        [(work, measurement), ("the longest read", longest), ("the 99th percentile of reads", percentile)],
        "`surf-data maintain` connects, takes its lock, finds what has expired, drops the partition. DELETE is given "
        "the same table, so it is in luck: the expired entries lie together. It leaves their place to VACUUM. A "
        "process of its own reads meanwhile.",
    )


def _compared(reads: dict[str, list[list[Reads]]], what: Literal["longest", "percentile"]) -> Measurement:
    """Return one figure of the reads during and after each side's work; the first round does not count."""
    turns = [
        [
            {f"during {side}": getattr(meanwhile, what), f"as long after {side}": getattr(afterwards, what)}
            for meanwhile, afterwards in found[1:]
        ]
        for side, found in reads.items()
    ]
    return Measurement([ours | theirs for ours, theirs in zip(*turns, strict=True)])


def _size(janitor: psycopg.Connection[Any], name: str) -> int:
    """Return how many bytes a table takes, with its indexes."""
    [(size,)] = janitor.execute(f"SELECT pg_total_relation_size('{name}')").fetchall()
    return int(size)


def _refill(janitor: psycopg.Connection[Any], name: str, month: datetime, end: datetime) -> None:
    """Let the expired month be there as it was."""
    janitor.execute(f"DROP TABLE IF EXISTS {name}")
    janitor.execute(f"CREATE TABLE {name} (LIKE activity_log INCLUDING ALL)")
    janitor.execute(f"INSERT INTO {name} SELECT * FROM expired")
    # Lamps are looked for in all entries at once, instead of for each by itself.
    janitor.execute(f"ALTER TABLE activity_log ATTACH PARTITION {name} FOR VALUES FROM ('{month}') TO ('{end}')")
    janitor.execute(f"VACUUM ANALYZE {name}")
    # What has expired was written long ago.
    janitor.execute("CHECKPOINT")
