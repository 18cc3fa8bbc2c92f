"""Statements of production, led back to their files.

The embedded servers have no extensions. What pg_stat_statements would have stored, the tests store: the text and the
number that the server itself shows for a statement that was run.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseError, DatabaseUnavailable, SurfDataError
from surf_data.kernel.postgres import Session, load_queries
from surf_data.kernel.postgres.adaptation import ADAPTERS
from surf_data.review import QuerySource, read_queries, read_statistics
from surf_data.review.analysis.analyse import Analyst

SqlFolder = Callable[..., Path]
Refused = Callable[[Callable[[], Any], type[SurfDataError]], SurfDataError]

SCHEMA = """
CREATE TABLE board (id int4 PRIMARY KEY, label varchar(9), made timestamptz);
CREATE TABLE pg_stat_statements (
    dbid oid, queryid int8, query text, calls int8, rows int8,
    total_exec_time float8, stddev_exec_time float8, max_exec_time float8
);
"""
QUERIES = """\
-- name: board_find(id)^
-- One board.
SELECT b.label FROM board AS b WHERE b.id = :id::int4;

-- name: board_insert(id, label)!
-- Makes a board.
INSERT INTO board (id, label) VALUES (:id, :label);

-- name: board_list()
-- All boards.
SELECT b.id FROM board AS b LIMIT 10;

-- name: board_recent(since, ids)
-- The latest.
SELECT b.id FROM board AS b WHERE b.made > :since::timestamptz AND b.id = ANY(:ids::int4 []);

-- name: board_vacuum()#
-- Tidies up.
VACUUM board;
"""
COUNT = """
INSERT INTO pg_stat_statements
SELECT d.oid, %s, %s, %s, %s, %s, %s, %s FROM pg_database AS d WHERE d.datname = current_database()
"""


@pytest.fixture
def connection(server: str, new_database: Callable[[str, str], Any]) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection to a database that numbers its queries."""
    with new_database(server, "statistics") as plain:
        plain.execute(SCHEMA.encode(), prepare=False)
        plain.execute("ALTER DATABASE statistics SET compute_query_id = on")
        with psycopg.connect(plain.info.dsn, autocommit=True, context=ADAPTERS) as opened:
            yield opened


@pytest.fixture
def folder(sql_folder: SqlFolder) -> Path:
    """Return a folder of queries."""
    return sql_folder(board=QUERIES)


@pytest.fixture
def seen(connection: psycopg.Connection[Any]) -> Iterator[Callable[[Callable[[Session], object]], tuple[int, str]]]:
    """Return a function that returns what the server shows of the statement that a call runs: number and text."""
    with psycopg.connect(connection.info.dsn, autocommit=True, context=ADAPTERS) as runner:

        def run(call: Callable[[Session], object]) -> tuple[int, str]:
            call(Session(runner))
            shown = connection.execute(
                "SELECT query_id, query FROM pg_stat_activity WHERE pid = %s", [runner.info.backend_pid]
            )
            number, text = shown.fetchone() or (0, "")
            return number, text

        yield run


def named(folder: Path) -> dict[str, QuerySource]:
    """Return the queries of a folder by their names."""
    return {query.name: query for query in read_queries(folder)}


CALLS: dict[str, dict[str, Any]] = {
    "board_find": {"id": 1},
    "board_insert": {"id": 1, "label": "long"},
    "board_list": {},
    "board_recent": {"since": None, "ids": [1, None]},
}


@pytest.mark.parametrize("name", CALLS)
def test_number(name: str, connection: psycopg.Connection[Any], folder: Path, seen: Any) -> None:
    """A query has the number that the server gives its statement, whatever the layout and the values are."""
    relaid = folder / "relaid"
    relaid.mkdir()
    (relaid / "board.sql").write_text(QUERIES.replace(" FROM", "\n    FROM").replace("LIMIT 10", "LIMIT 99"), "utf-8")
    number, _ = seen(lambda session: getattr(load_queries(relaid), name)(session, **CALLS[name]))
    assert Analyst(connection).number(named(folder)[name]) == number


def test_no_number(connection: psycopg.Connection[Any], folder: Path, sql_folder: SqlFolder) -> None:
    """What the server does not plan, refuses or does not number has no number."""
    (folder / "board.sql").write_text(f"{QUERIES}\n-- name: lost()\n-- Lost.\nSELECT 1 FROM nowhere;\n", "utf-8")
    analyst = Analyst(connection)
    queries = named(folder)
    assert (analyst.number(queries["board_vacuum"]), analyst.number(queries["lost"])) == (None, None)
    connection.execute("SET compute_query_id = off")
    assert analyst.number(queries["board_list"]) is None


def test_lost(connection: psycopg.Connection[Any], folder: Path) -> None:
    """A connection that is lost meanwhile is no property of the query."""
    analyst = Analyst(connection)
    query = named(folder)["board_list"]
    with psycopg.connect(connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(DatabaseUnavailable):
        analyst.number(query)


def test_statistics(connection: psycopg.Connection[Any], folder: Path, seen: Any) -> None:
    """Statements are found by tag or by number, added up over roles, and shares are of all time."""
    tagged = load_queries(folder, namespace="shop")
    _, find = seen(lambda session: tagged.board_find(session, id=1))
    insert, _ = seen(lambda session: tagged.board_insert(session, id=2, label="x"))
    for number, text, calls, rows, total, deviation, longest in (
        (1, find, 10, 10, 30.0, 0.0, 3.0),
        (2, find, 30, 20, 30.0, 0.0, 9.0),
        (insert, "INSERT INTO board (id, label) VALUES ($1, $2)", 5, 5, 20.0, 1.0, 6.0),
        (3, "select  *\nfrom elsewhere where id = $1", 1, 1, 15.0, 0.0, 15.0),
        (4, "ALTER ROLE surfer PASSWORD 'tube'", 1, 0, 5.0, 0.0, 5.0),
        (None, None, 1, 0, 0.0, 0.0, 0.0),
        (5, "SELECT /* shop:other.board_mend */ 1", 1, 0, 0.0, 0.0, 0.0),
    ):
        connection.execute(COUNT, [number, text, calls, rows, total, deviation, longest])
    found = read_statistics(connection, read_queries(folder))
    first, second = found.queries
    assert (first.query.name, first.calls, first.rows, first.total, first.mean) == ("board_find", 40, 30, 60.0, 1.5)
    assert (round(first.deviation, 3), first.longest, first.share, first.found_by) == (0.866, 9.0, 0.6, "tag")
    assert (second.query.name, second.calls, second.mean, second.deviation) == ("board_insert", 5, 4.0, 1.0)
    assert (second.share, second.found_by) == (0.2, "number")
    assert [query.name for query in found.never_run] == ["board_list", "board_recent", "board_vacuum"]
    assert [(other.text, other.share) for other in found.others] == [
        ("select * from elsewhere where id = $1", 0.15),
        ("ALTER ROLE", 0.05),
        ("SELECT /* shop:other.board_mend */ 1", 0.0),
        ("", 0.0),
    ]


def test_nothing_counted(connection: psycopg.Connection[Any], folder: Path) -> None:
    """After a reset nothing was ever run."""
    found = read_statistics(connection, read_queries(folder))
    assert (found.queries, len(found.never_run), found.others) == ((), 5, ())


def test_no_time(connection: psycopg.Connection[Any], folder: Path, seen: Any) -> None:
    """Where nothing took any time, nothing has a share of it; and when all are found, none is looked for."""
    queries = [named(folder)["board_list"]]
    _, text = seen(lambda session: load_queries(folder).board_list(session))
    connection.execute(COUNT, [1, text, 1, 1, 0.0, 0.0, 0.0])
    connection.execute(COUNT, [2, "SELECT 1", 1, 1, 0.0, 0.0, 0.0])
    found = read_statistics(connection, queries)
    assert [(spent.share, spent.found_by) for spent in found.queries] == [(0.0, "tag")]
    assert [other.share for other in found.others] == [0.0]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DROP TABLE pg_stat_statements", "CREATE EXTENSION pg_stat_statements"),
        (
            """
            DROP TABLE pg_stat_statements;
            CREATE VIEW pg_stat_statements AS
            SELECT
                d.oid AS dbid, lastval() AS queryid, '' AS query, 1 AS calls, 1 AS rows,
                1.0 AS total_exec_time, 1.0 AS stddev_exec_time, 1.0 AS max_exec_time
            FROM pg_database AS d
            """,
            "add it to shared_preload_libraries",
        ),
        ("ALTER TABLE pg_stat_statements RENAME calls TO times", "SQLSTATE 42703"),
    ],
)
def test_missing(sql: str, problem: str, connection: psycopg.Connection[Any], folder: Path, refused: Refused) -> None:
    """Without the extension, or without its library, it is said what to do."""
    connection.execute(sql.encode(), prepare=False)
    assert problem in str(refused(lambda: read_statistics(connection, read_queries(folder)), DatabaseError))
