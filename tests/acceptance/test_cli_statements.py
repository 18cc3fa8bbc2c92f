"""``surf-data statements`` as a DBA uses it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.kernel import resources

Cli = Callable[..., Any]

SCHEMA = """
CREATE TABLE pg_stat_statements AS
SELECT
    d.oid AS dbid, n AS queryid, text AS query, 4::int8 AS calls, 8::int8 AS rows,
    total AS total_exec_time, 0.5::float8 AS stddev_exec_time, 3.0::float8 AS max_exec_time
FROM pg_database AS d,
    (VALUES
        (1::int8, 'SELECT /* surf_data:lamps.lamp_configuration */ x FROM y', 6::float8),
        (2, 'SELECT 1 FROM elsewhere', 2)) AS s (n, text, total)
WHERE d.datname = current_database()
"""


@pytest.fixture
def counted_url(migrated_url: str, admin: psycopg.Connection[Any]) -> str:
    """Return the URL of a migrated database where statements were counted."""
    admin.execute(SCHEMA)
    return migrated_url


def test_tables(cli: Cli, counted_url: str) -> None:
    """Queries come with calls, times and share; those that never ran, and what is in no file, come below."""
    done = cli("statements", str(resources.directory("sql") / "lamps"), database=counted_url)
    assert (done.code, done.err) == (0, "")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "lamp_configuration 4 8 1.50 0.50 3.00 75.0% ████████████" in lines
    assert any(line.startswith("Never run: activity_anonymise, ") for line in lines)
    assert "SELECT 1 FROM elsewhere 4 25.0%" in lines


def test_untagged(cli: Cli, database_url: str, tmp_path: Path) -> None:
    """A query that was found by its number is marked as untagged, and nothing is below when all is known."""
    (tmp_path / "a.sql").write_text("-- name: answer()$\n-- The answer.\nSELECT 42 AS answer;\n", "utf-8")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET compute_query_id = on")
        [[plan]] = connection.execute("EXPLAIN (VERBOSE, FORMAT JSON) SELECT 1 AS one").fetchall()
        connection.execute(SCHEMA)
        connection.execute("DELETE FROM pg_stat_statements WHERE queryid = 2")
        connection.execute("UPDATE pg_stat_statements SET queryid = %s, query = 'x'", [plan[0]["Query Identifier"]])
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET compute_query_id = on".encode())
    done = cli("statements", str(tmp_path), database=database_url)
    assert "answer (untagged)" in done.out
    assert "Never run" not in done.out
    assert "in no file" not in done.out


def test_json(cli: Cli, counted_url: str) -> None:
    """A program gets the same, of a database that is named beside the folder."""
    folder = str(resources.directory("sql") / "lamps")
    done = cli("statements", folder, counted_url, "--json", database="postgresql:///nowhere")
    found = json.loads(done.out)
    assert found["queries"] == [
        {
            "name": "lamp_configuration",
            "calls": 4,
            "rows": 8,
            "total_ms": 6.0,
            "mean_ms": 1.5,
            "deviation_ms": 0.5,
            "longest_ms": 3.0,
            "share": 0.75,
            "found_by": "tag",
        }
    ]
    assert "user_password_hash" in found["never_run"]
    assert found["others"] == [{"text": "SELECT 1 FROM elsewhere", "calls": 4, "total_ms": 2.0}]


def test_missing(cli: Cli, migrated_url: str) -> None:
    """Without the extension it is said what to do."""
    error = cli("statements", str(resources.directory("sql") / "lamps"), database=migrated_url).error(1)
    assert error == "pg_stat_statements is not installed here: CREATE EXTENSION pg_stat_statements"
