"""Findings that need plans: what is read, returned and sorted, and which indexes no plan reads."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.review import Facts, Finding, Outcome, Plan, Planned, explain, read_queries
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.findings.plan_rules import plan_findings
from surf_data.review.findings.query_rules import query_findings
from surf_data.review.findings.revision_rules import revision_findings
from surf_data.review.findings.schema_rules import unused_indexes
from surf_data.review.findings.thresholds import Thresholds

SCHEMA = """
CREATE TABLE board (id int4 PRIMARY KEY, shop int4 REFERENCES shop, label text, price int4, note text);
CREATE INDEX board_shop ON board (shop);
CREATE INDEX board_label ON board (label);
CREATE UNIQUE INDEX board_note ON board (note);
CREATE INDEX shop_name ON shop (name);
CREATE TABLE log (at int4 NOT NULL, note text) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (1000);
CREATE TABLE log_2 PARTITION OF log DEFAULT;
CREATE INDEX log_at ON log (at);
CREATE INDEX log_note ON log (note);
INSERT INTO shop SELECT n, 'Shop ' || n FROM generate_series(1, 50) AS n;
INSERT INTO board SELECT n, 1 + n % 50, 'Board ' || n, n FROM generate_series(1, 2000) AS n;
INSERT INTO log SELECT n, 'Note ' || n FROM generate_series(1, 2000) AS n;
ANALYZE shop, board, log;
"""
THRESHOLDS = Thresholds(big_table=1000, many_rows=500)


@pytest.fixture(scope="module")
def connection(server: str, new_database: Callable[[str, str], Any]) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection to a database with small tables that count as big ones."""
    with new_database(server, "plans") as connection:
        connection.execute(b"CREATE TABLE shop (id int4 PRIMARY KEY, name text)")
        connection.execute(SCHEMA.encode(), prepare=False)
        connection.execute(b"SET work_mem = '64kB'")
        yield connection


@pytest.fixture(scope="module")
def analyst(connection: psycopg.Connection[Any]) -> Analyst:
    """Return what analyses queries for the schema above."""
    return Analyst(connection)


Looked = tuple[list[Outcome], list[Planned]]


@pytest.fixture
def looked(connection: psycopg.Connection[Any], analyst: Analyst, tmp_path: Path) -> Callable[[str], Looked]:
    """Return a function that returns what PostgreSQL says of the queries of a file, and their plans."""

    def of(text: str) -> Looked:
        (tmp_path / "shop.sql").write_text(text, "utf-8")
        queries = read_queries(tmp_path)
        return [analyst.outcome(query) for query in queries], explain(connection, queries)

    return of


@pytest.fixture
def findings(looked: Callable[[str], Looked], analyst: Analyst) -> Callable[[str], list[Finding]]:
    """Return a function that returns what is found in the plans of a query, which is given without its name."""
    return lambda text: list(plan_findings(*looked(f"-- name: asked{text}"), analyst.catalog, THRESHOLDS))


@pytest.mark.parametrize(
    ("text", "about", "told"),
    [
        ("\nSELECT id FROM board WHERE price = :price", "SEQ-SCAN board", "find those with (board.price = :price)"),
        ("$\nSELECT sum(price) FROM board", "SEQ-SCAN board", "all of 2,000 rows of board: give a condition"),
        ("$\nSELECT sum(length(note)) FROM log", "SEQ-SCAN log", "all of 2,000 rows of log:"),
        ("$\nSELECT sum(length(note)) FROM log WHERE at >= 1000", "SEQ-SCAN log", "all of 1,001 rows of log:"),
        ("\nSELECT id FROM board WHERE price = 7 LIMIT 1", "SEQ-SCAN board", "those with (board.price = 7)"),
        ("^\nSELECT id FROM board ORDER BY price LIMIT 1", "SEQ-SCAN board", "give a condition"),
        ("\nSELECT id FROM board ORDER BY id", "MANY-ROWS", "returns about 2,000 rows: give a LIMIT"),
        (
            "\nSELECT id, label FROM board ORDER BY price",
            "MANY-ROWS,BIG-SORT board.price,SEQ-SCAN board",
            "returns about 2,000 rows",
        ),
        (
            "^\nSELECT string_agg(label, ',' ORDER BY price) FROM board",
            "BIG-SORT board.price,SEQ-SCAN board",
            "sorts 2,000 rows, 0.1 MB, by board.price, which work_mem (0.1 MB)",
        ),
        (
            "(low)\n-- example: low=1\n-- example: low=2\nSELECT id FROM board WHERE id > :low",
            "MANY-ROWS,SEQ-SCAN board",
            "returns about 1,999 rows for low=1: give",
        ),
    ],
)
def test_found(findings: Callable[[str], list[Finding]], text: str, about: str, told: str) -> None:
    """What a plan costs too much by is found, and told with what to do about it."""
    found = findings(text)
    assert about.split(",") == [f"{finding.code} {finding.about}".strip() for finding in found]
    assert told in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "\nSELECT id FROM board WHERE id = :id",
        "\nSELECT name FROM shop WHERE name LIKE '%9'",
        "\nSELECT id FROM board LIMIT 3",
        "\nSELECT id FROM board ORDER BY id LIMIT :few",
        "(low)\n-- example: low=1990\nSELECT id FROM board WHERE id > :low",
        "!\nUPDATE board SET price = 1 WHERE id > 0 AND id < 3",
        "\nSELECT id FROM shop ORDER BY name",
        "#\nVACUUM board",
        "\nSELECT nothing",
    ],
)
def test_not_found(findings: Callable[[str], list[Finding]], text: str) -> None:
    """Nothing is said where there is nothing to say."""
    assert findings(text) == []


def test_unused_indexes(connection: psycopg.Connection[Any], analyst: Analyst, looked: Callable[[str], Looked]) -> None:
    """An index of a big table that no plan reads is found, unless it is unique or serves a foreign key."""
    plans = [
        plan
        for plan in looked("-- name: a\nSELECT note FROM log WHERE at = 7\n;-- name: b\nSELECT 1")[1]
        if isinstance(plan, Plan)
    ]
    found = list(unused_indexes(analyst.catalog, plans, THRESHOLDS))
    assert [(finding.subject, finding.about) for finding in found] == [("board_label", "board"), ("log_note", "log")]
    assert "every write to board, 2,000 rows, pays for it: DROP INDEX CONCURRENTLY board_label" in found[0].message


def test_revisions(connection: psycopg.Connection[Any], looked: Callable[[str], Looked]) -> None:
    """What a migration makes of an unchanged query is found, and which plan costs more; not what was itself changed."""
    text = """\
-- name: broken
SELECT gone FROM board;
-- name: changed(id)
SELECT {changed} AS x FROM board WHERE id = :id;
-- name: cased(price)
{cased} = :price;
-- name: dear(label)
-- example: label='Board 7'
SELECT id, price FROM board WHERE label = :label;
-- name: kept(price)
SELECT id FROM board WHERE id = 3 AND price = :price {comment};
"""
    cased = "SELECT Id FROM board WHERE id = 3 AND label <> 'A' AND price"
    before = looked(text.format(changed="price", comment="", cased=cased))
    with connection.transaction(force_rollback=True):
        connection.execute(b"DROP INDEX board_label; ALTER TABLE board ALTER price TYPE int8, ALTER price SET NOT NULL")
        connection.execute(b"INSERT INTO board SELECT n, 1, 'Board', n FROM generate_series(2001, 60000) n")
        connection.execute(b"ANALYZE board")
        text += "-- name: new(price)\nSELECT id FROM board WHERE price = :price;\n"
        other = "select id from BOARD where ID = 3 and label <> 'A' and Price"
        queries = looked(text.format(changed="id", comment="/* as it was */", cased=other))[0]
        now = [Analyst(connection).outcome(outcome.query) for outcome in queries]
        plans = explain(connection, [outcome.query for outcome in queries])
    found = list(revision_findings(before, (now, plans), Thresholds(cost_factor=20)))
    assert [finding.identity for finding in found] == [
        ("TYPE-CHANGE", "cased", ":price"),
        ("TYPE-CHANGE", "dear", "price"),
        ("TYPE-CHANGE", "kept", ":price"),
        ("COST", "dear", ""),
        ("COST", "dear", "label='Board 7'"),
    ]
    assert found[1].message.startswith("price was integer and is bigint NOT NULL, though")
    assert found[-1].message.startswith("the plan for label='Board 7' costs 1,")
    assert not list(revision_findings(before, before, Thresholds()))
    assert isinstance(before[0][1], Facts)


def test_no_facts(analyst: Analyst, looked: Callable[[str], Looked]) -> None:
    """Of a query that PostgreSQL refuses there is nothing to be found."""
    assert not list(query_findings(looked("-- name: a\nSELECT gone FROM board")[0], analyst.catalog))
