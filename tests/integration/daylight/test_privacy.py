"""A user may have everything, and may be forgotten; unless a legal hold says otherwise."""

import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.errors import LegalHoldError

NOW = datetime.now(UTC)


def _fill(data: DaylightDataLayer, user_id: str) -> None:
    data.plans.create_plan(user_id, {"title": "x", "start_time": NOW, "end_time": NOW})
    data.locations.add_location(user_id, {"name": "x", "lat": 1, "lng": 2, "type": "home"})
    data.history.add_location_history(user_id, {"lat": 1, "lng": 2}, "rest")
    data.analytics.record_usage_event(user_id, "x")
    key = data.keys.create_api_key(user_id, {"name": "ci"}).api_key
    call = {"api_key_id": key.id, "user_id": user_id, "endpoint": "/", "method": "GET", "status_code": 200}
    data.keys.record_api_usage([{**call, "response_time": 1}])
    data.errors.log_error(RuntimeError("x"), {"a": 1}, user_id)
    data.roles.assign_role(user_id, "user")
    data.sessions.create(user_id)
    data.logins.begin(user_id)
    data.audit.log_audit("data.read", "x", "read", user_id=user_id)


def test_everything_is_exported_and_nothing_of_others(data: DaylightDataLayer, user_id: str) -> None:
    """Lines of JSON by table, without a hash; a stranger has none."""
    _fill(data, user_id)
    lines = [json.loads(line) for line in data.privacy.export_user(user_id)]
    tables = [line["table"] for line in lines]
    assert tables == ["users", "user_profiles", "plans", "location_history", "locations", "api_keys", "user_roles"]
    assert "Hash" not in str(lines)
    assert list(data.privacy.export_user("eve")) == []


def test_a_user_is_forgotten(data: DaylightDataLayer, user_id: str, admin: psycopg.Connection[Any]) -> None:
    """All tables, the errors made anonymous, the audit log kept; again is nothing."""
    _fill(data, user_id)
    erasure = data.privacy.erase_user(user_id)
    assert set(erasure.deleted.values()) == {1}
    assert erasure.archived == []
    assert list(data.privacy.export_user(user_id)) == []
    assert admin.execute("SELECT user_id, context FROM daylight.error_logs").fetchone() == (None, {})
    assert len(data.audit.get_audit_logs(user_id=user_id)) == 1
    assert set(data.privacy.erase_user(user_id).deleted.values()) == {0}


def test_a_held_user_is_not_forgotten(data: DaylightDataLayer, user_id: str, admin: psycopg.Connection[Any]) -> None:
    """Nothing is deleted while a hold is about the user."""
    _fill(data, user_id)
    admin.execute("INSERT INTO daylight.legal_holds (reason, user_id) VALUES ('case 7', 'kai')")
    with pytest.raises(LegalHoldError):
        data.privacy.erase_user(user_id)
    assert len(data.plans.get_user_plans(user_id)) == 1


def test_logins_that_have_expired_are_deleted(
    data: DaylightDataLayer, user_id: str, admin: psycopg.Connection[Any]
) -> None:
    """In portions, as sessions are."""
    data.logins.begin(user_id)
    admin.execute("UPDATE daylight.auth_sessions SET expires_at = now()")
    assert (data.logins.clean_up(), data.logins.clean_up()) == (1, 0)
