"""The roles of 0011: what each of them may do, and how they come to a server that has other databases and people."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

import surf_data
from surf_data import embedded
from surf_data.errors import MigrationError
from surf_data.kernel import resources
from surf_data.lamps.layer import DOMAIN
from surf_data.migrate import MigrationStatus, Runner, read_folder
from surf_data.retention import maintain, policies

Connection = psycopg.Connection[Any]

FOLDER = resources.directory("migrations") / "lamps"
ROLES = next(migration for migration in read_folder(FOLDER) if migration.name == "pre_roles")
BY_HAND = "CREATE ROLE surf_lamp_owner; CREATE ROLE surf_lamp_app; CREATE ROLE surf_lamp_read; "
TABLES = [
    "activity_log",
    "activity_rollup",
    "activity_rollup_count",
    "activity_rollup_lamp",
    "activity_rollup_stale",
    "api_configuration",
    "lamp_registry",
    "reference_version",
    "schema_migrations",
    "system_configuration",
    "user_sessions",
]


class Cluster:
    """A PostgreSQL that no test before has left a role in."""

    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self, database: str = "postgres", user: str = "surf_data", **parameters: Any) -> Connection:
        """Return a connection in autocommit mode."""
        return psycopg.connect(self._url, dbname=database, user=user, autocommit=True, **parameters)

    def execute(self, text: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run SQL as the superuser, and return the rows if there are any."""
        with self.connect(database) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def database(self, name: str, owner: str, *attributes: str) -> None:
        """Make a database and the role that owns it."""
        self.execute(f"CREATE ROLE {owner} LOGIN {' '.join(attributes)}")
        self.execute(f"CREATE DATABASE {name} OWNER {owner}")

    def runner(self, database: str, user: str, **parameters: Any) -> Runner:
        """Return what migrates a database as a role."""
        return Runner(partial(self.connect, database, user, **parameters), FOLDER, "lamps")

    def clear(self) -> None:
        """Drop all databases and roles but the server's own."""
        for (name,) in self.execute("SELECT datname FROM pg_database WHERE datname ~ '^surf_[^d]'"):
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for (name,) in self.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'surf_data'"):
            self.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module", params=[18, 16])
def started(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Start a server of its own for this module, of each version."""
    with embedded.start(postgres_version=request.param, redis=False) as servers:
        yield Cluster(servers.database_url)


@pytest.fixture
def cluster(started: Cluster) -> Iterator[Cluster]:
    """Return a server without a role, and leave it so."""
    yield started
    started.clear()


def test_who_may_create_roles_needs_nobody_else(cluster: Cluster) -> None:
    """The database's owner, no superuser, applies all migrations, takes them back and applies them again."""
    cluster.database("surf_one", "keeper", "CREATEROLE")
    runner = cluster.runner("surf_one", "keeper")
    assert runner.up()
    runner.down(ROLES.number - 1)
    assert runner.up()[0].label == "0011_pre_roles"
    assert runner.down(0)


def test_the_owner_owns_and_cannot_log_in(cluster: Cluster) -> None:
    """All tables and functions belong to a role that is no superuser, not to the role that ran the migrations."""
    cluster.execute("CREATE DATABASE surf_one")
    cluster.runner("surf_one", "surf_data").up()
    owners = """
        SELECT relname::text, relowner::regrole::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        UNION ALL SELECT proname::text, proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """
    owned = dict(cluster.execute(owners, "surf_one"))
    assert {*owned.values()} == {"surf_lamp_owner"}
    assert {*TABLES, "reference_version_move"} <= {*owned}
    assert cluster.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^surf_lamp' AND rolcanlogin") == []


def test_who_may_not_create_roles_is_told_what_to_do(cluster: Cluster) -> None:
    """A managed server's database owner reads what an administrator has to run, and then it goes on."""
    cluster.database("surf_one", "keeper")
    runner = cluster.runner("surf_one", "keeper")
    with pytest.raises(MigrationError) as caught:
        runner.up()
    assert "the role surf_lamp_owner is missing, and keeper may not create roles" in str(caught.value)
    remedy = f"{BY_HAND}GRANT surf_lamp_owner TO keeper WITH INHERIT TRUE, SET TRUE;"
    assert f"Let an administrator run: {remedy}" in str(caught.value)
    assert runner.status()[ROLES.number - 1].state == "pending"
    cluster.execute(remedy)
    assert runner.up()[0].label == "0011_pre_roles"


def test_whoever_migrates_keeps_the_log(cluster: Cluster) -> None:
    """The database's owner makes and drops partitions, which belong to the owner of the tables."""
    cluster.database("surf_one", "keeper", "CREATEROLE")
    cluster.runner("surf_one", "keeper").up()
    cluster.execute(
        "INSERT INTO activity_log (activity_type, status, created_at) VALUES ('a', 'b', '2100-01-01')", "surf_one"
    )
    log = policies(DOMAIN, "activity_log", keep_days=1)
    [done] = maintain(partial(cluster.connect, "surf_one", "keeper"), log, ahead=5)
    assert (len(done.created), done.moved, len(done.dropped)) == (3, 1, 1)
    owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relispartition"
    assert cluster.execute(owners, "surf_one") == [("surf_lamp_owner",)]


def test_who_is_no_member_of_the_owner_is_told_so(cluster: Cluster) -> None:
    """Where the roles exist, the migrating role has to be let into the owner's."""
    cluster.execute(BY_HAND)
    cluster.database("surf_one", "keeper", "CREATEROLE")
    runner = cluster.runner("surf_one", "keeper")
    with pytest.raises(MigrationError, match="keeper is not a member of surf_lamp_owner"):
        runner.up()
    cluster.execute("GRANT surf_lamp_owner TO keeper")
    assert runner.up()[0].label == "0011_pre_roles"


def test_who_may_not_grant_on_the_schema_is_told_so(cluster: Cluster) -> None:
    """A role that may create tables in a schema, but not grant on it, gets what its owner has to run."""
    cluster.execute("CREATE ROLE keeper LOGIN CREATEROLE")
    cluster.execute("CREATE DATABASE surf_one")
    cluster.execute("GRANT CREATE ON SCHEMA public TO keeper", "surf_one")
    runner = cluster.runner("surf_one", "keeper")
    with pytest.raises(MigrationError, match="keeper may not grant rights on the schema public") as caught:
        runner.up()
    cluster.execute(BY_HAND + "GRANT surf_lamp_owner TO keeper")
    remedy = str(caught.value).partition("Let its owner run: ")[2].partition("and run the migration")[0]
    cluster.execute(remedy, "surf_one")
    assert runner.up()[0].label == "0011_pre_roles"


@pytest.mark.parametrize("right", ["SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS"])
def test_a_role_with_more_rights_is_not_used(cluster: Cluster, right: str) -> None:
    """A role of that name that can do more than it should is refused, and the error says how to mend it."""
    cluster.execute("CREATE DATABASE surf_one")
    cluster.execute(f"CREATE ROLE surf_lamp_app {right}")
    runner = cluster.runner("surf_one", "surf_data")
    with pytest.raises(MigrationError, match="surf_lamp_app exists, with more rights") as caught:
        runner.up()
    cluster.execute(str(caught.value).partition("run: ")[2].partition(";")[0])
    assert runner.up()[0].label == "0011_pre_roles"


def test_an_application_that_owns_is_refused(cluster: Cluster) -> None:
    """An application role that is a member of the owner's would have all rights again."""
    cluster.execute("CREATE DATABASE surf_one")
    cluster.execute(f"{BY_HAND} GRANT surf_lamp_owner TO surf_lamp_app")
    with pytest.raises(MigrationError, match="surf_lamp_app is a member of surf_lamp_owner"):
        cluster.runner("surf_one", "surf_data").up()


def test_databases_of_one_server_share_the_roles(cluster: Cluster) -> None:
    """Two databases are migrated at once; taking one back leaves the other, the roles and their members alone."""
    for name in ("surf_one", "surf_two"):
        cluster.execute(f"CREATE DATABASE {name}")
    barrier, applied = threading.Barrier(2), list[list[MigrationStatus]]()

    def run(name: str) -> None:
        runner = cluster.runner(name, "surf_data")
        runner.up(to=ROLES.number - 1)
        barrier.wait()
        applied.append(runner.up(to=ROLES.number))

    threads = [threading.Thread(target=run, args=[name]) for name in ("surf_one", "surf_two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[each.label for each in run] for run in applied] == [["0011_pre_roles"]] * 2
    cluster.execute("CREATE ROLE service LOGIN IN ROLE surf_lamp_app")
    cluster.runner("surf_one", "surf_data").down(ROLES.number - 1)
    with cluster.connect("surf_two", "service") as connection:
        assert connection.execute("SELECT count(*) FROM lamp_registry").fetchone() == (0,)
    with cluster.connect("surf_one", "service") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute("SELECT count(*) FROM lamp_registry")
    cluster.runner("surf_one", "surf_data").up()


def test_settings_of_roles_that_exist_are_left_alone(cluster: Cluster) -> None:
    """An administrator's settings win, and a role that the migration makes has its own."""
    cluster.execute("CREATE ROLE surf_lamp_app LOGIN; ALTER ROLE surf_lamp_app SET lock_timeout = '7s'")
    cluster.execute("CREATE DATABASE surf_one")
    cluster.runner("surf_one", "surf_data").up()
    cluster.execute("ALTER ROLE surf_lamp_read LOGIN")
    settings = "SELECT current_setting(name) FROM unnest(%s::text[]) AS name"
    names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "search_path"]
    with cluster.connect("surf_one", "surf_lamp_app") as connection:
        assert connection.execute(settings, [names]).fetchall()[:2] == [("7s",), ("0",)]
    with cluster.connect("surf_one", "surf_lamp_read") as connection:
        values = [value for (value,) in connection.execute(settings, [names])]
    assert values == ["3s", "15s", "15s", "public, pg_temp"]


def test_a_schema_of_another_name(cluster: Cluster) -> None:
    """The tables may be in any schema: rights, search path and the trigger follow them."""
    cluster.database("surf_one", "keeper", "CREATEROLE")
    cluster.execute('CREATE SCHEMA "Lamps" AUTHORIZATION keeper', "surf_one")
    cluster.runner("surf_one", "keeper", options='-c search_path="Lamps"').up()
    cluster.execute("ALTER ROLE surf_lamp_app LOGIN")
    with cluster.connect("surf_one", "surf_lamp_app") as connection:
        moved = connection.execute("UPDATE system_configuration SET description = description")
    assert moved.rowcount == 3


# What each may do


@pytest.fixture
def acting(migrated_url: str, application_role: str) -> Iterator[Callable[[str], Connection]]:
    """Return a function that connects to the migrated database as a role, which itself cannot log in."""
    opened: list[Connection] = []

    def connect(role: str) -> Connection:
        connection = psycopg.connect(migrated_url, autocommit=True)
        opened.append(connection)
        connection.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(role)))
        return connection

    yield connect
    for connection in opened:
        connection.close()


def test_the_suite_is_the_application(data: surf_data.LampsDataLayer, application_role: str) -> None:
    """What the other tests show, they show for a role that may do no more than the application."""
    with data.database.connect() as connection:
        row = connection.execute(
            "SELECT current_user::text, rolsuper, pg_has_role('surf_lamp_owner', 'MEMBER') FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
    assert row == (application_role, False, False)


@pytest.mark.parametrize(
    "forbidden",
    [
        "CREATE TABLE mine ()",
        "CREATE FUNCTION mine() RETURNS int RETURN 1",
        "CREATE SCHEMA mine",
        "DROP TABLE lamp_registry",
        "ALTER TABLE lamp_registry ADD COLUMN mine int",
        "CREATE INDEX ON lamp_registry (name)",
        "CREATE TRIGGER mine BEFORE INSERT ON lamp_registry EXECUTE FUNCTION reference_version_move()",
        "ALTER TABLE activity_log DISABLE TRIGGER ALL",
        "COPY lamp_registry TO PROGRAM 'cat'",
        "SET ROLE surf_lamp_owner",
        "SET session_replication_role = replica",
        *(f"TRUNCATE {table}" for table in TABLES),
        "UPDATE activity_log SET status = 'success'",
        "DELETE FROM activity_log",
        "UPDATE reference_version SET version = gen_random_uuid()",
        "INSERT INTO reference_version (version) VALUES (gen_random_uuid())",
        "UPDATE activity_rollup_count SET entries = 0",
        "DELETE FROM activity_rollup_stale",
        "SELECT activity_rollup_forget('infinity')",
        "SELECT setval('activity_rollup_boundary', 0)",
        "DELETE FROM schema_migrations",
        "SELECT setval('activity_log_id_seq', 1)",
    ],
)
def test_the_application_reads_and_writes_rows_alone(acting: Callable[[str], Connection], forbidden: str) -> None:
    """It changes no schema, empties no table, and rewrites neither the log nor the history."""
    with pytest.raises(InsufficientPrivilege):
        acting("surf_lamp_app").execute(forbidden.encode())


def test_a_change_of_the_configuration_moves_the_version(acting: Callable[[str], Connection]) -> None:
    """The application may change the configuration and not the version, which moves all the same."""
    application = acting("surf_lamp_app")
    version = "SELECT version FROM public.reference_version"
    before = application.execute(version).fetchone()
    # A table that only looks like it is not mistaken for it.
    application.execute("CREATE TEMPORARY TABLE reference_version (version uuid)")
    application.execute("INSERT INTO pg_temp.reference_version VALUES (NULL)")
    application.execute("UPDATE api_configuration SET priority_order = priority_order")
    assert application.execute(version).fetchone() != before
    assert application.execute("SELECT version FROM pg_temp.reference_version").fetchone() == (None,)


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT password_hash FROM lamp_registry",
        "SELECT * FROM lamp_registry",
        "SELECT session_token FROM user_sessions",
        "SELECT api_key FROM api_configuration",
        "UPDATE lamp_registry SET name = ''",
        "INSERT INTO activity_log (activity_type, status) VALUES ('a', 'b')",
        "CREATE TABLE mine ()",
    ],
)
def test_the_reader_sees_no_credentials(acting: Callable[[str], Connection], forbidden: str) -> None:
    """It reads what is no secret, and writes nothing."""
    reader = acting("surf_lamp_read")
    reader.execute("SELECT count(*) FROM lamp_registry, activity_log, system_configuration, reference_version")
    reader.execute("SELECT lamp_id, email FROM lamp_registry")
    with pytest.raises(InsufficientPrivilege):
        reader.execute(forbidden.encode())


@pytest.mark.parametrize("table", TABLES)
def test_everybody_else_may_do_nothing(acting: Callable[[str], Connection], admin: Connection, table: str) -> None:
    """A login of the server that is in none of the roles reads no table."""
    admin.execute("CREATE ROLE passer_by")
    try:
        passer_by = acting("passer_by")
        with pytest.raises(InsufficientPrivilege):
            passer_by.execute(f"SELECT count(*) FROM {table}".encode())
    finally:
        admin.execute("DROP ROLE passer_by")


def test_every_table_is_accounted_for(admin: Connection) -> None:
    """A migration that adds a table also says who may use it: this test has to hear of it."""
    found = """
        SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    """
    assert sorted(name for (name,) in admin.execute(found)) == TABLES


def test_nobody_passes_the_table_by(admin: Connection) -> None:
    """Only their owner may do anything with the partitions themselves, where the table's policies do not count."""
    granted = """
        SELECT pc.relname::text, ae.grantee::regrole::text FROM pg_class AS pc, aclexplode(pc.relacl) AS ae
        WHERE pc.relispartition AND pc.relkind = 'r' AND ae.grantee <> pc.relowner
    """
    assert admin.execute(granted).fetchall() == []
    assert admin.execute("SELECT count(*) > 3 FROM pg_class WHERE relispartition AND relkind = 'r'").fetchone() == (
        True,
    )
