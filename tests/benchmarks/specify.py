"""The rows of specify: beside SQLAlchemy's ORM and raw psycopg."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import uuid4

import attrs
import psycopg
from psycopg.types.json import Jsonb

from benchmarks import peer_specify
from benchmarks.measuring import Measure, side
from benchmarks.results import AtLeast, Question, Row, ShareOf, compare
from benchmarks.sizes import Sizes
from surf_data import embedded, migrate, specify
from surf_data.kernel import resources
from surf_data.specify import CommandFilter, SpecifyDataLayer
from surf_data.specify.statements import specify_queries

_OURS, _ORM, _BARE, _SAME = "surf_data", "SQLAlchemy ORM", "a bare cursor", "our statement by a bare cursor"
_BULK = 10_000
_USERS, _PROJECTS, _NAMES = 1000, 1000, 300

_GROUND = """
INSERT INTO specify.users (username, username_key, email, email_key, password_hash)
SELECT 'user' || n, 'user' || n, e.email, e.email, '!'
FROM generate_series(1, %(users)s::int) AS n, LATERAL (SELECT 'user' || n || '@example.com' AS email) AS e;
"""
_PROJECT_ROWS = """
INSERT INTO specify.projects (name, slug, owner_id)
SELECT 'Project ' || n, 'project-' || n, 1 + n %% %(users)s::int FROM generate_series(1, %(projects)s::int) AS n
"""
_COMMANDS = """
INSERT INTO specify.commands (name, args, user_id, project_id, status, started_at, completed_at, exit_code)
SELECT
    'specify ' || n * 7919 %% %(names)s, 'file' || n || '.ttl', 1 + n %% %(users)s::int, 1 + n %% 7,
    CASE WHEN n %% 13 = 0 THEN 'failed' ELSE 'success' END, m.started_at, m.started_at + interval '150 ms',
    CASE WHEN n %% 13 = 0 THEN 2 ELSE 0 END
FROM
    generate_series(1, %(commands)s::bigint) AS n,
    LATERAL (SELECT now() - interval '365 days' * (1 - n / %(commands)s::float8) AS started_at) AS m
"""
# A tenth of them lies within the last day, of ten metrics.
_METRICS = """
INSERT INTO specify.performance_metrics (name, type, value, unit, timestamp)
SELECT 'metric ' || n %% 10, 'timer', n %% 1000, 'ms', now() - interval '10 days' * (1 - n / %(metrics)s::float8)
FROM generate_series(1, %(metrics)s::bigint) AS n
"""
_COPY = """
COPY specify.commands (id, command_id, name, args, user_id, project_id, status, started_at, completed_at, exit_code,
    stdout, stderr, environment, meta, parent_id, host, pid) FROM STDIN (FORMAT binary)
"""
# With the given conditions alone, which no list of optional ones can be.
_PAGE = """
SELECT count(*) OVER (), c.*
FROM specify.commands AS c
WHERE
    c.user_id = %(user_id)s AND c.project_id = %(project_id)s AND c.status = %(status)s
    AND c.exit_code = %(exit_code)s AND c.started_at >= %(since)s
ORDER BY c.started_at DESC, c.id DESC
LIMIT 20
"""
_TYPES = (
    *("int8", "uuid", "text", "text", "int8", "int8", "text", "timestamptz", "timestamptz", "int4", "text", "text"),
    *("jsonb", "jsonb", "int8", "text", "int4"),
)


@attrs.frozen(kw_only=True)
class Specify:
    """What each row is given."""

    url: str
    data: SpecifyDataLayer
    engine: Any
    measure: Measure


def lifecycle(ground: Specify) -> Row:
    """Row 1: a command is started and completed."""
    users = cycle(range(1, _USERS + 1))

    def ours() -> None:
        command = ground.data.commands.start_command("specify init", user_id=next(users))
        ground.data.commands.complete_command(command.id, 0)

    measured = ground.measure(side(_OURS, ours), side(_ORM, lambda: peer_specify.lifecycle(ground.engine, next(users))))
    return Row(
        1,
        "`start_command` and `complete_command`, each committed",
        "a command",
        [compare(measured, f"against {_ORM}", _OURS, _ORM, AtLeast(1.7), asks=Question.OTHERS)],
        [("one command", measured)],
    )


def page(ground: Specify) -> Row:
    """Row 2: a page of 20 with five conditions and the total."""
    since = datetime.now(UTC) - timedelta(days=200)
    turns = cycle(
        {
            "user_id": 1 + n % _USERS,
            "project_id": 1 + n % 7,
            "status": "success",
            "exit_code": 0,
        }
        for n in range(1, 100)
    )

    def ours(given: dict[str, Any]) -> Any:
        return ground.data.commands.queries.list_commands(CommandFilter(since=since, **given), per_page=20)

    one = next(turns)
    total, rows = peer_specify.page(ground.engine, since=since, **one)
    mine = ours(one)
    if (total, [row.id for row in rows]) != (mine.total, [row.id for row in mine.items]):
        raise AssertionError("the sides differ")
    with psycopg.connect(ground.url, autocommit=True) as connection:

        def bare(given: dict[str, Any]) -> Any:
            return connection.execute(_PAGE, {"since": since, **given}, binary=True).fetchall()

        unset = {field.metadata["parameter"] or field.name: None for field in attrs.fields(CommandFilter)}
        rest = {**unset, "since": since, "cap": None, "row_limit": 20, "row_offset": 0}

        def same(given: dict[str, Any]) -> Any:
            conditions = {**rest, **given, "statuses": [given["status"]]}
            return connection.execute(statement, conditions, prepare=False, binary=True).fetchall()

        statement: Any = vars(specify_queries().command_filtered)["sql"]
        if {found[0][0] for found in (bare(one), same(one)) if found} - {total}:
            raise AssertionError("the sides differ")
        measured = ground.measure(
            side(_OURS, lambda: ours(next(turns))),
            side(_ORM, lambda: peer_specify.page(ground.engine, since=since, **next(turns))),
            side(_SAME, lambda: same(next(turns))),
            side(_BARE, lambda: bare(next(turns))),
        )
    return Row(
        2,
        f"a page of 20 with five conditions, of {total:,} matches",
        "a page of 20",
        [
            compare(measured, f"against {_ORM}", _OURS, _ORM, AtLeast(3), asks=Question.OTHERS),
            compare(measured, "the client alone", _OURS, _ORM, AtLeast(3), quantity="CPU time"),
            compare(measured, f"{_SAME} against {_ORM}", _SAME, _ORM, None),
            compare(measured, f"{_BARE} with five conditions against {_ORM}", _BARE, _ORM, None),
        ],
        [("one page", measured)],
        "All sides return the same page and total, which is checked. Bare cursors make no objects. Our statement has "
        "every condition that a filter can have, which the server parses and plans each time; the last side has five.",
    )


def bulk(ground: Specify) -> Row:
    """Row 3: 10,000 commands at once."""
    rows = [{"name": f"specify {n % _NAMES}", "user_id": 1 + n % _USERS, "status": "pending"} for n in range(_BULK)]
    with psycopg.connect(ground.url, autocommit=True) as connection:

        def raw() -> None:
            with connection.transaction(), connection.cursor() as cursor:
                reserve = "SELECT nextval('specify.commands_id_seq') FROM generate_series(1, %s)"
                ids = [new for (new,) in cursor.execute(reserve, [len(rows)])]
                now = datetime.now(UTC)
                with cursor.copy(_COPY) as copy:
                    copy.set_types(_TYPES)
                    for new, row in zip(ids, rows, strict=True):
                        known = (new, uuid4(), row["name"], None, row["user_id"], None, row["status"], now)
                        copy.write_row((*known, *[None] * 4, Jsonb({}), Jsonb({}), *[None] * 3))

        measured = ground.measure.once(
            side(_OURS, lambda: ground.data.commands.bulk_create(rows)),
            side(f"{_ORM} insert()", lambda: peer_specify.bulk(ground.engine, rows)),
            side("raw COPY", raw),
        )
    return Row(
        3,
        f"`bulk_create` of {_BULK:,} commands",
        f"{_BULK:,} commands",
        [
            compare(measured, f"against {_ORM} insert()", _OURS, f"{_ORM} insert()", AtLeast(7), asks=Question.OTHERS),
            compare(measured, "the client alone", _OURS, f"{_ORM} insert()", AtLeast(7), quantity="CPU time"),
            compare(measured, "against raw COPY, unchecked", _OURS, "raw COPY", ShareOf(0.77), asks=Question.LIMIT),
        ],
        [(f"{_BULK:,} commands", measured)],
        "The ORM and we check nothing of the others' rows, but return them; raw COPY checks and returns nothing.",
    )


def series(ground: Specify) -> Row:
    """Row 4: a metric of the last 24 hours, by the hour."""
    name = "metric 3"
    mine = ground.data.metrics.queries.get_time_series(name)
    theirs = peer_specify.time_series(ground.engine, name, 24)
    if len(mine) != len(theirs):
        raise AssertionError("the sides differ")
    measured = ground.measure.once(
        side(_OURS, lambda: ground.data.metrics.queries.get_time_series(name)),
        side("the original's way", lambda: peer_specify.time_series(ground.engine, name, 24)),
    )
    return Row(
        4,
        f"`get_time_series` of 24 hours, {sum(each['count'] for each in mine):,} values",
        "a time series",
        [
            compare(
                measured,
                "against the original's way",
                _OURS,
                "the original's way",
                AtLeast(50),
                asks=Question.WAYS,
            )
        ],
        [("one series", measured)],
    )


def cached(ground: Specify) -> Row:
    """Row 5: a cached value is read, and counted."""
    for n in range(100):
        ground.data.cache.set_cache(f"key {n}", "value" * 20, 3600)
    keys = cycle(f"key {n}" for n in range(100))
    measured = ground.measure(
        side(_OURS, lambda: ground.data.cache.get_cache(next(keys))),
        side(_ORM, lambda: peer_specify.cached(ground.engine, next(keys))),
    )
    return Row(
        5,
        "`get_cache`, counted",
        "a cached value",
        [compare(measured, f"against {_ORM}", _OURS, _ORM, AtLeast(2), asks=Question.OTHERS)],
        [("one read", measured)],
    )


ROWS: dict[int, Callable[[Specify], Row]] = {1: lifecycle, 2: page, 3: bulk, 4: series, 5: cached}


def data(sizes: Sizes) -> str:
    """Return a sentence on how much data there is."""
    return f"{sizes.commands:,} commands over a year, {sizes.metrics:,} metrics over ten days."


@contextmanager
def opened(sizes: Sizes, measure: Measure) -> Iterator[Specify]:
    """Yield what the rows are given: a server with commands and metrics."""
    with embedded.start(redis=False) as servers:
        _prepare(servers.database_url, sizes.commands, sizes.metrics)
        engine = peer_specify.engine(servers.database_url)
        with specify.open(servers.database_url, pool_min_size=2, pool_max_size=5) as layer:
            yield Specify(url=servers.database_url, data=layer, engine=engine, measure=measure)
        engine.dispose()


def _prepare(url: str, commands: int, metrics: int) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(url, autocommit=True)

    migrate.Runner(connect, resources.directory("migrations") / "specify", "specify").up()
    sizes = {"users": _USERS, "projects": _PROJECTS, "names": _NAMES, "commands": commands, "metrics": metrics}
    with connect() as connection:
        for statement in (_GROUND, _PROJECT_ROWS, _COMMANDS, _METRICS):
            connection.execute(statement, sizes)
        # Compiling costs such short statements more than it gives; no side should pay for it.
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET jit = off")
        connection.execute("VACUUM ANALYZE")
