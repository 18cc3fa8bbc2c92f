"""The activity log becomes a table of partitions while it has entries, and all that is on it goes with it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from surf_data.errors import MigrationError
from surf_data.kernel import resources
from surf_data.migrate import Runner, read_folder

Connection = psycopg.Connection[Any]

FOLDER = resources.directory("migrations") / "lamps"
NUMBERS = {migration.name: migration.number for migration in read_folder(FOLDER)}
KEY, PARTITIONS = NUMBERS["post_activity_log_key"], NUMBERS["post_activity_log_partitions"]

# What may have been done to the log by hand.
BY_HAND = """
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER log_noted AFTER INSERT ON activity_log
FOR EACH ROW WHEN (NEW.created_at < '2025-01-01 00:00:00+00') EXECUTE FUNCTION noted();
CREATE TRIGGER log_switched_off AFTER DELETE ON activity_log FOR EACH STATEMENT EXECUTE FUNCTION noted();
ALTER TABLE activity_log DISABLE TRIGGER log_switched_off;
CREATE INDEX log_agents ON activity_log (user_agent) WHERE user_agent IS NOT NULL;
COMMENT ON TABLE activity_log IS 'what happens';
COMMENT ON COLUMN activity_log.details IS 'a mapping';
CREATE ROLE log_reader;
GRANT SELECT ON activity_log TO log_reader WITH GRANT OPTION;
GRANT UPDATE (details) ON activity_log TO log_reader;
GRANT SELECT (id) ON activity_log TO PUBLIC;
ALTER TABLE activity_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE activity_log FORCE ROW LEVEL SECURITY;
CREATE POLICY log_all ON activity_log USING (true) WITH CHECK (status <> 'odd');
CREATE POLICY log_read ON activity_log AS RESTRICTIVE FOR SELECT TO log_reader, surf_lamp_read USING (lamp_id IS NULL);
"""
ON_THE_LOG = """
SELECT 'trigger ' || tgname || tgenabled::text FROM pg_trigger
WHERE tgrelid = 'activity_log'::regclass AND NOT tgisinternal
UNION ALL SELECT 'index ' || indexrelid::regclass FROM pg_index WHERE indrelid = 'activity_log'::regclass
UNION ALL SELECT 'constraint ' || conname || pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'activity_log'::regclass AND conname <> 'activity_log_before_partitions'
UNION ALL SELECT 'comment ' || description FROM pg_description WHERE objoid = 'activity_log'::regclass
UNION ALL SELECT 'right ' || acl FROM pg_class, unnest(relacl) AS acl WHERE oid = 'activity_log'::regclass
UNION ALL SELECT 'right ' || acl FROM pg_attribute, unnest(attacl) AS acl WHERE attrelid = 'activity_log'::regclass
UNION ALL SELECT 'policy ' || concat_ws(' ', policyname, permissive, roles, cmd, qual, with_check) FROM pg_policies
WHERE tablename = 'activity_log'
UNION ALL SELECT 'row security ' || relrowsecurity || relforcerowsecurity FROM pg_class
WHERE oid = 'activity_log'::regclass
UNION ALL SELECT 'sequence ' || pg_get_serial_sequence('activity_log', 'id')
UNION ALL SELECT 'owner ' || relowner::regrole FROM pg_class WHERE oid = 'activity_log'::regclass
ORDER BY 1
"""
FILES = """
SELECT pc.relname::text, pc.relfilenode FROM pg_inherits AS pi JOIN pg_class AS pc ON pi.inhrelid = pc.oid
WHERE pi.inhparent = 'activity_log'::regclass
"""


@pytest.fixture
def runner(database_url: str) -> Runner:
    """Return what migrates the database."""
    return Runner(partial(psycopg.connect, database_url), FOLDER, "lamps")


@pytest.fixture
def by_hand(server: Connection) -> Iterator[Callable[[], object]]:
    """Return a function that puts on the log what an operator may have; the role goes in the end."""
    yield partial(server.execute, BY_HAND)
    server.execute("DROP OWNED BY log_reader; DROP ROLE log_reader")


def log(server: Connection, *moments: datetime | str, lamp: UUID | None = None) -> None:
    """Insert an entry at each moment."""
    for moment in moments:
        values = [lamp, moment]
        server.execute("INSERT INTO activity_log VALUES (DEFAULT, %s, 'a', 'b', NULL, %s)", values)


def months_later(month: datetime, number: int) -> datetime:
    """Return the begin of a later month."""
    return datetime(month.year + (month.month - 1 + number) // 12, (month.month - 1 + number) % 12 + 1, 1, tzinfo=UTC)


def boundary(server: Connection) -> datetime:
    """Return where the first partition ends, as the primary key's migration has decided."""
    check = "SELECT substring(pg_get_constraintdef(oid) FROM '''(.*)''') FROM pg_constraint WHERE conname = %s"
    [(text,)] = server.execute(check, ["activity_log_before_partitions"]).fetchall()
    return datetime.fromisoformat(text).astimezone(UTC)


def where(server: Connection) -> dict[str, int]:
    """Return how many entries each partition has."""
    return dict(server.execute("SELECT tableoid::regclass::text, count(*) FROM activity_log GROUP BY 1").fetchall())


def test_a_log_with_entries_becomes_a_partition(server: Connection, database_url: str, runner: Runner) -> None:
    """It keeps its file, is not read to its end, and takes what comes until a month that begins in 14 to 45 days."""
    runner.up(to=KEY - 1)
    log(server, "2020-01-01 00:00:00+00", "now")
    [(file,)] = server.execute("SELECT relfilenode FROM pg_class WHERE relname = 'activity_log'").fetchall()
    runner.up(to=KEY)
    end = boundary(server)
    assert (end.day, 14 <= (end - datetime.now(UTC)).total_seconds() / 86_400 <= 46) == (1, True)
    said: list[str] = []
    connection = psycopg.connect(database_url, options="-c client_min_messages=debug1")
    connection.add_notice_handler(lambda diagnostic: said.append(diagnostic.message_primary or ""))
    Runner(lambda: connection, FOLDER, "lamps").up(to=PARTITIONS)
    assert 'partition constraint for table "activity_log_first" is implied by existing constraints' in said
    files = dict(server.execute(FILES).fetchall())
    first, rest = f"activity_log_before_{end:%Y_%m}", "activity_log_default"
    months = [months_later(end, number) for number in range(5)]
    assert {*files} == {first, rest, *(f"activity_log_{month:%Y_%m}" for month in months[:4])}
    assert files[first] == file
    log(server, end, months[1], months[4], "9999-12-30 00:00:00+00")
    assert where(server) == {
        first: 2,
        f"activity_log_{end:%Y_%m}": 1,
        f"activity_log_{months[1]:%Y_%m}": 1,
        rest: 2,
    }


def test_an_empty_log_has_months_at_once(server: Connection, runner: Runner) -> None:
    """What is logged now is in this month's partition, and what is older in the first one."""
    runner.up()
    now = datetime.now(UTC)
    log(server, now, "2020-01-01 00:00:00+00")
    assert where(server) == {f"activity_log_{now:%Y_%m}": 1, f"activity_log_before_{now:%Y_%m}": 1}


def test_what_is_on_the_log_goes_with_it(server: Connection, runner: Runner, by_hand: Callable[[], object]) -> None:
    """Triggers, policies, indexes, constraints, comments, rights, sequence, owner: there, and all the way back."""
    runner.up(to=KEY - 1)
    by_hand()
    before = server.execute(ON_THE_LOG).fetchall()
    runner.up(to=KEY)
    narrow = ("constraint activity_log_pkeyPRIMARY KEY (id)",)
    unused = ("index idx_activity_log_type_status",)
    expected = sorted(
        ("constraint activity_log_pkeyPRIMARY KEY (id, created_at)",) if row == narrow else row
        for row in before
        if row != unused
    )
    assert sorted(server.execute(ON_THE_LOG).fetchall()) == expected
    runner.up(to=PARTITIONS)
    assert sorted(server.execute(ON_THE_LOG).fetchall()) == expected
    cloned = "SELECT count(*) FROM pg_trigger WHERE tgname = 'log_noted' AND tgrelid <> 'activity_log'::regclass"
    assert server.execute(cloned).fetchone() == (6,)
    runner.down(to=KEY - 1)
    assert server.execute(ON_THE_LOG).fetchall() == before


def test_lamps_still_leave_the_log(server: Connection, runner: Runner) -> None:
    """An entry outlives its lamp, in each partition, and an unknown lamp is refused."""
    runner.up(to=KEY - 1)
    lamp = uuid4()
    server.execute(
        "INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index) "
        "VALUES (%s, 'a@example.com', 'a@example.com', 'A', 'h', 0)",
        [lamp],
    )
    log(server, "2020-01-01 00:00:00+00", lamp=lamp)
    runner.up()
    log(server, "9000-01-01 00:00:00+00", "now", lamp=lamp)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        log(server, "now", lamp=uuid4())
    server.execute("DELETE FROM lamp_registry")
    assert server.execute("SELECT count(*), count(lamp_id) FROM activity_log").fetchone() == (3, 0)


def test_the_way_down_keeps_every_entry(server: Connection, runner: Runner) -> None:
    """Whichever partitions are there: the largest becomes the table, and takes the others' rows."""
    runner.up(to=KEY - 1)
    log(server, "2020-01-01 00:00:00+00")
    runner.up(to=KEY)
    end = boundary(server)
    runner.up()
    server.execute("DELETE FROM activity_log")
    server.execute(f"DROP TABLE activity_log_before_{end:%Y_%m}".encode())
    log(server, *[end] * 500, "2021-01-01 00:00:00+00", months_later(end, 2))
    before = server.execute("SELECT id, created_at FROM activity_log ORDER BY id").fetchall()
    runner.down(to=PARTITIONS - 1)
    assert server.execute("SELECT id, created_at FROM activity_log ORDER BY id").fetchall() == before
    assert server.execute(
        "SELECT relkind::text FROM pg_class WHERE relname ~ '^activity_log[^.]*' AND relkind IN ('r', 'p')"
    ).fetchall() == [("r",)]


@pytest.mark.parametrize(
    ("hindrance", "named"),
    [
        ("CREATE VIEW recent AS SELECT id FROM activity_log", "rule _RETURN on view recent"),
        (
            "CREATE POLICY busy ON user_sessions USING (EXISTS (SELECT FROM activity_log AS al WHERE al.status = 'b'))",
            "policy busy on table user_sessions",
        ),
        ("CREATE PUBLICATION told FOR TABLE activity_log", "publication of table activity_log in publication told"),
    ],
)
def test_what_would_stay_behind_stops_it(server: Connection, runner: Runner, hindrance: str, named: str) -> None:
    """A view, for one, would go on showing the first partition alone: it is named, and nothing is changed."""
    runner.up(to=KEY)
    server.execute(hindrance.encode())
    with pytest.raises(MigrationError, match=f"there is what would stay behind: {named}") as caught:
        runner.up()
    assert "Drop it, run the migration again" in str(caught.value)
    assert server.execute("SELECT relkind::text FROM pg_class WHERE relname = 'activity_log'").fetchone() == ("r",)


def test_entries_of_the_future_stop_it(server: Connection, runner: Runner) -> None:
    """They would lie in no partition that is known to be theirs; once they are corrected, the run goes on."""
    runner.up(to=KEY - 1)
    log(server, "9000-01-01 00:00:00+00")
    with pytest.raises(MigrationError, match="CheckViolation"):
        runner.up()
    server.execute("UPDATE activity_log SET created_at = now()")
    runner.up()
    assert [*where(server).values()] == [1]
