"""Going back, beginning a history, accepting a file, and looking without touching."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseError, MigrationError, ValidationError
from surf_data.kernel.postgres import Session
from surf_data.migrate import MigrationStatus, Runner, history, new_file, read_folder

Connection = psycopg.Connection[Any]
Make = Callable[..., Runner]
Ask = Callable[[str], Any]
Write = Callable[..., Path]

FIRST = "-- migrate:up\nCREATE TABLE first (id int);\n-- migrate:down\nDROP TABLE first;\n"
SECOND = "-- migrate:up\nCREATE TABLE second (id int);\n-- migrate:down\nDROP TABLE second;\n"
THIRD = "-- migrate:up\nINSERT INTO first VALUES (3);\n-- migrate:down\nDELETE FROM first;\n"
TABLES = "SELECT array_agg(relname ORDER BY relname) FROM pg_class WHERE relname IN ('first', 'second')"


def unreachable() -> Connection:
    """Fail the test: what is refused before anything is sent needs no connection."""
    raise AssertionError


def labels(migrations: list[MigrationStatus]) -> list[str]:
    """Return what the migrations are called."""
    return [migration.label for migration in migrations]


def states(runner: Runner) -> list[str]:
    """Return how each migration stands."""
    return [status.state for status in runner.status()]


# What no file says


def test_what_no_file_says_is_recorded_once(runner: Make, server: Connection, ask: Ask) -> None:
    """Where the tables are on a cluster has a history beside that of the files, until it is struck out."""
    runner(FIRST).up()
    session, name = Session(server), history.of_cluster("shop")
    for label in ("first in shards by id", "second whole", "first in shards by id"):
        history.note(session, name, label, "0" * 64, timedelta(seconds=1))
    recorded = f"SELECT json_object_agg(number, name) FROM schema_migrations WHERE domain = '{name}'"
    assert ask(recorded) == {"1": "first in shards by id", "2": "second whole"}
    history.strike(session, name, "first in shards by id")
    assert ask(recorded) == {"2": "second whole"}
    assert ask("SELECT array_agg(domain) FROM schema_migrations WHERE domain <> 'shop-cluster'") == ["shop"]


# Down


def test_migrations_are_reverted_from_the_last_one_back(runner: Make, ask: Ask) -> None:
    """Those above the target are reverted and struck out, each is reported; a second time there are none."""
    shop = runner(FIRST, SECOND, THIRD)
    shop.up()
    told: list[str] = []
    assert labels(shop.down(1, lambda status: told.append(status.label))) == ["0003_step", "0002_step"]
    assert told == ["0003_step", "0002_step"]
    assert states(shop) == ["applied", "pending", "pending"]
    assert (ask(TABLES), ask("SELECT count(*) FROM first")) == (["first"], 0)
    assert shop.down(1) == []


def test_up_to_zero_and_up_again(any_url: str, write: Write) -> None:
    """What goes all the way down comes up again, on every version."""
    shop = Runner(partial(psycopg.connect, any_url), write(FIRST, SECOND, THIRD), "shop")
    assert len(shop.up()) == 3
    assert len(shop.down(0)) == 3
    assert states(shop) == ["pending"] * 3
    assert len(shop.up()) == 3


def test_a_failed_way_down_leaves_the_migration_applied(runner: Make, server: Connection, ask: Ask) -> None:
    """It is reverted whole or not at all; those before it stay reverted."""
    shop = runner(FIRST, SECOND, THIRD)
    shop.up()
    server.execute("CREATE VIEW seconds AS SELECT * FROM second")
    with pytest.raises(MigrationError, match=r"0002_step.sql: .*2BP01.*; nothing of this file was reverted"):
        shop.down(0)
    assert states(shop) == ["applied", "applied", "pending"]
    assert ask(TABLES) == ["first", "second"]


def test_what_cannot_be_undone_stops_the_run_before_it_begins(runner: Make, ask: Ask) -> None:
    """One file without a way down keeps also those above it, for they would have to come up again."""
    shop = runner(FIRST, "CREATE TABLE second (id int);", THIRD)
    shop.up()
    with pytest.raises(MigrationError, match=r"0002_step.sql: has no '-- migrate:down' section"):
        shop.down(0)
    assert states(shop) == ["applied"] * 3
    assert labels(shop.down(2)) == ["0003_step"]


def test_a_target_that_is_not_there_is_refused(runner: Make) -> None:
    """A mistyped number reverts nothing."""
    shop = runner(FIRST, SECOND, THIRD)
    shop.up()
    with pytest.raises(MigrationError, match="there is no migration"):
        shop.down(4)
    assert states(shop) == ["applied"] * 3


@pytest.mark.parametrize("target", [-1, None, True, "3", 1.0])
@pytest.mark.parametrize("call", [Runner.down, Runner.baseline])
def test_a_target_that_is_no_number_is_refused(
    write: Write, refused: Callable[..., Any], call: Callable[[Runner, Any], Any], target: object
) -> None:
    """Above all, no target does not mean all migrations. The error names the argument, and nothing is sent."""
    assert refused(lambda: call(Runner(unreachable, write(FIRST), "shop"), target)).field == "to"


@pytest.mark.parametrize("target", [-1, True, "3", 1.0])
def test_the_way_up_needs_a_number_too(write: Write, refused: Callable[..., Any], target: Any) -> None:
    """Only without a target is everything applied."""
    assert refused(lambda: Runner(unreachable, write(FIRST), "shop").up(target)).field == "to"


def test_an_edited_file_stops_the_way_down(runner: Make, write: Write) -> None:
    """Its way down may be another one than the applied file's."""
    shop = runner(FIRST, SECOND)
    shop.up()
    write(FIRST, SECOND + "-- more\n")
    with pytest.raises(MigrationError, match="0002_step was edited after it was applied"):
        shop.down(0)


# The beginning of a history


def test_a_baseline_records_without_running(runner: Make, ask: Ask) -> None:
    """The migrations up to the number count as applied, took no time, and what follows is applied as ever."""
    shop = runner(FIRST, SECOND, THIRD)
    recorded = shop.baseline(2)
    assert labels(recorded) == ["0001_step", "0002_step"]
    assert all(status.applied_at and status.duration is not None and not status.duration for status in recorded)
    assert (states(shop), ask(TABLES)) == (["applied", "applied", "pending"], None)


def test_a_history_begins_once(runner: Make) -> None:
    """Where something is applied, a baseline is a mistake."""
    shop = runner(FIRST, SECOND)
    shop.up(to=1)
    with pytest.raises(MigrationError, match="the history of shop has begun, and a baseline is its beginning"):
        shop.baseline(2)
    assert states(shop) == ["applied", "pending"]


# An accepted file


def test_one_file_is_accepted_as_it_is(runner: Make, write: Write, tmp_path: Path) -> None:
    """An edited or renamed file is taken as it is now, the others stay refused."""
    shop = runner(FIRST, SECOND, THIRD)
    shop.up()
    write(FIRST, SECOND + "-- more\n", THIRD + "-- more\n")
    (tmp_path / "0001_step.sql").rename(tmp_path / "0001_leap.sql")
    assert shop.repair(tmp_path / "0001_leap.sql").state == "renamed"
    assert shop.repair("0002_step.sql").state == "edited"
    assert states(shop) == ["applied", "applied", "edited"]
    assert shop.repair("0002_step.sql").state == "applied"


def test_what_was_not_applied_cannot_be_accepted(runner: Make) -> None:
    """There is nothing that the file could differ from."""
    shop = runner(FIRST, SECOND)
    shop.up(to=1)
    with pytest.raises(MigrationError, match=r"0002_step.sql: was not applied, so there is nothing to accept"):
        shop.repair("0002_step.sql")
    with pytest.raises(MigrationError, match=r"there is no migration 0009_step.sql"):
        shop.repair("0009_step.sql")
    with pytest.raises(MigrationError, match=r"there is no migration elsewhere/0001_step.sql"):
        shop.repair("elsewhere/0001_step.sql")


# Looking


def test_a_dry_run_changes_nothing(runner: Make, database_url: str, tmp_path: Path, write: Write) -> None:
    """It says what would be done, on a connection on which nothing can be changed, while another run holds the lock."""
    shop = runner(FIRST, SECOND, lock_wait=0)
    options = "-c default_transaction_read_only=on"
    looking = Runner(partial(psycopg.connect, database_url, options=options), tmp_path, "shop")
    assert labels(looking.up(dry_run=True)) == ["0001_step", "0002_step"]
    assert labels(looking.up(1, dry_run=True)) == ["0001_step"]
    assert labels(looking.baseline(2, dry_run=True)) == ["0001_step", "0002_step"]
    assert states(looking) == ["pending", "pending"]
    shop.up()
    write(FIRST, SECOND + "-- more\n")
    assert looking.repair("0002_step.sql", dry_run=True).state == "edited"
    assert states(looking) == ["applied", "edited"]
    write(FIRST, SECOND)
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(current_database() || '.schema_migrations', 0))")
        assert labels(looking.down(0, dry_run=True)) == ["0002_step", "0001_step"]
        with pytest.raises(MigrationError, match="another run holds the migration lock"):
            shop.down(0)
    with pytest.raises(MigrationError, match="25006"):
        looking.down(0)
    assert states(looking) == ["applied", "applied"]


def test_a_dry_run_is_stopped_by_what_stops_a_run(runner: Make, write: Write) -> None:
    """It would be of no use if it promised what cannot be done."""
    shop = runner(FIRST, SECOND)
    shop.up(to=1)
    write(FIRST + "-- more\n", SECOND)
    with pytest.raises(MigrationError, match="0001_step was edited after it was applied"):
        shop.up(dry_run=True)


# Servers in trouble


def test_a_database_that_vanishes_half_way_is_reported(database_url: str, write: Write, servers: Any, ask: Ask) -> None:
    """Dropped under the run's feet, it ends with an error that says that the connection is lost."""
    name = "vanishing"
    drop = f"DROP DATABASE {name} WITH (FORCE)"
    with psycopg.connect(servers.database_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        shop = Runner(partial(psycopg.connect, servers.database_url, dbname=name), write(FIRST, SECOND), "shop")

        def vanish(_: MigrationStatus) -> None:
            server.execute(drop.encode())

        with pytest.raises((DatabaseError, MigrationError), match=r"57P01|connection lost") as caught:
            shop.up(None, vanish)
        assert caught.value.__context__ is None
        with pytest.raises(DatabaseError, match="no connection"):
            shop.up()


# New files


def test_the_next_file_is_written(tmp_path: Path, runner: Make) -> None:
    """It has the next number, and is refused until it has been filled in."""
    assert new_file(tmp_path, "first") == tmp_path / "0001_first.sql"
    with pytest.raises(MigrationError, match=r"0001_first.sql:4: the up section is empty"):
        read_folder(tmp_path)
    (tmp_path / "0001_first.sql").write_text(FIRST)
    assert new_file(tmp_path, "pre_second", dry_run=True) == tmp_path / "0002_pre_second.sql"
    assert labels(runner().status()) == ["0001_first"]


@pytest.mark.parametrize(
    "name", ["", "Second", "second step", "second__step", "_second", "../second", "s\0", "s" * 101]
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written, and the error names the argument."""
    with pytest.raises(ValidationError, match=r"^name must"):
        new_file(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_four_digits_are_the_end(tmp_path: Path) -> None:
    """After the file 9999 no other is written, because the folder would be refused with it."""
    for number in range(1, 10_000):
        (tmp_path / f"{number:04d}_step.sql").write_text("-- migrate:up\nSELECT;\n", encoding="utf-8")
    with pytest.raises(MigrationError, match="9999 was the last number"):
        new_file(tmp_path, "more")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error says which file, and carries no other error."""
    with pytest.raises(MigrationError, match="cannot be read: FileNotFoundError"):
        new_file(tmp_path / "nowhere", "first")
    # No account, not even root, creates files among the open ones.
    with pytest.raises(MigrationError, match=r"/dev/fd/0001_first.sql: cannot be written: \w+Error"):
        new_file(Path("/dev/fd"), "first")
