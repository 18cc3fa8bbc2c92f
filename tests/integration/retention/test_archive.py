"""What has expired is archived before it goes: detached, offered, and dropped when the archive has it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from surf_data.domain import Retention
from surf_data.retention import Partition, TableMaintenance, maintain

Connection = psycopg.Connection[Any]
Run = Callable[..., TableMaintenance]

TABLE = """
CREATE TABLE visits (
    id bigint,
    at timestamptz NOT NULL,
    double bigint GENERATED ALWAYS AS (id * 2) STORED,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE visits_default PARTITION OF visits DEFAULT;
"""
# Three weeks, each from a Monday.
MONDAYS = [datetime(2020, 3, day, tzinfo=UTC) for day in (2, 9, 16)]
POLICY = Retention(table="public.visits", by="at", keep_days=1000, partition="week", archive=True)


class Archive:
    """Reads each partition that is offered; refuses, or fails, when told to."""

    def __init__(self, server: Connection) -> None:
        self.server = server
        self.offered: list[Partition] = []
        self.rows: list[int] = []
        self.answer: Callable[[], bool] = lambda: True

    def __call__(self, partition: Partition) -> bool:
        """Read a partition, and answer."""
        self.offered.append(partition)
        answer = self.answer()
        found = self.server.execute(f"SELECT id FROM {partition.name} ORDER BY id".encode()).fetchall()
        self.rows += [number for (number,) in found] if answer else []
        return answer


@pytest.fixture
def archive(server: Connection) -> Archive:
    """Return an archive of rows of the test's table."""
    return Archive(server)


@pytest.fixture
def run(server: Connection, database_url: str) -> Run:
    """Return what maintains the table, which has a row in each of three weeks and one of now."""
    server.execute(TABLE.encode())
    connect = partial(psycopg.connect, database_url)

    def once(**options: Any) -> TableMaintenance:
        [done] = maintain(connect, [POLICY], ahead=0, **options)
        return done

    visit(server, 1, *MONDAYS)
    once()
    visit(server, 4, datetime.now(UTC))
    return once


def visit(server: Connection, first: int, *moments: datetime) -> None:
    """Insert a row at each moment, with ascending ids."""
    for place, moment in enumerate(moments):
        server.execute("INSERT INTO visits VALUES (%s, %s)", [first + place, moment])


def ids(server: Connection) -> list[int]:
    """Return the ids of all rows that the table shows."""
    return [number for (number,) in server.execute("SELECT id FROM visits ORDER BY id").fetchall()]


def test_rows_that_are_to_be_archived_do_not_go_without_it(run: Run, server: Connection) -> None:
    """A maintenance that archives nothing creates partitions, and removes none."""
    visit(server, 5, MONDAYS[0] - timedelta(days=7))
    assert run() == TableMaintenance(table="public.visits", created=("public.visits_2020_w09",), moved=1)
    assert ids(server) == [1, 2, 3, 4, 5]


def test_a_partition_goes_when_it_is_archived(run: Run, archive: Archive, server: Connection) -> None:
    """It is offered after it was detached, with its bounds, and dropped when the archive has it; the oldest first."""
    done = run(before_drop=archive)
    assert archive.rows == [1, 2, 3]
    assert [(each.table, each.begins_at, each.ends_at) for each in archive.offered] == [
        ("public.visits", monday, monday + timedelta(days=7)) for monday in MONDAYS
    ]
    assert done == TableMaintenance(table="public.visits", dropped=tuple(each.name for each in archive.offered))
    assert all(each.name.startswith("public.visits_2020_w1") for each in archive.offered)
    assert ids(server) == [4]
    assert server.execute("SELECT count(*) FROM pg_class WHERE relname ~ 'expired'").fetchone() == (0,)
    assert run(before_drop=archive).is_idle


def test_what_is_refused_is_kept_and_offered_again(run: Run, archive: Archive, server: Connection) -> None:
    """The rest stays attached, so that readers miss no more than one partition while an archive is away."""
    archive.answer = lambda: False
    done = run(before_drop=archive)
    [refused] = archive.offered
    assert done == TableMaintenance(table="public.visits", retained=(refused.name,))
    assert not done.is_idle
    assert ids(server) == [2, 3, 4]
    archive.answer = lambda: True
    assert len(run(before_drop=archive).dropped) == 3
    assert (archive.offered[1], archive.rows) == (refused, [1, 2, 3])


def test_an_archive_that_fails_loses_nothing(run: Run, archive: Archive, server: Connection) -> None:
    """Its error is the caller's, and the next run begins where it was."""

    def fail() -> bool:
        raise ConnectionError("the store is away")

    archive.answer = fail
    with pytest.raises(ConnectionError, match=r"^the store is away$"):
        run(before_drop=archive)
    archive.answer = lambda: True
    run(before_drop=archive)
    assert (archive.rows, ids(server)) == ([1, 2, 3], [4])


def test_a_late_row_is_archived_too(run: Run, archive: Archive, server: Connection) -> None:
    """One that comes while its week is detached gets another partition of that week, and is archived with that."""
    archive.answer = lambda: False
    run(before_drop=archive)
    visit(server, 9, MONDAYS[0])
    archive.answer = lambda: True
    done = run(before_drop=archive)
    assert (done.created, done.moved) == (("public.visits_2020_w10",), 1)
    assert sorted(archive.rows) == [1, 2, 3, 9]
    assert ids(server) == [4]


def test_a_dry_run_offers_nothing(run: Run, archive: Archive, server: Connection) -> None:
    """It reports what would be dropped, detached ones included."""
    archive.answer = lambda: False
    run(before_drop=archive)
    [detached] = archive.offered
    planned = run(before_drop=archive, dry_run=True)
    assert planned.dropped == (detached.name, "public.visits_2020_w11", "public.visits_2020_w12")
    assert (len(archive.offered), ids(server)) == (1, [2, 3, 4])


def test_the_first_partition_has_no_begin(run: Run, archive: Archive, server: Connection) -> None:
    """What was there before there were partitions is offered as a whole, and no rows of it go before."""
    bounds = "FROM (MINVALUE) TO ('2019-12-30 00:00:00+00')"
    server.execute(f"CREATE TABLE visits_before PARTITION OF visits FOR VALUES {bounds}".encode())
    visit(server, 7, datetime(2015, 1, 1, tzinfo=UTC))
    run(before_drop=archive)
    first = archive.offered[0]
    assert (first.begins_at, first.ends_at) == (None, datetime(2019, 12, 30, tzinfo=UTC))
    assert archive.rows == [7, 1, 2, 3]
