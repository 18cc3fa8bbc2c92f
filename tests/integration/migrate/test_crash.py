"""Killed with -9 at any moment, a run is taken up by the next one, which ends where an undisturbed run would have."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from surf_data.migrate import Runner

Connection = psycopg.Connection[Any]
Die = Callable[..., int]

# Both kinds of section in both directions; every statement that is done together with its record leaves a trace.
FILES = (
    """-- migrate:up
CREATE TABLE lamps (id int PRIMARY KEY, name text);
CREATE TABLE steps (name text);
INSERT INTO steps VALUES ('1 up');
-- migrate:down
DROP TABLE lamps;
ALTER TABLE steps RENAME TO traces;
INSERT INTO traces VALUES ('1 down');
""",
    """-- migrate:up transaction:false
INSERT INTO steps VALUES ('2 up');
-- migrate:next
CREATE INDEX CONCURRENTLY lamps_name ON lamps (name);
-- migrate:next
DO $$ BEGIN
    INSERT INTO lamps SELECT n, n FROM generate_series(1, 10) AS n ON CONFLICT DO NOTHING;
    COMMIT;
    UPDATE lamps SET name = 'lamp';
END $$;
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY lamps_name;
-- migrate:next
INSERT INTO steps VALUES ('2 down');
""",
    """-- migrate:up
CREATE FUNCTION lit(n int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN n % 2 = 0 THEN 1 ELSE 2 END; END;
INSERT INTO steps VALUES ('3 up');
-- migrate:down
DROP FUNCTION lit(int);
INSERT INTO steps VALUES ('3 down');
""",
    """-- migrate:up transaction:false
DROP INDEX CONCURRENTLY lamps_name;
-- migrate:next
CREATE UNIQUE INDEX CONCURRENTLY lamps_key ON lamps (id, name);
-- migrate:down transaction:false
CREATE INDEX CONCURRENTLY lamps_name ON lamps (name);
-- migrate:next
DROP INDEX CONCURRENTLY lamps_key;
-- migrate:next
VACUUM lamps;
""",
    """-- migrate:up
ALTER TABLE lamps ADD COLUMN lit int DEFAULT 7;
INSERT INTO steps VALUES ('5 up');
-- migrate:down
ALTER TABLE lamps DROP COLUMN lit;
INSERT INTO steps VALUES ('5 down');
""",
)


@pytest.fixture(scope="module")
def die() -> Iterator[Die]:
    """Return a function that makes a run in a process of its own, and returns the signal that ended it."""
    script = str(Path(__file__).with_name("dying_runs.py"))
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def order(**run: Any) -> int:
            print(json.dumps(run), file=process.stdin, flush=True)
            return -int(process.stdout.readline())

        yield order
        process.stdin.close()


@contextmanager
def database(server: Connection, url: str, template: str = "template1") -> Iterator[str]:
    """Make a database for a block; yields its URL."""
    name = f"crash_{uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield psycopg.conninfo.make_conninfo(url, dbname=name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def contents(url: str) -> dict[str, Any]:
    """Return what a database holds: tables, columns, indexes, functions and rows."""
    with psycopg.connect(url) as connection:
        rows = partial(_rows, connection)
        tables = rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        user_tables = sorted(name for (name,) in tables if name != "schema_migrations")
        return {
            "columns": rows(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'public'"
            ),
            "indexes": rows(
                "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
                " JOIN pg_class ON oid = indexrelid WHERE relnamespace = 'public'::regnamespace"
            ),
            "functions": rows("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"),
            "history": rows("SELECT number, unfinished, begun_at, statements_done FROM schema_migrations"),
            **{name: rows(f"SELECT * FROM {name}") for name in user_tables},
        }


def _rows(connection: Connection, query: str) -> list[Any]:
    return sorted(connection.execute(query.encode()).fetchall(), key=repr)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("moment", ["sent", "answered"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_killed_run_is_taken_up(
    die: Die, server: Connection, database_url: str, tmp_path: Path, sweep: Iterator[int], direction: str, moment: str
) -> None:
    """At every message of a run over five files: the next run leaves what an undisturbed one leaves, each step once."""
    for number, text in enumerate(FILES, start=1):
        (tmp_path / f"{number:04d}_step.sql").write_text(text, encoding="utf-8")

    def run(url: str, *, to: int | None = None) -> None:
        runner = Runner(partial(psycopg.connect, url), tmp_path, "shop")
        runner.up() if direction == "up" or to else runner.down(to=0)

    with database(server, database_url) as start:
        if direction == "down":
            run(start, to=5)
        template = str(psycopg.conninfo.conninfo_to_dict(start)["dbname"])
        with database(server, database_url, template) as undisturbed:
            run(undisturbed)
            expected = contents(undisturbed)
        for point in sweep:
            with database(server, database_url, template) as url:
                ended = die(url=url, folder=str(tmp_path), direction=direction, moment=moment, point=point)
                assert ended in {0, signal.SIGKILL}
                run(url)
                assert (point, contents(url)) == (point, expected)
            if ended == 0:
                break
        # Several messages to a statement: none of them was left out.
        assert point > 2 * sum(text.count(";\n") for text in FILES)


def test_the_lock_dies_with_its_process(database_url: str, server: Connection, tmp_path: Path) -> None:
    """A server that is in the middle of a long statement notices that its client is gone, and lets the next run in."""
    file = tmp_path / "0001_step.sql"
    file.write_text("-- migrate:up\nSELECT pg_sleep(600);\n")
    program = (
        "import functools, pathlib, psycopg, sys; from surf_data.migrate import Runner;"
        "Runner(functools.partial(psycopg.connect, sys.argv[1]), pathlib.Path(sys.argv[2]), 'shop').up()"
    )
    with subprocess.Popen([sys.executable, "-c", program, database_url, str(tmp_path)]) as process:
        working = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        while not server.execute(working.encode()).fetchone():
            assert process.poll() is None
        process.kill()
    file.write_text("-- migrate:up\nCREATE TABLE done ();\n")
    assert len(Runner(partial(psycopg.connect, database_url), tmp_path, "shop").up()) == 1
