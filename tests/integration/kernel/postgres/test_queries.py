"""Queries from files, on a real server: what is sent, how often it is prepared, and what comes back."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from surf_data.embedded import EmbeddedServers
from surf_data.errors import ConstraintViolation, DatabaseError, QueryFileError
from surf_data.kernel.postgres import DatabaseManager, Statement, load_queries

Connection = psycopg.Connection[Any]
Load = Callable[..., Any]
Opener = Callable[..., DatabaseManager]

ITEMS = """\
-- What the shop has.

-- name: item_insert(name, price)<!
-- Adds an item.
INSERT INTO item (name, price) VALUES (:name::text, :price::int4) RETURNING id, name, price;

-- name: item_list()
-- All items.
SELECT i.id, i.name, i.price FROM item AS i ORDER BY i.id;

-- name: item_price(name)$
-- What an item costs.
SELECT i.price FROM item AS i WHERE i.name = :name::text;

-- name: item_find(name)^
-- One item.
SELECT i.id, i.name, i.price FROM item AS i WHERE i.name = :name::text;

-- name: item_discount(percent)!
-- Makes everything cheaper.
UPDATE item SET price = price - price * :percent::int4 / 100 WHERE price > 0;

-- name: item_analyze()#
-- Tells the planner what there is.
ANALYZE item;

-- name: item_copy()#
-- Takes many items at once.
COPY item (name, price) FROM STDIN (FORMAT binary);
"""
ORDERS = """\
-- What was ordered.

-- name: order_count()$
-- How many orders there are.
SELECT count(*) FROM purchase;

-- name: order_insert(item_id)!
-- Orders an item.
INSERT INTO purchase (item_id) VALUES (:item_id::int8);
"""
TABLES = """
    CREATE TABLE item (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, price int4 CHECK (price >= 0)
    );
    CREATE TABLE purchase (item_id bigint REFERENCES item);
"""

# Pieces of expressions: some that go together, some that scanners stumble over.
EXPRESSIONS = [
    *(":a::int", ":b::text", "(:a::int)::text", "ARRAY[:a, 2]", "ARRAY[[:a], [2]]", "('{4,5,6}'::int[])[:a]"),
    *("('{4,5,6}'::int[])[1:2]", "('{4,5,6}'::int[])[1 : 2]", "('{4,5,6}'::int[])[ :a]", "1::text", "7 % 4"),
    *("'a :b ; -- c'", "'it''s :a'", "E'it\\'s :a'", "E'\\\\' || :b", "E'a\\n' || :b::text", "E'a'\n'b\\'c'"),
    *("$$:a$$", "$$it's$$", "$q$ ' $$ $q$", "$q$ -- x\n /* y */ $q$", "$été$'$été$", "U&'\\0041:b'", "N'n'", "'50%'"),
    *("format('%s%%', :b::text)", "'abc' LIKE 'a%'", "'{\"k\": 1}'::jsonb ? 'k'", "substr(:b, 1 , 1)", "' \n  x'"),
    *("-- a comment\n 1", "-- it's\n 2", "/* c */ 3", "4 /* it's */", "5 -- six", "6 /* /* 7 */ */", "'a\n-- b\n'"),
    *("make_interval(days => :a::int)::text", "make_interval(days := :a::int)::text", "$1", "left('abc', :a::int)"),
    *("'a   \n b'", "'a\x0cb'", "E'\\''", "''", "jsonb_build_object('k:a', :a::int)", "(SELECT :a::int AS x$y$z)"),
    *(":a", ":b", "1/**/", "'a'\n'b'", "\"left\"('abc', 1)"),
]
SHARDS = [
    *"'\"$:;,()[]%?-/*\\ \n1x",
    *("''", "E'", "$$", "$q$", "--", "/*", "*/", "::", ":a", ":b", "U&'", " AS "),
]


@pytest.fixture
def shop(watcher: Connection) -> Connection:
    """Return a connection to a database with the tables of a shop."""
    watcher.execute(TABLES)
    return watcher


def prepared(database: DatabaseManager) -> list[tuple[Any, ...]]:
    """Return text and parameter types of what is prepared on the only connection of ``database``."""
    statement = Statement(
        name="prepared",
        sql=b"SELECT statement, parameter_types::text[] FROM pg_prepared_statements"
        b" WHERE statement !~ 'pg_prepared_statements' ORDER BY prepare_time",
    )
    rows: list[tuple[Any, ...]] = database.run(statement, {}, lambda cursor: cursor.fetchall())
    return rows


def test_a_foreign_folder_with_namespaces_is_loaded_and_used(
    shop: Connection, database: DatabaseManager, sql_folder: Callable[..., Path]
) -> None:
    """Folders of SQL that have nothing to do with lamps work, with every operator, each folder a namespace."""
    folder = sql_folder(
        stock__item=ITEMS, sales__north__purchase=ORDERS, ping="-- name: ping()$\n-- Is it there?\nSELECT 1;"
    )
    queries = load_queries(folder, namespace="shop", application="checkout")
    assert queries.ping(database) == 1
    assert queries.stock.item_insert(database, name="board", price=300) == (1, "board", 300)
    with queries.stock.item_copy(database) as writer:
        writer.set_types(["text", "int4"])
        writer.write_row(("wax", 5))
    assert queries.stock.item_list(database) == [(1, "board", 300), (2, "wax", 5)]
    assert queries.stock.item_price(database, name="wax") == 5
    assert queries.stock.item_price(database, name="none") is None
    assert queries.stock.item_find(database, name="board") == (1, "board", 300)
    assert queries.stock.item_find(database, name="none") is None
    assert queries.stock.item_discount(database, percent=50) == 2
    assert queries.stock.item_analyze(database) == "ANALYZE"
    with queries.stock.item_list_cursor(database) as rows:
        assert [price for _, _, price in rows] == [150, 3]
    assert queries.sales.north.order_insert(database, item_id=1) == 1
    assert queries.sales.north.order_count(database) == 1
    with pytest.raises(ConstraintViolation) as caught:
        queries.sales.north.order_insert(database, item_id=99)
    assert caught.value.query == "shop.sales.north.order_insert"
    assert caught.value.constraint == "purchase_item_id_fkey"
    assert queries.stock.item_find.__doc__ == "One item."
    assert {"shop.ping", "shop.stock.item_list", "shop.sales.north.order_count"} <= set(database.statistics())


def test_a_null_value_is_none(database: DatabaseManager, load: Load) -> None:
    """A $ query whose only row holds null returns None, and parameters may be None."""
    queries = load({"nothing(x)$": "SELECT :x::text;"})
    assert queries.nothing(database, x=None) is None


def test_a_percent_sign_is_a_percent_sign(database: DatabaseManager, load: Load, watcher: Connection) -> None:
    """LIKE, modulo, format() and COPY see the % that stands in the file, with and without parameters."""
    queries = load(
        {
            "plain()^": "SELECT 'surf' LIKE 'su%' AS a, 7 % 4 AS b, format('%s%%', 5) AS c, '%(x)s %%' AS d;",
            "bound(x)^": "SELECT :x::text LIKE 's%_f' AS a, 7 % 4 AS b, format('%I', :x::text) AS c;",
            "streamed(x)": "SELECT '%' || :x::text AS a;",
            "copied()#": "COPY word FROM STDIN WHERE w LIKE 'a%' AND length(w) % 2 = 1;",
            "script()#": "COMMENT ON TABLE word IS '100 %';",
        }
    )
    watcher.execute("CREATE TABLE word (w text)")
    assert queries.plain(database) == (True, 3, "5%", "%(x)s %%")
    assert queries.bound(database, x="surf") == (True, 3, "surf")
    with queries.streamed_cursor(database, x="s") as rows:
        assert list(rows) == [("%s",)]
    with queries.copied(database) as writer:
        for word in ("a", "ab", "abc", "b%"):
            writer.write_row((word,))
    assert watcher.execute("SELECT w FROM word ORDER BY w").fetchall() == [("a",), ("abc",)]
    queries.script(database)
    assert watcher.execute("SELECT obj_description('word'::regclass)").fetchone() == ("100 %",)


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("SELECT :x::int4 AS a;", "SELECT /* shop:yard.q */ $1::int4 AS a"),
        ("select\n  :x::int4;", "select /* shop:yard.q */\n  $1::int4"),
        ("WITH t AS (SELECT :x::int4 AS a) TABLE t;", "WITH /* shop:yard.q */ t AS (SELECT $1::int4 AS a) TABLE t"),
        ("((SELECT :x::int4));", "((SELECT /* shop:yard.q */ $1::int4))"),
        ("VALUES (:x::int4) ; -- the end", "VALUES /* shop:yard.q */ ($1::int4)  -- the end"),
        ("/* first */ SELECT :x::int4 -- %;\n;", "SELECT /* shop:yard.q */ $1::int4 -- %;"),
    ],
)
def test_a_statement_is_tagged_behind_its_first_keyword(open_database: Opener, load: Load, sql: str, sent: str) -> None:
    """The server's views show the query's name right behind the first keyword, in a text that never changes."""
    database = open_database(pool_max_size=1)
    queries = load({"q(x)": sql}, namespace="yard", application="shop")
    for value in (1, None, 2):
        assert queries.q(database, x=value) == [(value,)]
    assert {text for text, _ in prepared(database)} == {sent}


def test_a_running_statement_shows_its_tag(database: DatabaseManager, load: Load, watcher: Connection) -> None:
    """pg_stat_activity has the tag and the application's name while a query runs."""
    queries = load({"look()^": "SELECT query, application_name FROM pg_stat_activity WHERE pid = pg_backend_pid();"})
    text, name = queries.look(database)
    assert text.startswith("SELECT /* surf_data:look */ query, application_name FROM")
    assert name == "surf_data"


def test_a_statement_is_prepared_once(open_database: Opener, load: Load) -> None:
    """A query is prepared when it is first used, and once, however large its numbers are."""
    database = open_database(pool_max_size=1)
    queries = load({"q(x)$": "SELECT :x::int8 + 0;", "r(xs, ys)^": "SELECT (:xs::int8 [])[1], (:ys::int8 [])[1];"})
    assert prepared(database) == []
    assert queries.q(database, x=1) == 1
    assert prepared(database) == [("SELECT /* surf_data:q */ $1::int8 + 0", ["bigint"])]
    for x in (-1, 2**15, 2**31, 2**62, -(2**63)):
        assert queries.q(database, x=x) == x
        assert queries.r(database, xs=[1, x], ys=[x, 1]) == (1, x)
    assert [types for _, types in prepared(database)] == [["bigint"], ["bigint[]", "bigint[]"]]


@pytest.mark.parametrize(("setting", "number"), [("auto", 1), ("on", 1), ("off", 0)])
def test_preparation_can_be_switched_off(open_database: Opener, load: Load, setting: str, number: int) -> None:
    """Directly at the server, statements are prepared unless the setting says off."""
    database = open_database(pool_max_size=1, prepared_statements=setting)
    load({"q()$": "SELECT 1;"}).q(database)
    assert len(prepared(database)) == number


def test_a_query_that_wants_its_values_in_the_plan_is_not_prepared(
    open_database: Opener, sql_folder: Callable[..., Path]
) -> None:
    """However often it is run, and also where all others are prepared: its values are known when it is planned."""
    database = open_database(pool_max_size=1, prepared_statements="on")
    text = (
        "-- name: wave_find(x, y)$\n-- A wave.\n-- plan: custom\nSELECT coalesce(:x::int8, :y::int8, 0);\n"
        "-- name: wave_plain(x)$\n-- A wave.\nSELECT :x::int8;\n"
    )
    queries: Any = load_queries(sql_folder(shop=text))
    for x, y in ((1, None), (None, 2), (None, None), (1, 2)) * 3:
        assert queries.wave_find(database, x=x, y=y) == (x or y or 0)
    assert queries.wave_plain(database, x=7) == 7
    assert [text for text, _ in prepared(database)] == ["SELECT /* surf_data:wave_plain */ $1::int8"]
    with database.transaction() as session:
        assert queries.wave_find(session, x=3, y=None) == 3


def test_results_are_binary(database: DatabaseManager) -> None:
    """The server sends columns in their binary form."""
    statement = Statement(name="q", sql=b"SELECT 1::int8, now(), 'x'::text, '{}'::jsonb, '{1}'::int[]")

    def formats(cursor: psycopg.Cursor[Any]) -> list[int]:
        assert cursor.pgresult is not None
        return [cursor.pgresult.fformat(column) for column in range(5)]

    assert database.run(statement, {}, formats) == [1, 1, 1, 1, 1]
    # What the driver has no type for is text in the one form, and bytes in the other.
    statement = Statement(name="q", sql=b"SELECT '(1,2)'::point")
    with database.stream(statement, {}) as stream:
        assert [type(value) for [value] in stream] == [bytes]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({}, "q failed: the parameter x is missing"),
        ({"x": object()}, "q failed: the parameter x has an unknown type"),
        ({"x": [object()]}, "q failed: the parameter x has an unknown type"),
        ({"x": "a\0b"}, "q failed: the parameter x cannot be sent (DataError)"),
        ({"x": "\ud800"}, "q failed: the parameter x cannot be sent (UnicodeEncodeError)"),
        ({"x": 2**63}, "q failed: "),
        ({"x": [1, "a"]}, "q failed: the parameter x cannot be sent (DataError)"),
    ],
    ids=["missing", "type", "element", "nul", "surrogate", "large", "mixed"],
)
def test_a_parameter_that_cannot_be_sent_is_a_database_error(
    database: DatabaseManager, load: Load, refused: Callable[..., Any], parameters: dict[str, Any], problem: str
) -> None:
    """What the driver refuses to bind is reported by its name and kind, and the connection goes on."""
    queries = load({"q(y, x)$": "SELECT :y::text || '%%(z)s' || :x::text;", "rows(y, x)": "SELECT :y::text, :x::text;"})
    error = refused(lambda: queries.q(database, y=None, **parameters), DatabaseError)
    assert str(error).startswith(problem)

    def stream() -> None:
        with queries.rows_cursor(database, y=None, **parameters) as rows:
            list(rows)

    assert str(refused(stream, DatabaseError)).startswith(problem.replace("q failed", "rows failed"))
    assert queries.q(database, y="", x="fine") == "%%(z)sfine"


def test_a_value_that_python_cannot_read_is_a_database_error(
    database: DatabaseManager, load: Load, refused: Callable[..., Any]
) -> None:
    """A row with what Python has no value for is reported by its column, and the connection goes on."""
    queries = load(
        {"far()$": "SELECT 'infinity'::timestamptz;", "long()$": "SELECT ('1' || repeat('0', 5000))::jsonb;"}
    )
    for name, kind in {"far": "timestamptz", "long": "jsonb"}.items():
        error = refused(lambda name=name: getattr(queries, name)(database), DatabaseError)
        assert str(error).startswith(f"{name} failed: column {kind} ({kind}) holds a value that Python cannot hold")
    assert load({"q()$": "SELECT 1;"}).q(database) == 1


@pytest.mark.usefixtures("constant_switching")
def test_threads_may_share_a_connection(database: DatabaseManager, load: Load) -> None:
    """On a held connection the statements of several threads take turns, and each thread gets its own rows."""
    queries = load({"same(number)$": "SELECT :number::int8;"})
    with database.connection() as session, ThreadPoolExecutor(4) as threads:
        numbers = range(2000)
        assert list(threads.map(lambda number: queries.same(session, number=number), numbers)) == [*numbers]


def test_a_result_is_not_kept(database: DatabaseManager, load: Load) -> None:
    """Of a large result nothing is left at the connection when the caller has its rows."""
    queries = load({"large(size)$": "SELECT repeat('x', :size::int4);"})
    with database.connection() as session:
        assert len(queries.large(session, size=100_000_000)) == 100_000_000
        held = psutil.Process().memory_info().rss
        queries.large(session, size=1)
        assert held - psutil.Process().memory_info().rss < 50_000_000


@attrs.frozen
class Item:
    """An item of the shop."""

    id: int
    name: str
    price: int | None


@pytest.mark.parametrize(
    "item",
    [
        Item,
        attrs.make_class("Slim", ["id", "name", "price"], frozen=True, slots=True, weakref_slot=False),
        attrs.make_class("Loose", ["id", "name", "price"], slots=True),
    ],
    ids=["frozen", "frozen without weak references", "not frozen"],
)
def test_rows_become_objects_by_position(
    shop: Connection, database: DatabaseManager, sql_folder: Callable[..., Path], item: Any
) -> None:
    """Queries for rows, for one row, for a RETURNING clause and for a stream return objects of the class."""
    folder = sql_folder(stock__item=ITEMS)
    rows = {f"stock.item_{name}": item for name in ("insert", "list", "find")}
    stock = load_queries(folder, rows=rows).stock
    board, wax = item(1, "board", 300), item(2, "wax", None)
    assert stock.item_insert(database, name="board", price=300) == board
    assert stock.item_insert(database, name="wax", price=None) == wax
    assert stock.item_list(database) == [board, wax]
    assert stock.item_find(database, name="wax") == wax
    assert stock.item_find(database, name="none") is None
    with stock.item_list_cursor(database) as stream:
        assert list(stream) == [board, wax]


@pytest.mark.parametrize(
    "columns",
    ["1 AS id, 'a' AS name", "1 AS id, 'a' AS name, 2 AS price, 3 AS more", "'a' AS name, 1 AS id, 2 AS price"],
)
def test_columns_that_do_not_fit_the_class_are_an_error_with_a_place(
    database: DatabaseManager, load: Load, refused: Callable[..., Any], columns: str
) -> None:
    """Missing, surplus and exchanged columns are found when the query first runs; the error has file and line."""
    queries = load({"q()": f"SELECT {columns};"}, rows={"q": Item})
    error = refused(lambda: queries.q(database), QueryFileError)
    assert error.file.endswith("shop.sql")
    assert error.line == 1
    assert "but the row class has id, name, price" in str(error)
    assert load({"q()$": "SELECT 1;"}).q(database) == 1


@pytest.fixture
def psql(servers: EmbeddedServers, database_url: str) -> Callable[[Path], Any]:
    """Return a function that runs a file in psql, a and b set, and returns the JSON that it prints, or None."""
    command = [servers.postgres_bin / "psql", database_url, "-XAtq"]
    command += [word for variable in ("ON_ERROR_STOP=1", "a=2", "b='b'''::text") for word in ("-v", variable)]

    def run(path: Path) -> Any:
        done = subprocess.run([*command, "-f", path], capture_output=True, check=False, timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None

    return run


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=4), separator=st.sampled_from([",", "\n, "]))
def test_a_file_means_the_same_to_psql(
    database: DatabaseManager,
    sql_folder: Callable[..., Path],
    psql: Callable[[Path], Any],
    pieces: list[str],
    separator: str,
) -> None:
    """What is not refused gives the same result here as when a DBA runs the file in psql."""
    assert_same(database, sql_folder, psql, f"{separator.join(pieces)}{separator}")


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shards=st.lists(st.sampled_from(SHARDS), max_size=8).map("".join))
def test_a_broken_file_means_nothing_else_than_to_psql(
    database: DatabaseManager, sql_folder: Callable[..., Path], psql: Callable[[Path], Any], shards: str
) -> None:
    """Whatever stands in a file, it is refused, or fails at the server, or gives the same result as in psql."""
    assert_same(database, sql_folder, psql, f"'{shards}', ")
    assert_same(database, sql_folder, psql, f"{shards}, ")


def assert_same(
    database: DatabaseManager, sql_folder: Callable[..., Path], psql: Callable[[Path], Any], expressions: str
) -> None:
    """Check that a file is refused, or that the server refuses it, or that its result is psql's."""
    text = f"-- name: q(a, b)$\n-- Answers.\nSELECT jsonb_build_array({expressions}:a::int, :b::text);\n"
    folder = sql_folder(q=text)
    # psql puts text in the place of a variable, which may go where a parameter may not; so failing is no difference.
    with suppress(QueryFileError, DatabaseError):
        result = load_queries(folder).q(database, a=2, b="b'")
        assert psql(folder / "q.sql") == result


def test_a_connection_keeps_so_many_cursors(database: DatabaseManager, load: Callable[..., Any]) -> None:
    """A cursor is kept for each statement that a connection has run, but not for any number of them."""
    queries = load({f"number_{number}()$": f"SELECT {number};" for number in range(250)})
    with database.connection() as session:
        kept: list[int] = []
        session._connection.cursors.clear()
        for number in range(250):
            assert getattr(queries, f"number_{number}")(session) == number
            kept.append(len(session._connection.cursors))
        assert queries.number_249(session) == 249
        assert len(session._connection.cursors) == kept[-1]
    assert (kept[9], max(kept), min(kept[100:])) == (10, 100, 1)


def test_a_long_statement_gets_the_values_of_each_call(database: DatabaseManager, load: Load) -> None:
    """What psycopg converts anew for each call is converted once here, and so is what runs between its calls."""
    names = [f"with_a_long_name_for_a_parameter_{number}" for number in range(60)]
    columns = ",\n".join(f"    :{name}::int8 + {number} AS {name}_plus" for number, name in enumerate(names))
    queries = load({f"wide({', '.join(names)})^": f"SELECT\n{columns};", "narrow(a)$": "SELECT :a::text AS a;"})
    for turn in range(8):
        # Also of another type: null has none.
        given = {name: turn if number != turn else None for number, name in enumerate(names)}
        row = queries.wide(database, **given)
        assert row == tuple(None if number == turn else turn + number for number in range(60))
        assert queries.narrow(database, a=f"{turn}") == f"{turn}"
