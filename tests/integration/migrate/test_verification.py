"""A database is compared with what its migrations make: every kind of drift is found, and none is invented."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from psycopg import sql

from rig.drift import BASE, DRIFT
from surf_data import embedded
from surf_data.errors import DatabaseError, DatabaseUnavailable, MigrationError
from surf_data.kernel import resources
from surf_data.kernel.postgres import Session
from surf_data.migrate import Difference, Runner, catalog, read_folder, scratch, verify
from surf_data.migrate.verification import differences

Connection = psycopg.Connection[Any]
Write = Callable[..., Path]
Refused = Callable[..., Any]

LAMPS = resources.directory("migrations") / "lamps"


@attrs.frozen
class Server:
    """A PostgreSQL with the database ``base``, which holds `BASE`."""

    #: The URL of another database of it.
    url: str
    #: Its major version.
    version: int
    #: What ``base`` consists of.
    base: catalog.Catalog

    def connect(self, database: str) -> Connection:
        """Return a connection to one of its databases."""
        return psycopg.connect(self.url, dbname=database, autocommit=True)

    def drift(self, ddl: str) -> list[Difference]:
        """Return how a copy of ``base`` differs from it after ``ddl``."""
        with closing(psycopg.connect(self.url, autocommit=True)) as root:
            root.execute("CREATE DATABASE drifted TEMPLATE base")
            try:
                with closing(self.connect("drifted")) as connection:
                    connection.execute(ddl.encode())
                with closing(self.connect("drifted")) as connection:
                    return differences(catalog.read(connection, common_version=self.version), self.base)
            finally:
                root.execute("DROP DATABASE drifted")


@contextmanager
def based(url: str, version: int) -> Iterator[Server]:
    """Make the database ``base`` for a block."""
    with closing(psycopg.connect(url, autocommit=True)) as root:
        root.execute("CREATE DATABASE base")
        try:
            with closing(psycopg.connect(url, dbname="base", autocommit=True)) as connection:
                connection.execute(BASE.encode())
            with closing(psycopg.connect(url, dbname="base", autocommit=True)) as connection:
                made = catalog.read(connection, common_version=version)
            yield Server(url, version, made)
        finally:
            root.execute("DROP DATABASE base")


@pytest.fixture(scope="module")
def current(servers: embedded.EmbeddedServers) -> Iterator[Server]:
    """Return the PostgreSQL 18 of all tests."""
    with based(servers.database_url, 18) as server:
        yield server


@pytest.fixture(scope="module")
def older(older_server: str) -> Iterator[Server]:
    """Return the PostgreSQL 16 of all tests."""
    with based(older_server, 16) as server:
        yield server


@pytest.fixture
def connect(database_url: str) -> Callable[..., Connection]:
    """Return what connects to an empty database, or to another one of its server."""
    return partial(psycopg.connect, database_url, autocommit=True)


def shown(found: list[Difference]) -> list[str]:
    """Return the objects and lines of differences, one after the other."""
    return [text for difference in found for text in (difference.object, *difference.lines)]


def scratch_databases(server: Connection) -> list[str]:
    """Return which databases are there that a check made."""
    rows = server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'surf_data_scratch_%'").fetchall()
    return [name for (name,) in rows]


# What is found


def need(server: Connection, what: int | str) -> None:
    """Skip where the tests' server is another than the embedded one, and lacks a version or an extension."""
    found = server.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", [str(what)]).fetchone()
    if not found and (isinstance(what, str) or server.info.server_version < what * 10_000):
        pytest.skip(f"this server is not PostgreSQL {what} or lacks it")


@pytest.mark.parametrize(("ddl", "owner", "lines"), DRIFT, ids=[ddl for ddl, _, _ in DRIFT])
def test_drift_is_found(current: Server, ddl: str, owner: str, lines: list[str], server: Connection) -> None:
    """Whatever is changed by hand is shown with its object, and nothing else is."""
    if "EXTENSION" in ddl:
        need(server, "vector")
    assert shown(current.drift(ddl)) == [owner, *lines]


def test_drift_reads_the_same_on_16(older: Server) -> None:
    """Each kind of drift reads the same with PostgreSQL 16."""
    unlike = [ddl for ddl, owner, lines in DRIFT if shown(older.drift(ddl)) != [owner, *lines]]
    assert unlike == []


def test_objects_are_sorted(current: Server) -> None:
    """Several differences come in the order of their objects, and of their kinds within one."""
    found = current.drift(
        "COMMENT ON TABLE visit IS 'x'; GRANT INSERT ON visit TO PUBLIC; CREATE INDEX ON visit (note);"
        "ALTER TABLE visit DROP COLUMN day; DROP VIEW calm_spot; DROP SCHEMA shop; CREATE TABLE aside ()"
    )
    assert shown(found) == [
        "SCHEMA shop",
        "+ CREATE SCHEMA shop",
        "TABLE public.aside",
        "- CREATE TABLE public.aside",
        "TABLE public.visit",
        "+ COLUMN day date",
        "- CREATE INDEX visit_note_idx ON public.visit USING btree (note)",
        "- GRANT INSERT, SELECT TO PUBLIC",
        "+ GRANT SELECT TO PUBLIC",
        "- COMMENT IS 'x'",
        "VIEW public.calm_spot",
        "+ CREATE VIEW public.calm_spot AS",
        "+  SELECT id,",
        "+     name",
        "+    FROM public.spot",
        "+   WHERE (mood = 'calm'::public.mood);",
    ]


def test_not_null_that_is_not_proved(current: Server, server: Connection) -> None:
    """A NOT NULL that old rows may violate, as PostgreSQL 18 allows, is drift."""
    need(server, 18)
    found = current.drift("ALTER TABLE visit ADD CONSTRAINT day_given NOT NULL day NOT VALID")
    assert "- CONSTRAINT day_given NOT NULL day NOT VALID" in shown(found)


def test_virtual_columns(current: Server, server: Connection) -> None:
    """A generated column that is not stored, as PostgreSQL 18 has it, is shown as such."""
    need(server, 18)
    found = current.drift("ALTER TABLE visit ADD COLUMN twice integer GENERATED ALWAYS AS (spot_id * 2) VIRTUAL")
    assert shown(found) == [
        "TABLE public.visit",
        "- COLUMN twice integer GENERATED ALWAYS AS ((spot_id * 2)) VIRTUAL",
    ]


# What is not invented


@pytest.mark.sampled(2)
@pytest.mark.parametrize("target", ["current", "older"])
@pytest.mark.parametrize("other", ["current", "older"])
def test_own_migrations(target: str, other: str, request: pytest.FixtureRequest) -> None:
    """A database that was migrated, reverted and migrated again is what its migrations make, on 16, 18 and across."""
    url = request.getfixturevalue(target).url
    with closing(psycopg.connect(url, autocommit=True)) as root:
        root.execute("CREATE DATABASE lamps")
        try:
            connect = partial(psycopg.connect, url, dbname="lamps")
            runner = Runner(connect, LAMPS, "lamps")
            runner.up()
            runner.down(0)
            assert verify(connect, partial(psycopg.connect, request.getfixturevalue(other).url), []) == []
            runner.up()
            told: list[str] = []
            migrations = read_folder(LAMPS)
            found = verify(
                connect,
                partial(psycopg.connect, request.getfixturevalue(other).url),
                migrations,
                on_start=lambda migration: told.append(migration.label),
            )
            assert shown(found) == []
            assert told == [migration.label for migration in migrations]
        finally:
            root.execute("DROP DATABASE lamps")


TIMED = """
CREATE TABLE log (id bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
CREATE TABLE log_rest PARTITION OF log DEFAULT;
"""


def test_partitions_come_and_go_with_time(connect: Callable[..., Connection], server: Connection, write: Write) -> None:
    """Where there is a default partition, those of other years are no drift; a change of the table is."""
    Runner(connect, write(TIMED), "shop").up()
    server.execute("CREATE TABLE log_2027 PARTITION OF log FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')")
    server.execute("COMMENT ON TABLE log_2027 IS 'a good year'; COMMENT ON COLUMN log_2027.id IS 'counted'")
    server.execute("CREATE INDEX log_2027_at ON log_2027 (at); DROP TABLE log_2026")
    migrations = read_folder(write(TIMED))
    assert verify(connect, connect, migrations) == []
    server.execute("ALTER TABLE log_rest SET (fillfactor = 70); CREATE INDEX log_at ON log (at)")
    server.execute("COMMENT ON TABLE log_rest IS 'the rest'")
    assert {difference.object: difference.lines for difference in verify(connect, connect, migrations)} == {
        "TABLE public.log": ("- CREATE INDEX log_at ON public.log USING btree (at)",),
        "TABLE public.log_rest": (
            "- CREATE TABLE public.log_rest PARTITION OF public.log DEFAULT WITH (fillfactor=70)",
            "+ CREATE TABLE public.log_rest PARTITION OF public.log DEFAULT",
            "- COMMENT IS 'the rest'",
        ),
    }


def test_everything_across_versions(current: Server, older: Server) -> None:
    """PostgreSQL 16 and 18 tell of one of everything in the same words."""
    assert shown(differences(current.base, older.base)) == []


def test_privileges_of_one_version(current: Server, older: Server, write: Write) -> None:
    """GRANT ALL is the same on PostgreSQL 16 and on 18, which has one privilege more."""
    migrations = read_folder(write("CREATE TABLE visit (); GRANT ALL ON visit TO PUBLIC;"))
    with closing(psycopg.connect(older.url, autocommit=True)) as root:
        root.execute("CREATE DATABASE granted")
        try:
            connect = partial(psycopg.connect, older.url, dbname="granted")
            Runner(connect, migrations[0].path.parent, "shop").up()
            assert shown(verify(connect, partial(psycopg.connect, current.url), migrations)) == []
        finally:
            root.execute("DROP DATABASE granted")


def test_settings_invent_nothing(connect: Callable[..., Connection], server: Connection, write: Write) -> None:
    """What a database sets for its sessions changes neither what a migration means nor how its objects are shown."""
    server.execute("CREATE SCHEMA aside")
    for setting in (
        "search_path TO aside, public",
        "timezone TO 'Asia/Tokyo'",
        "datestyle TO 'German, DMY'",
        "intervalstyle TO iso_8601",
        "quote_all_identifiers TO on",
        "bytea_output TO escape",
        "default_transaction_isolation TO serializable",
    ):
        server.execute(
            f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting.replace(chr(39), chr(39) * 2)}',"
            " current_database()); END $$".encode()
        )
    folder = write(
        "CREATE SCHEMA IF NOT EXISTS aside;",
        """
        CREATE TABLE visit (
            day date DEFAULT '1.2.2026',
            seen timestamptz DEFAULT '2026-02-01 12:00',
            lasts interval DEFAULT '1 day 02:00',
            mark bytea DEFAULT '\\xff00'
        );
        """,
    )
    Runner(connect, folder, "shop").up()
    assert shown(verify(connect, connect, read_folder(folder))) == []
    server.execute("ALTER TABLE aside.visit ALTER day DROP DEFAULT")
    assert shown(verify(connect, connect, read_folder(folder)))[2] == "+ COLUMN day date DEFAULT '2026-02-01'::date"


def test_grants_to_the_owner(connect: Callable[..., Connection], server: Connection, write: Write) -> None:
    """A migration may grant to the role that owns the tables in one database and not in another."""
    folder = write("CREATE TABLE visit (); CREATE TABLE spot (); GRANT SELECT ON visit, spot TO shop_owner;")
    server.execute("CREATE ROLE shop_owner")
    try:
        Runner(connect, folder, "shop").up()
        server.execute("ALTER TABLE visit OWNER TO shop_owner")
        server.execute("REVOKE SELECT ON spot FROM shop_owner")
        found = verify(connect, connect, read_folder(folder))
        assert shown(found) == ["TABLE public.spot", "+ GRANT SELECT TO shop_owner"]
    finally:
        server.execute("DROP OWNED BY shop_owner")
        server.execute("DROP ROLE shop_owner")


def test_what_belongs_to_others(connect: Callable[..., Connection], server: Connection, write: Write) -> None:
    """The runner's history, what an extension brings, and temporary tables are no drift."""
    need(server, "vector")
    folder = write("CREATE EXTENSION vector;")
    Runner(connect, folder, "shop").up()
    server.execute("CREATE TEMPORARY TABLE passing (id integer PRIMARY KEY)")
    server.execute("COMMENT ON TABLE schema_migrations IS 'ours'")
    server.execute("GRANT SELECT ON schema_migrations TO PUBLIC")
    assert shown(verify(connect, connect, read_folder(folder))) == []


# What is asked of the database


def test_the_database_is_only_read(
    connect: Callable[..., Connection], server: Connection, write: Write, current: Server
) -> None:
    """A role that may do nothing, in sessions that can only read, is enough; and nothing is left of it."""
    folder = write(BASE)
    Runner(connect, folder, "shop").up()
    server.execute("CREATE ROLE shop_auditor LOGIN")
    try:
        read_only = partial(connect, user="shop_auditor", options="-c default_transaction_read_only=on")
        assert shown(verify(read_only, connect, read_folder(folder))) == []
        server.execute("DROP TABLE visit")
        assert shown(verify(read_only, connect, read_folder(folder)))[0] == "TABLE public.visit"
    finally:
        server.execute("DROP ROLE shop_auditor")


def test_the_environment_may_forbid_writing(
    database_url: str, connect: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    """An environment in which every session only reads does not keep the scratch database from being made."""
    folder = write("CREATE TABLE visit ();")
    Runner(connect, folder, "shop").up()
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    limited = partial(psycopg.connect, database_url)
    assert verify(limited, limited, read_folder(folder)) == []


# The scratch database


@pytest.mark.parametrize(
    ("up", "line", "sqlstate", "said"),
    [
        (
            "-- why\n\nCREATE TABLE one ();\nCREATE TABLE\n  two (id nothing);",
            6,
            "42704",
            'type "nothing" does not exist',
        ),
        ("CREATE TABLE one ();\n\n-- again\nCREATE TABLE one ();", 5, "42P07", 'relation "one" already exists'),
        (
            (
                "CREATE TABLE one (id int PRIMARY KEY, other int REFERENCES one DEFERRABLE INITIALLY DEFERRED);\n"
                "INSERT INTO one VALUES (1, 2);"
            ),
            2,
            "23503",
            'insert or update on table "one" violates foreign key constraint "one_other_fkey"',
        ),
        (
            "-- migrate:up transaction:false\nCREATE TABLE one ();\n-- migrate:next\n\nVACUUM nothing;",
            5,
            "42P01",
            'relation "nothing" does not exist',
        ),
    ],
    ids=["by-position", "by-statement", "at-commit", "without-transaction"],
)
def test_a_replay_that_fails(
    connect: Callable[..., Connection],
    server: Connection,
    write: Write,
    refused: Refused,
    up: str,
    line: int,
    sqlstate: str,
    said: str,
) -> None:
    """A migration that fails in an empty database is named with its line and the reason; nothing stays behind."""
    folder = write(up)
    error = refused(lambda: verify(connect, connect, read_folder(folder)), MigrationError)
    assert str(error) == f"{folder / '0001_step.sql'}:{line}: fails in an empty database: {said}"
    assert (error.line, error.sqlstate) == (line, sqlstate)
    assert scratch_databases(server) == []


@pytest.mark.parametrize(
    "kept", [["pg_attver=1"], ["pg_attver"], ["fork.n_distinct=7"], ["n_distinct_of=7"], ["a=n_distinct=7", "b=1"]]
)
def test_what_a_server_keeps_beside_options_is_no_drift(
    connect: Callable[..., Connection], server: Connection, write: Write, kept: list[str]
) -> None:
    """What ALTER TABLE cannot set is not compared; what it can is."""
    folder = write("CREATE TABLE visit (a int, b int); ALTER TABLE visit ALTER b SET (n_distinct = 5);")
    Runner(connect, folder, "shop").up()
    server.execute("SET allow_system_table_mods = on")
    keep = "UPDATE pg_attribute SET attoptions = %s || coalesce(attoptions, '{}') WHERE attrelid = 'visit'::regclass"
    server.execute(keep, (kept,))
    assert verify(connect, connect, read_folder(folder)) == []
    server.execute("UPDATE pg_attribute SET attoptions = %s WHERE attrelid = 'visit'::regclass", (kept,))
    [difference] = verify(connect, connect, read_folder(folder))
    assert difference.lines == ("- COLUMN b integer", "+ COLUMN b integer SET (n_distinct=5)")


def test_a_file_sets_for_itself_alone(connect: Callable[..., Connection], write: Write) -> None:
    """What a file sets for its session does not reach the next one, as in a run."""
    folder = write("CREATE SCHEMA aside; SET search_path = aside;", "CREATE TABLE visit ();")
    Runner(connect, folder, "shop").up()
    assert verify(connect, connect, read_folder(folder)) == []


@pytest.fixture
def ours(server: Connection) -> scratch.Environment:
    """Return what a session begins with."""
    return scratch.Environment.of(Session(server))


def test_the_scratch_database_is_dropped(
    connect: Callable[..., Connection], server: Connection, ours: scratch.Environment
) -> None:
    """It is dropped at the end, though a session is connected to it and the connection that created it is lost."""
    with scratch.scratch_database(connect, ours) as made:
        idle = made()
        [name] = scratch_databases(server)
        assert idle.info.dbname == name
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [name])
    assert scratch_databases(server) == []
    idle.close()


def test_leftovers_are_dropped(
    connect: Callable[..., Connection], server: Connection, ours: scratch.Environment
) -> None:
    """What a killed check left behind is dropped by the next one; what is in use is not, nor is another's."""
    server.execute("CREATE DATABASE surf_data_scratch_left")
    server.execute("CREATE DATABASE surf_data_scratch_entered")
    with closing(connect(dbname="surf_data_scratch_entered")), scratch.scratch_database(connect, ours):
        [running] = {*scratch_databases(server)} - {"surf_data_scratch_entered"}
        assert running != "surf_data_scratch_left"
        with scratch.scratch_database(connect, ours):
            assert len(scratch_databases(server)) == 3
    server.execute("DROP DATABASE surf_data_scratch_entered")
    assert scratch_databases(server) == []


def test_a_server_that_goes_away(
    connect: Callable[..., Connection],
    server: Connection,
    ours: scratch.Environment,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A scratch database that cannot be dropped is logged, and does not hide what was found out."""
    gone = False

    def server_for_a_while(**database: str) -> Connection:
        return connect(**database, **({"host": "/nowhere"} if gone else {}))

    with scratch.scratch_database(server_for_a_while, ours):
        gone = True
    [left] = scratch_databases(server)
    [record] = [record for record in caplog.records if record.name == "surf_data.migrate.scratch"]
    assert (record.levelno, record.msg) == (logging.WARNING, "scratch database was left behind")
    assert vars(record)["database"] == left
    server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(left)))


def test_servers_that_refuse(connect: Callable[..., Connection], server: Connection, refused: Refused) -> None:
    """A server that is not there, or a role that may make no database, is an error without a connection string."""
    nowhere = partial(psycopg.connect, "host=/nowhere password=tube-ride-8211")
    error = refused(lambda: verify(connect, nowhere, []), DatabaseUnavailable)
    assert str(error) == "connecting to the scratch server failed: no connection"
    error = refused(lambda: verify(nowhere, connect, []), DatabaseUnavailable)
    assert str(error) == "connecting for a comparison failed: no connection"
    server.execute("CREATE ROLE shop_auditor LOGIN")
    try:
        error = refused(lambda: verify(connect, partial(connect, user="shop_auditor"), []), DatabaseError)
        assert str(error) == "making a scratch database failed: InsufficientPrivilege (SQLSTATE 42501)"
    finally:
        server.execute("DROP ROLE shop_auditor")


def test_roles_can_be_made(connect: Callable[..., Connection], server: Connection) -> None:
    """The roles of another server are made where they are missing, without a way to log in."""
    server.execute("CREATE ROLE shop_known LOGIN")
    try:
        scratch.create_roles(connect, ["shop_known", "shop reader"])
        assert {"shop_known", "shop reader"} <= {*scratch.roles(server)}
        login = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'shop%' ORDER BY rolname"
        assert server.execute(login.encode()).fetchall() == [("shop reader", False), ("shop_known", True)]
    finally:
        server.execute('DROP ROLE shop_known; DROP ROLE IF EXISTS "shop reader"')
