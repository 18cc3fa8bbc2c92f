"""What is over is rolled up, and statistics stay those of the entries, whatever happens to these at the same time."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import IsolationLevel

import surf_data
from rig import eventually
from rig.activity_rollup import COUNTED, ROLL_UP, differences, rolled_up
from surf_data import LampsDataLayer

Admin = psycopg.Connection[Any]

LAMP = (
    "INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index) "
    "SELECT id, id::text, id::text, 'Kai', 'hash', 0 FROM unnest(%s::uuid[]) AS id ON CONFLICT DO NOTHING"
)


@pytest.fixture
def observer(admin: Admin, migrated_url: str) -> Any:
    """Return a connection whose transactions see one snapshot."""
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        yield connection


@pytest.fixture
def lamps(admin: Admin) -> list[UUID]:
    """Store lamps."""
    ids = [uuid4() for _ in range(20)]
    admin.execute(LAMP, [ids])
    return ids


@pytest.fixture
def day(admin: Admin, lamps: list[UUID]) -> list[UUID]:
    """Store a day's entries, one for each minute and some of the same moment; return the lamps."""
    admin.execute(
        """
        INSERT INTO activity_log (lamp_id, activity_type, status, created_at)
        SELECT
            CASE WHEN mod(n, 7) > 0 THEN (%(lamps)s::uuid[])[1 + mod(n * n, 20)] END, 'type ' || mod(n, 5),
            CASE WHEN mod(n, 3) = 0 THEN 'failure' ELSE 'success' END, now() - interval '1 minute' * (n / 2)
        FROM generate_series(0, 2900) AS n
        """,
        {"lamps": lamps},
    )
    return lamps


def test_what_is_over_is_rolled_up_when_it_is_asked_for(
    data: LampsDataLayer, admin: Admin, observer: Admin, day: list[UUID]
) -> None:
    """A request counts what is over, and the next ones only read."""
    before = data.activity.get_activity_statistics(24)
    assert before["total"] > 2800
    day_is_counted = f"{COUNTED} WHERE rolled_until - rolled_from >= interval '23 hours 57 minutes'"
    eventually(lambda: data.activity.get_activity_statistics(24) and admin.execute(day_is_counted).fetchone())
    read = data.stats()["queries"]["lamps.activity_roll_up"]["count"]
    after = data.activity.get_activity_statistics(24)
    assert data.stats()["queries"]["lamps.activity_roll_up"]["count"] == read
    assert abs(after["total"] - before["total"]) < 100
    assert [differences(observer, hours) for hours in range(1, 26)] == [[]] * 25


def test_all_that_is_over_is_rolled_up_at_once(
    data: LampsDataLayer, admin: Admin, observer: Admin, day: list[UUID]
) -> None:
    """`roll_up` reaches back to the first entry, and older ones that come later are counted, too."""

    def found(query: str) -> None:
        eventually(lambda: data.activity.roll_up() or admin.execute(query.encode()).fetchone())

    found("SELECT 1 FROM activity_rollup WHERE rolled_from = '-infinity'")
    admin.execute("INSERT INTO activity_log (activity_type, status, created_at) VALUES ('a', 'b', '2001-01-01')")
    found("SELECT 1 FROM activity_rollup_count WHERE began < '2001-01-02'")
    assert differences(observer, 24) == []


@pytest.mark.parametrize("portion", [1, 100, 1_000_000])
def test_it_is_exact_at_every_moment(admin: Admin, observer: Admin, day: list[UUID], portion: int) -> None:
    """However far a roll-up has come, what is not counted is read."""
    admin.execute("DELETE FROM activity_log WHERE created_at < now() - interval '3 hours'")
    more: Any = (True,)
    while more == (True,):
        more = admin.execute(ROLL_UP, [3, portion, "infinity"]).fetchone()
        assert [differences(observer, hours) for hours in (1, 2, 3)] == [[]] * 3


LATE = {
    "an entry that comes late": "INSERT INTO activity_log (activity_type, status, created_at) "
    "VALUES ('late', 'success', now() - interval '5 hours')",
    "an entry of a lamp": "INSERT INTO activity_log (lamp_id, activity_type, status, created_at) "
    "SELECT lamp_id, 'late', 'success', now() - interval '5 hours' FROM lamp_registry LIMIT 1",
    "entries that are copied": "INSERT INTO activity_log (lamp_id, activity_type, status, created_at) "
    "SELECT lamp_id, activity_type, status, created_at - interval '3 hours' FROM activity_log",
    "an entry of another kind": "UPDATE activity_log SET status = 'other', activity_type = 'other' WHERE id % 100 = 0",
    "an entry of another time": "UPDATE activity_log SET created_at = created_at - interval '61 minutes' "
    "WHERE id % 100 = 0",
    "an entry of another lamp": "UPDATE activity_log SET lamp_id = NULL WHERE id % 2 = 0",
    "entries that go": "DELETE FROM activity_log WHERE created_at BETWEEN now() - interval '9 hours' "
    "AND now() - interval '7 hours'",
    "all entries of a lamp that go": "DELETE FROM activity_log WHERE lamp_id = (SELECT min(lamp_id::text)::uuid "
    "FROM activity_log)",
    "a lamp that goes": "DELETE FROM lamp_registry WHERE lamp_id = (SELECT min(lamp_id::text)::uuid "
    "FROM lamp_registry)",
    "all that go": "DELETE FROM activity_log",
    "a log that is emptied": "TRUNCATE activity_log",
    "what is replaced": "TRUNCATE activity_log; INSERT INTO activity_log (activity_type, status, created_at) "
    "SELECT 'new', 'success', now() - interval '1 minute' * n FROM generate_series(0, 700) AS n",
    "what goes without triggers": "SET LOCAL session_replication_role = replica; DELETE FROM activity_log "
    "WHERE created_at < now() - interval '12 hours'; "
    "SELECT activity_rollup_forget(now() - interval '12 hours')",
    "all that goes without triggers": "SET LOCAL session_replication_role = replica; DELETE FROM activity_log; "
    "SELECT activity_rollup_forget('infinity')",
}


@pytest.mark.parametrize("isolation", [IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ])
@pytest.mark.parametrize("change", LATE)
def test_what_comes_late_is_counted_anew(
    admin: Admin, migrated_url: str, observer: Admin, day: list[UUID], change: str, isolation: IsolationLevel
) -> None:
    """Whatever changes what is counted, statistics are exact before, at once and after the next roll-up.

    That holds for a transaction, too, which has begun before anything was counted and cannot see it.
    """
    with psycopg.connect(migrated_url) as connection:
        connection.isolation_level = isolation
        connection.execute("SELECT count(*) FROM activity_log")
        rolled_up(admin)
        assert differences(observer, 24) == []
        connection.execute(LATE[change].encode())
        admin.execute(ROLL_UP, [24, 1000, "infinity"])
        if "TRUNCATE" not in LATE[change]:
            assert differences(observer, 24) == []
        connection.commit()
        assert [differences(observer, hours) for hours in (1, 6, 24)] == [[]] * 3
        rolled_up(admin, portion=500)
        assert [differences(observer, hours) for hours in (1, 6, 24)] == [[]] * 3
        assert admin.execute("SELECT count(*) FROM activity_rollup_stale").fetchone() == (0,)
        assert admin.execute(COUNTED).fetchone() != (None, None)


def test_a_change_that_is_rolled_back_changes_nothing(
    admin: Admin, migrated_url: str, observer: Admin, day: list[UUID]
) -> None:
    """A late entry whose transaction is rolled back leaves no mark."""
    rolled_up(admin)
    with psycopg.connect(migrated_url) as connection:
        connection.execute(LATE["an entry that comes late"].encode())
        connection.rollback()
    assert admin.execute("SELECT count(*) FROM activity_rollup_stale").fetchone() == (0,)
    assert differences(observer, 24) == []


def test_an_open_transaction_is_waited_for(admin: Admin, migrated_url: str, observer: Admin, day: list[UUID]) -> None:
    """Entries of a transaction that began before they were over are not missed, however late it commits."""
    with psycopg.connect(migrated_url) as connection:
        connection.execute(
            "INSERT INTO activity_log (activity_type, status, created_at) "
            "SELECT 'open', 'success', now() - interval '1 minute' * n FROM generate_series(0, 1440) AS n"
        )
        for _ in range(3):
            admin.execute(ROLL_UP, [24, 1000, "infinity"])
        assert admin.execute(COUNTED).fetchone() == (None, None)
        assert differences(observer, 24) == []
        connection.commit()
    assert differences(observer, 24) == []
    rolled_up(admin)
    assert differences(observer, 24) == []


def test_roll_ups_do_not_wait(admin: Admin, migrated_url: str, observer: Admin, day: list[UUID]) -> None:
    """While the transaction of a late entry is open, or another roll-up is at work, nothing is done."""
    rolled_up(admin)
    with psycopg.connect(migrated_url) as connection:
        connection.execute(LATE["an entry that comes late"].encode())
        admin.execute("DELETE FROM activity_log WHERE created_at < now() - interval '20 hours'")
        assert admin.execute(ROLL_UP, [24, 1000, "infinity"]).fetchone() == (False,)
        assert admin.execute("SELECT FROM activity_rollup_stale").fetchall()
        assert differences(observer, 24) == []
    rolled_up(admin)
    assert differences(observer, 24) == []


def test_a_roll_up_is_a_transaction_by_itself(admin: Admin, observer: Admin) -> None:
    """Within a transaction that has written, or sees an old snapshot, it is refused."""
    with pytest.raises(psycopg.errors.InvalidTransactionState), admin.transaction():
        admin.execute("INSERT INTO activity_log (activity_type, status) VALUES ('a', 'b')")
        admin.execute(ROLL_UP, [24, 1000, "infinity"])
    with pytest.raises(psycopg.errors.InvalidTransactionState), observer.transaction():
        observer.execute(ROLL_UP, [24, 1000, "infinity"])


def test_a_restored_database_begins_anew(admin: Admin, migrated_url: str, observer: Admin, day: list[UUID]) -> None:
    """A transaction id that comes from another server, far ahead of this one's, is not waited for."""
    admin.execute("UPDATE activity_rollup SET closing_until = 'infinity', closing_xact = '999999999999'")
    with psycopg.connect(migrated_url) as connection:
        connection.execute("SELECT pg_current_xact_id()")
        admin.execute(ROLL_UP, [24, 1000, "infinity"])
        assert admin.execute("SELECT FROM activity_rollup WHERE closing_until < now()").fetchone() is not None
    rolled_up(admin)
    assert differences(observer, 24) == []


def test_within_a_transaction_nothing_is_rolled_up(data: LampsDataLayer, admin: Admin, day: list[UUID]) -> None:
    """A caller's transaction reads, and leaves late entries of others alone."""
    with data.transaction() as tx:
        assert tx.activity.get_activity_statistics()["total"] > 2800
    assert list(data.stats()["queries"]) == ["lamps.activity_statistics"]


@pytest.mark.parametrize(
    "setting", ["default_transaction_read_only%3Don", "default_transaction_isolation%3Dserializable"]
)
def test_statistics_do_without(
    application_url: str, admin: Admin, day: list[UUID], caplog: pytest.LogCaptureFixture, setting: str
) -> None:
    """Where nothing can be rolled up, statistics are read as they were, with a warning."""
    with surf_data.open(f"{application_url}&options=-c%20{setting}") as data:
        assert data.activity.get_activity_statistics()["total"] > 2800
    [record] = [record for record in caplog.records if record.name == "surf_data.lamps.activity_statistics"]
    assert record.msg == "activity not rolled up"
    assert record.__dict__["sqlstate"] in {"25006", "25000"}


def test_readers_have_statistics(application_url: str, admin: Admin, day: list[UUID]) -> None:
    """A role that may only read has the same statistics."""
    rolled_up(admin)
    admin.execute("CREATE ROLE surf_reader LOGIN IN ROLE surf_lamp_read")
    try:
        with surf_data.open(application_url.replace("surf_service", "surf_reader")) as data:
            assert data.activity.get_activity_statistics()["total"] > 2800
    finally:
        admin.execute("DROP ROLE surf_reader")


def test_row_security_hides_what_is_counted(data: LampsDataLayer, admin: Admin, day: list[UUID]) -> None:
    """A role that does not see every entry does not learn their number either."""
    rolled_up(admin)
    admin.execute("ALTER TABLE activity_log ENABLE ROW LEVEL SECURITY")
    admin.execute("CREATE POLICY one_type ON activity_log TO surf_lamp_app USING (activity_type = 'type 1')")
    assert list(data.activity.get_activity_statistics(3)["by_type"]) == ["type 1"]
