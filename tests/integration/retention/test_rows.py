"""Rows of a table without partitions go when they have expired."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from rig.clocks import shifted
from surf_data.domain import Retention
from surf_data.errors import LockTimeout, MigrationError
from surf_data.retention import TableMaintenance, expiry, maintain

Connection = psycopg.Connection[Any]
Run = Callable[..., TableMaintenance]


@pytest.fixture
def run(server: Connection, database_url: str) -> Run:
    """Return what maintains a table with rows that expired 1, 2, 3, 4 and 5 days ago, and one that has not."""
    server.execute('CREATE SCHEMA "Two words"')
    server.execute('CREATE TABLE "Two words"."a table" (id int, "until when" timestamptz)')
    now = datetime.now(UTC)
    for days in (-1, 1, 2, 3, 4, 5):
        server.execute('INSERT INTO "Two words"."a table" VALUES (%s, %s)', [days, now - timedelta(days=days)])
    server.execute('INSERT INTO "Two words"."a table" VALUES (0, NULL)')

    def once(keep_days: int | None = 0, *, archive: bool = False, **options: Any) -> TableMaintenance:
        policy = Retention(table='"Two words"."a table"', by="until when", keep_days=keep_days, archive=archive)
        [done] = maintain(partial(psycopg.connect, database_url), [policy], **{"lock_timeout": 0.05, **options})
        return done

    return once


def left(server: Connection) -> list[int]:
    """Return the ids of the rows that are there."""
    return [number for (number,) in server.execute('SELECT id FROM "Two words"."a table" ORDER BY id').fetchall()]


def test_expired_rows_go(run: Run, server: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches, as many as there are; those without a time never expire."""
    monkeypatch.setattr(expiry, "BATCH", 2)
    steps: list[str] = []
    assert run(on_step=steps.append).deleted == 5
    assert steps[-1] == 'deleting from "Two words"."a table": 5 rows'
    assert left(server) == [-1, 0]
    assert run().is_idle


def test_rows_are_kept_as_long_as_the_policy_says(run: Run, server: Connection) -> None:
    """Days count from the time in the column; without a number nothing goes, nor where rows are archived first."""
    assert run(None).is_idle
    assert run(archive=True).is_idle
    assert run(3).deleted == 3
    assert left(server) == [-1, 0, 1, 2]


def test_a_dry_run_counts(run: Run, server: Connection) -> None:
    """It changes nothing."""
    assert run(dry_run=True).deleted == 5
    assert len(left(server)) == 7


def test_a_row_in_use_is_left_to_the_next_run(run: Run, server: Connection, database_url: str) -> None:
    """Neither the transaction that holds it nor the maintenance waits."""
    with psycopg.connect(database_url) as other:
        other.execute('UPDATE "Two words"."a table" SET "until when" = now() WHERE id = 3')
        assert run().deleted == 4
        other.rollback()
    assert run().deleted == 1


@pytest.mark.parametrize(("table", "column"), [("public.nowhere", "at"), ("public.things", "at"), ("public.view", "t")])
def test_other_tables_are_refused(table: str, column: str, server: Connection, database_url: str) -> None:
    """The table is there, and the column is a time, or the migrations are missing."""
    server.execute("CREATE TABLE things (at date); CREATE VIEW view AS SELECT now() AS t")
    with pytest.raises(MigrationError, match=f"^there is no table {table} with a time {column}; are all migrations"):
        maintain(partial(psycopg.connect, database_url), [Retention(table=table, by=column)])


def test_a_table_in_use_keeps_no_other_waiting(run: Run, server: Connection, database_url: str) -> None:
    """The others are maintained, and then the error is raised."""
    server.execute("CREATE TABLE locked (at timestamptz); INSERT INTO locked VALUES ('2020-01-01')")
    expired = [
        Retention(table="public.locked", by="at", keep_days=0),
        Retention(table='"Two words"."a table"', by="until when", keep_days=0),
    ]
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE locked")
        with pytest.raises(LockTimeout):
            maintain(partial(psycopg.connect, database_url), expired, lock_timeout=0.01, attempts=1)
    assert left(server) == [-1, 0]
    assert server.execute("SELECT count(*) FROM locked").fetchone() == (1,)


def test_the_servers_clock_decides(run: Run, server: Connection, database_url: str) -> None:
    """A machine whose clock is a year ahead removes nothing early, of a table in partitions either."""
    server.execute(
        "CREATE TABLE visits (at timestamptz NOT NULL) PARTITION BY RANGE (at);"
        "CREATE TABLE visits_default PARTITION OF visits DEFAULT;"
        "INSERT INTO visits VALUES (now())"
    )
    program = (
        "import psycopg, sys; from functools import partial;"
        "from surf_data.domain import Retention; from surf_data.retention import maintain;"
        "rows = Retention(table='\"Two words\".\"a table\"', by='until when', keep_days=3);"
        "visits = Retention(table='public.visits', by='at', keep_days=30, partition='week');"
        "done = maintain(partial(psycopg.connect, sys.argv[1]), [rows, visits], ahead=0);"
        "print([(each.deleted, each.dropped) for each in done])"
    )
    command = [sys.executable, "-c", program, database_url]
    done = subprocess.run(command, env=shifted(365 * 86_400), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[(3, ()), (0, ())]\n"
    assert left(server) == [-1, 0, 1, 2]
    assert server.execute("SELECT count(*) FROM visits").fetchone() == (1,)
