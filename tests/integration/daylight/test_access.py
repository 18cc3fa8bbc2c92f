"""Roles, API keys and the audit log: who may, with what, and what was done."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import psycopg
import pytest

from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.errors import InsufficientPermissionsError
from surf_data.errors import SurfDataError, ValidationError
from surf_data.kernel.crypto import token_digest

Refused = Callable[..., SurfDataError]


def test_the_originals_roles_are_there(data: DaylightDataLayer) -> None:
    """24 permissions and five roles, of which admin has all."""
    permissions = [permission.id for permission in data.roles.list_permissions()]
    assert len(permissions) == 24
    admin = data.roles.get_role("admin")
    assert admin is not None
    assert admin.permissions == permissions
    user = data.roles.get_role("user")
    assert user is not None
    assert user.permissions == ["data:read", "users:read"]
    assert data.roles.get_role("nobody") is None


def test_one_query_says_who_may(data: DaylightDataLayer, user_id: str) -> None:
    """A role allows what it permits, everywhere or in its scope; no role, no user, no allowance."""
    assert data.roles.authorize(user_id, "data", "read").reason == "the user has no role here"
    data.roles.assign_role(user_id, "user")
    allowed = data.roles.authorize(user_id, "data", "read")
    assert (allowed.allowed, allowed.roles, allowed.to_dict()["requiredPermissions"]) == (True, ["user"], [])
    denied = data.roles.authorize(user_id, "data", "delete")
    assert (denied.allowed, denied.required_permissions) == (False, ["data:delete"])
    data.roles.assign_role(user_id, "moderator", scope="beach")
    assert data.roles.authorize(user_id, "data", "delete", scope="beach").allowed
    assert not data.roles.authorize(user_id, "data", "delete", scope="city").allowed
    data.roles.require(user_id, "data", "read")
    with pytest.raises(InsufficientPermissionsError) as caught:
        data.roles.require(user_id, "admin", "system")
    assert (caught.value.status_code, caught.value.code) == (403, "INSUFFICIENT_PERMISSIONS")
    before = data.stats()["queries"]["daylight.authorize"]["count"]
    data.roles.authorize(user_id, "data", "read")
    assert data.stats()["queries"]["daylight.authorize"]["count"] == before + 1
    data.users.deactivate_user(user_id)
    assert not data.roles.authorize(user_id, "data", "read").allowed


def test_assignments_expire_depend_and_end(data: DaylightDataLayer, user_id: str) -> None:
    """An expired assignment and an unfulfilled condition do not count; again replaces, revoked is gone."""
    data.roles.assign_role(user_id, "admin", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert not data.roles.authorize(user_id, "data", "read").allowed
    assert data.roles.get_user_roles(user_id) == []
    data.roles.assign_role(user_id, "admin", conditions={"office": "Haleiwa"}, assigned_by="root")
    assert not data.roles.authorize(user_id, "data", "read").allowed
    assert data.roles.authorize(user_id, "data", "read", {"office": "Haleiwa", "day": 1}).allowed
    [assignment] = data.roles.get_user_roles(user_id)
    assert (assignment.role_id, assignment.assigned_by, assignment.scope) == ("admin", "root", "*")
    assert data.roles.revoke_role(user_id, "admin", "elsewhere") is False
    assert data.roles.revoke_role(user_id, "admin") is True


def test_roles_inherit_and_patterns_cover(data: DaylightDataLayer, user_id: str) -> None:
    """What an inherited role permits is permitted, also by a pattern; a cycle is refused."""
    data.roles.create_permission(
        {"name": "all of surf", "resource": "surf", "action": "*", "conditions": {"tide": "low"}}
    )
    base = data.roles.create_role({"id": "base", "name": "Base", "permissions": ["surf:*"]})
    top = data.roles.create_role({"name": "Top", "inheritedRoles": ["base"], "metadata": {"a": 1}})
    assert (base.permissions, top.inherited_roles, top.scope) == (["surf:*"], ["base"], "global")
    data.roles.assign_role(user_id, top.id)
    assert data.roles.authorize(user_id, "surf", "ride", {"tide": "low"}).roles == ["base"]
    assert not data.roles.authorize(user_id, "surf", "ride").allowed
    with pytest.raises(ValidationError, match="cannot inherit itself"):
        data.roles.update_role("base", {"inherited_roles": [top.id]})
    assert data.roles.get_role("base") == base
    changed = data.roles.update_role("base", {"description": "x", "permissions": []})
    assert changed is not None
    assert (changed.description, changed.permissions, changed.name) == ("x", [], "Base")
    assert data.roles.update_role("nobody", {"description": "x"}) is None


def test_what_the_schema_refuses_of_roles_is_named(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """Unknown permissions, roles and users, taken ids and names, roles in use."""
    roles = data.roles
    assert "no such permission" in str(refused(lambda: roles.create_role({"name": "x", "permissions": ["no:no"]})))
    assert "to inherit" in str(refused(lambda: roles.create_role({"name": "x", "inherited_roles": ["no"]})))
    assert str(refused(lambda: roles.create_role({"id": "admin", "name": "x"}))) == "id is taken"
    assert str(refused(lambda: roles.create_role({"name": "admin"}))) == "name is taken"
    assert (
        str(refused(lambda: roles.create_role({"name": "x", "permissions": "a"})))
        == "permissions must be a list of ids"
    )
    taken = {"id": "data:read", "name": "x", "resource": "data", "action": "read"}
    assert str(refused(lambda: roles.create_permission(taken))) == "id is taken"
    assert "no such user" in str(refused(lambda: roles.assign_role("nobody", "admin")))
    assert "no such role" in str(refused(lambda: roles.assign_role(user_id, "nothing")))
    roles.assign_role(user_id, "user")
    assert "in use" in str(refused(lambda: roles.delete_role("user")))
    assert roles.delete_role("moderator") is True
    assert roles.delete_role("moderator") is False


def test_a_key_is_shown_once_and_recognised(
    data: DaylightDataLayer, admin: psycopg.Connection[Any], user_id: str
) -> None:
    """The key is returned once, stored as a hash, and noted as used once a minute at the most."""
    created = data.keys.create_api_key(user_id, {"name": "ci", "scopes": ["data"], "tags": {"team": "surf"}})
    key = created.secret.reveal()
    assert key.startswith("dlt_")
    assert created.api_key.key_preview == f"...{key[-4:]}"
    assert key not in repr(created)
    assert "key_hash" not in repr(created.api_key.to_dict())
    assert admin.execute("SELECT key_hash FROM daylight.api_keys").fetchone() == (token_digest(key),)
    found = data.keys.validate_api_key(key)
    assert found.valid
    assert found.api_key is not None
    [listed] = data.keys.list_api_keys(user_id)
    assert listed.last_used_at is not None
    data.keys.validate_api_key(key)
    assert data.keys.list_api_keys(user_id) == [listed]


def test_a_key_says_why_it_is_refused(data: DaylightDataLayer, user_id: str) -> None:
    """Bad format, unknown, expired, suspended, revoked; and revoked is indefinite."""
    created = data.keys.create_api_key(user_id, {"name": "ci"})
    key, key_id = created.secret.reveal(), created.api_key.id
    assert data.keys.validate_api_key("x").reason == "Invalid API key format"
    assert data.keys.validate_api_key("dlt_" + "x" * 43).reason == "API key not found"
    data.keys.update_api_key(key_id, user_id, {"expires_at": datetime.now(UTC)})
    assert data.keys.validate_api_key(key).reason == "API key has expired"
    data.keys.update_api_key(key_id, user_id, {"expires_at": None, "status": "suspended"})
    assert data.keys.validate_api_key(key).reason == "API key is suspended"
    assert data.keys.revoke_api_key(key_id, "eve") is False
    assert data.keys.revoke_api_key(key_id, user_id) is True
    assert data.keys.update_api_key(key_id, user_id, {"status": "active"}) is None
    assert data.keys.rotate_api_key(key_id, user_id) is None
    assert data.keys.validate_api_key(key).reason == "API key is revoked"


def test_a_rotated_key_overlaps_its_successor(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """Both are valid until the overlap is over; the successor has the same rights."""
    old = data.keys.create_api_key(user_id, {"name": "ci", "allowedEndpoints": ["/plans"]})
    new = data.keys.rotate_api_key(old.api_key.id, user_id)
    assert new is not None
    assert new.api_key.allowed_endpoints == ["/plans"]
    assert data.keys.validate_api_key(old.secret.reveal()).valid
    data.keys.rotate_api_key(old.api_key.id, user_id, 0)
    assert not data.keys.validate_api_key(old.secret.reveal()).valid
    assert data.keys.validate_api_key(new.secret.reveal()).valid
    assert "overlap_hours" in str(refused(lambda: data.keys.rotate_api_key("x", user_id, -1)))


def test_a_key_allows_what_its_lists_say(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """Endpoints exact or by star, methods, networks; an empty list allows all."""
    request = {"name": "ci", "allowed_endpoints": ["/plans/*", "/[x]?"], "ip_whitelist": ["10.0.0.0/8", "::1"]}
    key = data.keys.create_api_key(user_id, request).api_key
    allows = data.keys.check_permissions
    assert allows(key, "/plans/7", "GET", "10.1.2.3")
    assert allows(key, "/[x]?", "POST", "::1")
    assert not allows(key, "/x1", "GET", "10.1.2.3")
    assert not allows(key, "/plans/7", "DELETE", "10.1.2.3")
    assert not allows(key, "/plans/7", "GET", "11.1.2.3")
    assert not allows(key, "/plans/7", "GET")
    assert allows(attrs.evolve(key, allowed_endpoints=[], allowed_methods=[], ip_whitelist=[]), "/", "PUT")
    create = data.keys.create_api_key
    assert "ip_whitelist[0]" in str(refused(lambda: create(user_id, {"name": "x", "ip_whitelist": ["nowhere"]})))
    assert "must be one of" in str(refused(lambda: create(user_id, {"name": "x", "allowed_methods": ["get"]})))
    assert "scopes must be a list" in str(refused(lambda: create(user_id, {"name": "x", "scopes": "a"})))
    assert "no such user" in str(refused(lambda: create("nobody", {"name": "x"})))


def test_usage_is_rolled_up_with_what_it_counts(data: DaylightDataLayer, refused: Refused) -> None:
    """Calls and the sums of their hours are written together; a repetition counts once."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    call = {
        "apiKeyId": "k",
        "userId": "kai",
        "endpoint": "/plans",
        "method": "GET",
        "statusCode": 200,
        "responseTime": 8,
    }
    calls = [
        {**call, "id": f"c{number}", "occurred_at": noon + timedelta(minutes=20 * number), "request_size": 10}
        for number in range(6)
    ]
    calls[5] |= {"statusCode": 503, "ip_address": "10.0.0.1", "rate_limit_hit": True}
    assert data.keys.record_api_usage(calls) == 6
    assert data.keys.record_api_usage(calls) == 0
    assert data.keys.record_api_usage([]) == 0
    assert data.keys.record_api_usage([call]) == 1
    hours = data.keys.get_api_usage("k", noon, noon + timedelta(hours=5))
    assert [(hour.bucket.hour, hour.calls, hour.errors, hour.average_ms) for hour in hours] == [
        (12, 3, 0, 8.0),
        (13, 3, 1, 8.0),
    ]
    [day] = data.keys.get_api_usage("k", noon, noon + timedelta(hours=5), "day")
    assert (day.calls, day.request_bytes) == (6, 60)
    assert "calls[0].statusCode" not in str(refused(lambda: data.keys.record_api_usage([{**call, "statusCode": 99}])))
    assert "lacks method" in str(
        refused(lambda: data.keys.record_api_usage([{"api_key_id": "k", "user_id": "k", "endpoint": "/"}]))
    )
    assert str(refused(lambda: data.keys.record_api_usage(call))) == "calls must be a list of mappings"
    many = refused(lambda: data.keys.record_api_usage(call for _ in range(10_001)))
    assert str(many) == "calls must have at most 10,000 items"


def test_the_audit_log_masks_secrets_and_is_found_by_pages(data: DaylightDataLayer, refused: Refused) -> None:
    """An entry has what was given, secrets masked; pages go on behind the last entry."""
    log = data.audit.log_audit
    first = log(
        "authentication.login",
        "user:kai",
        "login",
        "failure",
        user_id="kai",
        details={"password": "hunter2", "nested": [{"apiKey": "x"}]},
        changes={"a": 1},
        compliance_labels=["gdpr", "sox"],
        ip_address="10.0.0.1",
        risk_level="high",
    )
    second = log("data.read", "plan:7", "read")
    newest = data.audit.get_audit_logs(limit=1)
    rest = data.audit.get_audit_logs(before=newest[0])
    assert [entry.id for entry in [*newest, *rest]] == [second, first]
    entry = rest[0]
    assert entry.details == {"password": "***", "nested": [{"apiKey": "***"}]}
    assert (entry.outcome, entry.risk_level, entry.compliance_labels) == ("failure", "high", ["gdpr", "sox"])
    assert entry.to_dict()["ipAddress"] == "10.0.0.1"
    assert data.audit.get_audit_logs(user_id="kai", event_type="authentication.login") == [entry]
    assert data.audit.get_audit_logs(since=datetime.now(UTC), until=datetime.now(UTC)) == []
    assert "must begin with" in str(refused(lambda: log("surf.ride", "x", "x")))
    assert "must be a list" in str(refused(lambda: log("data.x", "x", "x", compliance_labels="a")))
    assert str(refused(lambda: data.audit.get_audit_logs(before=1))) == "before must be an entry"  # type: ignore[arg-type]


def test_no_role_changes_the_audit_log(data: DaylightDataLayer, admin: psycopg.Connection[Any]) -> None:
    """The application may not, and the owner's UPDATE, DELETE and TRUNCATE are refused by triggers."""
    data.audit.log_audit("data.read", "plan:7", "read")
    for command in ("UPDATE daylight.audit_logs SET action = 'x'", "DELETE FROM daylight.audit_logs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            admin.execute(command)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        admin.execute("TRUNCATE daylight.audit_logs")
    may = "SELECT bool_or(has_table_privilege('surf_daylight_app', 'daylight.audit_logs', p)) FROM unnest(%s::text[]) p"
    assert admin.execute(may, (["UPDATE", "DELETE", "TRUNCATE"],)).fetchone() == (False,)
