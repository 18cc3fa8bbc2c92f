"""What a query writes in every call: what never changes, what is always null, what is always refused."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.analysis.facts import Facts
from surf_data.review.findings.query_rules import query_findings

Queries = Callable[[str], list[QuerySource]]

SCHEMA = """
CREATE DOMAIN filled AS text NOT NULL;
CREATE DOMAIN ready AS text NOT NULL DEFAULT 'x';
CREATE TYPE kind AS ENUM ('a', 'b');
CREATE TABLE town (id int4 PRIMARY KEY, region int4 UNIQUE, UNIQUE (id, region));
CREATE TABLE page (
    id int8 PRIMARY KEY, body text NOT NULL, width int4 NOT NULL, made timestamptz NOT NULL DEFAULT now(),
    number int8 NOT NULL GENERATED ALWAYS AS IDENTITY, doubled int4 NOT NULL GENERATED ALWAYS AS (width * 2) STORED,
    town int4 REFERENCES town
);
CREATE TABLE shop (
    id int4 PRIMARY KEY, code text CONSTRAINT shop_code UNIQUE, price numeric UNIQUE, kind kind UNIQUE, name text,
    town int4 REFERENCES town, region int4 DEFAULT 1 REFERENCES town (region)
);
CREATE INDEX shop_name ON shop (name);
CREATE TABLE street (town int4, region int4, FOREIGN KEY (town, region) REFERENCES town (id, region) MATCH FULL);
CREATE TABLE label (id int4 PRIMARY KEY, said filled, other ready);
CREATE TABLE stamped (id int4 PRIMARY KEY, at timestamptz NOT NULL, town int4 REFERENCES town);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := now(); NEW.town := 1; RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE log (at date NOT NULL, what text NOT NULL) PARTITION BY RANGE (at);
CREATE VIEW pages AS SELECT id, body FROM page;
CREATE VIEW wide AS SELECT body AS said, id, width, town + 1 AS next FROM page;
CREATE VIEW widest AS SELECT w.id, w.said, w.width FROM wide AS w;
CREATE VIEW preset AS SELECT id, body, width FROM page;
ALTER VIEW preset ALTER width SET DEFAULT 1;
CREATE VIEW sent AS SELECT id FROM page;
CREATE TRIGGER sent INSTEAD OF INSERT ON sent FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE VIEW ruling AS SELECT id FROM page;
CREATE RULE nothing AS ON INSERT TO ruling DO INSTEAD NOTHING;
CREATE TABLE ruled (id int4 PRIMARY KEY, name text NOT NULL);
CREATE RULE nothing AS ON INSERT TO ruled DO INSTEAD NOTHING;
"""


@pytest.fixture(scope="module")
def analyst(server: str, new_database: Callable[[str, str], Any]) -> Iterator[Analyst]:
    """Return what analyses queries for the schema above."""
    with new_database(server, "assigned") as connection:
        connection.execute(SCHEMA.encode(), prepare=False)
        yield Analyst(connection)


@pytest.fixture
def facts(analyst: Analyst, queries: Queries) -> Callable[[str], Facts]:
    """Return a function that returns the facts of a query."""

    def of(sql: str) -> Facts:
        [outcome] = map(analyst.outcome, queries(sql))
        assert isinstance(outcome, Facts), outcome
        return outcome

    return of


LEFT_OUT = "is NOT NULL and has no default, and is left out"
SET_NULL = "is NOT NULL and is set to null"


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("INSERT INTO page (id, body) VALUES (:id, :body)", f"page.width {LEFT_OUT}"),
        ("INSERT INTO page (id, body, width) VALUES (:id, :body, DEFAULT)", f"page.width {LEFT_OUT}"),
        ("INSERT INTO page (id, body) SELECT id, :body::text FROM town", f"page.width {LEFT_OUT}"),
        ("INSERT INTO page (id, body) VALUES (1, 'a'), (2, 'b') ON CONFLICT DO NOTHING", f"page.width {LEFT_OUT}"),
        ("INSERT INTO page DEFAULT VALUES", f"page.id {LEFT_OUT}"),
        ("INSERT INTO page (id, body, width) VALUES (:id, NULL, 1)", f"page.body {SET_NULL}"),
        ("INSERT INTO page (id, body, width) VALUES (:id, NULL::varchar(9), 1)", f"page.body {SET_NULL}"),
        ("UPDATE page SET body = NULL WHERE id = :id", f"page.body {SET_NULL}"),
        ("INSERT INTO pages (id, body) VALUES (:id, :body)", f"page.width {LEFT_OUT}"),
        ("INSERT INTO widest (id, width) VALUES (:id, :width)", f"page.body {LEFT_OUT}"),
        ("UPDATE wide SET said = NULL WHERE id = :id", f"page.body {SET_NULL}"),
        ("INSERT INTO label (id) VALUES (:id)", f"label.said {LEFT_OUT}"),
        ("INSERT INTO log (at) VALUES (:at)", f"log.what {LEFT_OUT}"),
        ("WITH made AS (INSERT INTO log (what) VALUES ('x') RETURNING at) SELECT at FROM made", f"log.at {LEFT_OUT}"),
        (
            "MERGE INTO page USING town ON page.id = town.id WHEN NOT MATCHED THEN INSERT (id, width) VALUES (1, 2)",
            f"page.body {LEFT_OUT}",
        ),
        (
            "INSERT INTO page (id, body, width) VALUES (1, 'a', 1) ON CONFLICT (id) DO UPDATE SET body = NULL",
            f"page.body {SET_NULL}",
        ),
    ],
)
def test_what_can_never_succeed(facts: Callable[[str], Facts], analyst: Analyst, sql: str, problem: str) -> None:
    """A write that every call is refused is a problem, and PostgreSQL refuses it indeed."""
    found = facts(sql)
    assert found.problems[0] == f"{problem}: no row can be written"


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO page (id, body, width) VALUES (:id, :body, :width)",
        "INSERT INTO label (id, said) VALUES (:id, :said)",
        "INSERT INTO stamped (id) VALUES (:id)",
        "UPDATE stamped SET at = NULL WHERE id = :id",
        "INSERT INTO wide (id, said, width) VALUES (:id, :said, :width)",
        "INSERT INTO widest (id, said, width) VALUES (:id, :said, :width)",
        "INSERT INTO preset (id, body) VALUES (:id, :body)",
        "INSERT INTO sent (id) VALUES (:id)",
        "INSERT INTO ruling (id) VALUES (:id)",
        "INSERT INTO ruled (id) VALUES (:id)",
        "INSERT INTO shop (id) VALUES (:id)",
        "UPDATE page SET town = NULL WHERE id = :id",
        "DELETE FROM page WHERE id = :id",
        "MERGE INTO page USING town ON page.id = town.id WHEN MATCHED THEN DELETE",
        "SELECT id FROM page WHERE id = :id",
    ],
)
def test_what_can_succeed(facts: Callable[[str], Facts], sql: str) -> None:
    """Defaults, identities, triggers, views and rules fill in what a query leaves out, or may."""
    assert facts(sql).problems == ()


#: Updates, after the findings that there are in them.
UPDATES = [
    ("", "INSERT INTO shop (id, town) VALUES (:id, 1) ON CONFLICT (id) DO UPDATE SET id = excluded.id"),
    ("", "INSERT INTO shop (id, code) VALUES (:id, :c) ON CONFLICT (code) DO UPDATE SET code = excluded.code"),
    ("", "INSERT INTO shop (id) VALUES (1) ON CONFLICT ON CONSTRAINT shop_code DO UPDATE SET code = excluded.code"),
    ("", "INSERT INTO shop (id, kind) VALUES (:id, 'a') ON CONFLICT (kind) DO UPDATE SET kind = excluded.kind"),
    ("", "INSERT INTO shop (id) VALUES (:id) ON CONFLICT (id) DO UPDATE SET name = shop.name"),
    ("", "UPDATE shop SET name = name WHERE id = :id"),
    ("", "MERGE INTO shop USING town ON shop.id = town.id WHEN MATCHED THEN UPDATE SET name = shop.name"),
    # 1.0 and 1.00 are equal, and not the same.
    ("NOT-HOT", "INSERT INTO shop (id) VALUES (1) ON CONFLICT (price) DO UPDATE SET price = excluded.price"),
    ("NOT-HOT", "INSERT INTO shop (id, code) VALUES (1, :c) ON CONFLICT (id) DO UPDATE SET code = excluded.code"),
    ("NOT-HOT", "INSERT INTO shop (id) VALUES (:id) ON CONFLICT (id) DO UPDATE SET name = shop.code"),
    ("NOT-HOT", "UPDATE shop SET code = name WHERE id = :id"),
]


@pytest.mark.parametrize(("code", "sql"), UPDATES)
def test_a_column_that_keeps_its_value(facts: Callable[[str], Facts], analyst: Analyst, code: str, sql: str) -> None:
    """A column that is set to what it has gives no index a new entry."""
    found = facts(sql)
    assert "".join(finding.code for finding in query_findings([found], analyst.catalog)) == code


LOCKS = "locks a row of town FOR KEY SHARE to check "


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("INSERT INTO page (id, body, width) VALUES (1, 'a', 1)", ()),
        ("INSERT INTO page (id, body, width, town) VALUES (1, 'a', 1, NULL)", ()),
        ("INSERT INTO page (id, body, width, town) VALUES (1, 'a', 1, :town)", ("page_town_fkey",)),
        ("INSERT INTO shop (id) VALUES (1)", ("shop_region_fkey",)),
        ("INSERT INTO shop (id, region) VALUES (1, NULL)", ()),
        ("INSERT INTO stamped (id) VALUES (1)", ("stamped_town_fkey",)),
        ("UPDATE page SET town = NULL", ()),
        ("UPDATE page SET town = town", ()),
        ("UPDATE page SET town = :town", ("page_town_fkey",)),
        ("INSERT INTO street (town) VALUES (1)", ("street_town_region_fkey",)),
        ("INSERT INTO street DEFAULT VALUES", ()),
        ("UPDATE town SET id = id", ()),
        (
            "INSERT INTO page (id, body, width) VALUES (1, 'a', 1) ON CONFLICT (id) DO UPDATE SET town = :town",
            ("page_town_fkey",),
        ),
    ],
)
def test_parents_that_are_looked_up(facts: Callable[[str], Facts], sql: str, keys: tuple[str, ...]) -> None:
    """A parent is locked only for a key that is written, is not null, and changes."""
    assert facts(sql).cascades == tuple(f"{LOCKS}{key}" for key in keys)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO page (id, body) VALUES (1, 'a')",
        "INSERT INTO label (id) VALUES (1)",
        "UPDATE town SET id = NULL",
        "INSERT INTO log (at) VALUES (now())",
        "INSERT INTO page (id, body, width) VALUES (1, NULL::varchar(9), 1)",
    ],
)
def test_postgresql_refuses_it_indeed(
    facts: Callable[[str], Facts], database: Callable[[str], psycopg.Connection[Any]], sql: str
) -> None:
    """What is said never to succeed is refused when it is run."""
    connection = database(SCHEMA)
    connection.execute("INSERT INTO town VALUES (1, 1); CREATE TABLE log_1 PARTITION OF log DEFAULT")
    assert facts(sql).problems
    with pytest.raises(psycopg.errors.NotNullViolation):
        connection.execute(sql.encode())
