"""``surf-data seed`` and ``surf-data reset``: sample data, and back to the beginning."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import embedded
from surf_data.kernel import resources

Admin = psycopg.Connection[Any]
Cli = Callable[..., Any]
Answer = Callable[[bytes], tuple[int, str]]

COMMAND = (sys.executable, "-m", "surf_data")


@pytest.fixture
def embedded_url(scratch: Path, cli: Cli) -> Iterator[str]:
    """Return the URL of embedded servers of the test's own, migrated, with a lamp."""
    url = f"embedded:{scratch / 'data'}"
    # They run all the time, so that commands find them instead of starting and stopping them each time.
    with embedded.start(scratch / "data"):
        assert cli("migrate", "up", database=url).code == 0
        assert cli("seed", database=url).code == 0
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Return a folder with a migration and a seed file."""
    shop = tmp_path / "shop"
    (shop / "seed").mkdir(parents=True)
    (shop / "0001_tide.sql").write_text(
        "-- migrate:up\nCREATE TABLE tide (id int PRIMARY KEY);\n-- migrate:down\nDROP TABLE tide;\n", "utf-8"
    )
    (shop / "seed" / "tide.sql").write_text("INSERT INTO tide VALUES (7) ON CONFLICT DO NOTHING;", "utf-8")
    return str(shop)


def lamps(cli: Cli, url: str) -> str:
    """Return how many lamps there are."""
    answer: str = cli("psql", "--", "-Atc", "SELECT count(*) FROM lamp_registry", database=url).out
    return answer.strip()


def test_seed(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """The sample lamps are there after the first run and after the second."""
    dry = cli("seed", "--dry-run", database=migrated_url)
    assert dry.out == "would run 0001_sample_lamps.sql\n"
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (0,)
    done = cli("seed", database=migrated_url)
    assert (done.code, done.out, done.err) == (0, "ran 0001_sample_lamps.sql\n", "")
    again = cli("seed", "--json", database=migrated_url)
    assert json.loads(again.out) == {"files": ["0001_sample_lamps.sql"], "dry_run": False}
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (5,)


def test_seed_before_migrations(cli: Cli, database_url: str) -> None:
    """Without the migrations nothing is seeded."""
    assert cli("seed", database=database_url).error() == (
        "bring the migrations up to date first: 0001_initial_schema is pending"
    )


def test_any_folder(cli: Cli, database_url: str, folder: str) -> None:
    """Any folder of migrations is seeded and reset, under its own name or another."""
    assert "is pending" in cli("seed", "--folder", folder, database=database_url).error()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop_test TEMPLATE template0")
    url = database_url.replace("/test_empty?", "/shop_test?")
    try:
        arguments = ["--folder", folder, "--domain", "kiosk"]
        done = cli("reset", *arguments, "--yes", "shop_test", "--seed", "--json", database=url)
        assert json.loads(done.out) == {
            "database": "shop_test",
            "domain": "kiosk",
            "dry_run": False,
            "migrations": [{"number": 1, "name": "tide"}],
        }
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT id FROM tide").fetchall() == [(7,)]
            assert connection.execute("SELECT DISTINCT domain FROM schema_migrations").fetchall() == [("kiosk",)]
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE shop_test WITH (FORCE)")


def test_reset(cli: Cli, embedded_url: str) -> None:
    """A reset deletes everything and migrates; with seeds, there are the sample lamps again."""
    count = len(list((resources.directory("migrations") / "lamps").glob("*.sql")))
    dry = cli("reset", "--dry-run", database=embedded_url)
    assert (dry.code, dry.out, dry.err) == (
        0,
        f"Would reset lamps in the database surf_data, with {count} migrations.\n",
        "",
    )
    assert lamps(cli, embedded_url) == "5"
    done = cli("reset", "--yes", "surf_data", database=embedded_url)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("applied 0001_initial_schema in ")
    assert done.out.endswith("Reset lamps in the database surf_data.\n")
    assert lamps(cli, embedded_url) == "0"
    assert cli("reset", "--yes", "surf_data", "--seed", database=embedded_url).code == 0
    assert lamps(cli, embedded_url) == "5"


@pytest.mark.parametrize("arguments", [[], ["--yes", "surf"], ["--yes", ""]])
def test_without_the_name(cli: Cli, migrated_url: str, database_url: str, arguments: list[str]) -> None:
    """Without a terminal the name must be given, and a wrong one changes nothing."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE unnamed TEMPLATE template0")
        try:
            url = database_url.replace("/test_empty?", "/unnamed?")
            assert cli("migrate", "up", database=url).code == 0
            assert cli("seed", database=url).code == 0
            assert cli("reset", *arguments, database=url).code == 2
            assert lamps(cli, url) == "5"
        finally:
            connection.execute("DROP DATABASE unnamed WITH (FORCE)")


def test_one_domain_of_several(cli: Cli, migrated_url: str, admin: Admin, folder: str) -> None:
    """A reset takes one domain back, and leaves alone what another has in the same database."""
    assert cli("migrate", "up", "--folder", folder, database=migrated_url).code == 0
    admin.execute("INSERT INTO tide VALUES (1)")
    assert cli("reset", "--domain", "lamps", "--yes", "test_migrated", "--seed", database=migrated_url).code == 0
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (5,)
    assert admin.execute("SELECT id FROM tide").fetchall() == [(1,)]
    assert cli("reset", "--folder", folder, "--yes", "test_migrated", database=migrated_url).code == 0
    assert admin.execute("SELECT id FROM tide").fetchall() == []
    assert admin.execute("SELECT count(*) FROM lamp_registry").fetchone() == (5,)


def test_password(cli: Cli, guarded_url: str, admin: Admin) -> None:
    """A password in the URL opens the database and the ones beside it, and is not shown."""
    admin.execute("CREATE DATABASE guarded TEMPLATE template0")
    try:
        url = guarded_url.replace("/test_migrated?", "/guarded?")
        assert cli("reset", "--yes", "guarded", database=url).code == 0
    finally:
        admin.execute("DROP DATABASE guarded WITH (FORCE)")


@pytest.fixture
def answer(environment: Mapping[str, str], embedded_url: str) -> Answer:
    """Return a function that types something when a reset asks, and returns its exit code and what it showed."""

    def run(typed: bytes) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*COMMAND, "reset"],
            env={**environment, "SURF_DATA_DATABASE_URL": embedded_url},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            shown = b""
            with contextlib.suppress(OSError):
                while part := os.read(ours, 65536):
                    if b"Type the database" in part:
                        os.write(ours, typed)
                    shown += part
        os.close(ours)
        return process.returncode, shown.decode()

    return run


def test_on_a_terminal(answer: Answer, cli: Cli, embedded_url: str) -> None:
    """On a terminal the name is asked for, and only the right one does anything."""
    for typed in (b"wrong\n", b"\n", b"\x04"):
        code, shown = answer(typed)
        assert code == 2
        assert "This deletes all that lamps has in surf_data." in shown
        assert "that is not the name of the database; nothing was done" in shown
    assert lamps(cli, embedded_url) == "5"
    code, shown = answer(b"surf_data\n")
    assert code == 0
    assert "Reset lamps in the database surf_data." in shown
    assert lamps(cli, embedded_url) == "0"
