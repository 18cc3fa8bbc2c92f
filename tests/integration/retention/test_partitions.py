"""A table in partitions is maintained: the next ones are created, the default one is emptied, what has expired goes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from rig import eventually
from surf_data.domain import Retention
from surf_data.errors import DatabaseError, LockTimeout, MigrationError, ValidationError
from surf_data.retention import TableMaintenance, maintain, partitions

Connection = psycopg.Connection[Any]
Keep = Callable[..., TableMaintenance]

# Its name and its column need quotes; it has all that a table can have.
TABLE = """
CREATE TABLE place (id int PRIMARY KEY);
INSERT INTO place VALUES (1);
CREATE TABLE "Log 1" (
    id bigint GENERATED ALWAYS AS IDENTITY,
    place_id int REFERENCES place ON DELETE SET NULL,
    "the time" timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, "the time")
) PARTITION BY RANGE ("the time");
CREATE INDEX log_time ON "Log 1" ("the time");
COMMENT ON COLUMN "Log 1".id IS 'counted';
CREATE TABLE "Log 1 rest" PARTITION OF "Log 1" DEFAULT;
CREATE TABLE counted (what text);
CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO counted VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER counts AFTER INSERT OR DELETE ON "Log 1" FOR EACH ROW EXECUTE FUNCTION count_it();
"""
NAME = 'public."Log 1"'


@pytest.fixture
def keep(database_url: str, server: Connection) -> Keep:
    """Return what maintains the table, or another one, in partitions by month unless told otherwise."""
    server.execute(TABLE.encode())
    connect = partial(psycopg.connect, database_url, options="-c TimeZone=Asia/Tokyo -c DateStyle=German")

    def run(table: str = NAME, **options: Any) -> TableMaintenance:
        policy = {"by": "the time", "partition": "month"}
        policy |= {name: options.pop(name) for name in ("by", "partition", "keep_days", "on_drop") if name in options}
        [done] = maintain(connect, [Retention(table=table, **policy)], **{"lock_timeout": 0.05, **options})
        return done

    return run


def month(ahead: int = 0) -> datetime:
    """Return the begin of this month, or of one so many months later."""
    months = datetime.now(UTC).year * 12 + datetime.now(UTC).month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def name(begin: datetime) -> str:
    """Return what the partition of a month is called."""
    return f'public."Log 1_{begin:%Y_%m}"'


def log(server: Connection, *moments: datetime | str) -> None:
    """Insert a row at each moment."""
    for moment in moments:
        server.execute('INSERT INTO "Log 1" (place_id, "the time") VALUES (1, %s)', [moment])


def where(server: Connection) -> dict[str, int]:
    """Return how many rows each partition has."""
    return dict(server.execute('SELECT tableoid::regclass::text, count(*) FROM "Log 1" GROUP BY 1').fetchall())


def test_the_next_months_are_made_once(keep: Keep, server: Connection) -> None:
    """This month and the next ones are there, with all that belongs to the table; then there is nothing to do."""
    made = tuple(name(month(ahead)) for ahead in range(3))
    assert keep(ahead=2) == TableMaintenance(table=NAME, created=made)
    log(server, month(), month(1), month(1) - timedelta(microseconds=1), month(2), month(3))
    assert where(server) == {
        name(month()).removeprefix("public."): 2,
        name(month(1)).removeprefix("public."): 1,
        name(month(2)).removeprefix("public."): 1,
        '"Log 1 rest"': 1,
    }
    server.execute("DELETE FROM place")
    assert server.execute('SELECT count(*) FROM "Log 1" WHERE place_id IS NULL').fetchone() == (5,)
    server.execute('TRUNCATE "Log 1"')
    assert keep(ahead=2).is_idle


def test_rows_of_the_default_partition_move(keep: Keep, server: Connection) -> None:
    """Rows without a partition of their own move into one, whatever their date; no trigger takes it for a deletion."""
    log(server, "2020-02-29", "2020-02-01 00:00:00+00", month(1), "9999-12-30")
    before = server.execute('SELECT * FROM "Log 1" ORDER BY id').fetchall()
    done = keep(ahead=1)
    assert done.moved == 4
    assert where(server) == {
        '"Log 1_2020_02"': 2,
        name(month(1)).removeprefix("public."): 1,
        '"Log 1_9999_12"': 1,
    }
    assert server.execute('SELECT * FROM "Log 1" ORDER BY id').fetchall() == before
    assert server.execute("SELECT what, count(*) FROM counted GROUP BY 1").fetchall() == [("INSERT", 4)]
    log(server, "2020-02-02 00:00:00+00", "2021-02-02 00:00:00+00")
    assert server.execute("SELECT what, count(*) FROM counted GROUP BY 1").fetchall() == [("INSERT", 6)]
    assert keep(ahead=1).created == (name(datetime(2021, 2, 1, tzinfo=UTC)),)


def test_what_has_expired_goes(keep: Keep, server: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole months are dropped; where there are no months single rows are deleted; younger ones stay."""
    monkeypatch.setattr(partitions, "BATCH", 2)
    server.execute("CREATE TABLE first PARTITION OF \"Log 1\" FOR VALUES FROM (MINVALUE) TO ('2020-01-01 00:00:00+00')")
    server.execute(
        "CREATE TABLE grown PARTITION OF \"Log 1\" FOR VALUES FROM ('2020-01-01 00:00:00+00')"
        " TO ('2020-02-01 00:00:00+00')"
    )
    log(server, *["2019-01-01"] * 5, "2019-12-01 00:00:00+00", "2020-01-02 00:00:00+00", "2021-03-01 00:00:00+00")
    days = (datetime.now(UTC) - datetime(2019, 6, 1, tzinfo=UTC)).days
    steps: list[str] = []
    assert keep(keep_days=days, ahead=0, on_step=steps.append).deleted == 5
    assert "deleting from public.first: 5 rows" in steps
    assert sum(where(server).values()) == 3
    days = (datetime.now(UTC) - datetime(2021, 1, 1, tzinfo=UTC)).days
    server.execute("CREATE TABLE told (until timestamptz)")
    server.execute("CREATE FUNCTION tell(timestamptz) RETURNS void LANGUAGE sql AS 'INSERT INTO told VALUES ($1)'")
    dropped = ("public.first", "public.grown")
    assert keep(keep_days=days, ahead=0, on_drop="tell") == TableMaintenance(table=NAME, dropped=dropped)
    ends = [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)]
    assert [until for (until,) in server.execute("SELECT until FROM told ORDER BY 1").fetchall()] == ends
    assert where(server) == {'"Log 1_2021_03"': 1}
    log(server, "2018-01-01 00:00:00+00")
    assert keep(keep_days=days, ahead=0) == TableMaintenance(table=NAME, deleted=1)


def test_nobody_waits_for_what_has_to_be_told(keep: Keep, server: Connection) -> None:
    """The function that hears of a drop works before the table is locked."""
    server.execute("CREATE TABLE first PARTITION OF \"Log 1\" FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00')")
    server.execute("CREATE TABLE told (locks bigint)")
    server.execute(
        "CREATE FUNCTION tell(timestamptz) RETURNS void LANGUAGE sql AS $$ INSERT INTO told SELECT count(*)"
        " FROM pg_locks WHERE relation = '\"Log 1\"'::regclass AND mode = 'AccessExclusiveLock' $$"
    )
    assert keep(keep_days=1, ahead=0, on_drop="tell").dropped == ("public.first",)
    assert server.execute("SELECT locks FROM told").fetchall() == [(0,)]


def test_a_dry_run_changes_nothing(keep: Keep, server: Connection) -> None:
    """It says the same as the run that follows, but for months of the default partition that expire on the way."""
    log(server, "2019-01-01", "2021-03-01 00:00:00+00", month(1))
    keep(ahead=1)
    server.execute("CREATE TABLE first PARTITION OF \"Log 1\" FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00')")
    log(server, "2009-01-01", "2012-03-01 00:00:00+00", "2030-05-01 00:00:00+00")
    days = (datetime.now(UTC) - datetime(2011, 1, 1, tzinfo=UTC)).days
    options: dict[str, Any] = {"keep_days": days, "ahead": 2}
    before = where(server)
    planned = keep(dry_run=True, **options)
    assert where(server) == before
    assert keep(**options) == planned
    assert (planned.moved, planned.deleted, planned.dropped, len(planned.created)) == (2, 0, ("public.first",), 3)


def test_others_go_before(keep: Keep, server: Connection, database_url: str) -> None:
    """A partition that a transaction reads is not dropped until it has ended, and no session queues behind for long."""
    server.execute("CREATE TABLE first PARTITION OF \"Log 1\" FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00')")
    keep(ahead=0)
    with psycopg.connect(database_url) as reader:
        reader.execute('SELECT count(*) FROM "Log 1"')
        with pytest.raises(LockTimeout) as caught:
            keep(keep_days=1, ahead=0, lock_timeout=0.01, attempts=2)
        assert (caught.value.sqlstate, str(caught.value)) == (
            "55P03",
            "maintenance failed: LockNotAvailable (SQLSTATE 55P03)",
        )
        attempted: list[str] = []

        def end(step: str) -> None:
            attempted.append(step)
            reader.rollback()

        assert keep(keep_days=1, ahead=0, on_step=end).dropped == ("public.first",)
    assert attempted[0] == "dropping public.first"


def test_a_lock_is_asked_for_again(keep: Keep, server: Connection, database_url: str) -> None:
    """A lock that is held only for a while delays the maintenance, and does not make it fail."""
    server.execute("CREATE TABLE first PARTITION OF \"Log 1\" FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00')")
    # It gives up on each lock before it can have been seen to wait twice; that it has waited is seen on the server.
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '\"Log 1\"'::regclass"
    with psycopg.connect(database_url) as reader, ThreadPoolExecutor() as threads:
        reader.execute('SELECT count(*) FROM "Log 1"')
        run = threads.submit(keep, keep_days=1, ahead=0, attempts=1000)
        try:
            eventually(lambda: server.execute(waits).fetchone() != (0,))
            eventually(lambda: server.execute(waits).fetchone() == (0,))
        finally:
            reader.rollback()
        assert run.result().dropped == ("public.first",)


@pytest.mark.parametrize("table", ["nowhere", "place", "days"])
def test_other_tables_are_refused(keep: Keep, server: Connection, table: str) -> None:
    """Only a table in partitions over a timestamptz, with a default partition, can be kept up."""
    server.execute("CREATE TABLE days (day date) PARTITION BY RANGE (day)")
    server.execute("CREATE TABLE days_rest PARTITION OF days DEFAULT")
    refusal = f"^public.{table} is no table in partitions by day with a default one; are all"
    with pytest.raises(MigrationError, match=refusal):
        keep(f"public.{table}", by="day")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ahead", -1),
        ("ahead", 121),
        ("attempts", 0),
        ("attempts", 1001),
        ("lock_timeout", 0),
        ("lock_timeout", float("nan")),
        ("lock_wait", -1),
    ],
)
def test_numbers_out_of_range_are_refused(field: str, value: float) -> None:
    """The field is named before a connection is made."""
    with pytest.raises(ValidationError) as refused:
        maintain(lambda: pytest.fail("it connected"), [], **{field: value})  # type: ignore[arg-type]
    assert refused.value.field == field


def test_who_does_not_own_it_is_refused(keep: Keep, server: Connection, database_url: str) -> None:
    """The application's role, for one, may not."""
    server.execute("CREATE ROLE maintenance_guest LOGIN")
    try:
        guest = partial(psycopg.connect, database_url, user="maintenance_guest")
        with pytest.raises(DatabaseError, match="InsufficientPrivilege"):
            maintain(guest, [Retention(table=NAME, by="the time", partition="month")])
    finally:
        server.execute("DROP ROLE maintenance_guest")
