"""The names of the original: one database for the process, a manager, retries, migrations."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import ConfigurationError, DatabaseError, DatabaseUnavailable, MigrationError
from surf_data.specify import (
    DatabaseManager,
    MigrationManager,
    RetryConfig,
    UserRepository,
    close_db,
    create_data_migration,
    get_current_revision,
    get_engine,
    get_migration_history,
    get_session,
    get_session_factory,
    health_check,
    init_db,
    session,
    verify_schema,
)

Refused = Callable[..., Any]


@pytest.fixture
def database(owner_url: str) -> Iterator[DatabaseManager]:
    """Open the database of the process."""
    yield init_db(owner_url, pool_size=1, max_overflow=4)
    close_db()


def test_before_and_after(monkeypatch: pytest.MonkeyPatch, refused: Refused, owner_url: str, database_url: str) -> None:
    """Without a database every function says so; one that the environment names is opened; a second replaces it."""
    monkeypatch.delenv("SURF_DATA_DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert health_check() == {"healthy": False, "error": "Database not initialized: call init_db() first"}
    for function in (get_engine, get_session_factory):
        with pytest.raises(RuntimeError, match="not initialized"):
            function()
    refused(init_db, ConfigurationError)
    with pytest.raises(ConfigurationError), get_session():
        pass
    monkeypatch.setenv("DATABASE_URL", owner_url)
    with get_session() as first:
        UserRepository(first).create_user("alice", "alice@example.com", b"x")
    assert get_engine() is not None
    with get_session_factory()() as second:
        assert UserRepository(second).exists(1)
    init_db(database_url, pool_size=1)
    with get_session() as third:
        assert not UserRepository(third).exists(1)
    close_db()
    close_db()
    assert not health_check()["healthy"]
    assert session.init_db is init_db


def test_a_database_that_cannot_be_opened(refused: Refused) -> None:
    """Another kind is refused by its name, a server that is not there when it is needed; no password is shown."""
    url = "mysql://me:hunter2@host/db"
    for each in (url, "sqlite:///./specify.db"):
        error = refused(lambda each=each: DatabaseManager(each), ConfigurationError)
        assert "hunter2" not in str(error)
    away = "postgresql://me:hunter2@127.0.0.1:1/db"
    error = refused(lambda: init_db(away, pool_size=0, max_overflow=1, pool_timeout=0.2), DatabaseError)
    assert "hunter2" not in f"{error} {vars(error)}"
    manager = DatabaseManager(away, pool_size=0, max_overflow=1, pool_timeout=0.2)
    health = manager.health_check()
    assert (health["healthy"], {*health}) == (
        False,
        {"healthy", "latency_ms", "error", "pool_size", "pool_checked_out"},
    )
    assert "hunter2" not in f"{manager!r} {health}"
    manager.close()


def test_retries(database: DatabaseManager) -> None:
    """What the server could not do for the moment is tried again, and nothing else; the last error comes out."""
    database.retry_config = RetryConfig(max_attempts=3, initial_delay=0)
    calls: list[int] = []

    def work(errors: list[Exception], value: int = 0) -> int:
        calls.append(value)
        if errors:
            raise errors.pop()
        return value

    again = [DatabaseUnavailable("lost", retryable=True) for _ in range(4)]
    assert database.execute_with_retry(work, again[:2], value=7) == 7
    assert len(calls) == 3
    with pytest.raises(DatabaseUnavailable):
        database.execute_with_retry(work, again[:3])
    assert len(calls) == 6
    with pytest.raises(DatabaseError):
        database.execute_with_retry(work, [DatabaseError("no")])
    with pytest.raises(KeyError):
        database.execute_with_retry(work, [KeyError("x")])
    assert len(calls) == 8
    with pytest.raises(ValueError, match="max_attempts"):
        RetryConfig(max_attempts=0)


def test_migrations(database: DatabaseManager, capsys: pytest.CaptureFixture[str], refused: Refused) -> None:
    """Down, up, step by step; printed instead of run; the history in the form that callers know."""
    manager = MigrationManager("alembic.ini")
    assert manager.current() == get_current_revision() == "0002"
    assert manager.downgrade(sql=True) == ["0002_pre_roles"]
    assert "REVOKE ALL" in capsys.readouterr().out
    assert manager.downgrade() == ["0002_pre_roles"]
    assert manager.upgrade("+1", sql=True) == ["0002_pre_roles"]
    assert "CREATE ROLE" in capsys.readouterr().out
    assert manager.upgrade("0002") == ["0002_pre_roles"]
    first, second = get_migration_history()
    assert first == {"revision": "0001", "down_revision": None, "branch_labels": None, "message": "initial schema"}
    assert second["down_revision"] == "0001"
    assert {each["state"] for each in manager.history(verbose=True)} == {"applied"}
    for wrong in ("latest", "0009", ""):
        assert refused(lambda wrong=wrong: manager.upgrade(wrong)).field == "revision"
    refused(manager.stamp, MigrationError)
    database.drop_all()
    assert manager.current() is None
    assert verify_schema(database.engine)["missing_tables"] == sorted(verify_schema(database.engine)["missing_tables"])
    assert not verify_schema(database.engine)["valid"]
    assert MigrationManager(manager=database).upgrade() == ["0001_initial_schema", "0002_pre_roles"]
    assert manager.downgrade("base") == ["0002_pre_roles", "0001_initial_schema"]
    manager.stamp("0001")
    assert manager.current() == "0001"


def test_what_is_verified(database: DatabaseManager, admin: psycopg.Connection[Any]) -> None:
    """A column and a table too many or too few are named."""
    admin.execute("ALTER TABLE specify.users ADD COLUMN nickname text, DROP COLUMN full_name")
    admin.execute("CREATE TABLE specify.extra (id bigint)")
    admin.execute("DROP TABLE specify.cache_entries")
    assert MigrationManager().verify() == {
        "valid": False,
        "missing_tables": ["cache_entries"],
        "extra_tables": ["extra"],
        "column_issues": {"users": {"missing": ["full_name"], "extra": ["nickname"]}},
    }


def test_new_files(tmp_path: Path, refused: Refused) -> None:
    """They are numbered, named by their message, and ask what a reviewer asks; nothing is generated."""
    manager = MigrationManager(migrations_dir=tmp_path / "migrations")
    manager.init()
    manager.init("generic")
    assert manager.create_migration("Add tags to  projects!") == "0001"
    assert create_data_migration(manager, "fill tags") == "0002"
    first, second = sorted((tmp_path / "migrations").iterdir())
    assert (first.name, second.name) == ("0001_add_tags_to_projects.sql", "0002_fill_tags.sql")
    assert first.read_text("utf-8").startswith("-- Why: Add tags to projects!\n-- Locks:")
    assert "-- migrate:up transaction:false\n" in second.read_text("utf-8")
    assert refused(lambda: manager.create_migration("!?")).field == "message"
    refused(lambda: MigrationManager(migrations_dir=tmp_path / "none").create_migration("a"), MigrationError)
