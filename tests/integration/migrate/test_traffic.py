"""A migration gives way to the traffic, and tries again in a moment when it may."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from surf_data.errors import MigrationError, ValidationError
from surf_data.migrate import Runner

Connection = psycopg.Connection[Any]
Make = Callable[..., Runner]
Ask = Callable[[str], Any]

TABLES = "CREATE TABLE first (id int); CREATE TABLE second (id int); CREATE SEQUENCE tries;"
ALTER = "SELECT nextval('tries'); ALTER TABLE first ADD COLUMN more int;"


class Recorded(logging.Handler):
    """Calls a function for each retry that is logged."""

    def __init__(self, call: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._call = call

    def emit(self, record: logging.LogRecord) -> None:
        """Call it."""
        if record.msg == "migration has to wait":
            self._call(record)


@contextmanager
def on_retry(call: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    """Call a function between the tries of the block's run."""
    log, handler = logging.getLogger("surf_data.migrate.execution"), Recorded(call)
    log.addHandler(handler)
    yield
    log.removeHandler(handler)


@pytest.fixture
def reader(database_url: str, runner: Make) -> Iterator[Connection]:
    """Return a connection in a transaction that has read a table of the first migration."""
    runner(TABLES).up()
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT * FROM first")
        yield connection


def test_a_lock_is_asked_for_again(runner: Make, reader: Connection, ask: Ask) -> None:
    """A table that is in use is left to its users for longer than they had to wait; then the whole file runs anew."""
    pauses: list[float] = []

    def release(record: logging.LogRecord) -> None:
        facts = vars(record)
        assert (facts["domain"], facts["migration"], facts["sqlstate"], facts["attempt"]) == (
            "shop",
            "0002_step",
            "55P03",
            1,
        )
        pauses.append(facts["pause_ms"])
        reader.rollback()

    with on_retry(release):
        assert len(runner(TABLES, ALTER, lock_timeout=0.01).up()) == 1
    assert [10 <= pause <= 20 for pause in pauses] == [True]
    assert ask("SELECT last_value FROM tries") == 2


def test_the_tries_are_counted(runner: Make, reader: Connection, ask: Ask) -> None:
    """After the last of them the run gives up; each pause was longer than the one before could be."""
    pauses: list[float] = []
    shop = runner(TABLES, ALTER, lock_timeout=0.001, attempts=3)
    with (
        on_retry(lambda record: pauses.append(vars(record)["pause_ms"])),
        pytest.raises(
            MigrationError, match="another session holds a lock that it needs; nothing of this file"
        ) as caught,
    ):
        shop.up()
    assert caught.value.sqlstate == "55P03"
    assert ask("SELECT last_value FROM tries") == 3
    assert [1 <= pauses[0] <= 2, 2 <= pauses[1] <= 4, len(pauses)] == [True, True, 2]


def test_a_statement_by_itself_is_tried_again(runner: Make, reader: Connection, ask: Ask) -> None:
    """The statements before it are done and are not repeated."""
    statements = ALTER.replace("; ", ";\n-- migrate:next\n")
    alone = f"-- migrate:up transaction:false\n{statements}\n"
    with on_retry(lambda _: reader.rollback()):
        assert len(runner(TABLES, alone, lock_timeout=0.01).up()) == 1
    assert ask("SELECT last_value FROM tries") == 1


def test_a_deadlock_is_survived(runner: Make, database_url: str, server: Connection, ask: Ask) -> None:
    """When the server chooses the migration as the victim, it lets the others go first."""
    runner(TABLES).up()
    shop = runner(TABLES, "LOCK TABLE first; SELECT nextval('tries'); LOCK TABLE second;")
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'second'::regclass"
    # The server looks for deadlocks on behalf of the session that has waited for so long; the other one waits longer.
    with psycopg.connect(database_url, options="-c deadlock_timeout=60s") as other:
        other.execute("LOCK TABLE second")
        run = threading.Thread(target=shop.up)
        run.start()
        while not server.execute(waiting).fetchone():
            assert run.is_alive()
        other.execute("LOCK TABLE first")
        other.rollback()
        run.join()
    assert [status.state for status in shop.status()] == ["applied", "applied"]
    assert ask("SELECT last_value FROM tries") == 2


def test_what_would_fail_again_is_not_tried_again(runner: Make, ask: Ask) -> None:
    """Only another session's way of being in the way passes by itself."""
    shop = runner(TABLES, "SELECT nextval('tries'); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match="22012"):
        shop.up()
    assert ask("SELECT last_value FROM tries") == 1


def test_a_statement_may_be_given_a_limit(runner: Make) -> None:
    """With a statement timeout a migration that takes too long ends, and leaves nothing."""
    shop = runner(TABLES, "CREATE TABLE slow (); SELECT pg_sleep(60);", statement_timeout=0.05)
    with pytest.raises(MigrationError, match=r"57014.*nothing of this file was applied"):
        shop.up()
    assert [status.state for status in shop.status()] == ["applied", "pending"]


def test_a_short_limit_is_not_none(runner: Make) -> None:
    """What is less than the server's millisecond becomes one, and not 0, which is without limit."""
    with pytest.raises(MigrationError, match="57014"):
        runner("SELECT pg_sleep(60);", statement_timeout=0.0001).up()


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("lock_wait", -1, "lock_wait must be 0 or more"),
        ("lock_timeout", 0, "lock_timeout must be 0.001 or more"),
        ("statement_timeout", -0.5, "statement_timeout must be 0 or more"),
        ("statement_timeout", "1", "statement_timeout must be a number"),
        ("statement_timeout", 2_147_484, "statement_timeout must be 2147483 or less"),
        ("lock_timeout", 1e300, "lock_timeout must be 2147483 or less"),
        ("attempts", 0, "attempts must be from 1 to 100"),
    ],
)
def test_limits_are_checked(runner: Make, option: str, value: object, problem: str) -> None:
    """A limit that makes no sense is refused, by its name."""
    with pytest.raises(ValidationError) as caught:
        runner(TABLES, **{option: value})
    assert (str(caught.value), caught.value.field) == (problem, option)
