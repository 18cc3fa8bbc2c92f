"""Whatever a caller hands to a public method, what comes out is a result or an error of ours, without the value."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from rig.awkward import SECRET, attempts, methods
from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.errors import InsufficientPermissionsError, RateLimitExceededError
from surf_data.errors import ArchiveError, MigrationError, SurfDataError, ValidationError

NOW = datetime.now(UTC)
PARTS = (
    *("analytics", "audit", "cache", "errors", "history", "imports", "keys", "limits", "locations", "logins"),
    *("monitoring", "plans", "privacy", "retention", "roles", "sessions", "users"),
)
#: Arguments that are good, by the names of parameters.
GOOD: dict[str, Any] = {
    "user_id": "kai",
    "plan_id": "p",
    "location_id": "l",
    "role_id": "r",
    "key_id": "k",
    "history_id": "h",
    "limit_id": "rl",
    "since": NOW,
    "until": datetime(2100, 1, 1, tzinfo=UTC),
    "start_date": "2025-01-01",
    "end_date": "2026-01-01",
    "activity": "surf",
    "location": {"lat": 1.5, "lng": 2, "name": "x"},
    "metadata": {"a": 1},
    "entries": [{"user_id": "kai", "location": {"lat": 1, "lng": 2}, "activity": "x"}],
    "table": "plans",
    "reason": "case 1",
    "event_type": "authentication.login",
    "resource": "plans",
    "action": "read",
    "error": ValueError("x"),
    "lat": 1.5,
    "lng": 2.5,
    "metres": 100,
    "email": "kai@example.org",
    "token": "x",
    "identifier": {"ip": "10.0.0.1", "user": "kai"},
    "facts": dict.fromkeys(
        (
            *("user_id", "session_id", "risk_level", "ip_address", "user_agent", "details", "changes"),
            *("compliance_labels", "source", "correlation_id", "trace_id"),
        )
    ),
    "user_data": {
        "id": "eve",
        "email": "eve@example.org",
        "username": "eve",
        "password_hash": "x",
        "first_name": "E",
        "last_name": "V",
        "avatar": None,
        "timezone": "UTC",
        "preferences": {},
        "settings": {},
    },
    "plan_data": {
        "id": "p2",
        "title": "x",
        "start_time": NOW,
        "end_time": NOW,
        "description": "",
        "location": {},
        "activities": [],
        "preferences": {},
    },
    "location_data": {"name": "x", "lat": 1, "lng": 2, "type": "home", "address": "x", "metadata": {}},
    "permission_data": {"id": "x:y", "name": "x", "resource": "x", "action": "y", "conditions": {}},
    "role_data": {
        "id": "r2",
        "name": "x",
        "scope": "global",
        "permissions": [],
        "inherited_roles": [],
        "metadata": {},
    },
    "limit_data": {
        "id": "rl",
        "name": "x",
        "algorithm": "fixed_window",
        "requests": 5,
        "window_ms": 1000,
        "scope": "ip",
        "endpoints": ["/x"],
        "methods": ["GET"],
        "action": "block",
        "block_ms": 0,
        "enabled": True,
        "priority": 1,
        "on_failure": "allow",
        "on_failure_last": "deny",
    },
    "request": {
        "name": "x",
        "scopes": [],
        "allowed_endpoints": [],
        "allowed_methods": [],
        "ip_whitelist": [],
        "expires_at": None,
        "description": "",
        "tags": {},
        "environment": "x",
        "organization_id": None,
    },
    "updates": {
        "title": "x",
        "name": "x",
        "email": "k@example.org",
        "scopes": [],
        "status": "active",
        "lat": 1,
        "start_time": NOW,
        "end_time": NOW,
        "is_active": True,
        "permissions": [],
        "conditions": {},
    },
    "profile_updates": {"first_name": "x", "timezone": "UTC", "preferences": {}, "avatar": None},
    "calls": [{"key_id": "k", "endpoint": "/x", "method": "GET", "status_code": 200, "response_ms": 1}],
    "sample": 0.5,
}
# MigrationError: the file of an import cannot be read.
DOCUMENTED = (ValidationError, ArchiveError, InsufficientPermissionsError, MigrationError, RateLimitExceededError)
#: For the kernel; and what goes through all tables at each call, which `test_runs_of_retention` has.
LEFT_OUT = {
    *("limits.reset_after_fork", "monitoring.reset_after_fork"),
    *("retention.run_daily_retention", "retention.run_manual_retention"),
}


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for the planted value in all that was logged."""
    caplog.set_level(logging.DEBUG)
    yield
    told = [record.getMessage() + repr(vars(record)) for record in caplog.get_records("call")]
    assert [text for text in told if SECRET in text] == []


@pytest.mark.hypothesis
@pytest.mark.parametrize("part", PARTS)
def test_no_other_error_escapes(owned: DaylightDataLayer, admin: psycopg.Connection[Any], part: str) -> None:
    """Every public method returns or raises a documented error, short and without what was handed in."""
    owned.users.create_user({"id": "kai", "email": "kai@example.org", "username": "kai", "password_hash": "x"})
    for name, method in methods({part: getattr(owned, part)}, LEFT_OUT).items():
        try:
            attempts(method, GOOD, DOCUMENTED)()
        except SurfDataError as error:
            raise AssertionError(f"{name}: {error!r}") from error
    assert admin.execute("SELECT count(*) FROM daylight.users").fetchone() is not None


@pytest.mark.parametrize(
    "bad", [{"dry_run": "no"}, {"dry_run": None}, {"until": "soon"}, {"until": float("nan")}, {"on_step": 5}]
)
def test_runs_of_retention(owned: DaylightDataLayer, bad: dict[str, Any]) -> None:
    """What could be taken for a dry run, or for none, is refused by name before anything is done."""
    for run in (owned.retention.run_daily_retention, owned.retention.run_manual_retention):
        with pytest.raises(ValidationError) as caught:
            run(**bad)
        assert [caught.value.field] == [*bad]
    with pytest.raises(ValidationError):
        owned.retention.run_manual_retention(5)  # type: ignore[arg-type]
