"""Partitions by week and by day, and what a partition has of its table."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from surf_data.domain import Retention
from surf_data.retention import maintain
from surf_data.retention.partitions import AHEAD

Connection = psycopg.Connection[Any]


@pytest.fixture
def log(server: Connection) -> Iterator[Connection]:
    """Return the connection, with a table in partitions."""
    server.execute("CREATE TABLE log (at timestamptz NOT NULL) PARTITION BY RANGE (at)")
    server.execute("CREATE TABLE log_rest PARTITION OF log DEFAULT")
    return server


def bounds(server: Connection) -> list[str]:
    """Return the bounds of all partitions that have some, in order."""
    server.execute("SET timezone TO 'UTC'")
    found = server.execute(
        "SELECT pg_get_expr(pc.relpartbound, pc.oid) FROM pg_inherits pi JOIN pg_class pc ON pi.inhrelid = pc.oid"
        " WHERE pi.inhparent = 'log'::regclass AND pc.relname <> 'log_rest' ORDER BY 1"
    )
    return [text for (text,) in found.fetchall()]


@pytest.mark.parametrize(("unit", "days"), [("week", 7), ("day", 1)])
def test_periods_follow_one_another(unit: Any, days: int, log: Connection, database_url: str) -> None:
    """A week begins on Monday, a day at midnight, both in UTC; as many are there ahead as the width wants."""
    connect = partial(psycopg.connect, database_url)
    policy = Retention(table="public.log", by="at", partition=unit)
    [done] = maintain(connect, [policy])
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = now - timedelta(days=now.weekday()) if unit == "week" else now
    expected = [begin + timedelta(days=days * number) for number in range(AHEAD[unit] + 2)]
    assert bounds(log) == [
        f"FOR VALUES FROM ('{first:%Y-%m-%d 00:00:00+00}') TO ('{last:%Y-%m-%d 00:00:00+00}')"
        for first, last in pairwise(expected)
    ]
    name = f"{begin:%G_w%V}" if unit == "week" else f"{begin:%Y_%m_%d}"
    assert done.created[0] == f"public.log_{name}"
    assert maintain(connect, [policy])[0].is_idle


def test_a_week_over_new_year_has_its_own_name(log: Connection, database_url: str) -> None:
    """The last days of December are in the first week of the next year, as ISO 8601 counts."""
    log.execute("INSERT INTO log VALUES ('2025-12-30 12:00+00'), ('2027-01-02 12:00+00')")
    [done] = maintain(
        partial(psycopg.connect, database_url), [Retention(table="public.log", by="at", partition="week")], ahead=0
    )
    assert {"public.log_2026_w01", "public.log_2026_w53"} <= set(done.created)
    assert done.moved == 2


def test_a_partition_refuses_truncate_as_its_table_does(log: Connection, database_url: str) -> None:
    """PostgreSQL gives partitions the triggers for each row alone, so those on TRUNCATE are copied."""
    log.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$"
    )
    log.execute("CREATE TRIGGER keep BEFORE TRUNCATE ON log FOR EACH STATEMENT EXECUTE FUNCTION refuse()")
    log.execute("CREATE TRIGGER rows BEFORE DELETE ON log FOR EACH ROW EXECUTE FUNCTION refuse()")
    [done] = maintain(
        partial(psycopg.connect, database_url), [Retention(table="public.log", by="at", partition="day")], ahead=0
    )
    for command in ("TRUNCATE", "TRUNCATE log,"):
        with pytest.raises(psycopg.errors.RaiseException, match="append only"):
            log.execute(f"{command} {done.created[0]}".encode())
