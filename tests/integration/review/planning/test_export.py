"""The scale of a running server is written down without a value from its data, and read back as it was."""

import functools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.review import ColumnScale, Scale, export_scale, read_scale, scratch, simulate

SCHEMA = """
CREATE SCHEMA other;
CREATE TABLE person (
    id int8 PRIMARY KEY, email text NOT NULL, born date, pay numeric, seen timestamptz, tags text[], facts jsonb,
    "Nick Name" text, gone text, blank text
);
CREATE TABLE other.visit (id int8 NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE other.visit_1 PARTITION OF other.visit FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE unanalysed (id int4);
CREATE MATERIALIZED VIEW emails AS SELECT p.email FROM person AS p;
"""
# Frequent values and seldom ones, so that each kind of statistic has some.
ROWS = """
INSERT INTO person
SELECT
    770000000 + n,
    CASE WHEN n % 2 = 0 THEN 'kahuna' ELSE 'kahuna' || n END || '@example.org',
    '1977-07-07'::date + n,
    4711000 + n,
    '2001-09-09 01:46:40+00'::timestamptz + make_interval(secs => n),
    ARRAY['goofy', 'goofy' || n],
    jsonb_build_object('secret', 'kahuna' || n),
    'duke',
    CASE WHEN n <= 250 THEN 'lost' END
FROM generate_series(1, 1000) AS n;
INSERT INTO other.visit SELECT n, '2024-03-01'::date + n % 10 FROM generate_series(1, 500) AS n;
REFRESH MATERIALIZED VIEW emails;
"""
PLANTED = ("kahuna", "example.org", "goofy", "secret", "duke", "lost", "1977", "2001", "2024-03", "47110", "770000")


@pytest.fixture
def production(database: Callable[[str], psycopg.Connection[Any]]) -> psycopg.Connection[Any]:
    """Return a connection to a database with data that was analysed, but for one table."""
    connection = database(SCHEMA)
    connection.execute(ROWS.encode(), prepare=False)
    connection.execute("ANALYZE person, other.visit, emails")
    connection.execute("VACUUM person")
    return connection


@pytest.fixture
def exported(production: psycopg.Connection[Any], tmp_path: Path) -> Callable[[], Scale]:
    """Return a function that exports the scale and reads it back."""

    def export() -> Scale:
        path = tmp_path / "scale.toml"
        path.write_text(export_scale(production), "utf-8")
        return read_scale(path)

    return export


def test_figures(exported: Callable[[], Scale]) -> None:
    """Rows, pages, distinct values, nulls, widths and order are those that ANALYZE found."""
    scale = exported()
    assert scale.tables.keys() == {"person", "other.visit", "other.visit_1", "emails"}
    person = scale.tables["person"]
    assert (person.rows, person.visible) == (1000, 1)
    assert person.pages is not None
    assert 10 < person.pages < 50
    assert person.columns["id"] == ColumnScale(distinct=1000, nulls=0, width=8, correlation=1)
    assert person.columns["email"].distinct == 501
    assert person.columns["gone"] == ColumnScale(distinct=1, nulls=0.75, width=5, correlation=1)
    assert person.columns["Nick Name"].width == 5
    assert person.columns["blank"] == ColumnScale(nulls=1)
    assert scale.tables["other.visit"].columns["day"].distinct == 10
    assert scale.tables["other.visit_1"].rows == 500


def test_no_value_from_the_data(production: psycopg.Connection[Any]) -> None:
    """Whatever stands in the tables and in the statistics of their values, nothing of it is written down."""
    [noted] = production.execute("SELECT string_agg(s::text, '') FROM pg_stats AS s").fetchone() or ()
    text = export_scale(production)
    assert [value for value in PLANTED if value not in noted] == []
    assert [value for value in PLANTED if value in text] == []


def test_nothing_can_be_changed(production: psycopg.Connection[Any]) -> None:
    """The session is read-only from then on."""
    export_scale(production)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        production.execute("DELETE FROM person")


def test_columns_that_the_role_may_not_read(production: psycopg.Connection[Any]) -> None:
    """Of a column that the role may not read only the name is written."""
    production.execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest")
    try:
        production.execute("GRANT SELECT (id) ON person TO guest; SET ROLE guest")
        text = export_scale(production)
    finally:
        production.execute("SET default_transaction_read_only = off")
        production.execute("RESET ROLE; DROP OWNED BY guest; DROP ROLE guest")
    assert "id = { distinct = 1_000, nulls = 0, width = 8, correlation = 1 }" in text
    assert "# Of email nothing is known." in text
    assert '# Of "Nick Name" nothing is known.' in text


def test_tables_without_figures(production: psycopg.Connection[Any]) -> None:
    """A table that was never looked at has no figures; a table without columns has no more than its own."""
    production.execute("CREATE TABLE empty (); ANALYZE empty")
    text = export_scale(production)
    assert "# unanalysed was never analysed." in text
    assert "[tables.empty]\nrows = 0\npages = 0\nvisible = 1\n\n" in text


def test_settings(production: psycopg.Connection[Any], exported: Callable[[], Scale]) -> None:
    """The planner's settings come along where they are not PostgreSQL's own, and no others."""
    assert exported().settings == {}
    production.execute("SET random_page_cost = 1.1; SET work_mem = '64MB'; SET enable_hashjoin = off; SET jit = off")
    assert exported().settings == {"random_page_cost": "1.1", "work_mem": "64MB", "enable_hashjoin": "off"}


def test_what_is_exported_can_be_declared(exported: Callable[[], Scale], server: str) -> None:
    """An exported scale makes an empty database look like the one that it is from."""
    with scratch(functools.partial(psycopg.connect, server)) as made, closing(made.connect()) as connection:
        connection.execute(SCHEMA.encode(), prepare=False)
        [data] = connection.execute("SHOW data_directory").fetchone() or ()
        scale = exported()
        simulate(connection, scale, Path(data))
        rows = connection.execute(
            "SELECT reltuples, relpages FROM pg_class WHERE relname IN ('person', 'emails') ORDER BY relname DESC"
        ).fetchall()
        assert rows == [(table.rows, table.pages) for table in (scale.tables["person"], scale.tables["emails"])]
