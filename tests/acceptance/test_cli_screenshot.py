"""``surf-data screenshot``: what the scripts of the original did."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from surf_data import DatabaseError, embedded, screenshot
from surf_data.cli.screenshot import group
from surf_data.cli.screenshot_database import create_database
from surf_data.cli.screenshot_demo import story
from surf_data.cli.target import Target
from surf_data.screenshot import AuditLog, Project, User


@pytest.fixture
def command(database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a command on an empty database."""
    monkeypatch.setenv("LOCAL_STORAGE_PATH", str(tmp_path / "uploads"))
    monkeypatch.setenv("SURF_DATA_SCREENSHOT_CACHE_TIMEOUT", "5")

    def run(*arguments: str, redis: str | None = redis_url) -> Result:
        return CliRunner().invoke(group, arguments, obj=Target(database_url=database_url, redis_url=redis))

    return run


@pytest.fixture
def migrated(command: Any, database_url: str) -> Iterator[screenshot.ScreenshotDataLayer]:
    """Return a data layer on the database, migrated by the command."""
    assert command("database", "migrate").exit_code == 0
    with screenshot.open(database_url, pool_min_size=1) as data:
        yield data


def test_database(command: Any, database_url: str) -> None:
    """A database is migrated, seeded and reset."""
    assert "applied 0001_initial_schema" in command("database", "migrate").output
    assert command("database", "migrate").output == "Nothing to apply.\n"
    assert command("database", "seed").output == "ran 0001_sample.sql\n"
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    assert command("database", "reset", "--yes", "another").exit_code == 2
    reset = command("database", "reset", "--yes", str(name), "--seed")
    assert "applied 0004" in reset.output, reset.output
    with screenshot.open(database_url) as data:
        assert data.users.find_by_email("sample@example.com") is not None


def test_create(command: Any, servers: embedded.EmbeddedServers) -> None:
    """A database is created once; a name that is none is refused."""
    name = f"created_{uuid4().hex[:8]}"
    assert command("database", "create", name).output == f"Created the database {name}.\n"
    assert command("database", "create", name).output == f"There is already the database {name}.\n"
    assert command("database", "create", 'x"; DROP').exit_code == 1
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}".encode())


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [("NOCREATEDB", "may not create databases"), ("CREATEDB", "cannot be created: ReadOnlySqlTransaction")],
)
def test_create_is_refused(database_url: str, attributes: str, problem: str) -> None:
    """When the server refuses, the error says why in words of ours."""
    role = f"role_{uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN {attributes}".encode())
        if attributes == "CREATEDB":
            connection.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on".encode())
        with screenshot.open(database_url.replace("://surf_data@", f"://{role}@"), pool_min_size=0) as data:
            with pytest.raises(DatabaseError, match=problem) as caught:
                create_database(data.database, "never")
            assert caught.value.__context__ is None
        connection.execute(f"DROP ROLE {role}".encode())


def test_cache(command: Any, redis_url: str) -> None:
    """The cache is emptied of this application's keys."""
    with screenshot.open(redis_url=redis_url, pool_min_size=0) as data:
        data.cache.set("a", 1)
    assert command("cache", "flush").output == "Deleted 1 keys.\n"
    gone = command("cache", "flush", redis="redis://127.0.0.1:1")
    assert (gone.exit_code, gone.output) == (1, "Redis does not answer.\n")


def test_storage(command: Any, migrated: screenshot.ScreenshotDataLayer, tmp_path: Path) -> None:
    """Storage is initialized, checked, adopted, cleaned and counted."""
    assert command("storage", "init").output.replace("\n", "").startswith("Created")
    assert "There is already" in command("storage", "init").output
    assert "works." in command("storage", "check").output
    (tmp_path / "uploads/old").mkdir()
    (tmp_path / "uploads/old/a.txt").write_text("old")
    assert command("storage", "adopt", "old").output == "Adopted 1 objects.\n"
    assert json.loads(command("storage", "usage", "--json").output) == {"objects": 1, "bytes": 3, "unfinished": 0}
    assert "unfinished" in command("storage", "usage").output
    assert json.loads(command("storage", "clean", "--dry-run", "--json").output) == {
        "released": 0,
        "orphans": 0,
        "left_overs": 0,
    }
    assert command("storage", "clean").exit_code == 0


def test_audit(command: Any, migrated: screenshot.ScreenshotDataLayer, database_url: str) -> None:
    """The log is sealed and verified; an entry that was changed is named, and the command fails."""
    migrated.audit.record(AuditLog.create_system_event("system_startup", "started"))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE screenshot.audit_logs DISABLE TRIGGER USER")
        connection.execute("UPDATE screenshot.audit_logs SET created_at = created_at - interval '3 hours'")
        assert command("audit", "seal").output == "Sealed 1 entries.\n"
        verified = command("audit", "verify", "--json")
        assert verified.exit_code == 0
        assert json.loads(verified.output)["entries"] == 1
        connection.execute("UPDATE screenshot.audit_logs SET description = 'changed'")
        changed = command("audit", "verify")
        assert changed.exit_code == 1
        assert "changed" in changed.output


def test_tidying_up(command: Any, migrated: screenshot.ScreenshotDataLayer, database_url: str) -> None:
    """Old sessions and projects are removed."""
    user = migrated.users.save(User(email="a@example.com"))
    project = migrated.projects.save(Project(name="x", user_id=user.id))
    migrated.sessions.create(user.id or "")
    migrated.projects.delete(project.id or "")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE screenshot.sessions SET expires_at = now() - interval '31 days'")
        connection.execute("UPDATE screenshot.projects SET deleted_at = now() - interval '31 days'")
    assert command("sessions", "purge").output == "Marked 1 sessions as expired, deleted 1.\n"
    assert command("purge-projects").output == "Removed 1 projects.\n"


def test_the_demo(migrated: screenshot.ScreenshotDataLayer, database_url: str, redis_url: str) -> None:
    """The demo stores a picture, fetches it by its signed URL, cleans up, and shows no secret."""
    written = StringIO()
    with screenshot.open(database_url, redis_url) as data:
        story(data, Console(file=written, width=100))
        story(data, Console(file=StringIO(), width=100))
    shown = written.getvalue()
    for line in ("by its signed URL: the same", "2 files for 2 objects", "before: True, after: False", "not image/png"):
        assert line in shown
    assert "sig=" not in shown
    assert "signing-key" not in shown
