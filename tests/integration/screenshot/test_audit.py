"""The audit log: added to, never changed, sealed, and searched."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from surf_data import screenshot
from surf_data.errors import ConstraintViolation, DatabaseError, ValidationError
from surf_data.kernel.correlation import correlation
from surf_data.kernel.sealing import Tampering
from surf_data.screenshot import AuditAction, AuditCategory, AuditLevel, AuditLog, ScreenshotDataLayer, User


@pytest.fixture
def owned(owner_url: str) -> Iterator[ScreenshotDataLayer]:
    """Open the data layer with the owner's role."""
    with screenshot.open(owner_url, pool_min_size=1) as opened:
        yield opened


def entry(description: str = "signed in", **options: Any) -> AuditLog:
    """Return an entry."""
    return AuditLog.create_system_event(AuditAction.SYSTEM_STARTUP, description, options=options)


def log_hours(data: ScreenshotDataLayer, admin: psycopg.Connection[Any], hours: int, each: int = 3) -> list[Any]:
    """Log entries, and give them times in hours that ended over five minutes ago; return their ids in order."""
    for number in range(hours * each):
        data.audit.record(entry(f"entry {number}"))
    with admin.transaction():
        admin.execute("ALTER TABLE screenshot.audit_logs DISABLE TRIGGER USER")
        admin.execute(
            """
            UPDATE screenshot.audit_logs AS al
            SET created_at = date_trunc('hour', now() - interval '5 minutes')
                - make_interval(hours => %s - (numbered.place / %s)::int)
                + make_interval(mins => (numbered.place %% %s)::int)
            FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM screenshot.audit_logs) AS numbered
            WHERE al.id = numbered.id
            """,
            [hours, each, each],
        )
        admin.execute("ALTER TABLE screenshot.audit_logs ENABLE TRIGGER USER")
    return [row for (row,) in admin.execute("SELECT id FROM screenshot.audit_logs ORDER BY created_at").fetchall()]


def tamper(admin: psycopg.Connection[Any], statement: str, *values: Any) -> None:
    """Do as the owner what the triggers refuse."""
    for table in ("audit_logs", "audit_seals"):
        admin.execute(f"ALTER TABLE screenshot.{table} DISABLE TRIGGER USER")
    admin.execute(statement, values)
    for table in ("audit_logs", "audit_seals"):
        admin.execute(f"ALTER TABLE screenshot.{table} ENABLE TRIGGER USER")


def test_factories(user: User) -> None:
    """Each factory fixes what belongs to it; options, in either spelling, replace anything."""
    user_id = user.id or ""
    action = AuditLog.create_user_action(
        AuditAction.USER_LOGIN,
        user_id,
        "User logged in successfully",
        {"ipAddress": "192.168.1.1", "userAgent": "Mozilla/5.0...", "correlationId": "abc-123"},
    )
    assert (action.category, action.level, action.is_success) == (AuditCategory.AUTHENTICATION, AuditLevel.INFO, True)
    assert (str(action.ip_address), action.user_agent, action.correlation_id) == (
        "192.168.1.1",
        "Mozilla/5.0...",
        "abc-123",
    )
    security = AuditLog.create_security_event("security_login_failed", "wrong password")
    assert (security.category, security.level, security.is_success) == ("security", "warning", True)
    assert security.is_security
    critical = AuditLog.create_security_event("security_account_locked", "locked", "critical", {"is_success": True})
    assert (critical.is_success, critical.is_critical, critical.has_error) == (True, True, True)
    data = AuditLog.create_data_action(
        "project_update", user_id, "project", uuid4(), "renamed", {"oldValues": {"a": 1}}
    )
    assert (data.category, data.resource_type, data.old_values) == ("data_modification", "project", {"a": 1})
    system = AuditLog.create_system_event("system_error", "out of memory", AuditLevel.ERROR)
    assert (system.category, system.is_success) == ("system", False)
    admin = AuditLog.create_admin_action("admin_user_suspend", user_id, "user", "u1", "spam")
    assert (admin.category, admin.resource_id, admin.user_id) == ("administration", "u1", user.id)
    admin.set_error("failed")
    assert (admin.is_success, admin.level, admin.error_message, admin.has_error) == (False, "error", "failed", True)
    assert list(admin.to_secure())[:3] == ["id", "action", "level"]
    assert admin.to_compliance()["errorMessage"] == "failed"


def test_record(data: ScreenshotDataLayer, user: User) -> None:
    """An entry is stored as it is, under an id and at a time, once."""
    log = AuditLog.create_user_action("user_login", user.id or "", "in", {"context": {"a": [1]}, "duration": 12})
    assert data.audit.record(log) is log
    assert log.id is not None
    [found] = data.audit.history(user.id or "")
    assert found == log
    with pytest.raises(ValidationError, match="recorded already"):
        data.audit.record(log)


def test_a_user_that_is_not_there(data: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """An entry about no user is refused; its user must be one."""
    log = AuditLog.create_user_action("user_login", uuid4(), "in")
    assert refused(lambda: data.audit.record(log)).field == "user_id"
    assert refused(lambda: AuditLog.create_user_action("user_login", "user-123", "in")).field == "user_id"


def test_another_constraint(data: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """What a constraint of one's own refuses is not taken for a missing user."""
    admin.execute("ALTER TABLE screenshot.audit_logs ADD CONSTRAINT own CHECK (description <> 'bad')")
    with pytest.raises(ConstraintViolation):
        data.audit.record(entry("bad"))


def test_correlation(data: ScreenshotDataLayer, user: User) -> None:
    """What is recorded in a block has its correlation id, and is found by it."""
    with correlation("request-1"):
        first = data.audit.record(entry("one"))
        data.audit.record_many([entry("two"), entry("own", correlation_id="request-2")])
        assert data.audit.try_record(entry("three"))
    assert first.correlation_id == "request-1"
    assert [each.description for each in data.audit.by_correlation_id("request-1")] == ["one", "two", "three"]
    assert [each.description for each in data.audit.by_correlation_id("request-2")] == ["own"]


def test_transactions(data: ScreenshotDataLayer, user: User) -> None:
    """An entry stands or falls with its transaction; one that is tried spoils none."""
    with pytest.raises(ZeroDivisionError), data.transaction() as tx:
        tx.audit.record(entry("lost"))
        raise ZeroDivisionError
    with data.transaction() as tx:
        tx.audit.record(entry("kept"))
        assert tx.audit.try_record(AuditLog.create_user_action("user_login", uuid4(), "nobody")) is False
    assert [each.description for each in data.audit.search()] == ["kept"]
    assert data.stats()["audit"] == {"failures": 1}


def test_many(data: ScreenshotDataLayer, user: User) -> None:
    """Many entries are added at once, all or none."""
    logs = [AuditLog.create_user_action("user_login", user.id or "", f"{number}") for number in range(500)]
    assert data.audit.record_many(logs) == 500
    assert data.audit.record_many([]) == 0
    assert len(data.audit.history(user.id or "", limit=1_000)) == 500
    with pytest.raises(ConstraintViolation):
        data.audit.record_many([entry(), AuditLog.create_user_action("user_login", uuid4(), "nobody")])
    assert len(data.audit.search(action="system_startup")) == 0
    with pytest.raises(ValidationError, match="100,000"):
        data.audit.record_many(repeat(entry(), 100_001))


def test_buffered_and_spooled(app_url: str, tmp_path: Path, admin: psycopg.Connection[Any]) -> None:
    """Entries that are tried may wait for others, and on the disk for the server; each is added once."""
    with screenshot.open(app_url, journal_buffer=100, journal_spool=str(tmp_path)) as data:
        user = data.users.save(User(email="a@example.com"))
        with ThreadPoolExecutor(4) as pool:
            logs = [AuditLog.create_user_action("user_login", user.id or "", f"{n}") for n in range(200)]
            assert all(pool.map(data.audit.try_record, logs))
        assert data.audit.flush() is True
        assert len(data.audit.history(user.id or "", limit=1_000)) == 200
    with screenshot.open(app_url, journal_spool=str(tmp_path)) as data:
        admin.execute("REVOKE INSERT ON screenshot.audit_logs FROM surf_screenshot_app")
        refused = data.audit.try_record(entry("refused"))
        admin.execute("GRANT INSERT ON screenshot.audit_logs TO surf_screenshot_app")
        assert refused is False
        assert data.audit.try_record(entry("accepted", context={"a": 1}, duration=1))


def test_search(data: ScreenshotDataLayer, user: User) -> None:
    """Entries are found by what they are about, page by page, the newest first."""
    for number in range(5):
        data.audit.record(entry(f"{number}"))
    resource = str(uuid4())
    data.audit.record(AuditLog.create_data_action("project_update", user.id or "", "project", resource, "renamed"))
    data.audit.record(AuditLog.create_security_event("security_login_failed", "bad", "critical"))
    seen: list[AuditLog] = []
    while page := data.audit.search(action="system_startup", after=seen[-1] if seen else None, limit=2):
        seen += page
    assert [each.description for each in seen] == ["4", "3", "2", "1", "0"]
    [found] = data.audit.search(resource_type="project", resource_id=resource)
    assert found.user_id == user.id
    assert [each.level for each in data.audit.search(level="critical")] == ["critical"]
    assert [each.action for each in data.audit.search(category="security")] == ["security_login_failed"]
    past = datetime.now(UTC) - timedelta(days=1)
    assert data.audit.search(until=past) == []
    assert len(data.audit.search(since=past)) == 7


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE screenshot.audit_logs SET description = 'x'",
        "DELETE FROM screenshot.audit_logs",
        "TRUNCATE screenshot.audit_logs",
        "TRUNCATE screenshot.audit_logs_default",
        "UPDATE screenshot.audit_logs SET user_id = NULL, description = 'x'",
        "UPDATE screenshot.audit_seals SET entries = 1",
        "DELETE FROM screenshot.audit_seals",
    ],
)
def test_nobody_changes_it(
    data: ScreenshotDataLayer, app_url: str, admin: psycopg.Connection[Any], statement: str
) -> None:
    """Neither the application nor the owner can change, delete or empty the log."""
    data.audit.record(entry())
    with pytest.raises(InsufficientPrivilege):
        admin.execute(statement.encode())
    with psycopg.connect(app_url) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement.encode())


def test_a_user_that_was_deleted(data: ScreenshotDataLayer, user: User, owned: ScreenshotDataLayer) -> None:
    """What a deleted user did stays in the log, without its name, and still agrees with the seal."""
    data.audit.record(AuditLog.create_user_action("user_login", user.id or "", "in"))
    assert data.users.delete(user.id or "")
    [found] = data.audit.search()
    assert (found.user_id, found.description) == (None, "in")


def test_seals(data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """Hours that have ended are sealed once, each seal with the one before; the log agrees with them."""
    log_hours(data, admin, hours=3)
    assert owned.audit.seal() == 9
    assert owned.audit.seal() == 0
    data.audit.record(entry("this hour"))
    assert owned.audit.seal() == 0
    verification = data.audit.verify()
    assert (verification.ok, verification.seals, verification.entries, verification.unsealed) == (True, 3, 9, 0)
    assert verification.anchor is not None
    with pytest.raises(DatabaseError):
        data.audit.seal()
    assert owned.audit.verify(days=1).ok


def test_settings_of_a_session_make_no_difference(
    data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any], owner_url: str
) -> None:
    """A log that was sealed in one time zone and notation agrees with its seals in any other."""
    log_hours(data, admin, hours=1)
    owned.audit.seal()
    options = quote("-c TimeZone=Asia/Kolkata -c DateStyle=German -c bytea_output=escape", safe="")
    with screenshot.open(f"{owner_url}&options={options}") as other:
        assert other.audit.verify().ok


def test_late_entries(data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """An entry that comes late for a sealed hour is reported until it has a seal of its own."""
    log_hours(data, admin, hours=2)
    owned.audit.seal()
    admin.execute(
        """
        INSERT INTO screenshot.audit_logs (id, action, category, description, is_success, created_at)
        SELECT gen_random_uuid(), 'system_startup', 'system', 'late', true, min(created_at) FROM screenshot.audit_logs
        """
    )
    assert (data.audit.verify().ok, data.audit.verify().unsealed) == (True, 1)
    assert owned.audit.seal() == 1
    verification = data.audit.verify()
    assert (verification.ok, verification.unsealed, verification.seals) == (True, 0, 3)


@pytest.mark.parametrize("column", ["description = 'x'", "level = 'error'", "context = '{}'", "user_digest = '\\x00'"])
def test_a_changed_entry_is_named(
    data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any], column: str
) -> None:
    """The first entry that was changed behind the triggers is named, whatever was changed of it."""
    ids = log_hours(data, admin, hours=3)
    owned.audit.seal()
    tamper(admin, f"UPDATE screenshot.audit_logs SET {column} WHERE id = ANY(%s)", [ids[4], ids[7]])
    first = data.audit.verify().first
    assert first is not None
    assert (first.entry_id, first.what) == (ids[4], "changed")
    assert str(first).endswith(f"UTC entry {ids[4]}: changed")


def test_a_removed_entry_is_named(
    data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any]
) -> None:
    """An entry that was removed is named; so is an hour of which nothing is left."""
    ids = log_hours(data, admin, hours=2)
    owned.audit.seal()
    tamper(admin, "DELETE FROM screenshot.audit_logs WHERE id = %s", ids[1])
    first = data.audit.verify().first
    assert first is not None
    assert (first.entry_id, first.what) == (ids[1], "removed")
    tamper(admin, "DELETE FROM screenshot.audit_logs")
    first = data.audit.verify().first
    assert first is not None
    assert first.entry_id == ids[0]


def test_another_user_is_noticed(
    data: ScreenshotDataLayer, owned: ScreenshotDataLayer, user: User, admin: psycopg.Connection[Any]
) -> None:
    """A user that was put in the place of another is noticed; one that was deleted is no difference."""
    other = data.users.save(User(email="other@example.com"))
    data.audit.record(AuditLog.create_user_action("user_login", user.id or "", "in"))
    tamper(admin, "UPDATE screenshot.audit_logs SET created_at = created_at - interval '2 hours'")
    owned.audit.seal()
    tamper(admin, "UPDATE screenshot.audit_logs SET user_id = %s", other.id)
    assert not data.audit.verify().ok
    tamper(admin, "UPDATE screenshot.audit_logs SET user_id = %s", user.id)
    assert data.audit.verify().ok
    data.users.delete(user.id or "")
    assert data.audit.verify().ok


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "UPDATE screenshot.audit_seals SET sealed_hour = sealed_hour - interval '1 day' WHERE position = 2",
            "removed",
        ),
        ("UPDATE screenshot.audit_seals SET previous = '\\x00' WHERE position = 2", "seal removed"),
        ("UPDATE screenshot.audit_seals SET digest = sha256('x') WHERE position = 3", "seal changed"),
        ("DELETE FROM screenshot.audit_seals WHERE position = 2", "seal removed"),
    ],
)
def test_a_changed_seal_is_noticed(
    data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any], statement: str, what: str
) -> None:
    """A seal that was changed or removed breaks the chain."""
    log_hours(data, admin, hours=3)
    owned.audit.seal()
    tamper(admin, statement)
    first = data.audit.verify().first
    assert isinstance(first, Tampering)
    assert first.what == what


def test_two_that_seal(
    data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any], owner_url: str
) -> None:
    """Of several that seal at a time each entry gets one seal, and the chain holds."""
    log_hours(data, admin, hours=4)
    with ThreadPoolExecutor(4) as pool:
        sealed = list(pool.map(lambda _: owned.audit.seal(), range(4)))
    assert sum(sealed) + owned.audit.seal() == 12
    assert data.audit.verify().ok
    assert owned.audit._sealed().verify().ok


def test_maintenance_seals(
    data: ScreenshotDataLayer, owned: ScreenshotDataLayer, admin: psycopg.Connection[Any]
) -> None:
    """Nightly maintenance creates partitions, protects them from being emptied, and seals."""
    log_hours(data, admin, hours=1)
    owned.maintain()
    assert data.audit.verify().entries == 3
    parts = admin.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'screenshot.audit_logs'::regclass"
    ).fetchall()
    assert len(parts) > 1
    for (part,) in parts:
        with pytest.raises(InsufficientPrivilege):
            admin.execute(f"TRUNCATE {part}".encode())


def test_bad_input(data: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """What is refused is named."""
    bad: list[tuple[str, Callable[[], Any]]] = [
        ("action", lambda: AuditLog.create_system_event("system_dance", "x")),
        ("action", lambda: AuditLog(action=7)),  # type: ignore[arg-type]
        ("level", lambda: AuditLog.create_system_event("system_error", "x", "loud")),
        ("colour", lambda: AuditLog.create_system_event("system_error", "x", options={"colour": 1})),
        ("user_id", lambda: AuditLog.create_system_event("system_error", "x", options={"userId": 1, "user_id": 2})),
        ("options", lambda: AuditLog.create_system_event("system_error", "x", options=7)),  # type: ignore[arg-type]
        ("description", lambda: data.audit.record(AuditLog.create_system_event("system_error", ""))),
        ("is_success", lambda: data.audit.record(AuditLog(action="user_login", category="system", description="x"))),  # type: ignore[arg-type]
        ("entity", lambda: data.audit.record({"action": "user_login"})),  # type: ignore[arg-type]
        ("context", lambda: data.audit.record(entry(context={"a": {1}}))),
        ("correlation_id", lambda: data.audit.by_correlation_id("")),
        ("days", lambda: data.audit.verify(0)),
        ("since", lambda: data.audit.search(since=datetime(2026, 1, 1))),  # noqa: DTZ001 - that is what is refused
        ("limit", lambda: data.audit.history(uuid4(), limit=0)),
    ]
    for field, call in bad:
        assert refused(call).field.partition(".")[0] == field
