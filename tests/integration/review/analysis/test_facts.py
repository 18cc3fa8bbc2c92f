"""What PostgreSQL says of queries: parameters, columns, rows, tables, locks, effects."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review import Facts, Outcome, Refusal, analyse, read_queries
from surf_data.review.analysis.analyse import Analyst

Database = Callable[[str], psycopg.Connection[Any]]
Queries = Callable[[str], list[QuerySource]]

SCHEMA = """
CREATE SCHEMA stock;
CREATE TABLE shop (id int4 PRIMARY KEY, name varchar(20) NOT NULL, opened timestamptz);
CREATE TABLE stock.board (
    id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop int4 NOT NULL REFERENCES shop ON DELETE CASCADE ON UPDATE CASCADE,
    label text,
    sold bool NOT NULL DEFAULT false,
    serial text UNIQUE DEFERRABLE,
    UNIQUE (shop, label)
);
CREATE UNIQUE INDEX board_unsold ON stock.board (label) WHERE NOT sold;
CREATE UNIQUE INDEX board_lower ON stock.board (lower(label));
CREATE TABLE repair (
    board int8 REFERENCES stock.board ON DELETE CASCADE, parent int4 REFERENCES shop ON DELETE SET NULL
);
CREATE TABLE note (repair int4, shop int4 REFERENCES shop);
CREATE DOMAIN positive AS int4 CHECK (value > 0);
CREATE TABLE price (id int4 PRIMARY KEY, amount positive NOT NULL, tags text[]);
CREATE TABLE log (at timestamptz NOT NULL, shop int4, PRIMARY KEY (at, shop)) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log DEFAULT;
CREATE TABLE kid () INHERITS (shop);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE OF name ON shop FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER seen AFTER DELETE OR INSERT ON shop FOR EACH STATEMENT EXECUTE FUNCTION touch();
CREATE TRIGGER logged AFTER INSERT ON log_1 FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION write_something() RETURNS int4 LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE VIEW unsold AS
SELECT b.id, b.label, s.name FROM stock.board AS b JOIN shop AS s ON s.id = b.shop WHERE NOT b.sold;
CREATE VIEW only_unsold AS SELECT u.id FROM unsold AS u;
CREATE SEQUENCE numbers;
"""


@pytest.fixture(scope="module")
def analyst(server: str, new_database: Callable[[str, str], Any]) -> Iterator[Analyst]:
    """Return what analyses queries for the schema above."""
    with new_database(server, "facts") as connection:
        connection.execute(SCHEMA.encode(), prepare=False)
        yield Analyst(connection)


@pytest.fixture
def facts(analyst: Analyst, queries: Queries) -> Callable[[str], Facts]:
    """Return a function that returns the facts of a query."""

    def of(sql: str) -> Facts:
        [query] = queries(sql)
        outcome = analyst.outcome(query)
        assert isinstance(outcome, Facts), outcome
        return outcome

    return of


@pytest.fixture
def outcome(analyst: Analyst, tmp_path: Path) -> Callable[[str], Outcome]:
    """Return a function that returns what comes of a query that is written with its header."""

    def of(text: str) -> Outcome:
        (tmp_path / "shop.sql").write_text(text, "utf-8")
        [query] = read_queries(tmp_path)
        return analyst.outcome(query)

    return of


def test_parameters(facts: Callable[[str], Facts]) -> None:
    """A parameter has a type, the columns that it is stored in, and is null only where that makes sense."""
    found = facts(
        "INSERT INTO stock.board (shop, label, serial) VALUES (:shop, :label::varchar, lower(:serial))"
        " ON CONFLICT (shop, label) DO UPDATE SET label = :label"
    ).parameters
    assert [(each.name, each.type.name, each.stored_in, each.nullable) for each in found] == [
        ("shop", "integer", ("stock.board.shop",), False),
        ("label", "character varying", ("stock.board.label",), True),
        ("serial", "text", (), True),
    ]
    assert found[0].reason == "stock.board.shop is NOT NULL"


@pytest.mark.parametrize(
    ("sql", "stored"),
    [
        ("INSERT INTO price (id, amount) VALUES (1, :x), (2, :x::int4::positive)", ("price.amount",)),
        ("INSERT INTO price (id, amount) SELECT 1, v.a FROM (SELECT :x::int4 AS a) AS v", ("price.amount",)),
        ("INSERT INTO price (id, amount) SELECT 1, a FROM unnest(:x::int4[]) AS u (a)", ()),
        ('INSERT INTO shop (id, name) VALUES (1, :x COLLATE "C")', ("shop.name",)),
        ("INSERT INTO shop (id, name) VALUES (1, :x::int4::text)", ("shop.name",)),
        ("UPDATE price SET tags = :x::varchar[] WHERE id = 1", ("price.tags",)),
        ("UPDATE price SET amount = amount + :x", ()),
        ("UPDATE price SET amount = (SELECT max(:x::int4))", ()),
        (
            "MERGE INTO price AS p USING shop AS s ON p.id = s.id WHEN MATCHED THEN UPDATE SET amount = :x",
            ("price.amount",),
        ),
        ("WITH w AS (UPDATE shop SET name = :x RETURNING id) SELECT id FROM w", ("shop.name",)),
    ],
)
def test_stored(facts: Callable[[str], Facts], sql: str, stored: tuple[str, ...]) -> None:
    """A parameter that is only cast on its way to a column is stored in it."""
    assert facts(sql).parameters[0].stored_in == stored


@pytest.mark.parametrize(
    ("sql", "nullable"),
    [
        ("SELECT 1 FROM shop WHERE id = :x", False),
        ("SELECT 1 FROM shop WHERE id = ANY (:x)", False),
        ("SELECT 1 FROM shop WHERE name LIKE '%' || :x || '%'", False),
        ("UPDATE shop SET opened = now() WHERE id = :x", False),
        ("SELECT 1 FROM shop WHERE :x::int4 IS NULL OR id = :x", True),
        ("SELECT 1 FROM shop WHERE id = coalesce(:x, 1)", True),
        ("SELECT 1 FROM shop LIMIT :x", True),
        ("SELECT (SELECT name FROM shop WHERE id = :x)", True),
    ],
)
def test_nullable_parameters(facts: Callable[[str], Facts], sql: str, *, nullable: bool) -> None:
    """A parameter that makes the condition fail whenever it is null is not meant to be null."""
    assert facts(sql).parameters[0].nullable is nullable


def test_columns(facts: Callable[[str], Facts]) -> None:
    """A column has a type, whether it may be null and why, and where it comes from; a domain is what it restricts."""
    found = facts(
        "SELECT p.amount, s.name AS shop, count(*) OVER () AS n FROM price AS p LEFT JOIN shop AS s USING (id)"
    )
    assert found.columns is not None
    assert [(each.name, each.type.name, each.nullable, each.reason, each.origin) for each in found.columns] == [
        ("amount", "integer", False, "price.amount is NOT NULL", "price.amount"),
        ("shop", "character varying", True, "an outer join may find no row", "shop.name"),
        ("n", "bigint", False, "count() is never null", None),
    ]


def test_no_columns(facts: Callable[[str], Facts]) -> None:
    """A change that returns nothing has no columns."""
    assert facts("DELETE FROM price").columns is None


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT 1", "exactly one"),
        ("SELECT 1 WHERE random() < 2", "at most one"),
        ("SELECT count(*) FROM shop", "exactly one"),
        ("SELECT count(*) FROM shop HAVING count(*) > 1", "at most one"),
        ("SELECT name FROM log_1 JOIN price ON true JOIN shop ON true", "many"),
        ("SELECT amount FROM price WHERE id = :x", "at most one"),
        ("SELECT amount FROM price WHERE :x = id AND amount > 1", "at most one"),
        ("SELECT amount FROM price WHERE id = :x OR id = 1", "many"),
        ("SELECT amount FROM price WHERE id = :x::numeric", "many"),
        ("SELECT amount FROM price WHERE id = write_something()", "many"),
        ("SELECT amount FROM price WHERE id = (SELECT 1)", "at most one"),
        ("SELECT amount FROM price WHERE id = (SELECT s.id FROM shop AS s WHERE s.name = :name)", "at most one"),
        ("SELECT amount FROM price WHERE id = abs((SELECT x.n FROM (SELECT 1 AS n) AS x))", "at most one"),
        ("SELECT amount FROM price WHERE id = (SELECT random()::int4)", "many"),
        ("SELECT amount FROM price WHERE id = (SELECT amount)", "many"),
        ("SELECT amount FROM price AS p WHERE id = (SELECT (SELECT p.amount))", "many"),
        ("SELECT amount FROM price AS p WHERE id = (SELECT (SELECT x.n) FROM (SELECT 1 AS n) AS x)", "at most one"),
        ("WITH c AS (SELECT 1 AS n) SELECT amount FROM price WHERE id = (SELECT n FROM c)", "many"),
        ("SELECT amount FROM price WHERE (id = 1) = EXISTS (SELECT 1)", "many"),
        ("SELECT amount FROM price WHERE id = amount", "many"),
        ("SELECT amount FROM price WHERE id > :x", "many"),
        ("SELECT name FROM shop WHERE id = :x", "many"),
        ("SELECT name FROM ONLY shop WHERE id = :x", "at most one"),
        ("SELECT label FROM stock.board WHERE shop = :x AND label = :y", "at most one"),
        ("SELECT label FROM stock.board WHERE label = :y", "many"),
        ("SELECT label FROM stock.board WHERE lower(label) = :y", "many"),
        ("SELECT label FROM stock.board WHERE serial = :y", "many"),
        ('SELECT label FROM stock.board WHERE label = :y COLLATE "C" AND shop = 1', "many"),
        ("SELECT 1 FROM log WHERE at = :x AND shop = :y", "at most one"),
        ("SELECT 1 FROM stock.board AS b JOIN price AS p ON p.id = b.shop WHERE b.id = :x", "at most one"),
        ("SELECT 1 FROM stock.board AS b LEFT JOIN price AS p ON p.id = b.shop WHERE b.id = :x", "at most one"),
        ("SELECT 1 FROM price AS p RIGHT JOIN stock.board AS b ON p.id = b.shop WHERE b.id = :x", "at most one"),
        ("SELECT 1 FROM price AS p FULL JOIN stock.board AS b ON p.id = b.shop WHERE b.id = :x", "many"),
        ("SELECT 1 FROM stock.board AS b LEFT JOIN price AS p ON b.id = 1 WHERE p.id = :x", "many"),
        ("SELECT 1 FROM stock.board AS b JOIN price AS p USING (id) WHERE id = :x", "at most one"),
        ("SELECT 1 FROM price LIMIT 1", "at most one"),
        ("SELECT 1 FROM price LIMIT 2", "many"),
        ("SELECT 1 FROM price ORDER BY amount FETCH FIRST 1 ROW WITH TIES", "many"),
        ("SELECT 1 LIMIT NULL", "at most one"),
        ("SELECT 1 LIMIT :x", "at most one"),
        ("SELECT 1 OFFSET 0", "at most one"),
        ("SELECT max(amount) FROM price WHERE id = :x GROUP BY id", "at most one"),
        ("SELECT amount, count(*) FROM price WHERE amount = :x GROUP BY amount", "at most one"),
        ("SELECT amount, count(*) FROM price WHERE amount > :x GROUP BY amount", "many"),
        ("SELECT amount + 1, count(*) FROM price WHERE amount = :x GROUP BY amount + 1", "many"),
        ("SELECT count(*) FROM price GROUP BY ROLLUP (amount)", "many"),
        ("SELECT generate_series(1, 2)", "many"),
        ("SELECT * FROM generate_series(1, 2)", "many"),
        ("SELECT * FROM now()", "exactly one"),
        ("SELECT 1 UNION SELECT 2", "one or more"),
        ("SELECT 1 INTERSECT SELECT 2", "at most one"),
        ("SELECT amount FROM price EXCEPT SELECT 2", "many"),
        ("VALUES (1)", "exactly one"),
        ("VALUES (1), (2)", "one or more"),
        ("WITH c AS (SELECT 1 AS a) SELECT a FROM c", "exactly one"),
        ("WITH RECURSIVE c AS (SELECT 1 AS a UNION SELECT a + 1 FROM c) SELECT a FROM c", "many"),
        ("SELECT 1 FROM (SELECT 1) AS a LEFT JOIN (SELECT 2) AS b ON true", "exactly one"),
        ("SELECT 1 FROM (SELECT 1) AS a RIGHT JOIN (SELECT 2) AS b ON true", "exactly one"),
        ("SELECT 1 FROM (SELECT 1) AS a CROSS JOIN (SELECT 2) AS b", "exactly one"),
        ("SELECT 1 FROM (SELECT 1 AS x) AS a JOIN (SELECT 2 AS x) AS b ON a.x = b.x", "at most one"),
        ("SELECT id FROM price WHERE id = 1 FOR UPDATE SKIP LOCKED", "at most one"),
        ("SELECT id FROM unsold WHERE id = :x", "many"),
        ("INSERT INTO price VALUES (1, 2)", "exactly one"),
        ("INSERT INTO price VALUES (1, 2), (2, 3)", "one or more"),
        ("INSERT INTO price SELECT 1, amount FROM price", "many"),
        ("INSERT INTO price VALUES (1, 2) ON CONFLICT DO NOTHING", "at most one"),
        ("INSERT INTO price VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET amount = 3", "exactly one"),
        ("INSERT INTO price VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET amount = 3 WHERE price.id > 1", "at most one"),
        ("INSERT INTO shop VALUES (1, 'x')", "exactly one"),
        ("INSERT INTO shop VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'y'", "at most one"),
        ("UPDATE price SET amount = 1 WHERE id = :x", "at most one"),
        ("UPDATE price SET amount = 1 FROM shop WHERE price.id = shop.id", "many"),
        ("UPDATE price SET amount = 1 FROM shop WHERE price.id = 1 AND shop.id > 1", "at most one"),
        ("DELETE FROM price", "many"),
        ("DELETE FROM price WHERE CURRENT OF prices", "at most one"),
        ("MERGE INTO price AS p USING shop AS s ON p.id = s.id WHEN MATCHED THEN DELETE", "many"),
    ],
)
def test_rows(facts: Callable[[str], Facts], sql: str, rows: str) -> None:
    """A query gives or changes exactly one row, at most one, or many, as keys, limits and joins have it."""
    assert str(facts(sql).rows) == rows


def test_tables(facts: Callable[[str], Facts]) -> None:
    """Of each table it is known what is done with it, which columns are read and written, and which locks it takes."""
    found = facts(
        "UPDATE stock.board AS b SET label = s.name, shop = s.id FROM shop AS s WHERE s.id = b.shop AND b.sold"
    ).tables
    board, shop = sorted(found, key=lambda each: each.table, reverse=True)
    assert (board.table, board.operations, board.lock) == ("stock.board", ("SELECT", "UPDATE"), "ROW EXCLUSIVE")
    assert (board.columns_read, board.columns_written) == (("shop", "sold"), ("shop", "label"))
    assert board.row_lock == "FOR UPDATE"
    assert (shop.table, shop.operations, shop.lock) == ("shop", ("SELECT",), "ACCESS SHARE")
    assert (shop.columns_read, shop.row_lock) == (("id", "name"), None)


@pytest.mark.parametrize(
    ("sql", "lock"),
    [
        ("UPDATE price SET amount = 1", "FOR NO KEY UPDATE"),
        ("UPDATE price SET id = 1", "FOR UPDATE"),
        ("DELETE FROM price", "FOR UPDATE"),
        ("INSERT INTO price VALUES (1, 2)", None),
        ("SELECT 1 FROM price", None),
        ("SELECT 1 FROM price FOR KEY SHARE", "FOR KEY SHARE"),
        ("SELECT 1 FROM price AS a, price AS b FOR SHARE OF a FOR UPDATE OF b", "FOR UPDATE"),
    ],
)
def test_row_locks(facts: Callable[[str], Facts], sql: str, lock: str | None) -> None:
    """The lock on the rows is the strongest that the query takes."""
    assert facts(sql).tables[0].row_lock == lock


def test_whole_row(facts: Callable[[str], Facts]) -> None:
    """What reads a row as a whole reads all of its columns."""
    assert facts("SELECT p FROM price AS p").tables[0].columns_read == ("id", "amount", "tags")


def test_views(facts: Callable[[str], Facts]) -> None:
    """Behind a view are the tables that it reads, and so on."""
    found = {(each.table, each.through) for each in facts("SELECT id FROM only_unsold").tables}
    expected = {("only_unsold", None), ("unsold", "only_unsold"), ("stock.board", "unsold"), ("shop", "unsold")}
    assert found == expected


@pytest.mark.parametrize(
    ("sql", "triggers"),
    [
        ("UPDATE shop SET name = 'x'", ("shop.touch calls touch() on UPDATE",)),
        ("UPDATE shop SET opened = NULL", ()),
        ("DELETE FROM shop", ("shop.seen calls touch() on DELETE",)),
        ("INSERT INTO log VALUES (now(), 1)", ("log.logged calls touch() on INSERT",)),
        (
            "INSERT INTO shop VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = 'x'",
            ("shop.seen calls touch() on INSERT", "shop.touch calls touch() on UPDATE"),
        ),
        (
            "MERGE INTO shop AS s USING price AS p ON p.id = s.id WHEN MATCHED THEN DELETE",
            ("shop.seen calls touch() on DELETE",),
        ),
        ("WITH gone AS (DELETE FROM shop RETURNING id) SELECT id FROM gone", ("shop.seen calls touch() on DELETE",)),
    ],
)
def test_triggers(facts: Callable[[str], Facts], sql: str, triggers: tuple[str, ...]) -> None:
    """The triggers that a query fires are known, those of partitions included."""
    assert facts(sql).triggers == triggers


@pytest.mark.parametrize(
    ("sql", "cascades"),
    [
        (
            "DELETE FROM shop",
            (
                "is refused while there are rows in note by note_shop_fkey",
                "sets null in rows of repair by repair_parent_fkey",
                "deletes rows of stock.board by board_shop_fkey",
                "deletes rows of repair by repair_board_fkey",
            ),
        ),
        ("UPDATE shop SET name = 'x'", ()),
        ("DELETE FROM repair", ()),
        (
            "UPDATE shop SET id = 1",
            (
                "is refused while there are rows in note by note_shop_fkey",
                "is refused while there are rows in repair by repair_parent_fkey",
                "changes the key in rows of stock.board by board_shop_fkey",
            ),
        ),
        ("INSERT INTO note VALUES (1, 2)", ("locks a row of shop FOR KEY SHARE to check note_shop_fkey",)),
        ("UPDATE note SET repair = 1", ()),
        ("UPDATE note SET shop = 1", ("locks a row of shop FOR KEY SHARE to check note_shop_fkey",)),
    ],
)
def test_cascades(facts: Callable[[str], Facts], sql: str, cascades: tuple[str, ...]) -> None:
    """What foreign keys make of a change in other tables is known, through as many tables as it takes."""
    assert sorted(facts(sql).cascades) == sorted(cascades)


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ("SELECT random(), clock_timestamp(), count(*) FROM price", ()),
        ("SELECT nextval('numbers')", ("nextval() writes",)),
        ("SELECT write_something()", ("write_something() may write",)),
        ("SELECT 1 FROM price FOR SHARE", ("row lock on price",)),
        ("SELECT 1 FROM price AS p JOIN (SELECT 1 AS x) AS s ON true FOR UPDATE", ("row lock on price",)),
        ("DELETE FROM price", ("DELETE price",)),
        ("WITH w AS (INSERT INTO price VALUES (1, 2)) SELECT 1", ("INSERT price",)),
    ],
)
def test_read_only(facts: Callable[[str], Facts], sql: str, writes: tuple[str, ...]) -> None:
    """A query is read-only unless it changes, locks rows, or calls what writes or may."""
    found = facts(sql)
    assert (found.writes, found.read_only) == (writes, not writes)


def test_volatile_functions(facts: Callable[[str], Facts]) -> None:
    """The volatile functions that a query calls are named once."""
    found = facts("SELECT random(), write_something(), lower('A') FROM price WHERE random() > 0.5")
    assert sorted(found.volatile_functions) == ["random()", "write_something()"]


def test_same_tree(facts: Callable[[str], Facts]) -> None:
    """Two layouts of a query are equal as the server sees them, and another query is not."""
    one, other, different = (
        facts(sql).tree.text()
        for sql in (
            "SELECT amount FROM price WHERE id = :x AND amount > 1",
            "select amount\nfrom price -- all of them\nwhere id=:y and amount>1",
            "SELECT amount FROM price WHERE id = :x AND amount > 2",
        )
    )
    assert one == other != different


@pytest.mark.parametrize(
    "sql",
    [
        "COPY price (id, amount) FROM STDIN",
        "COPY price FROM STDIN (FORMAT binary)",
        'COPY "price"(id,amount) from stdin',
    ],
)
def test_copy_in(facts: Callable[[str], Facts], sql: str) -> None:
    """COPY into a table locks and writes as an INSERT does."""
    found = facts(sql)
    assert (found.command, str(found.rows), found.columns, found.parameters) == ("COPY", "many", None, ())
    assert (found.tables[0].operations, found.tables[0].lock) == (("INSERT",), "ROW EXCLUSIVE")
    assert {"id", "amount"} <= set(found.tables[0].columns_written)


@pytest.mark.parametrize("sql", ["COPY price (amount) TO STDOUT", "COPY (SELECT amount FROM price) TO STDOUT"])
def test_copy_out(facts: Callable[[str], Facts], sql: str) -> None:
    """COPY out of a table or a query reads."""
    found = facts(sql)
    assert found.read_only
    assert found.tables[0].columns_read == ("amount",)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("-- name: a()\n-- A.\nSELECT nope FROM\n  shop;", 3, 'column "nope" does not exist'),
        ("-- name: a()\n-- A.\nSELECT id FROM shop\nWHERE nope = 1;", 4, 'column "nope" does not exist'),
        ("-- name: a()\n-- A.\nCREATE TABLE x (a int4);", 3, "PostgreSQL does not analyse CREATE before it runs"),
        ("-- name: a()\n-- A.\nSELECT 1; SELECT 2;", 3, "it is several statements; make each a query"),
        (
            "-- name: a()#\n-- A.\nSELECT 1; SELECT 2;",
            3,
            "it is several statements, which PostgreSQL does not analyse as one",
        ),
        ("-- name: a()\n-- A.\nSELECT $1::int4;", 3, "it has parameters by number; write :name"),
        ("-- name: a()\n-- A.\nCOPY shop FROM PROGRAM 'x' x;;", 3, "it is several statements"),
        ("-- name: a()\n-- A.\nCOPY nothing;", 3, "this form of COPY is not known here"),
        ("-- name: a()\n-- A.\nCOPY (SELECT :x::int4) TO STDOUT;", 3, "this form of COPY is not known here"),
        ("-- name: a()\n-- A.\nSELECT 1 INTO shop;", 3, "SELECT ... INTO is not allowed here"),
        (
            "-- name: a(since)\n-- A.\nSELECT id FROM shop WHERE opened > now() - :since;",
            3,
            "A parameter has no type of its own: write :since::type",
        ),
        (
            "-- name: a(x)\n-- A.\nSELECT jsonb_build_object('x', :x);",
            3,
            "could not determine data type of parameter :x",
        ),
    ],
)
def test_refusals(outcome: Callable[[str], Outcome], text: str, line: int, reason: str) -> None:
    """A query that cannot be analysed is listed with its line and a reason to act on."""
    refusal = outcome(text)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
    assert line == refusal.line


def test_nothing_is_left(database: Database, queries: Queries) -> None:
    """The analysis runs no query, and leaves nothing in the database."""
    connection = database(SCHEMA)
    analyse(connection, queries("INSERT INTO price VALUES (1, 2); SELECT nextval('numbers'); SELECT nope"))
    left = connection.execute(
        "SELECT count(*) FROM price UNION ALL SELECT count(*) FROM pg_proc WHERE proname ~ 'review'"
    )
    assert left.fetchall() == [(0,), (0,)]
    assert connection.execute("SELECT is_called FROM numbers").fetchone() == (False,)


def test_lost_connection(database: Database, queries: Queries) -> None:
    """A connection that is lost is no property of the query."""
    connection = database(SCHEMA)
    analyst = Analyst(connection)
    [query] = queries("SELECT 1")
    with psycopg.connect(connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(DatabaseUnavailable):
        analyst.outcome(query)


def test_another_server(database: Database, queries: Queries) -> None:
    """A query of which the server says what is not understood is listed as such, and the rest goes on."""
    analyst = Analyst(database(SCHEMA))
    analyst.catalog = attrs.evolve(analyst.catalog, types={})
    [query] = queries("SELECT id FROM price")
    refusal = analyst.outcome(query)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "what the server says of it is not understood (KeyError)"


@pytest.mark.parametrize(
    ("sql", "problems"),
    [
        ("SELECT id FROM price", ()),
        ("SELECT id FROM price FOR UPDATE", ("a replica refuses it: row lock on price",)),
        ("SELECT nextval('numbers')", ("a replica refuses it: nextval() writes",)),
    ],
)
def test_replicas(outcome: Callable[[str], Outcome], sql: str, problems: tuple[str, ...]) -> None:
    """What is marked for replicas and is refused there is reported."""
    found = outcome(f"-- name: a()\n-- A.\n-- replica: ok\n{sql};")
    assert isinstance(found, Facts)
    assert found.problems == problems
