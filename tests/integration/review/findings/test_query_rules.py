"""Findings that need no plan: of queries by what they are, of foreign keys without an index."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.review import Finding, read_queries
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.findings.query_rules import query_findings
from surf_data.review.findings.schema_rules import missing_indexes
from surf_data.review.findings.suppressions import settled
from surf_data.review.findings.thresholds import Thresholds
from surf_data.review.rules import Suppression

SCHEMA = """
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TABLE shop (id int4 PRIMARY KEY, code uuid UNIQUE, name varchar(20), town text, opened timestamptz, mood mood,
    visits int4 NOT NULL DEFAULT 0, noted timestamptz, note text);
CREATE INDEX shop_opened ON shop (opened);
CREATE INDEX shop_name ON shop (name);
CREATE INDEX shop_mood ON shop (mood);
CREATE INDEX shop_noted ON shop USING brin (noted);
CREATE INDEX shop_town ON shop (lower(town)) WHERE visits > 100;
CREATE INDEX shop_id_text ON shop ((id::text));
CREATE SCHEMA stock;
CREATE TABLE stock.board (id int8 PRIMARY KEY, shop int4 REFERENCES shop ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE tag (board int8 REFERENCES stock.board ON DELETE SET NULL, shop int4 REFERENCES shop, label text);
CREATE INDEX tag_shop ON tag (shop) WHERE shop IS NOT NULL;
"""


@pytest.fixture(scope="module")
def analyst(server: str, new_database: Callable[[str, str], Any]) -> Iterator[Analyst]:
    """Return what analyses queries for the schema above."""
    with new_database(server, "rules") as connection:
        connection.execute(SCHEMA.encode(), prepare=False)
        yield Analyst(connection)


@pytest.fixture
def findings(analyst: Analyst, tmp_path: Path) -> Callable[[str, str], list[Finding]]:
    """Return a function that returns what is found in a query."""

    def of(sql: str, operator: str = "") -> list[Finding]:
        file = tmp_path / "shop.sql"
        file.write_text(f"-- What is asked of shops.\n\n-- name: asked{operator}\n-- A query.\n{sql};\n", "utf-8")
        return list(query_findings(map(analyst.outcome, read_queries(file)), analyst.catalog))

    return of


@pytest.mark.parametrize(
    ("operator", "sql", "about", "told"),
    [
        ("^", "SELECT name FROM shop WHERE town = :town", "ONE-OF-MANY", "no condition picks a single row"),
        ("$", "SELECT name FROM shop LIMIT 1", "ONE-OF-MANY", "any row there is"),
        ("<!", "UPDATE shop SET note = :note WHERE town = :t RETURNING id", "ONE-OF-MANY", "unique key"),
        ("!", "UPDATE shop SET opened = :at, note = '' WHERE id = :id", "NOT-HOT shop", "opened (in shop_opened)"),
        ("!", "UPDATE shop SET visits = visits + 1 WHERE id = :id", "NOT-HOT shop", "visits (in shop_town)"),
        (
            "!",
            "INSERT INTO shop (id, name) VALUES (:id, :name) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            "NOT-HOT shop",
            "name (in shop_name)",
        ),
        (
            "!",
            "DELETE FROM shop WHERE id = :id",
            "CASCADE deletes rows of stock.board by board_shop_fkey,CASCADE sets null in rows of tag by tag_board_fkey",
            "without a word",
        ),
        (
            "!",
            "UPDATE shop SET id = :new WHERE id = :old",
            "NOT-HOT shop,CASCADE changes the key in rows of stock.board by board_shop_fkey",
            "id (in shop_id_text, shop_pkey)",
        ),
        ("", "SELECT id FROM shop WHERE id = :id::numeric", "LOST-INDEX shop.id", "write :id::integer"),
        ("", "SELECT id FROM shop WHERE code::text = :code", "LOST-INDEX shop.code", "compared as text, so that shop_"),
        ("", "SELECT id FROM shop WHERE :m::text = mood::text", "LOST-INDEX shop.mood", "write :m::mood"),
        ("", "SELECT id FROM shop WHERE opened::date >= current_date", "LOST-INDEX shop.opened", "cast the other side"),
        (
            "",
            "SELECT s.id FROM shop AS s WHERE EXISTS (SELECT 1 FROM shop AS t WHERE t.opened::date = s.opened::date)",
            "LOST-INDEX shop.opened",
            "shop_opened does not serve",
        ),
        ("", "SELECT id FROM shop WHERE code::text IN (:a, :b)", "LOST-INDEX shop.code", "does not serve"),
        ("", "SELECT :label AS label", "UNTYPED label", "write :label::text, or"),
        ("", "SELECT visits * :factor AS visits FROM shop", "UNTYPED factor", "its type, integer, by"),
        ("", "SELECT id FROM shop WHERE lower(:name) = town", "UNTYPED name", "write :name::text"),
        ("", "SELECT id FROM shop WHERE :kind = 'open'", "UNTYPED kind", "write :kind::text"),
        ("", "SELECT coalesce(:a, :b) AS either", "UNTYPED a,UNTYPED b", "write"),
        ("", "SELECT mood FROM shop", "UNREAD-TYPE mood", "arrives as text, and the whole row with it: write ::text"),
        ("^", "SELECT ARRAY['calm'::mood] AS moods", "UNREAD-TYPE moods", "of the type mood[], which arrives"),
        ("$", "SELECT '(1,2)'::point AS place", "UNREAD-TYPE place", "of the type point"),
        ("<!", "INSERT INTO shop (id) VALUES (1) RETURNING mood", "UNREAD-TYPE mood", "write ::text"),
        ("", "SELECT '12.5'::money AS price, 'a'::tsvector AS words", "UNREAD-TYPE price,UNREAD-TYPE words", "money"),
    ],
)
def test_found(findings: Callable[[str, str], list[Finding]], operator: str, sql: str, about: str, told: str) -> None:
    """What is wrong with a query is found, and told with what to do about it."""
    found = findings(sql, operator)
    assert about.split(",") == [f"{finding.code} {finding.about}".strip() for finding in found]
    assert told in found[0].message
    assert {(finding.subject, finding.line) for finding in found} == {("asked", 3)}


@pytest.mark.parametrize(
    ("operator", "sql"),
    [
        ("^", "SELECT name FROM shop WHERE id = :id"),
        ("$", "SELECT count(*) FROM shop"),
        ("$", "SELECT name FROM shop ORDER BY opened LIMIT 1"),
        ("", "SELECT name FROM shop"),
        ("!", "UPDATE shop SET note = :note, noted = now() WHERE town = :town"),
        ("!", "INSERT INTO shop (id, opened) VALUES (:id, :opened)"),
        ("!", "DELETE FROM tag WHERE shop = :shop"),
        ("!", "DELETE FROM tag WHERE shop = cast(:shop AS integer)"),
        ("", "SELECT id FROM shop WHERE id::text = :id"),
        ("", "SELECT id FROM shop WHERE id = :id::int8 OR name = :name::text"),
        ("", "SELECT id FROM shop WHERE visits::text = :visits"),
        ("", "SELECT opened::date AS day FROM shop WHERE (town = :town) = :wanted AND id = ANY(:ids)"),
        ("", "SELECT x.n FROM (VALUES (1)) AS x (n) WHERE x.n::text = :n"),
        ("", "SELECT id FROM shop WHERE (town, note) < (:town, :note) ORDER BY id LIMIT :few OFFSET :from"),
        ("", "SELECT id FROM shop WHERE town = coalesce(:town, town) AND :flag"),
        ("", "SELECT CASE WHEN visits > 3 THEN :many ELSE town END AS town FROM shop WHERE :since < now()"),
        ("", "SELECT make_interval(days => :days) AS span"),
        ("!", "UPDATE tag SET label = 'calm' WHERE false RETURNING NULL::point"),
        ("", "SELECT pg_sleep(0)"),
        ("", "SELEC"),
    ],
)
def test_not_found(findings: Callable[[str, str], list[Finding]], operator: str, sql: str) -> None:
    """Nothing is said where there is nothing to say."""
    assert findings(sql, operator) == []


def test_foreign_keys(analyst: Analyst) -> None:
    """A foreign key that no index serves is found; a partial index without nulls serves."""
    found = list(missing_indexes(analyst.catalog, Thresholds()))
    assert [(finding.subject, finding.about) for finding in found] == [
        ("board_shop_fkey", "stock.board"),
        ("tag_board_fkey", "tag"),
    ]
    assert found[0].message.endswith("CREATE INDEX CONCURRENTLY ON stock.board (shop)")


def test_foreign_keys_of_small_tables(database: Callable[[str], psycopg.Connection[Any]]) -> None:
    """A table that is known to be small is read in no time; one that is big is reported with its rows."""
    connection = database("""
        CREATE TABLE shop (id int4 PRIMARY KEY, town int4, UNIQUE (id, town));
        CREATE TABLE few (shop int4 REFERENCES shop);
        CREATE TABLE many (shop int4, town int4, note text, FOREIGN KEY (shop, town) REFERENCES shop (id, town));
        CREATE TABLE swapped (shop int4, town int4, note text, FOREIGN KEY (shop, town) REFERENCES shop (id, town));
        CREATE INDEX swapped_key ON swapped (town, shop, note);
        CREATE INDEX many_note ON many (shop, note) INCLUDE (town);
        INSERT INTO few VALUES (NULL);
        INSERT INTO many SELECT NULL FROM generate_series(1, 10);
        ANALYZE few, many;
    """)
    [found] = missing_indexes(Analyst(connection).catalog, Thresholds(big_table=10))
    assert (found.subject, found.about) == ("many_shop_town_fkey", "many")
    assert "all of many, 10 rows, read" in found.message


def test_constraints_that_share_a_name(database: Callable[[str], psycopg.Connection[Any]]) -> None:
    """Of constraints with one name the first is called by it alone, and a suppression accepts one of them."""
    connection = database("""
        CREATE SCHEMA stock;
        CREATE TABLE shop (id int4 PRIMARY KEY);
        CREATE TABLE small (shop int4 CONSTRAINT fk_shop REFERENCES shop);
        CREATE TABLE served (shop int4 PRIMARY KEY CONSTRAINT fk_shop REFERENCES shop);
        CREATE TABLE large (shop int4 CONSTRAINT fk_shop REFERENCES shop);
        CREATE TABLE stock.large (shop int4 CONSTRAINT fk_shop REFERENCES shop);
        CREATE TABLE other (shop int4 CONSTRAINT fk_other REFERENCES shop);
    """)
    found = list(missing_indexes(Analyst(connection).catalog, Thresholds()))
    subjects = ["fk_shop", "large.fk_shop", "stock.large.fk_shop", "fk_other"]
    assert [finding.subject for finding in found] == subjects
    for subject, accepted in [*((each, each) for each in subjects), ("small.fk_shop", "fk_shop")]:
        said = Suppression(code="FK-INDEX", subject=subject, reason="few", file=Path("scale.toml"), line=None)
        known = list(settled(found, [said], {"FK-INDEX"}))
        assert [each.subject for each in known if each.accepted] == [accepted]
        assert len(known) == len(found)


def test_advice_can_be_run(database: Callable[[str], psycopg.Connection[Any]]) -> None:
    """Names in a statement that is advised have the quotes that they need."""
    connection = database("""
        CREATE TABLE shop (id int4 PRIMARY KEY);
        CREATE TABLE board ("a=b" int4 REFERENCES shop, "it""s" int4 REFERENCES shop);
    """)
    found = list(missing_indexes(Analyst(connection).catalog, Thresholds()))
    assert {finding.message.rpartition(": ")[2] for finding in found} == {
        'CREATE INDEX CONCURRENTLY ON board ("a=b")',
        'CREATE INDEX CONCURRENTLY ON board ("it""s")',
    }
    for finding in found:
        connection.execute(finding.message.rpartition(": ")[2].encode())
    assert list(missing_indexes(Analyst(connection).catalog, Thresholds())) == []
