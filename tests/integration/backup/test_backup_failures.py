"""A backup or a restore that fails says why, and leaves neither half a file nor half a database."""

import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from rig.backups import PROGRAMS, ROW, TABLES, Admin, FakeProgram, Open, Refused, left, objects, put, take
from surf_data import backup as backups
from surf_data.backup import Step
from surf_data.errors import BackupError, DatabaseError, DatabaseUnavailable, LockTimeout
from surf_data.kernel.postgres import DatabaseManager


@pytest.fixture
def owned(source: DatabaseManager, admin: Admin, file: Path) -> str:
    """Return the name of a role that a backup needs and that is gone."""
    admin.execute("CREATE ROLE surf_ghost")
    admin.execute("ALTER TABLE lamp_registry OWNER TO surf_ghost")
    admin.execute("GRANT SELECT ON activity_log TO surf_ghost")
    take(source, file)
    admin.execute("DROP OWNED BY surf_ghost CASCADE")
    admin.execute("DROP ROLE surf_ghost")
    return "surf_ghost"


def test_a_missing_role(refused: Refused, target: DatabaseManager, server: Admin, file: Path, owned: str) -> None:
    """An owner who is not there is named, and nothing is restored."""
    error = refused(lambda: put(target, file), BackupError)
    assert f'the role "{owned}" does not exist here, at TABLE lamp_registry {owned}' in str(error)
    assert objects(server) == 0


def test_a_missing_grantee(refused: Refused, target: DatabaseManager, server: Admin, file: Path, owned: str) -> None:
    """A grantee that does not exist is named, and nothing is restored."""
    error = refused(lambda: put(target, file, owners=False), BackupError)
    assert f'the role "{owned}" does not exist here, at ACL ' in str(error)
    assert objects(server) == 0


def test_neither_owners_nor_privileges(target: DatabaseManager, server: Admin, file: Path, owned: str) -> None:
    """Without owners and privileges no role has to exist."""
    put(target, file, owners=False, privileges=False)
    answer = server.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'lamp_registry'").fetchone()
    assert answer == (target.connection_info()["user"],)


def test_rows_that_are_refused(
    refused: Refused, source: DatabaseManager, target: DatabaseManager, server: Admin, admin: Admin, file: Path
) -> None:
    """Rows that cannot be restored leave nothing behind, and are not quoted."""
    admin.execute("CREATE TABLE here (note text CHECK (current_database() = 'test_migrated'))")
    admin.execute("INSERT INTO here VALUES (%s)", [ROW])
    take(source, file)
    error = refused(lambda: put(target, file), BackupError)
    assert 'the rows of table "here" were refused' in str(error)
    assert ROW not in str(error)
    assert objects(server) == 0


def test_what_nobody_may_repeat(
    refused: Refused, source: DatabaseManager, target: DatabaseManager, admin: Admin, file: Path
) -> None:
    """An error whose words may quote a row is not repeated."""
    admin.execute("CREATE TABLE quoted (note text)")
    admin.execute("INSERT INTO quoted VALUES (%s)", [ROW])
    admin.execute(
        "CREATE FUNCTION only_here(note text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_database() <> 'test_migrated' THEN RAISE '%', note; END IF; RETURN note; END $$"
    )
    admin.execute("CREATE INDEX quoted_index ON quoted (only_here(note))")
    take(source, file)
    error = refused(lambda: put(target, file), BackupError)
    assert "what it says may quote rows and is not repeated, at INDEX quoted_index" in str(error)
    assert ROW not in str(error)


def test_no_archive(refused: Refused, target: DatabaseManager, file: Path) -> None:
    """A file of another kind is reported as such."""
    file.write_text("CREATE TABLE tide (id int);\n" * 100, "utf-8")
    error = refused(lambda: put(target, file, unverified=True), BackupError)
    assert str(error) == "pg_restore failed: the file is damaged, or not what pg_dump --format=custom makes"


def test_a_full_disk(refused: Refused, source: DatabaseManager, file: Path, fake: FakeProgram) -> None:
    """A disk that is full half way is reported as such, and nothing is left on it."""
    fake("pg_dump", 'exec "$REAL" "$@" >/dev/full')
    assert str(refused(lambda: take(source, file), BackupError)) == "pg_dump failed: No space left on device"
    assert left(file.parent) == []


def test_a_server_that_is_lost_to_pg_dump(
    refused: Refused, source: DatabaseManager, file: Path, fake: FakeProgram
) -> None:
    """A pg_dump that cannot reach the server says why, and leaves nothing."""
    fake("pg_dump", 'exec "$REAL" "$@" --dbname="host=127.0.0.1 port=1"')
    assert str(refused(lambda: take(source, file), BackupError)) == "pg_dump failed: it cannot connect to the server"
    assert left(file.parent) == []


def test_a_server_that_is_lost_to_us(refused: Refused, source: DatabaseManager, admin: Admin, file: Path) -> None:
    """A connection that is lost while rows are counted leaves nothing."""

    def lose(step: Step) -> None:
        if step.what == "counting":
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in %'")

    refused(lambda: take(source, file, on_step=lose), DatabaseUnavailable)
    assert left(file.parent) == []


def test_a_table_that_is_locked(
    refused: Refused, source: DatabaseManager, admin: Admin, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that another session holds on a table is not waited for indefinitely."""
    monkeypatch.setattr("surf_data.backup.contents.LOCK_SECONDS", 0.05)
    with admin.transaction():
        admin.execute("LOCK TABLE lamp_registry")
        refused(lambda: take(source, file), LockTimeout)
    assert left(file.parent) == []


def test_a_queue_between_us(
    refused: Refused,
    source: DatabaseManager,
    admin: Admin,
    file: Path,
    fake: FakeProgram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session that waits for a table between our lock and pg_dump's does not make all three wait indefinitely."""
    monkeypatch.setattr("surf_data.backup.dump.LOCK_SECONDS", 1)
    begun, go = file.with_name("begun"), file.with_name("go")
    os.mkfifo(begun)
    os.mkfifo(go)
    fake("pg_dump", f'echo >{shlex.quote(str(begun))}; read _ <{shlex.quote(str(go))}; exec "$REAL" "$@"')

    def queue() -> None:
        begun.read_text()
        with psycopg.connect(_url(admin)) as other, ThreadPoolExecutor(1) as waiter:
            waiting = waiter.submit(other.execute, "LOCK TABLE lamp_registry")
            while not admin.execute("SELECT true FROM pg_locks WHERE NOT granted").fetchone():
                admin.execute("SELECT pg_sleep(0.02)")
            go.write_text("\n")
            waiting.result()

    with ThreadPoolExecutor(1) as pool:
        queued = pool.submit(queue)
        error = refused(lambda: take(source, file), BackupError)
        queued.result()
    assert str(error) == "pg_dump failed: another session holds a lock on a table"


def _url(connection: Admin) -> str:
    info = connection.info
    return f"postgresql://{info.user}@/{info.dbname}?host={info.host}&port={info.port}"


def test_hidden_rows(refused: Refused, opened: Open, migrated_url: str, admin: Admin, file: Path) -> None:
    """A role that does not see every row makes no backup that lacks some."""
    admin.execute("CREATE ROLE surf_guest LOGIN")
    try:
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO surf_guest")
        admin.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO surf_guest")
        guest = opened(migrated_url.replace("://surf_data@", "://surf_guest@"))
        take(guest, file)
        admin.execute("ALTER TABLE lamp_registry ENABLE ROW LEVEL SECURITY")
        error = refused(lambda: take(guest, file, overwrite=True), BackupError)
        assert str(error) == "pg_dump failed: row-level security hides rows from this role"
        admin.execute("REVOKE SELECT ON user_sessions FROM surf_guest")
        refused(lambda: take(guest, file, overwrite=True), DatabaseError)
    finally:
        admin.execute("DROP OWNED BY surf_guest")
        admin.execute("DROP ROLE surf_guest")


def test_a_program_that_is_killed(refused: Refused, source: DatabaseManager, file: Path, fake: FakeProgram) -> None:
    """A pg_dump that a signal ends is reported with the signal's name."""
    fake("pg_dump", "kill -9 $$")
    assert str(refused(lambda: take(source, file), BackupError)) == "pg_dump was ended by the signal SIGKILL"


def test_a_program_that_says_nothing(refused: Refused, source: DatabaseManager, file: Path, fake: FakeProgram) -> None:
    """A pg_dump that fails without a message is reported as such."""
    fake("pg_dump", "exit 3")
    assert str(refused(lambda: take(source, file), BackupError)) == "pg_dump failed: it does not say why"


class Interruption(BaseException):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("stubborn", ["", "trap '' TERM; "])
def test_an_interruption(
    source: DatabaseManager, file: Path, fake: FakeProgram, stubborn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends the work ends pg_dump, too, and leaves nothing."""
    monkeypatch.setattr("surf_data.backup.program._STOP_SECONDS", 0.1 if stubborn else 60)
    pid = file.with_name("pid")
    said = "echo 'pg_dump: dumping contents of table \"public.tide\"' >&2"
    fake("pg_dump", f"{stubborn}echo $$ >{shlex.quote(str(pid))}; {said}; exec tail -f /dev/null")

    def interrupt(_step: Step) -> None:
        raise Interruption

    with pytest.raises(Interruption):
        take(source, file, on_step=interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert left(file.parent) == ["pid"]


def test_an_interrupted_restore(source: DatabaseManager, target: DatabaseManager, server: Admin, file: Path) -> None:
    """A restore that is ended half way leaves the database empty."""
    take(source, file)

    def interrupt(step: Step) -> None:
        if step.done == 3:
            raise Interruption

    with pytest.raises(Interruption):
        put(target, file, on_step=interrupt)
    wait = "SELECT pg_sleep(0.02) FROM pg_stat_activity WHERE application_name = 'pg_restore'"
    while server.execute(wait.encode()).fetchone():
        pass
    assert objects(server) == 0


# Which programs


def test_the_servers_version_is_preferred(source: DatabaseManager, file: Path, fake: FakeProgram) -> None:
    """The pg_dump of the server's version is taken before older and newer ones, wherever it is."""
    fake("pg_dump", "exit 9", version="19beta1", folder="newer")
    fake("pg_dump", "exit 9", version="17.2", folder="older")
    wheel = PROGRAMS[0] / "pg_dump"
    assert backups.prepare_backup(source, file, folders=PROGRAMS).pg_dump == wheel
    on_path = fake("pg_dump", "exit 9")
    assert backups.prepare_backup(source, file, folders=PROGRAMS).pg_dump == on_path


def test_a_newer_version_will_do(source: DatabaseManager, file: Path, fake: FakeProgram) -> None:
    """Without a pg_dump of the server's version the next newer one is taken."""
    newer = fake("pg_dump", "exit 9", version="19.1", folder="newer")
    fake("pg_dump", "exit 9", version="20.0", folder="newest")
    assert backups.prepare_backup(source, file).pg_dump == newer


def test_no_program(
    refused: Refused, source: DatabaseManager, file: Path, fake: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pg_dump that is new enough it is said what to install; one that is broken does not count."""
    monkeypatch.setenv("PATH", str(file.parent))
    error = refused(lambda: take(source, file, folders=[]), BackupError)
    assert str(error).startswith("pg_dump of PostgreSQL 18 or newer is needed: install ")
    fake("pg_dump", "", version="15.18", folder="old")
    fake("pg_dump", "", version="nothing", folder="strange")
    broken = fake("pg_dump", "", folder="broken")
    broken.write_text("#!/no/such/program\n", "utf-8")
    error = refused(lambda: take(source, file, folders=[]), BackupError)
    assert str(error).startswith("pg_dump of PostgreSQL 18 or newer is needed, here is 15: install ")
    assert "postgresql-client-18" in str(error)


def test_an_archive_of_a_newer_program(source: DatabaseManager, target: DatabaseManager, file: Path) -> None:
    """A file that a newer pg_dump has made is read by a pg_restore that is as new."""
    take(source, file)
    beside = file.with_name("surf.dump.json")
    beside.write_text(beside.read_text("utf-8").replace('"pg_dump_version": 18', '"pg_dump_version": 19'), "utf-8")
    with pytest.raises(BackupError, match="pg_restore of PostgreSQL 19 or newer is needed"):
        put(target, file)


# Before


def test_prepared(source: DatabaseManager, target: DatabaseManager, server: Admin, file: Path) -> None:
    """What would be done can be asked beforehand, and changes nothing."""
    plan = backups.prepare_backup(source, file, folders=PROGRAMS)
    assert (plan.database, plan.tables, plan.server_version // 10_000) == ("test_migrated", TABLES, 18)
    assert plan.size > 1_000_000
    assert left(file.parent) == []
    manifest = take(source, file)
    restore = backups.prepare_restore(target, file, folders=PROGRAMS)
    assert (restore.database, restore.manifest) == ("test_empty", manifest)
    assert objects(server) == 0


def test_the_environment(opened: Open, migrated_url: str, file: Path, fake: FakeProgram) -> None:
    """The password reaches pg_dump by its environment alone, and a client's encoding does not."""
    spied = file.with_name("spied")
    fake("pg_dump", f'{{ echo "$@"; env; }} >{shlex.quote(str(spied))}; exec "$REAL" "$@"')
    url = f"{migrated_url.replace('@', f':{ROW}@')}&client_encoding=LATIN1"
    source = opened(url)
    take(source, file)
    arguments, *variables = spied.read_text().splitlines()
    assert ROW not in arguments
    assert f"PGPASSWORD={ROW}" in variables
    assert not any(variable.startswith("PGCLIENTENCODING") for variable in variables)


@pytest.mark.parametrize("options", ["", "-c work_mem=8MB"])
def test_a_server_of_another_language(
    opened: Open, migrated_url: str, file: Path, fake: FakeProgram, options: str
) -> None:
    """The server speaks to pg_dump as pg_dump itself does, beside what the URL asks of it."""
    spied = file.with_name("spied")
    fake("pg_dump", f'echo "$PGOPTIONS" >{shlex.quote(str(spied))}; exec "$REAL" "$@"')
    take(opened(f"{migrated_url}&options={quote(f'{options} -c lc_messages=C.utf8')}"), file)
    assert spied.read_text().strip().endswith("-c lc_messages=C")
    assert options in spied.read_text()
