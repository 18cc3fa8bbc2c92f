"""The rows of daylight: beside `limits`, bare COPY and itself at another size."""

import resource
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import limits
import psycopg
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from psycopg.types.json import Jsonb

from benchmarks.measuring import Measure, Ratio, Side, Timing, side
from benchmarks.results import AtMost, Question, Result, Row, ShareOf, compare
from benchmarks.sizes import Sizes
from surf_data import daylight, embedded, migrate
from surf_data.daylight import DaylightDataLayer
from surf_data.kernel import resources

_OURS, _LIMITS, _COPY = "surf_data", "limits", "bare COPY"
_UPLOAD = 20_000

_HISTORY = """
INSERT INTO daylight.location_history (id, user_id, location, lat, lng, activity, metadata, recorded_at)
SELECT
    %(prefix)s || n, %(prefix)s || n %% %(users)s, '{"lat": 21.66, "lng": -158.05}', 21.66, -158.05, 'driving', '{}',
    now() - interval '97 days' * (1 - n / %(rows)s::float8)
FROM generate_series(1, %(rows)s::bigint) AS n
"""


@attrs.frozen(kw_only=True)
class Daylight:
    """What each row is given."""

    url: str
    redis_url: str
    data: DaylightDataLayer
    measure: Measure
    rows: int


def newest(ground: Daylight) -> Row:
    """Row 1: the newest 50 of a user, in a large and in a small history of as many weeks."""
    large, small = count(), count()
    measured = ground.measure(
        side(
            "large",
            lambda: ground.data.history.get_user_location_history(f"large{next(large) % _users(ground.rows)}", 50),
        ),
        side(
            "small",
            lambda: ground.data.history.get_user_location_history(
                f"small{next(small) % _users(ground.rows // 100)}", 50
            ),
        ),
    )
    return Row(
        1,
        "`get_user_location_history(50)` over 14 weeks, beside a hundredth of the rows",
        "a history page",
        [compare(measured, "against a hundredth of the rows", "large", "small", AtMost(1.3), asks=Question.GROWTH)],
        [("one page", measured)],
    )


def upload(ground: Daylight) -> Row:
    """Row 2: an upload of 20,000 points, beside COPY of ready rows."""
    moment = datetime.now(UTC) - timedelta(days=1)
    numbers = count()

    def points() -> list[dict[str, Any]]:
        run = next(numbers)
        return [
            {"id": f"b{run}-{n}", "location": {"lat": 1.5, "lng": 2.5}, "activity": "x", "recorded_at": moment}
            for n in range(_UPLOAD)
        ]

    def ready() -> list[tuple[Any, ...]]:
        document_ = Jsonb({"lat": 1.5, "lng": 2.5})
        empty = Jsonb({})
        return [(p["id"], "kai", document_, 1.5, 2.5, "x", empty, moment) for p in points()]

    with psycopg.connect(ground.url) as connection:

        def bare(rows: list[tuple[Any, ...]]) -> None:
            statement = (
                "COPY daylight.location_history (id, user_id, location, lat, lng, activity, metadata, recorded_at) "
                "FROM STDIN (FORMAT binary)"
            )
            with connection.cursor().copy(statement) as copy:
                copy.set_types(["text", "text", "jsonb", "float8", "float8", "text", "jsonb", "timestamptz"])
                for row in rows:
                    copy.write_row(row)
            connection.commit()

        measured = ground.measure.once(
            _prepared(_OURS, points, lambda rows: ground.data.history.add_location_histories("kai", rows)),
            _prepared(_COPY, ready, bare),
        )
    return Row(
        2,
        "`add_location_histories` of 20,000 points, checked",
        "20,000 points",
        [compare(measured, f"against {_COPY}", _OURS, _COPY, ShareOf(0.5), asks=Question.LIMIT)],
        [("one upload", measured)],
    )


def one_limit(ground: Daylight) -> Row:
    """Row 3: one limit with what remains and when it is there again."""
    limiter = SlidingWindowCounterRateLimiter(RedisStorage(ground.redis_url))
    item = limits.parse("1000000/hour")

    def theirs() -> None:
        limiter.hit(item, "kai")
        limiter.get_window_stats(item, "kai")

    measured = ground.measure(
        side(_OURS, lambda: ground.data.limits.check({"user": "kai"}, endpoint="/one")), side(_LIMITS, theirs)
    )
    return Row(
        3,
        "One limit: allowed, remaining, reset",
        "a rate limit",
        [compare(measured, f"against {_LIMITS}", _OURS, _LIMITS, AtMost(0.75), asks=Question.OTHERS)],
        [("one call", measured)],
    )


def two_limits(ground: Daylight) -> Row:
    """Row 4: two limits at once."""
    limiter = SlidingWindowCounterRateLimiter(RedisStorage(ground.redis_url))
    items = limits.parse("1000000/hour"), limits.parse("2000000/hour")

    def theirs() -> None:
        for item in items:
            limiter.hit(item, "kai")
            limiter.get_window_stats(item, "kai")

    measured = ground.measure(
        side(_OURS, lambda: ground.data.limits.check({"user": "kai"}, endpoint="/two")), side(_LIMITS, theirs)
    )
    return Row(
        4,
        "Two limits at once, both or neither",
        "two rate limits",
        [compare(measured, f"against {_LIMITS}", _OURS, _LIMITS, AtMost(0.5), asks=Question.OTHERS)],
        [("one call", measured)],
    )


def archive(ground: Daylight) -> Row:
    """Row 5: an expired partition archived, read back, compared and dropped, beside COPY of it into a file."""
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(ground.url, autocommit=True) as connection:
        file = Path(folder) / "copy.csv"
        # What the ground has that is older.
        ground.data.retention.run_manual_retention("location_history")

        def expired() -> None:
            connection.execute("DELETE FROM daylight.data_archives")
            connection.execute("DROP TABLE IF EXISTS daylight.location_history_bench")
            connection.execute(
                "CREATE TABLE daylight.location_history_bench PARTITION OF daylight.location_history "
                "FOR VALUES FROM ('2020-01-06') TO ('2020-01-13')"
            )
            connection.execute(
                "INSERT INTO daylight.location_history_bench (id, user_id, location, lat, lng, activity, recorded_at) "
                "SELECT 'a' || n, 'u' || n %% 1000, '{\"lat\": 21.66, \"lng\": -158.05}', 21.66, -158.05, 'driving', "
                "'2020-01-06'::timestamptz + n * interval '500 ms' FROM generate_series(1, %s::bigint) AS n",
                (min(ground.rows, 1_000_000),),
            )
            connection.execute("VACUUM ANALYZE daylight.location_history_bench")

        def bare(_: None) -> None:
            statement = "COPY (SELECT * FROM daylight.location_history_bench) TO STDOUT (FORMAT csv, HEADER true)"
            with file.open("wb") as target, connection.cursor().copy(statement) as copy:
                for piece in copy:
                    target.write(piece)

        def ours(_: None) -> None:
            [job] = ground.data.retention.run_manual_retention("location_history")
            assert job.records_archived == min(ground.rows, 1_000_000), job

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        measured = ground.measure.once(_prepared(_OURS, expired, ours), _prepared(_COPY, expired, bare))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Row(
        5,
        "An expired week archived, read back, compared and dropped",
        "a week archived",
        [
            compare(measured, f"against {_COPY} into a file", _OURS, _COPY, ShareOf(0.5), asks=Question.LIMIT),
            Result("peak memory of the process", "growth", AtMost(200, "MB"), Ratio.of([grown])),
        ],
        [("one week", measured)],
    )


def sqlite_import(ground: Daylight) -> Row:
    """Row 6: a SQLite file imported and verified, beside sqlite3 and COPY unchecked."""
    rows = min(ground.rows, 1_000_000)
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(ground.url, autocommit=True) as connection:
        source = Path(folder) / "source.sqlite"
        _sqlite(source, rows)
        numbers = count()

        def fresh() -> Path:
            connection.execute("TRUNCATE daylight.location_history")
            path = Path(folder) / f"{next(numbers)}.sqlite"
            shutil.copy(source, path)
            with closing(sqlite3.connect(path)) as file:
                file.execute(f"PRAGMA user_version = {next(numbers) + 1}")
                file.commit()
            return path

        def ours(path: Path) -> None:
            report = ground.data.imports.import_sqlite(path)
            assert report.tables["history"].inserted == rows, report

        def bare(path: Path) -> None:
            statement = (
                "COPY daylight.location_history (id, user_id, location, lat, lng, activity, metadata, recorded_at) "
                "FROM STDIN (FORMAT binary)"
            )
            with closing(sqlite3.connect(path)) as file, connection.cursor().copy(statement) as copy:
                copy.set_types(["text", "text", "jsonb", "float8", "float8", "text", "jsonb", "timestamptz"])
                for key, ts, kind, provider, lat, lng, ok, error in file.execute("SELECT * FROM history"):
                    place, facts = (
                        Jsonb({"lat": lat, "lng": lng}),
                        Jsonb({"provider": provider, "ok": ok, "error": error}),
                    )
                    moment = datetime.fromisoformat(ts)
                    copy.write_row((f"history_{key}", "unknown", place, lat, lng, kind, facts, moment))

        measured = ground.measure.once(_prepared(_OURS, fresh, ours), _prepared(_COPY, fresh, bare))
    return Row(
        6,
        f"A SQLite file of {rows:,} rows imported: checked, noted, verified",
        "an import",
        [compare(measured, "against sqlite3 and COPY, unchecked", _OURS, _COPY, ShareOf(0.5), asks=Question.LIMIT)],
        [("one file", measured)],
    )


def key(ground: Daylight) -> Row:
    """Row 7: an API key validated within the minute, beside the look-up alone."""
    secret = ground.data.keys.create_api_key("kai", {"name": "bench"}).secret.reveal()
    ground.data.keys.validate_api_key(secret)
    measured = ground.measure(
        side(_OURS, lambda: ground.data.keys.validate_api_key(secret)),
        side("user_by_id", lambda: ground.data.users.get_user_by_id("kai")),
    )
    return Row(
        7,
        "`validate_api_key`, its use noted once a minute",
        "an API key",
        [compare(measured, "against a look-up by key", _OURS, "user_by_id", AtMost(1.6), asks=Question.HAND)],
        [("one key", measured)],
    )


def _users(rows: int) -> int:
    # Four hundred points each, so that a page is full at every size.
    return max(rows // 400, 1)


ROWS: dict[int, Callable[[Daylight], Row]] = {
    1: newest,
    2: upload,
    3: one_limit,
    4: two_limits,
    5: archive,
    7: key,
    # Last: it empties the history.
    6: sqlite_import,
}


def _prepared(name: str, prepare: Callable[[], Any], run: Callable[[Any], object]) -> Side:
    """Return a side whose preparation is not measured."""

    def turn(calls: int) -> Timing:
        wall = cpu = 0.0
        for _ in range(calls):
            given = prepare()
            began, cpu_began = time.perf_counter(), time.process_time()
            run(given)
            wall += time.perf_counter() - began
            cpu += time.process_time() - cpu_began
        return Timing(wall / calls * 1e6, cpu / calls * 1e6)

    return Side(name, turn)


def _sqlite(path: Path, rows: int) -> None:
    moment = datetime.now(UTC)
    with closing(sqlite3.connect(path)) as file:
        file.execute(
            "CREATE TABLE history (id INTEGER PRIMARY KEY, ts TEXT, type TEXT, provider TEXT, lat REAL, lng REAL, "
            "ok INTEGER, error TEXT)"
        )
        file.executemany(
            "INSERT INTO history VALUES (?, ?, 'geocode', 'nominatim', ?, -158.05, 1, NULL)",
            ((n, (moment - timedelta(seconds=n)).isoformat(), 21 + n % 1000 / 1000) for n in range(1, rows + 1)),
        )
        file.commit()


def data(sizes: Sizes) -> str:
    """Return a sentence on how much data there is."""
    return f"{sizes.history:,} rows of location history over 14 weeks."


@contextmanager
def opened(sizes: Sizes, measure: Measure) -> Iterator[Daylight]:
    """Yield what the rows are given: servers with a history."""
    with embedded.start() as servers, tempfile.TemporaryDirectory() as archives:
        assert servers.redis_url is not None
        with daylight.open(
            servers.database_url, servers.redis_url, archive_url=archives, pool_min_size=2, pool_max_size=5
        ) as layer:
            _prepare(servers.database_url, layer, sizes.history)
            yield Daylight(
                url=servers.database_url,
                redis_url=servers.redis_url,
                data=layer,
                measure=measure,
                rows=sizes.history,
            )


def _prepare(url: str, data: DaylightDataLayer, rows: int) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(url, autocommit=True)

    migrate.Runner(connect, resources.directory("migrations") / "daylight", "daylight").up()
    with connect() as connection:
        for prefix, size in (("large", rows), ("small", max(rows // 100, 1))):
            connection.execute(_HISTORY, {"prefix": prefix, "rows": size, "users": _users(size)})
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET jit = off")
    # Creates the weeks, and moves the rows there.
    data.maintain()
    with connect() as connection:
        connection.execute("DELETE FROM daylight.rate_limits")
        connection.execute("VACUUM ANALYZE")
    data.users.create_user({"id": "kai", "email": "kai@example.org", "username": "kai", "password_hash": "x"})
    for name, endpoint, requests in (("one", "/one", 1_000_000), ("a", "/two", 1_000_000), ("b", "/two", 2_000_000)):
        data.limits.set_limit(
            {
                "id": name,
                "name": name,
                "algorithm": "sliding_window",
                "requests": requests,
                "window_ms": 3_600_000,
                "scope": "user",
                "endpoints": [endpoint],
            }
        )
