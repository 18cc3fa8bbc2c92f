"""Values of types that the driver does not know arrive as text, and lists of tuples go as composites."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.enum import EnumInfo

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres import DatabaseManager

Open = Callable[..., DatabaseManager]
Load = Callable[..., Any]

SCHEMA = """
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE DOMAIN happy AS mood CHECK (VALUE = 'ok');
    CREATE TYPE item AS (n int, name text, mood mood);
    CREATE TABLE entry (id int, mood mood, items item[]);
"""
#: An expression, and what it arrives as.
VALUES = {
    "'ok'::mood": "ok",
    "ARRAY['ok', NULL]::mood[]": ["ok", None],
    "ARRAY[['ok'], ['sad']]::mood[]": [["ok"], ["sad"]],
    "3::positive": 3,
    "ARRAY[1, 2]::positive[]": ["1", "2"],
    "'ok'::happy": "ok",
    "ARRAY['ok']::happy[]": ["ok"],
    "(1, 'a,b', 'ok')::item": '(1,"a,b",ok)',
    "ARRAY[(1, 'a', 'ok')::item]": ["(1,a,ok)"],
    "ROW(1, 'ok'::mood)": ("1", "ok"),
    "'pg_class'::regclass": "pg_class",
    "ARRAY['pg_class'::regclass]": ["pg_class"],
    "'$1.50'::money": "$1.50",
    "'(1,2)'::point": "(1,2)",
    "ARRAY['(1,2)'::point]": ["(1,2)"],
    "ARRAY['(1,1),(0,0)'::box, '(2,2),(0,0)'::box]": ["(1,1),(0,0)", "(2,2),(0,0)"],
    "B'101'": "101",
    "B'101'::varbit": "101",
    "'16/B374D848'::pg_lsn": "16/B374D848",
    "'08:00:2b:01:02:03'::macaddr": "08:00:2b:01:02:03",
    "to_tsvector('simple', 'a b')": "'a':1 'b':2",
    "'$.a'::jsonpath": '$."a"',
    "'1 2'::int2vector": "1 2",
    "'25 23'::oidvector": "25 23",
    "ARRAY['1 2'::int2vector]": ["1 2"],
    "'{[1,3)}'::int4multirange": psycopg.types.multirange.Multirange([psycopg.types.range.Range(1, 3)]),
    "'7'::xid8": "7",
    "pg_sleep(0)": "",
    "'[1,3)'::int4range": psycopg.types.range.Range(1, 3),
    "ARRAY[1, 2]": [1, 2],
    "'{\"a\": 1.10}'::jsonb": {"a": 1.1},
    "'1.10'::numeric": Decimal("1.10"),
    "'1 mon 1 day'::interval": dt.timedelta(days=31),
}


@pytest.fixture
def database(watcher: psycopg.Connection[Any], open_database: Open) -> DatabaseManager:
    """Open a database with some types of its own, on one connection."""
    watcher.execute(SCHEMA.encode(), prepare=False)
    return open_database(pool_max_size=1)


@pytest.mark.parametrize("expression", VALUES)
def test_a_value_arrives_as_text_or_as_what_it_is(database: DatabaseManager, load: Load, expression: str) -> None:
    """What the driver does not know arrives as PostgreSQL shows it, beside what it does; by row, value and stream."""
    queries = load({"one()^": f"SELECT 7 AS n, {expression} AS it;", "all()": f"SELECT {expression} AS it, 7 AS n;"})
    for _ in range(2):
        assert queries.one(database) == (7, VALUES[expression])
    assert queries.all(database) == [(VALUES[expression], 7)]
    with queries.all_cursor(database) as rows:
        assert list(rows) == [(VALUES[expression], 7)]


def test_a_row_of_returning(database: DatabaseManager, load: Load) -> None:
    """A statement that changes something is run once, and its row is text where it must be."""
    queries = load(
        {
            "put(id, mood)<!": "INSERT INTO entry (id, mood) VALUES (:id::int4, :mood::mood) RETURNING id, mood;",
            "count()$": "SELECT count(*) FROM entry;",
        }
    )
    assert queries.put(database, id=1, mood="ok") == (1, "ok")
    with database.transaction() as tx:
        assert queries.put(tx, id=2, mood="sad") == (2, "sad")
    assert queries.count(database) == 2


def test_an_error_is_that_of_the_statement(database: DatabaseManager, load: Load) -> None:
    """A statement that the server refuses fails as it would have without the question."""
    queries = load({"wrong()": "SELECT nothing;", "missing(x)$": "SELECT :x::int4;", "right()$": "SELECT 1;"})
    with (
        pytest.raises(DatabaseError, match=r"wrong failed: UndefinedColumn \(SQLSTATE 42703\)"),
        database.transaction() as tx,
    ):
        queries.wrong(tx)
    with pytest.raises(DatabaseError, match="InFailedSqlTransaction"), database.transaction() as tx:
        with pytest.raises(DatabaseError):
            queries.wrong(tx)
        queries.right(tx)


def test_every_connection_reads_arrays(open_database: Open, watcher: psycopg.Connection[Any], load: Load) -> None:
    """What was found out on one connection holds on another, prepared or not."""
    watcher.execute(SCHEMA.encode(), prepare=False)
    queries = load({"many()$": "SELECT ARRAY['ok']::mood[];"})
    for prepared in ("on", "off"):
        database = open_database(prepared_statements=prepared)
        with database.connection() as one, database.connection() as other:
            assert queries.many(one) == queries.many(other) == ["ok"]


def test_a_column_that_becomes_another_type(
    watcher: psycopg.Connection[Any], database: DatabaseManager, load: Load
) -> None:
    """A table may change under a running application."""
    queries = load({"mood()$": "SELECT e.mood FROM entry AS e;"})
    watcher.execute("INSERT INTO entry VALUES (1, 'ok'); ALTER TABLE entry ALTER mood TYPE text")
    assert queries.mood(database) == "ok"
    watcher.execute("ALTER TABLE entry ALTER mood TYPE mood USING mood::mood")
    assert queries.mood(database) == "ok"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([(1, "a", "ok")], ["(1,a,ok)"]),
        ([(1, None, None), (2, 'quote"d', "sad")], ["(1,,)", '(2,"quote""d",sad)']),
        ([], []),
        ([None], [None]),
        ([[(1, "a", "ok")], [(2, "b", "ok")]], [["(1,a,ok)"], ["(2,b,ok)"]]),
    ],
)
def test_a_list_of_tuples(database: DatabaseManager, load: Load, value: list[Any], shown: list[Any]) -> None:
    """An array of a composite type is given as a list of tuples."""
    queries = load({"items(items)$": "SELECT :items::item[];"})
    assert queries.items(database, items=value) == shown


def test_a_tuple(database: DatabaseManager, load: Load) -> None:
    """A composite is given as a tuple; a table of them by unnest()."""
    queries = load(
        {
            "item(item)$": "SELECT :item::item;",
            "items(items)": "SELECT u.n, u.mood FROM unnest(:items::item[]) AS u;",
        }
    )
    assert queries.item(database, item=(1, "a", "ok")) == "(1,a,ok)"
    assert queries.items(database, items=[(1, "a", "ok"), (2, "b", "sad")]) == [(1, "ok"), (2, "sad")]


def test_registered_types_arrive_as_registered(
    watcher: psycopg.Connection[Any], open_database: Open, load: Load
) -> None:
    """A type that the application has registered with psycopg arrives as what it said."""
    watcher.execute("CREATE TYPE pair AS (a int, b text); CREATE TYPE flag AS ENUM ('up', 'down')")
    pair, flag = CompositeInfo.fetch(watcher, "pair"), EnumInfo.fetch(watcher, "flag")
    assert pair is not None
    assert flag is not None
    register_composite(pair)
    flag.register()
    queries = load({"pair()$": "SELECT (1, 'x')::pair;", "pairs(pairs)$": "SELECT :pairs::pair[];"})
    database = open_database()
    value = queries.pair(database)
    assert (value.a, value.b) == (1, "x")
    assert queries.pairs(database, pairs=[value]) == [value]


def test_values_that_fit_nothing(database: DatabaseManager, load: Load) -> None:
    """A parameter that cannot be sent is an error of ours, whatever the driver raises."""
    queries = load({"moments(moments)$": "SELECT cardinality(:moments::timestamptz[]);", "any(x)$": "SELECT :x::text;"})
    aware = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    recursive: list[Any] = []
    recursive.append(recursive)
    for moments in ([aware, dt.datetime(2024, 1, 2)], [aware, 1], [object()], [[aware], aware], recursive):  # noqa: DTZ001 - so
        with pytest.raises(DatabaseError):
            queries.moments(database, moments=moments)
    for value in (object(), object, lambda: 1, 1j, {"a"}, ...):
        with pytest.raises(DatabaseError):
            queries.any(database, x=value)


def test_what_a_block_raises_is_its_own(database: DatabaseManager, load: Load) -> None:
    """Errors of the code that reads a stream are not taken for the query's."""
    queries = load({"all()": "SELECT 1 AS n;"})
    for kind in (ValueError, TypeError, KeyError):
        with pytest.raises(kind), queries.all_cursor(database):
            raise kind
