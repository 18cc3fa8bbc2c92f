"""Every query is planned for any values and for those of its examples, and its plan can be walked and read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseUnavailable
from surf_data.review import Plan, Unplanned, explain, read_queries
from surf_data.review.planning.plans import read_plan

Fill = Callable[[str], psycopg.Connection[Any]]

SCHEMA = """
CREATE TABLE shop (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE board (
    id int4 PRIMARY KEY, shop int4 NOT NULL REFERENCES shop, label text, made date NOT NULL, cm numeric
);
INSERT INTO shop SELECT n, 'shop ' || n FROM generate_series(1, 100) AS n;
INSERT INTO board SELECT n, n % 100 + 1, 'b', '2026-01-01'::date + n / 10, n FROM generate_series(1, 1000) AS n;
CREATE INDEX board_made ON board (made);
ANALYZE;
"""
QUERIES = """\
-- name: board_close(id)!
-- Deletes a board.
DELETE FROM board WHERE id = :id;

-- name: board_find(id)^
-- A board.
SELECT label FROM board WHERE id = :id;

-- name: board_since(since, until)
-- The boards of some days.
-- example: since='2026-03-01', until='2026-04-01'::date
-- example: since = '2026-04-09' , until=NULL
SELECT id FROM board WHERE made >= :since AND made < :until ORDER BY cm DESC;

-- name: board_some(id, label)
-- Some boards.
-- plan: custom
-- example: id=7, label=NULL
SELECT id FROM board WHERE (:id::int4 IS NULL OR id = :id) AND (:label::text IS NULL OR label = :label);

-- name: board_vague(id)
-- Some boards.
-- plan: custom
SELECT id FROM board WHERE :id::int4 IS NULL OR id = :id;

-- name: copy(x)#
COPY board TO STDOUT;

-- name: numbers(least, most)
-- Two subqueries, which have numbers up to PostgreSQL 16, and a text that looks like one.
SELECT id
FROM board
WHERE
    cm > (SELECT count(*) FROM shop AS s WHERE s.name > :least)
    AND cm < (SELECT count(*) FROM shop AS s WHERE s.name < :most)
    AND label <> '$1';

-- name: shop_boards()
-- Boards and shops.
WITH found AS MATERIALIZED (SELECT b.shop FROM board AS b)

SELECT
    s.name,
    (SELECT count(*) FROM found AS f WHERE f.shop = s.id) AS boards,
    g.n
FROM shop AS s
LEFT JOIN board AS b ON s.id = b.shop AND b.label = s.name
CROSS JOIN generate_series(1, 2) AS g (n);

-- name: unknown(a)
-- There is no such table.
SELECT 1 FROM nothing WHERE id = :a;

-- name: two()
SELECT 1; SELECT 2;

-- name: unfit(id, cm)
-- Examples that do not fit.
-- example: id=1
-- example: id=1, cm=2, label='x'
-- example: id=1, id=2
-- example: id=(SELECT 1)
-- example: id='one', cm=-1.5e3
SELECT id FROM board WHERE id = :id AND cm < :cm;
"""


@pytest.fixture
def planned(database: Fill, tmp_path: Path) -> Callable[[str], list[Plan | Unplanned]]:
    """Return a function that returns the plans of a query."""
    connection = database(SCHEMA)
    (tmp_path / "queries.sql").write_text(QUERIES, "utf-8")
    queries = read_queries(tmp_path / "queries.sql")

    def plans(name: str) -> list[Plan | Unplanned]:
        return explain(connection, [query for query in queries if query.name == name])

    return plans


def test_generic_plans(planned: Callable[[str], list[Plan]]) -> None:
    """A query is planned for any values, with figures, names and conditions of each step."""
    [plan] = planned("board_find")
    root = plan.root
    assert (plan.query, plan.example) == ("board_find", {})
    assert (root.kind, root.relation, root.index, root.rows) == ("Index Scan", "public.board", "board_pkey", 1)
    assert root.details["Index Cond"] == "(board.id = :id)"
    assert root.startup_cost <= root.total_cost == plan.cost
    assert root.width > 0
    assert list(plan.nodes()) == [root]


def test_names(planned: Callable[[str], list[Plan]], server: str) -> None:
    """Parameters have their names, but for numbers that another thing has too; texts stay as they are."""
    [plan] = planned("numbers")
    with psycopg.connect(server) as connection:
        is_ambiguous = connection.info.server_version < 170_000
    conditions = "\n".join(text for node in plan.nodes() for _, text in node.told())
    assert "'$1'::text" in conditions
    assert ":most" in conditions
    assert (":least" in conditions) is not is_ambiguous
    assert ("s.name > $1" in conditions) is is_ambiguous


def test_nothing_is_run(planned: Callable[[str], list[Plan]]) -> None:
    """A query that deletes is planned like any other, and what it does is named."""
    [plan] = planned("board_close")
    assert (plan.root.kind, plan.root.details["Operation"]) == ("ModifyTable", "Delete")
    assert str(plan).startswith("Delete on public.board  (cost ")
    [after] = planned("board_find")
    assert after.root.rows == 1


def test_examples(planned: Callable[[str], list[Plan]]) -> None:
    """A query is planned for each of its examples too: what the values are decides how many rows are expected."""
    generic, month, nothing = planned("board_since")
    assert generic.example == {}
    assert month.example == {"since": "'2026-03-01'", "until": "'2026-04-01'::date"}
    assert nothing.example == {"since": "'2026-04-09'", "until": "NULL"}
    scans = [next(node for node in plan.nodes() if node.relation == "public.board") for plan in (generic, month)]
    assert 250 < scans[1].rows < 350 != scans[0].rows
    assert {"One-Time Filter": "false"}.items() <= list(nothing.nodes())[-1].details.items()


def test_values_that_are_always_known(planned: Callable[[str], list[Plan]]) -> None:
    """A query that is planned with its values is planned for its examples alone: the index serves, all else is gone."""
    [plan] = planned("board_some")
    assert plan.example == {"id": "7", "label": "NULL"}
    assert (plan.root.kind, plan.root.index) == ("Index Only Scan", "board_pkey")
    assert plan.root.details["Index Cond"] == "(board.id = 7)"


def test_as_text(planned: Callable[[str], list[Plan]]) -> None:
    """A plan is an indented tree: each step with its figures, what it reads, and what it looks for."""
    [plan] = planned("shop_boards")
    text = str(plan)
    lines = text.splitlines()
    assert sum("(cost " in line for line in lines) == len(list(plan.nodes()))
    assert (
        "  CTE found: Seq Scan on public.board b_1  (cost " in text or "CTE found: Seq Scan on public.board b" in text
    )
    assert "(Left)" in text or "(Right)" in text
    assert "CTE Scan on found f" in text
    assert "Filter: (f.shop = s.id)" in text
    assert "Function Scan on generate_series g" in text
    assert "Output" not in text


def test_whole_tree(database: Fill) -> None:
    """Parallel steps, strategies and directions are named where they matter."""
    connection = database(SCHEMA)
    connection.execute("SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0")
    [[documents]] = connection.execute(
        "EXPLAIN (VERBOSE, FORMAT JSON) SELECT label, count(*) FROM board GROUP BY label"
    ).fetchall()
    text = "\n".join(read_plan(documents[0]["Plan"]).lines())
    assert "Finalize Aggregate" in text
    assert "Parallel Seq Scan on public.board" in text
    [[documents]] = connection.execute(
        "EXPLAIN (VERBOSE, FORMAT JSON) SELECT label, shop FROM board GROUP BY GROUPING SETS ((label, shop), ())"
    ).fetchall()
    assert "(Hash Keys: (board.label, board.shop))" in "\n".join(read_plan(documents[0]["Plan"]).lines())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("copy", "PostgreSQL does not plan COPY"),
        ("two", "it is several statements; make each a query"),
        ("board_vague", "it is planned with its values: write an '-- example:' for each index that it is to use"),
        ("unknown", 'relation "nothing" does not exist'),
    ],
)
def test_what_cannot_be_planned(planned: Callable[[str], list[Plan | Unplanned]], name: str, reason: str) -> None:
    """A query that has no plan is there with the reason."""
    assert planned(name) == [Unplanned(query=name, example={}, reason=reason)]


def test_examples_that_do_not_fit(planned: Callable[[str], list[Plan | Unplanned]]) -> None:
    """An example is refused with the reason, and the rest goes on."""
    generic, *examples = planned("unfit")
    assert isinstance(generic, Plan)
    assert [each.reason for each in examples if isinstance(each, Unplanned)] == [
        "the query needs a value for :cm",
        "the query has no :label",
        "write the example as name='value', name=1: id=2",
        "write the example as name='value', name=1: id=(SELECT 1)",
        'invalid input syntax for type integer: "one"',
    ]


def test_a_lost_connection_is_an_error(database: Fill, queries: Callable[[str], Any]) -> None:
    """When the server has gone, no query is blamed for it."""
    connection = database("")
    with psycopg.connect(connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
    with pytest.raises(DatabaseUnavailable):
        explain(connection, queries("SELECT 1;"))


def test_plans_that_take_too_long(database: Fill, queries: Callable[[str], Any]) -> None:
    """A function that PostgreSQL calls to estimate a condition, and that does not come to an end, holds nothing up."""
    connection = database(SCHEMA)
    connection.execute("CREATE FUNCTION slow() RETURNS int4 STABLE LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(60)'")
    slow, quick = explain(connection, queries("SELECT id FROM shop WHERE id = slow(); SELECT 1;"), timeout=0.1)
    assert isinstance(slow, Unplanned)
    assert slow.reason == "it takes more than 0.1 seconds to plan: does it call a function that reads tables?"
    assert isinstance(quick, Plan)


def test_rules(database: Fill, queries: Callable[[str], Any]) -> None:
    """Of a query that a rule makes several of, the dearest is planned; one that a rule makes nothing of has no plan."""
    connection = database(SCHEMA)
    connection.execute(
        """
        CREATE TABLE kept (id int4);
        CREATE RULE keep AS ON DELETE TO board DO ALSO INSERT INTO kept VALUES (old.id);
        CREATE RULE never AS ON DELETE TO shop DO INSTEAD NOTHING;
        """
    )
    several, nothing = explain(connection, queries("DELETE FROM board WHERE id = 1; DELETE FROM shop;"))
    assert isinstance(several, Plan)
    assert nothing == Unplanned(query="q1", example={}, reason="a rule leaves nothing of it to be planned")
