"""The Surf Lamp's migrations: the specification's schema first, then stricter, and no stored value lost on the way."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import CheckViolation, NotNullViolation, UniqueViolation
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from surf_data.errors import MigrationError
from surf_data.kernel import resources
from surf_data.kernel.crypto import token_digest
from surf_data.lamps import email_key
from surf_data.migrate import MigrationStatus, Runner, Section, read_folder

Connection = psycopg.Connection[Any]
Migrate = Callable[..., list[MigrationStatus]]

FOLDER = resources.directory("migrations") / "lamps"
SPECIFICATION = (Path(__file__).parent / "specification" / "surf_lamp.sql").read_text(encoding="utf-8")
MIGRATIONS = {migration.name: migration for migration in read_folder(FOLDER)}

# Everything that makes up the schema, as PostgreSQL itself would write it down.
CATALOG = """
SELECT 'column', attrelid::regclass::text, attnum::text, attname::text,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
           || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped
      AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p'))
UNION ALL
SELECT 'constraint', conrelid::regclass::text, '', conname::text, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', indrelid::regclass::text, '', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'sequence', '', '', sequencename::text, row(data_type, start_value, increment_by, cycle)::text
FROM pg_sequences WHERE schemaname = 'public'
UNION ALL
SELECT 'function', '', '', proname::text, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, '', tgname::text, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal
"""


@pytest.fixture
def migrate(database_url: str) -> Migrate:
    """Return a function that applies the migrations up to the one of that name, or all."""

    def migrate(name: str | None = None, **parameters: Any) -> list[MigrationStatus]:
        runner = Runner(partial(psycopg.connect, database_url, **parameters), FOLDER, "lamps")
        return runner.up(to=None if name is None else MIGRATIONS[name].number)

    return migrate


def catalog(server: Connection) -> set[tuple[str, ...]]:
    """Return the schema without the runner's own table, and without whether old rows have been checked."""
    return {
        (*facts, definition.removesuffix(" NOT VALID"))
        for *facts, definition in server.execute(CATALOG)
        if facts[1] != "schema_migrations"
    }


def _identifiers(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def configuration(server: Connection) -> list[tuple[Any, ...]]:
    """Return the initial data, but for the moment at which it was stored."""
    columns = {
        "system_configuration": ["id", "config_key", "config_value", "description", "is_active"],
        "api_configuration": [
            *("id", "website_name", "full_url", "is_json", "is_metric", "api_key", "city"),
            *("is_active", "priority_order"),
        ],
    }
    rows: list[tuple[Any, ...]] = []
    for table, names in columns.items():
        query = SQL("SELECT {} FROM {} ORDER BY id").format(_identifiers(names), Identifier(table))
        rows += server.execute(query).fetchall()
    return rows


def register(server: Connection, **values: Any) -> UUID:
    """Insert a lamp with these values into a schema of any version."""
    lamp = {
        "lamp_id": uuid4(),
        "email": "a@example.com",
        "name": "A",
        "password_hash": "h",
        "location_index": 0,
        **values,
    }
    places = SQL(", ").join(map(Placeholder, lamp))
    server.execute(SQL("INSERT INTO lamp_registry ({}) VALUES ({})").format(_identifiers(lamp), places), lamp)
    identity = lamp["lamp_id"]
    assert isinstance(identity, UUID)
    return identity


def send(server: Connection, section: Section) -> None:
    """Send a section as the runner would, without a record."""
    for part in section.parts:
        server.execute(part.sql.encode())


def one(server: Connection, query: str, *parameters: Any) -> Any:
    """Return the only row of a query."""
    [row] = server.execute(query.encode(), parameters).fetchall()
    return row


# The specification


def test_the_first_migration_is_the_specification(server: Connection, migrate: Migrate) -> None:
    """Object for object and value for value."""
    migrate("initial_schema")
    migrated = (catalog(server), configuration(server))
    server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    server.execute(SPECIFICATION.encode())
    assert migrated == (catalog(server), configuration(server))


def test_an_existing_deployment_can_be_baselined(server: Connection, database_url: str, migrate: Migrate) -> None:
    """A database made from the specification, its first migration as its baseline, ends where a new one does."""
    migrate()
    new = (catalog(server), configuration(server))
    server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    server.execute(SPECIFICATION.encode())
    Runner(partial(psycopg.connect, database_url), FOLDER, "lamps").baseline(1)
    assert [migration.number for migration in migrate()] == list(range(2, len(MIGRATIONS) + 1))
    assert (catalog(server), configuration(server)) == new


def test_the_specifications_data_is_there(server: Connection, migrate: Migrate) -> None:
    """Five locations, the settings, and two sample sources in priority order."""
    migrate()
    locations = one(server, "SELECT config_value FROM system_configuration WHERE config_key = 'supported_locations'")[0]
    assert [location["name"] for location in locations] == [
        "San Diego",
        "Santa Cruz",
        "Honolulu",
        "Huntington Beach",
        "Malibu",
    ]
    assert one(server, "SELECT count(*) FROM system_configuration") == (3,)
    sources = server.execute("SELECT website_name, api_key FROM api_configuration ORDER BY priority_order").fetchall()
    assert sources == [("Surfline", None), ("WeatherAPI", "WEATHER_API_KEY_PLACEHOLDER")]


# Up and down


def test_every_migration_can_be_undone_and_done_again(server: Connection) -> None:
    """Each way down leads back to where its way up began, step by step and all the way."""
    migrations = list(MIGRATIONS.values())
    before = [catalog(server)]
    for migration in migrations:
        send(server, migration.up)
        before.append(catalog(server))
    complete = before.pop()
    for migration, expected in zip(reversed(migrations), reversed(before), strict=True):
        assert migration.down is not None
        send(server, migration.down)
        assert catalog(server) == expected, migration.label
    for migration in migrations:
        send(server, migration.up)
    assert catalog(server) == complete


# Time


def test_naive_timestamps_are_read_as_utc(server: Connection, migrate: Migrate) -> None:
    """Whatever zone the server or the migrating client is in, a stored 12:00 is 12:00 UTC."""
    migrate("initial_schema")
    lamp = register(server, created_at="2025-01-01 12:00", last_seen="2025-07-01 12:00")
    server.execute("INSERT INTO activity_log (activity_type, status, created_at) VALUES ('a', 'b', '2025-01-01 12:00')")
    migrate(options="-c TimeZone=America/New_York")
    stored = one(server, "SELECT created_at, last_seen FROM lamp_registry WHERE lamp_id = %s", lamp)
    assert stored == (datetime(2025, 1, 1, 12, tzinfo=UTC), datetime(2025, 7, 1, 12, tzinfo=UTC))
    assert one(server, "SELECT created_at FROM activity_log") == (datetime(2025, 1, 1, 12, tzinfo=UTC),)


def test_no_table_is_rewritten_for_a_time_zone(server: Connection, migrate: Migrate) -> None:
    """The two migrations to timestamptz keep every table's file, so their time does not grow with its size."""
    files = "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)"
    tables = ["lamp_registry", "api_configuration", "system_configuration", "activity_log", "user_sessions"]
    migrate("initial_schema")
    before = server.execute(files, [tables]).fetchall()
    migrate("timestamptz_activity", options="-c TimeZone=America/New_York")
    assert set(server.execute(files, [tables]).fetchall()) == set(before)


# Checks

LAMP = "UPDATE lamp_registry SET "
API = "UPDATE api_configuration SET "
SYSTEM = "UPDATE system_configuration SET "
ACTIVITY = "UPDATE activity_log SET "
SESSION = "UPDATE user_sessions SET "
UNREADABLE = ["'infinity'", "'-infinity'", "'9999-12-31 00:00:00+00'", "'0001-01-01 23:59:59.999999+00'"]


@pytest.fixture
def furnished(admin: Connection) -> Connection:
    """Return a connection to a migrated database with a row in every table."""
    lamp = register(admin, email_key="a@example.com")
    admin.execute("INSERT INTO activity_log (lamp_id, activity_type, status) VALUES (%s, 'a', 'b')", [lamp])
    admin.execute(
        "INSERT INTO user_sessions (id, lamp_id, session_token, expires_at) VALUES (%s, %s, repeat('0', 64), now())",
        [lamp, lamp],
    )
    return admin


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (f"{LAMP} brightness = -1", "lamp_registry_brightness_range"),
        (f"{LAMP} brightness = 101", "lamp_registry_brightness_range"),
        (f"{LAMP} location_index = -1", "lamp_registry_location_index_range"),
        (f"{API} priority_order = -1", "api_configuration_priority_order_range"),
        (f"{SESSION} session_token = 'a token in plain text'", "user_sessions_session_token_hashed"),
        (f"{LAMP} email = 'b@example.com'", "lamp_registry_email_key_folded"),
        (f"{LAMP} email_key = 'A@example.com'", "lamp_registry_email_key_folded"),
        *((f"{LAMP} created_at = {moment}", "lamp_registry_created_at_range") for moment in UNREADABLE),
        *((f"{LAMP} updated_at = {moment}", "lamp_registry_updated_at_range") for moment in UNREADABLE),
        *((f"{LAMP} last_seen = {moment}", "lamp_registry_last_seen_range") for moment in UNREADABLE),
        *((f"{API} created_at = {moment}", "api_configuration_created_at_range") for moment in UNREADABLE),
        *((f"{SYSTEM} updated_at = {moment}", "system_configuration_updated_at_range") for moment in UNREADABLE),
        *((f"{ACTIVITY} created_at = {moment}", "activity_log_created_at_range") for moment in UNREADABLE),
        *((f"{SESSION} expires_at = {moment}", "user_sessions_expires_at_range") for moment in UNREADABLE),
        *((f"{SESSION} created_at = {moment}", "user_sessions_created_at_range") for moment in UNREADABLE),
    ],
)
def test_what_no_client_could_use_is_refused(furnished: Connection, change: str, constraint: str) -> None:
    """The server refuses it by a constraint whose name says what is wrong."""
    with pytest.raises(CheckViolation) as caught:
        furnished.execute(change.encode())
    assert caught.value.diag.constraint_name == constraint


@pytest.mark.parametrize(
    "change",
    [
        f"{LAMP} brightness = 0, location_index = 0",
        f"{LAMP} brightness = 100, location_index = 2147483647",
        f"{LAMP} brightness = NULL, last_seen = NULL",
        f"{LAMP} last_seen = '0001-01-02 00:00:00+00'",
        f"{LAMP} last_seen = '9999-12-30 23:59:59.999999+00'",
        f"{LAMP} email = ' B@Example.COM\t', email_key = 'b@example.com'",
        f"{LAMP} email = 'Straße@example.com', email_key = 'strasse@example.com'",
        f"{API} priority_order = 0",
        f"{API} priority_order = NULL",
    ],
)
def test_what_a_client_can_use_is_kept(furnished: Connection, change: str) -> None:
    """The bounds themselves, and what the specification leaves open, are accepted."""
    assert furnished.execute(change.encode()).rowcount > 0


@pytest.mark.parametrize("moment", ["0001-01-02 00:00:00+00", "9999-12-30 23:59:59.999999+00"])
@pytest.mark.parametrize("zone", ["Asia/Manila", "Pacific/Kiritimati", "America/Juneau", "Etc/GMT+12"])
def test_what_is_kept_can_be_read_in_every_time_zone(furnished: Connection, zone: str, moment: str) -> None:
    """The first and the last moment that are accepted reach Python whatever the session's zone is."""
    furnished.execute("UPDATE lamp_registry SET last_seen = %s", [moment])
    furnished.execute("SELECT set_config('TimeZone', %s, false)", [zone])
    [stored] = one(furnished, "SELECT last_seen FROM lamp_registry")
    assert stored == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "change",
    [
        *(f"{LAMP} {column} = NULL" for column in ("is_active", "created_at", "updated_at", "email_key")),
        *(f"{API} {column} = NULL" for column in ("is_active", "created_at")),
        *(f"{SYSTEM} {column} = NULL" for column in ("is_active", "updated_at")),
        f"{SESSION} created_at = NULL",
        f"{ACTIVITY} created_at = NULL",
    ],
)
def test_what_has_a_default_is_never_null(furnished: Connection, change: str) -> None:
    """Readers need not think of it."""
    with pytest.raises(NotNullViolation):
        furnished.execute(change.encode())


def test_missing_values_are_filled(server: Connection, migrate: Migrate) -> None:
    """A row without a state is inactive, and one without a time gets the nearest known, else the epoch."""
    migrate("initial_schema")
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    unknown = {"is_active": None, "created_at": None, "updated_at": None}
    never = register(server, email="never@example.com", **unknown)
    seen = register(server, email="seen@example.com", last_seen="2025-01-01 00:00", **unknown)
    server.execute(f"{API} is_active = NULL, created_at = NULL".encode())
    server.execute(f"{SYSTEM} is_active = NULL, updated_at = NULL".encode())
    server.execute("INSERT INTO activity_log (activity_type, status, created_at) VALUES ('a', 'b', NULL)")
    server.execute("INSERT INTO user_sessions VALUES (%s, %s, 't', '2025-01-01', NULL)", [seen, seen])
    migrate()
    filled = "SELECT is_active, created_at, updated_at FROM lamp_registry WHERE lamp_id = %s"
    assert one(server, filled, never) == (False, epoch, epoch)
    assert one(server, filled, seen) == (False, moment, moment)
    assert one(server, "SELECT DISTINCT is_active, created_at FROM api_configuration") == (False, epoch)
    assert one(server, "SELECT DISTINCT is_active, updated_at FROM system_configuration") == (False, epoch)
    assert one(server, "SELECT created_at FROM activity_log") == (epoch,)
    assert one(server, "SELECT created_at FROM user_sessions") == (epoch,)


def test_an_old_row_that_no_client_could_use_stops_the_run(server: Connection, migrate: Migrate) -> None:
    """The error names the constraint, and after the row is mended the run goes on."""
    migrate("initial_schema")
    register(server, brightness=300)
    with pytest.raises(
        MigrationError, match=r"0005_checks_validated\.sql: CheckViolation .* lamp_registry_brightness_range"
    ):
        migrate()
    server.execute(f"{LAMP} brightness = 100".encode())
    assert migrate()[0].name == "checks_validated"


# E-mail


def test_the_server_and_python_fold_ascii_alike(server: Connection, migrate: Migrate) -> None:
    """For every ASCII character, inside and outside, the key that is filled in is the application's."""
    migrate("email_key")
    for code in range(1, 128):
        register(server, email=f"{chr(code)}{code}{chr(code)}@X{chr(code)}")
    register(server, email=" \t\n\v\f\r\x1c\x1d\x1e\x1fAll@Example.com\x1f\x1e\x1d\x1c\r\f\v\n\t ")
    migrate("email_key_backfill")
    stored = server.execute("SELECT email, email_key FROM lamp_registry").fetchall()
    assert [(email, key) for email, key in stored if key != email_key(email)] == []


def test_an_address_that_the_server_cannot_fold_stops_the_run(server: Connection, migrate: Migrate) -> None:
    """The error says how many and what to do, shows no address, and after doing it the run goes on."""
    migrate("email_key")
    lamp = register(server, email="Straße@Example.com")
    with pytest.raises(MigrationError) as caught:
        migrate()
    assert "0009_email_key_unique.sql" in str(caught.value)
    assert "1 lamps have no email_key" in str(caught.value)
    assert "surf_data.lamps.email_key(address)" in str(caught.value)
    assert "Straße" not in str(caught.value)
    server.execute(
        "UPDATE lamp_registry SET email_key = %s WHERE lamp_id = %s", [email_key("Straße@Example.com"), lamp]
    )
    assert migrate()[0].name == "email_key_unique"


def test_an_address_that_is_registered_twice_stops_the_run(server: Connection, migrate: Migrate) -> None:
    """The error says how many and what to do, shows no address, and after doing it the run goes on."""
    migrate("initial_schema")
    register(server, email="A@example.com")
    second = register(server, email=" a@EXAMPLE.com")
    with pytest.raises(MigrationError) as caught:
        migrate()
    assert "0009_email_key_unique.sql" in str(caught.value)
    assert "1 lamps repeat the e-mail address of another" in str(caught.value)
    assert "GROUP BY email_key HAVING count(*) > 1" in str(caught.value)
    assert "example.com" not in str(caught.value).lower()
    server.execute("DELETE FROM lamp_registry WHERE lamp_id = %s", [second])
    assert migrate()[0].name == "email_key_unique"


def test_lamps_registered_between_the_migrations_get_their_key(server: Connection, migrate: Migrate) -> None:
    """An application that does not know the key yet may go on until the unique key is there."""
    migrate("email_key_backfill")
    register(server, email="Late@example.com")
    migrate()
    assert one(server, "SELECT email_key FROM lamp_registry") == ("late@example.com",)


def test_an_address_is_registered_once(furnished: Connection) -> None:
    """The unique constraint has the name that the application looks for."""
    with pytest.raises(UniqueViolation) as caught:
        register(furnished, email="A@example.com", email_key="a@example.com")
    assert caught.value.diag.constraint_name == "lamp_registry_email_key_key"


# The version of the reference data

CHANGES = {
    "insert": "INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE false",
    "update": "UPDATE {table} SET is_active = is_active",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table}",
}


def version(server: Connection) -> UUID:
    """Return the version of the reference data."""
    moved = one(server, "SELECT version FROM reference_version")[0]
    assert isinstance(moved, UUID)
    return moved


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("table", "columns"), [("api_configuration", "website_name"), ("system_configuration", "config_key")]
)
def test_every_change_of_the_configuration_moves_its_version(
    admin: Connection, table: str, columns: str, change: str
) -> None:
    """Readers who compare versions see it; a change that is rolled back leaves the version as it was."""
    before = version(admin)
    statement = CHANGES[change].format(table=table, columns=columns).encode()
    with admin.transaction(force_rollback=True):
        admin.execute(statement)
        assert version(admin) != before
    assert version(admin) == before
    admin.execute(statement)
    assert version(admin) != before


def test_the_version_moves_under_any_search_path(admin: Connection) -> None:
    """A session that names the schema changes the configuration like any other."""
    before = version(admin)
    with admin.transaction():
        admin.execute("SET LOCAL search_path = pg_catalog")
        admin.execute("UPDATE public.api_configuration SET is_active = false")
    assert version(admin) != before


def test_other_tables_leave_the_version_alone(furnished: Connection) -> None:
    """Lamps come and go without anybody reading the configuration again."""
    before = version(furnished)
    furnished.execute(f"{LAMP} brightness = 1".encode())
    furnished.execute("DELETE FROM lamp_registry")
    assert version(furnished) == before


def test_there_is_one_version(admin: Connection) -> None:
    """A second row cannot exist."""
    with pytest.raises(UniqueViolation):
        admin.execute("INSERT INTO reference_version (version) VALUES (gen_random_uuid())")
    with pytest.raises(CheckViolation):
        admin.execute("INSERT INTO reference_version VALUES (false, gen_random_uuid())")


def test_two_changes_in_opposite_order_queue_without_deadlock(admin: Connection, migrated_url: str) -> None:
    """A change of the configuration waits for the other before holding any row that the other may want."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def change_the_other_way_round() -> None:
        with psycopg.connect(migrated_url) as second:
            second.execute(f"{SYSTEM} is_active = true".encode())
            second.execute(f"{API} is_active = true".encode())

    thread = threading.Thread(target=change_the_other_way_round)
    with psycopg.connect(migrated_url) as first:
        first.execute(f"{API} is_active = false".encode())
        thread.start()
        deadline = time.monotonic() + 60
        while one(admin, waiting) != (1,) and time.monotonic() < deadline:
            thread.join(0.01)
        first.execute(f"{SYSTEM} is_active = false".encode())
    thread.join()
    assert one(admin, "SELECT bool_and(is_active) FROM api_configuration") == (True,)


# Session tokens


def test_who_is_logged_in_stays_so(server: Connection, migrate: Migrate) -> None:
    """A token that was stored in plain text is stored as the hash that is looked for."""
    migrate("pre_api_key_text")
    lamp = register(server, email_key="a@example.com")
    insert = "INSERT INTO user_sessions (id, lamp_id, session_token, expires_at) VALUES (%s, %s, 'wäve', now())"
    server.execute(insert, [lamp, lamp])
    migrate()
    assert one(server, "SELECT session_token FROM user_sessions") == (token_digest("wäve"),)
