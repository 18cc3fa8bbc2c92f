"""What became of queries between two revisions, each with a schema of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import embedded
from surf_data.review import analyse, explain, read_queries
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.report.changes import Change, RevisionState, alone, changes, same_meaning
from surf_data.review.report.contents import Report
from surf_data.review.report.document import html

SCHEMA = """
CREATE TABLE shop (id int8 PRIMARY KEY, name text NOT NULL, town text);
CREATE TABLE board (id int8 PRIMARY KEY, shop_id int8 REFERENCES shop, label text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE VIEW town AS SELECT s.town FROM shop AS s;
"""
MIGRATION = """
DROP VIEW town;
ALTER TABLE shop ALTER COLUMN id TYPE int4, ALTER COLUMN town SET NOT NULL;
CREATE VIEW town AS SELECT s.town FROM shop AS s;
ALTER TABLE board DROP CONSTRAINT board_shop_id_fkey;
ALTER TABLE board ADD FOREIGN KEY (shop_id) REFERENCES shop ON DELETE CASCADE;
CREATE TRIGGER touched BEFORE UPDATE ON board FOR EACH ROW EXECUTE FUNCTION touch();
CREATE INDEX board_label ON board (label);
"""
Compare = Callable[[str, str], dict[str, Change]]


@pytest.fixture(scope="module")
def connections(
    servers: embedded.EmbeddedServers, new_database: Callable[[str, str], Any]
) -> Iterator[list[psycopg.Connection[Any]]]:
    """Return connections to a database as it was and as it is."""
    url = servers.database_url
    with new_database(url, "reviewed_before") as before, new_database(url, "reviewed_now") as now:
        for connection, text in ((before, SCHEMA), (now, SCHEMA + MIGRATION)):
            connection.execute(text.encode(), prepare=False)
            connection.execute("SET enable_seqscan = off")
        yield [before, now]


@pytest.fixture
def compare(connections: list[psycopg.Connection[Any]], tmp_path: Path) -> Compare:
    """Return a function that compares the queries of two texts, and returns what became of each."""

    def run(before: str, now: str) -> dict[str, Change]:
        states: list[RevisionState] = []
        for connection, text in zip(connections, (before, now), strict=True):
            (tmp_path / "q.sql").write_text(text, "utf-8")
            queries = read_queries(tmp_path)
            plans = {plan.query: [plan] for plan in explain(connection, queries)}
            states.append(RevisionState(outcomes=tuple(analyse(connection, queries)), plans=plans))
        earlier, later = states
        written = [outcome.query for outcome in earlier.outcomes]
        same = same_meaning(Analyst(connections[1]), written, later.outcomes)
        return {change.name: change for change in changes(earlier, later, same)}

    return run


@pytest.mark.parametrize(
    ("before", "now", "kinds", "differences"),
    [
        (
            "(id)\n select id from board where id = :id;",
            "(id)\n SELECT\n  id -- whose?\nFROM board\nWHERE id = :id;",
            ("layout only",),
            (),
        ),
        # Equal numbers in the tree; but another value is wanted from the caller.
        (
            "(id)\n SELECT label FROM board WHERE id = :id;",
            "(no)\n SELECT label FROM board WHERE id = :no;",
            ("SQL", "types", "header"),
            ("parameter no is new", "parameter id is gone"),
        ),
        ("()\n SELECT 1 AS a;", "()\n SELECT 2 AS a;", ("SQL",), ()),
        ("()#\n copy board to stdout;", "()#\n COPY board\n TO STDOUT;", ("layout only",), ()),
        # Of options there is nothing in the tree of what is copied.
        ("()#\n COPY board TO STDOUT;", "()#\n COPY board TO STDOUT (FORMAT csv);", ("SQL",), ()),
        ("()\n SELECT 1 AS a;", "()\n -- One.\n SELECT 1 AS a;", ("header",), ()),
        ("()\n SELECT shop_id FROM board;", "()\n SELECT shop_id FROM board;", (), ()),
        # A table has another number in every database.
        *(
            (f"()\n SELECT oid FROM pg_class WHERE {each};", f"()\n SELECT oid FROM pg_class WHERE {each};", (), ())
            for each in (
                "oid = 'board'::regclass",
                "oid = ANY (ARRAY['board'::regclass, 'shop'::regclass]::oid[])",
                "oid = ANY (ARRAY['board', 'shop']::regclass[])",
            )
        ),
        (
            "()^\n SELECT 1 AS a, 2 AS b;",
            "()\n SELECT 2 AS b, 1 AS a;",
            ("SQL", "types", "header"),
            ("a call gives all rows, no longer one row", "the columns come in another order: b, a"),
        ),
        (
            "(id)\n SELECT id, town FROM shop WHERE id = :id;",
            "(id)\n SELECT id, town FROM shop WHERE id = :id;",
            ("types",),
            (
                "parameter id: integer, no longer bigint",
                "column id: integer, no longer bigint",
                "column town is never null now: shop.town is NOT NULL",
            ),
        ),
        (
            "()\n SELECT town FROM town;",
            "()\n SELECT DISTINCT town FROM town LIMIT 1;",
            ("SQL", "types", "plan"),
            (
                "column town is never null now: shop.town is NOT NULL",
                "rows: at most one, no longer many",
            ),
        ),
        (
            "(id)!\n DELETE FROM shop WHERE id = :id::int8;",
            "(id)!\n DELETE FROM shop WHERE id = :id::int8;",
            ("effects",),
            (
                (
                    "cascade: deletes rows of board by board_shop_id_fkey, no longer is refused while there are rows "
                    "in board by board_shop_id_fkey"
                ),
            ),
        ),
        (
            "()\n SELECT id FROM board FOR UPDATE;",
            "()\n SELECT id FROM board;",
            ("SQL", "effects", "plan"),
            (
                "board: lock ACCESS SHARE, no longer ROW SHARE",
                "board: row lock no longer FOR UPDATE",
                "it is read-only now",
            ),
        ),
        (
            "()\n SELECT 1 AS a;",
            "()\n UPDATE board SET label = 'x' RETURNING 1 AS a;",
            ("SQL", "types", "effects", "plan"),
            (
                "rows: many, no longer exactly one",
                "board: lock ROW EXCLUSIVE",
                "board: row lock FOR NO KEY UPDATE",
                "board: writes label",
                "trigger: board.touched calls touch() on UPDATE",
                "it is no longer read-only: UPDATE board",
            ),
        ),
        (
            "(label)\n SELECT id FROM board WHERE label = :label;",
            "(label)\n SELECT id FROM board WHERE label = :label;",
            ("plan",),
            (),
        ),
        (
            "()\n SELECT nope;",
            "()\n SELECT 1 AS a;",
            ("mended", "SQL"),
            ('before: column "nope" does not exist',),
        ),
        ("()\n SELECT 1 AS a;", "()\n SELECT nope;", ("broken", "SQL"), ('column "nope" does not exist',)),
        ("()\n SELECT nope;", "()\n SELECT nope ;", (), ()),
    ],
)  # fmt: skip
def test_changes(before: str, now: str, kinds: tuple[str, ...], differences: tuple[str, ...], compare: Compare) -> None:
    """What a query has become is known by what PostgreSQL makes of it, and in words."""
    [change] = compare(f"-- name: q{before}", f"-- name: q{now}").values()
    assert (change.kinds, change.differences) == (kinds, differences)


def test_come_and_gone(compare: Compare) -> None:
    """New queries stand in their place, and removed ones at the end."""
    found = compare(
        "-- name: a()\nSELECT 1 AS a;\n-- name: c()\nSELECT 3 AS a;",
        "-- name: b()\nSELECT 2 AS a;\n-- name: c()\nSELECT 3 AS a;",
    )
    assert [(name, change.kinds) for name, change in found.items()] == [("b", ("new",)), ("c", ()), ("a", ("removed",))]
    assert found["a"].outcome.query.sql == "SELECT 1 AS a"


def test_alone() -> None:
    """What is compared with nothing has not changed."""
    assert alone(RevisionState()) == []


def test_size(connections: list[psycopg.Connection[Any]], tmp_path: Path) -> None:
    """The document of a hundred queries with all that is known of them is well under a megabyte."""
    query = (
        "(id, town)\n-- Boards.\nSELECT b.id, b.shop_id, b.label, s.name, s.town, s.id AS shop, count(*) AS n\n"
        "FROM board AS b LEFT JOIN shop AS s ON s.id = b.shop_id\nWHERE b.id > :id AND s.town = :town\n"
        "GROUP BY b.id, s.id\nORDER BY s.name, b.label\nLIMIT 100;\n"
    )
    (tmp_path / "q.sql").write_text("\n".join(f"-- name: q{number}{query}" for number in range(100)), "utf-8")
    queries = read_queries(tmp_path)
    plans = {plan.query: [plan] for plan in explain(connections[1], queries)}
    state = RevisionState(outcomes=tuple(analyse(connections[1], queries)), plans=plans)
    document = html(Report(folder="sql", changes=alone(state), plans=plans, scale="scale.toml"))
    assert document.count("most expensive step") == 100
    assert len(document.encode()) < 1_000_000
