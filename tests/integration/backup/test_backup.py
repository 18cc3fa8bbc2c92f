"""A backup is one moment of a database in a file, and a restore brings back every row of it or nothing."""

import json
import os
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from rig.backups import OBJECTS, PROGRAMS, ROW, ROWS, TABLES, Admin, Open, Refused, left, objects, put, take
from surf_data import embedded
from surf_data.backup import Step, Table
from surf_data.errors import BackupError
from surf_data.kernel.postgres import DatabaseManager

# There and back


@pytest.mark.parametrize("version", [16, 18])
def test_there_and_back(version: int, opened: Open, file: Path) -> None:
    """What is restored is what was there, on both versions of PostgreSQL, and every table was counted."""
    with embedded.start(postgres_version=version, redis=False) as servers:
        source = opened(servers.database_url)
        with source.connect() as connection:
            connection.execute(OBJECTS.encode())
            connection.execute("SELECT lo_from_bytea(0, 'sea')")
            manifest = take(source, file)
            connection.execute("CREATE DATABASE copy TEMPLATE template0")
        assert manifest.rows == ROWS
        assert (manifest.database, manifest.server_version // 10_000) == ("surf_data", version)
        assert manifest.pg_dump_version == version
        copy = opened(servers.database_url.replace("/surf_data?", "/copy?"))
        assert put(copy, file).manifest == manifest
        with copy.connect() as connection:
            notes = connection.execute('SELECT DISTINCT note FROM "Wave Pool"."od%d "" name"').fetchall()
            assert notes == [(ROW,)]
            assert connection.execute("SELECT count(*) FROM view_of_tide").fetchone() == (3,)
            assert connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (1,)


def test_an_empty_database(target: DatabaseManager, file: Path) -> None:
    """A database without tables has a backup, too, and stays empty when that is restored."""
    assert take(target, file).rows == {}
    assert put(target, file).manifest is not None


def test_a_newer_server_takes_it(opened: Open, target: DatabaseManager, file: Path) -> None:
    """A backup of PostgreSQL 16 can be restored on 18."""
    with embedded.start(postgres_version=16, redis=False) as servers:
        source = opened(servers.database_url)
        with source.connect() as connection:
            connection.execute(OBJECTS.encode())
        take(source, file)
    assert put(target, file).server_version // 10_000 == 18


def test_pg_restore_takes_it(source: DatabaseManager, file: Path) -> None:
    """The file is an ordinary archive, with which a DBA needs nothing of this library."""
    take(source, file)
    listed = subprocess.run([PROGRAMS[0] / "pg_restore", "--list", file], capture_output=True, check=True, text=True)
    assert "TABLE DATA public lamp_registry" in listed.stdout


def test_what_pg_dump_has_made(source: DatabaseManager, target: DatabaseManager, server: Admin, file: Path) -> None:
    """A file of pg_dump's own is restored when asked to do without verification."""
    info = source.connection_info()
    place = [f"--host={info['host']}", f"--port={info['port']}", f"--username={info['user']}", str(info["database"])]
    subprocess.run([PROGRAMS[0] / "pg_dump", "-Fc", f"--file={file}", *place], check=True)
    assert put(target, file, unverified=True).manifest is None
    assert server.execute("SELECT count(*) FROM system_configuration").fetchone() == (3,)


def test_one_moment(source: DatabaseManager, target: DatabaseManager, admin: Admin, file: Path) -> None:
    """Rows that are written after the snapshot are neither in the file nor in its counts."""

    def write(step: Step) -> None:
        if step.done in {0, TABLES}:
            admin.execute(b"INSERT INTO api_configuration (website_name, full_url, city) VALUES ('a', 'b', '{}')")

    manifest = take(source, file, on_step=write)
    assert manifest.rows[Table("public", "api_configuration")] == 2
    assert put(target, file).manifest == manifest


def test_tables_stay_until_they_are_counted(source: DatabaseManager, admin: Admin, file: Path) -> None:
    """No session truncates, drops or alters a table between its dump and its count."""
    admin.execute("SET lock_timeout = '50ms'")

    def truncate(step: Step) -> None:
        if step.what == "counting":
            with pytest.raises(psycopg.errors.LockNotAvailable):
                admin.execute("TRUNCATE api_configuration")

    take(source, file, on_step=truncate)


def test_steps(source: DatabaseManager, target: DatabaseManager, file: Path) -> None:
    """The callback is called twice for each table, in both directions."""
    steps: list[Step] = []
    tables = sorted(str(table) for table in take(source, file, on_step=steps.append).rows)
    assert [(step.what, step.table) for step in steps[:TABLES]] == [("dumping", table) for table in tables]
    assert [(step.what, step.table) for step in steps[TABLES:]] == [("counting", table) for table in tables]
    assert [(step.done, step.total) for step in steps] == [(done, 2 * TABLES) for done in range(2 * TABLES)]
    steps.clear()
    put(target, file, on_step=steps.append)
    assert {step.what for step in steps} == {"restoring", "counting"}
    assert [(step.done, step.total) for step in steps] == [(done, 2 * TABLES) for done in range(2 * TABLES)]


def test_steps_without_a_manifest(source: DatabaseManager, target: DatabaseManager, file: Path) -> None:
    """Without the manifest the number of tables is unknown."""
    take(source, file)
    steps: list[Step] = []
    put(target, file, unverified=True, on_step=steps.append)
    assert {(step.what, step.total) for step in steps} == {("restoring", None)}


# The files


def test_files(source: DatabaseManager, file: Path) -> None:
    """A backup is two files that only their owner can read, and the manifest is JSON."""
    before = os.umask(0)
    try:
        manifest = take(source, file)
    finally:
        os.umask(before)
    beside = file.with_name("surf.dump.json")
    assert left(file.parent) == [file.name, beside.name]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, beside)] == [0o600, 0o600]
    assert json.loads(beside.read_text("utf-8")) == manifest.to_dict()
    assert manifest.size == file.stat().st_size


@pytest.mark.parametrize("name", ["surf.dump", "surf.dump.json"])
def test_existing_files(refused: Refused, source: DatabaseManager, file: Path, name: str) -> None:
    """A file that exists is left alone, unless it is to be overwritten."""
    there = file.with_name(name)
    there.write_text("precious", "utf-8")
    assert str(refused(lambda: take(source, file), BackupError)) == f"{there}: exists already, and is left alone"
    assert there.read_text("utf-8") == "precious"
    assert left(file.parent) == [name]
    take(source, file, overwrite=True)
    assert left(file.parent) == ["surf.dump", "surf.dump.json"]


@pytest.mark.parametrize("kind", ["folder", "link", "device"])
def test_what_is_no_file(refused: Refused, source: DatabaseManager, file: Path, kind: str) -> None:
    """What is no ordinary file is never overwritten."""
    if kind == "folder":
        file.mkdir()
    elif kind == "link":
        file.symlink_to("elsewhere")
    else:
        os.mkfifo(file)
    error = refused(lambda: take(source, file, overwrite=True), BackupError)
    assert str(error) == f"{file}: is no ordinary file, and is left alone"
    error = refused(lambda: take(source, Path(file.anchor)), BackupError)
    assert str(error) == "/: is no ordinary file, and is left alone"


def test_no_folder(refused: Refused, source: DatabaseManager, file: Path) -> None:
    """A folder that is not there is not made."""
    error = refused(lambda: take(source, file / "deeper"), BackupError)
    assert str(error) == f"{file}: there is no such folder"


def test_a_folder_that_cannot_be_written(
    refused: Refused, source: DatabaseManager, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is closed to this account is an error before anything is sent to the server."""
    # For root no folder is closed.
    monkeypatch.setattr("surf_data.backup.file.os.access", lambda *_: False)
    error = refused(lambda: take(source, file), BackupError)
    assert (error.file, str(error)) == (str(file.parent), f"{file.parent}: cannot be written to")


def test_a_link_in_the_way(refused: Refused, source: DatabaseManager, file: Path) -> None:
    """A link in the way does not make a backup go elsewhere."""
    file.with_name("surf.dump.partial").symlink_to(file.with_name("elsewhere"))
    assert "cannot be written" in str(refused(lambda: take(source, file), BackupError))
    assert not file.with_name("elsewhere").exists()


def test_two_at_once(refused: Refused, source: DatabaseManager, file: Path) -> None:
    """Of two backups to one file the second is refused, and the first is whole."""
    errors: list[BackupError] = []

    def again(step: Step) -> None:
        if not step.done:
            errors.append(refused(lambda: take(source, file), BackupError))

    manifest = take(source, file, on_step=again)
    assert [str(error) for error in errors] == [f"{file}.partial: another process writes a backup there"]
    assert manifest.size == file.stat().st_size


def test_remains_of_a_killed_run(source: DatabaseManager, target: DatabaseManager, file: Path) -> None:
    """What a killed run has left is used up by the next one."""
    file.with_name("surf.dump.partial").write_bytes(b"x" * 1_000_000)
    file.with_name("surf.dump.json.partial").write_bytes(b"x" * 1_000_000)
    take(source, file)
    assert left(file.parent) == ["surf.dump", "surf.dump.json"]
    put(target, file)


def test_a_file_that_appears_meanwhile(refused: Refused, source: DatabaseManager, file: Path) -> None:
    """A file that is created while the backup is written is left alone, too."""
    error = refused(lambda: take(source, file, on_step=lambda _: file.write_text("precious")), BackupError)
    assert "exists already" in str(error)
    assert (file.read_text(), left(file.parent)) == ("precious", ["surf.dump"])


# What is refused


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("CREATE SCHEMA pool", "schema pool"),
        ("CREATE TABLE tide (id int)", "table tide"),
        ("CREATE VIEW tide AS SELECT 1", "view tide"),
        ("CREATE SEQUENCE tide", "sequence tide"),
        ("CREATE FUNCTION tide() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function tide()"),
        ("CREATE TYPE tide AS ENUM ('low')", "type tide"),
        ("CREATE TYPE tide AS (low int)", "type tide"),
        ("CREATE DOMAIN tide AS int", "type tide"),
        ("CREATE PUBLICATION tide", "publication tide"),
        ('CREATE COLLATION tide FROM "C"', "collation tide"),
        ("CREATE FOREIGN DATA WRAPPER tide", "foreign-data wrapper tide"),
        ("SELECT lo_create(0)", "large object"),
        ("CREATE EXTENSION vector", "extension vector"),
    ],
)
def test_not_empty(
    refused: Refused, source: DatabaseManager, target: DatabaseManager, server: Admin, file: Path, made: str, named: str
) -> None:
    """A database that holds anything is refused, by the name of what it holds."""
    take(source, file)
    server.execute(made.encode())
    before = objects(server)
    error = refused(lambda: put(target, file), BackupError)
    assert str(error).startswith(f"the database test_empty is not empty: it has {named}")
    assert objects(server) == before


@pytest.mark.parametrize(
    "made",
    [
        "DROP SCHEMA public; CREATE SCHEMA public",
        "DROP EXTENSION plpgsql CASCADE; CREATE EXTENSION plpgsql",
        "CREATE TEMPORARY TABLE gone (id int)",
        "CREATE TABLE gone (id serial); DROP TABLE gone",
    ],
)
def test_empty_enough(source: DatabaseManager, target: DatabaseManager, server: Admin, file: Path, made: str) -> None:
    """What every database has, and what goes away by itself, does not stand in the way."""
    take(source, file)
    for statement in made.split(";"):
        server.execute(statement.encode())
    put(target, file)
    assert server.execute("SELECT count(*) FROM system_configuration").fetchone() == (3,)


def test_an_extension(
    source: DatabaseManager, target: DatabaseManager, server: Admin, admin: Admin, file: Path
) -> None:
    """An extension comes along, and its own tables are not counted."""
    admin.execute("CREATE EXTENSION vector")
    admin.execute("CREATE TABLE vector_settings (id int)")
    admin.execute("ALTER EXTENSION vector ADD TABLE vector_settings")
    assert len(take(source, file).rows) == TABLES
    put(target, file)
    extensions = server.execute("SELECT extname FROM pg_extension ORDER BY extname").fetchall()
    assert extensions == [("plpgsql",), ("vector",)]


def test_a_changed_file(refused: Refused, source: DatabaseManager, target: DatabaseManager, file: Path) -> None:
    """A file that is not as it was made is not restored."""
    take(source, file)
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(content)
    error = refused(lambda: put(target, file), BackupError)
    assert (error.file, str(error)) == (str(file), f"{file}: is not as it was when the backup was made")


def test_no_manifest(refused: Refused, source: DatabaseManager, target: DatabaseManager, file: Path) -> None:
    """Without its manifest nothing is known of a file, and it is not restored."""
    take(source, file)
    file.with_name("surf.dump.json").unlink()
    problem = "cannot be read, so it is not known whether the backup is whole: No such file or directory"
    assert problem in str(refused(lambda: put(target, file), BackupError))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not the manifest of a backup"),
        ("[]", "is not the manifest of a backup"),
        ("{}", "is not the manifest of a backup"),
        ('{"format": 1}', "is not the manifest of a backup"),
        ('{"format": 2}', "is of a newer version of this library"),
    ],
)
def test_no_manifest_of_ours(refused: Refused, target: DatabaseManager, file: Path, text: str, problem: str) -> None:
    """What is not a manifest is not read as one."""
    file.touch()
    beside = file.with_name("surf.dump.json")
    beside.write_text(text, "utf-8")
    assert str(refused(lambda: put(target, file), BackupError)) == f"{beside}: {problem}"


def test_no_file(refused: Refused, target: DatabaseManager, file: Path) -> None:
    """A file that cannot be read is reported as such."""
    assert str(refused(lambda: put(target, file), BackupError)) == f"{file}: cannot be read: No such file or directory"


def test_a_bad_disk(
    refused: Refused, source: DatabaseManager, target: DatabaseManager, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that turns out unreadable half way is reported as such."""
    take(source, file)
    # Where a process has no memory, reading fails as on a bad disk.
    memory = Path("/proc/self/mem").open("rb", buffering=0)  # noqa: SIM115 - it is closed by the call
    monkeypatch.setattr("surf_data.backup.restoration._opened", lambda _: memory)
    assert str(refused(lambda: put(target, file), BackupError)) == f"{file}: cannot be read: Input/output error"


def test_a_table_without_partitions(
    refused: Refused, source: DatabaseManager, target: DatabaseManager, server: Admin, file: Path
) -> None:
    """A database is not empty when all it has is a table for partitions; with them it is named alone."""
    take(source, file)
    server.execute("CREATE TABLE wave (day date) PARTITION BY RANGE (day)")
    problem = "the database test_empty is not empty: it has table wave"
    assert str(refused(lambda: put(target, file), BackupError)) == problem
    server.execute("CREATE TABLE calm PARTITION OF wave DEFAULT")
    assert str(refused(lambda: put(target, file), BackupError)) == problem


def test_other_numbers_of_rows(
    refused: Refused, source: DatabaseManager, target: DatabaseManager, admin: Admin, file: Path
) -> None:
    """Tables that have other rows than when the backup was made are named, with both numbers."""
    admin.execute("DROP TABLE activity_log")
    take(source, file)
    beside = file.with_name("surf.dump.json")
    document = json.loads(beside.read_text("utf-8"))
    for number, table in enumerate(document["tables"]):
        table["rows"] += 100 + number
    document["tables"][0]["table"] = "elsewhere"
    beside.write_text(json.dumps(document), "utf-8")
    error = refused(lambda: put(target, file), BackupError)
    assert str(error) == (
        "the backup is restored, but these tables have other numbers of rows than when it was made: "
        "public.activity_rollup (1 instead of no table), public.activity_rollup_count (0 instead of 101), "
        "public.activity_rollup_lamp (0 instead of 102), public.activity_rollup_stale (0 instead of 103), "
        "public.api_configuration (2 instead of 106) and 6 more"
    )


# What goes wrong
