"""A run that finds the history and the files at odds changes nothing, and says what is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rig.migrations import objects, refusal, states
from surf_data.errors import DatabaseError
from surf_data.migrate import Runner

Connection = psycopg.Connection[Any]
Write = Callable[..., Path]

FIRST = "-- migrate:up\nCREATE TABLE first (id int PRIMARY KEY);\n"
SECOND = "-- migrate:up\nCREATE TABLE second (id int REFERENCES first DEFERRABLE INITIALLY DEFERRED);\n"


# When files and history disagree


@pytest.fixture
def applied(runner: Callable[..., Runner]) -> Runner:
    """Return a runner whose three migrations are applied."""
    shop = runner(FIRST, SECOND, "SELECT 3;")
    shop.up()
    return shop


def test_an_edited_migration_stops_the_run(applied: Runner, tmp_path: Path, server: Connection) -> None:
    """Not even what is pending is applied, and the error says which file was edited."""
    path = tmp_path / "0002_step.sql"
    path.write_text(path.read_text() + "-- more\n")
    (tmp_path / "0004_step.sql").write_text("-- migrate:up\nCREATE TABLE fourth ();\n")
    assert states(applied) == ["applied", "edited", "applied", "pending"]
    assert str(refusal(applied.up)) == f"{tmp_path}: 0002_step was edited after it was applied"
    assert "fourth" not in objects(server)


def test_other_line_ends_are_no_edit(applied: Runner, tmp_path: Path) -> None:
    """A checkout on another system is the same migration."""
    path = tmp_path / "0002_step.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert states(applied) == ["applied", "applied", "applied"]
    assert applied.up() == []


def test_a_vanished_migration_stops_the_run(applied: Runner, tmp_path: Path) -> None:
    """The error says which file is gone; one from the middle leaves a gap, which is refused as such."""
    (tmp_path / "0003_step.sql").unlink()
    assert states(applied) == ["applied", "applied", "vanished"]
    assert applied.status()[-1].label == "0003_step"
    assert str(refusal(applied.up)) == f"{tmp_path}: 0003_step was applied and its file is gone"
    (tmp_path / "0001_step.sql").unlink()
    assert "0001 is missing" in str(refusal(applied.up))


def test_a_renamed_migration_stops_the_run(applied: Runner, tmp_path: Path) -> None:
    """The error says which file has another name than it was applied under."""
    (tmp_path / "0003_step.sql").rename(tmp_path / "0003_leap.sql")
    assert states(applied) == ["applied", "applied", "renamed"]
    assert str(refusal(applied.up)) == f"{tmp_path}: 0003_leap was applied under another name"


def test_a_migration_out_of_order_stops_the_run(applied: Runner, tmp_path: Path, server: Connection) -> None:
    """One that is not applied although a later one is would meet a schema that it was not written for."""
    server.execute("DELETE FROM schema_migrations WHERE number < 3")
    assert states(applied) == ["skipped", "skipped", "applied"]
    assert str(refusal(applied.up)) == (
        f"{tmp_path}: 0001_step is not applied although a later one is; "
        "0002_step is not applied although a later one is"
    )


def test_a_table_of_another_tool_is_left_alone(runner: Callable[..., Runner], server: Connection) -> None:
    """A history that is not ours is neither read nor written."""
    server.execute("CREATE TABLE schema_migrations (version text PRIMARY KEY)")
    shop = runner(FIRST)
    for call in (shop.status, shop.up):
        assert str(refusal(call)) == "the table schema_migrations belongs to another tool; it is left alone"
    assert objects(server) == {"schema_migrations", "schema_migrations_pkey"}


def test_a_connection_that_is_of_no_use_is_closed(database_url: str, write: Write) -> None:
    """A connection in the middle of a transaction is refused, and not left open."""
    connection = psycopg.connect(database_url)
    connection.execute("SELECT 1")
    refusal(Runner(lambda: connection, write(FIRST), "shop").up, DatabaseError)
    assert connection.closed
