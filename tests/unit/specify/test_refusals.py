"""Bad input is refused before anything is sent, by an error that names the field: here is no server to send it to."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import pytest

from surf_data import ConfigurationError, ValidationError, specify
from surf_data.specify import AuditFilter, CommandFilter, MetricFilter, SpecifyDataLayer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - that it has no zone is the point
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
CONTENT = "x" * 4_000_001
DEEP: dict[str, Any] = {}
DEEP["deep"] = DEEP


@pytest.fixture(scope="module")
def data() -> Iterator[SpecifyDataLayer]:
    """Open a data layer on a server that is not there."""
    with specify.open("postgresql://127.0.0.1:1/nowhere", pool_min_size=0, pool_timeout=0.1) as opened:
        yield opened


Call = Callable[[SpecifyDataLayer], Any]

CALLS: list[tuple[str, Call]] = [
    # Pages and lists
    ("page", lambda data: data.users.queries.paginate(page=0)),
    ("page", lambda data: data.users.queries.paginate(page=-1)),
    ("page", lambda data: data.users.queries.paginate(page=1.5)),  # type: ignore[arg-type]
    ("page", lambda data: data.users.queries.paginate(page=1_000, per_page=1_000)),
    ("per_page", lambda data: data.users.queries.paginate(per_page=0)),
    ("per_page", lambda data: data.commands.queries.list_commands(per_page=10_001)),
    ("order_by", lambda data: data.users.queries.paginate(order_by="password_hash")),
    ("order_by", lambda data: data.audit.queries.paginate(order_by="id; DROP TABLE")),
    ("limit", lambda data: data.users.queries.get_all(limit=0)),
    ("limit", lambda data: data.commands.queries.find_by_user(1, limit=10_001)),
    ("offset", lambda data: data.projects.queries.get_all(offset=-1)),
    ("offset", lambda data: data.tokens.queries.get_all(offset="1")),  # type: ignore[arg-type]
    ("after", lambda data: data.commands.queries.list_commands_after(after="x")),  # type: ignore[arg-type]
    ("matching", lambda data: data.commands.queries.list_commands(AuditFilter())),  # type: ignore[arg-type]
    # Filters
    ("status", lambda data: data.commands.queries.find_by_status("SUCCESS")),
    ("status", lambda data: data.commands.queries.list_commands(CommandFilter(status=["failed", "gone"]))),
    ("status", lambda data: data.commands.queries.list_commands(CommandFilter(status=7))),  # type: ignore[arg-type]
    ("since", lambda data: data.commands.queries.list_commands(CommandFilter(since=NOW, until=NOW - timedelta(1)))),
    ("since", lambda data: data.audit.queries.list_logs(AuditFilter(since=NAIVE))),
    ("ip_address", lambda data: data.audit.queries.list_logs(AuditFilter(ip_address="localhost"))),
    ("action", lambda data: data.audit.queries.list_logs(AuditFilter(action="LOGIN"))),
    ("labels", lambda data: data.metrics.queries.list_metrics(MetricFilter(labels=["a"]))),  # type: ignore[arg-type]
    ("type", lambda data: data.metrics.queries.list_metrics(MetricFilter(type="speed"))),
    ("hours", lambda data: data.commands.queries.get_recent_commands(hours=0)),
    ("days", lambda data: data.projects.queries.get_recent_projects(days=0)),
    ("start_date", lambda data: data.commands.queries.get_command_statistics(NOW, NOW - timedelta(1))),
    ("start_date", lambda data: data.metrics.queries.aggregate_by_name("m", NOW, NOW - timedelta(1))),
    ("end_date", lambda data: data.commands.queries.get_command_statistics(end_date=NAIVE)),
    ("command_id", lambda data: data.commands.queries.find_by_command_id("7")),
    # Ids and keys
    ("id", lambda data: data.users.get(0)),
    ("id", lambda data: data.users.get(2**63)),
    ("id", lambda data: data.users.get(True)),
    ("id", lambda data: data.users.delete("1")),  # type: ignore[arg-type]
    ("user_id", lambda data: data.users.rotate_api_key(-1)),
    ("data", lambda data: data.users.create([("username", "a")])),  # type: ignore[arg-type]
    ("password_hash", lambda data: data.users.create({"username": "a", "email": "a@b.example"})),
    ("nickname", lambda data: data.users.create_user("a", "a@b.example", b"x", nickname="b")),
    ("id", lambda data: data.users.update(1, {"id": 2})),
    ("usernam", lambda data: data.users.update(1, {"usernam": "b"})),
    ("id", lambda data: data.audit.update(1, {"success": False})),
    ("id", lambda data: data.audit.delete(1)),
    ("id", lambda data: data.metrics.bulk_update([{"id": 1, "value": 2}])),
    # Users and projects
    ("username", lambda data: data.users.create_user("", "a@b.example", b"x")),
    ("username", lambda data: data.users.create_user(" ", "a@b.example", b"x")),
    ("username", lambda data: data.users.create_user("a\0b", "a@b.example", b"x")),
    ("username", lambda data: data.users.create_user("\ud800", "a@b.example", b"x")),
    ("email", lambda data: data.users.create_user("a", "nobody", b"x")),
    ("password_hash", lambda data: data.users.create_user("a", "a@b.example", "x")),  # type: ignore[arg-type]
    ("api_key", lambda data: data.users.create_user("a", "a@b.example", b"x", api_key="short")),
    ("is_admin", lambda data: data.users.create_user("a", "a@b.example", b"x", is_admin=1)),
    ("last_login_at", lambda data: data.users.create_user("a", "a@b.example", b"x", last_login_at=NAIVE)),
    ("meta", lambda data: data.users.create_user("a", "a@b.example", b"x", meta="{}")),
    ("meta", lambda data: data.users.create_user("a", "a@b.example", b"x", meta={"x": "y" * 70_000})),
    ("meta.deep", lambda data: data.users.create_user("a", "a@b.example", b"x", meta=DEEP)),
    ("slug", lambda data: data.projects.create_project("P", "-p", 1)),
    ("slug", lambda data: data.projects.create_project("P", "P", 1)),
    ("query_str", lambda data: data.users.queries.search_users("")),
    ("active_only", lambda data: data.projects.queries.find_by_owner(1, active_only="no")),  # type: ignore[arg-type]
    # Commands
    ("status", lambda data: data.commands.create_command("a", status="unknown")),
    ("started_at", lambda data: data.commands.create_command("a", started_at=NAIVE)),
    ("completed_at", lambda data: data.commands.create_command("a", started_at=NOW, completed_at=NOW - timedelta(1))),
    ("duration_ms", lambda data: data.commands.create_command("a", duration_ms=1.0)),
    ("exit_code", lambda data: data.commands.complete_command(1, 2**31)),
    ("stdout", lambda data: data.commands.complete_command(1, 0, stdout="x" * 1_000_001)),
    ("force", lambda data: data.commands.complete_command(1, 0, force=None)),  # type: ignore[arg-type]
    ("error", lambda data: data.commands.fail_command(1, None)),  # type: ignore[arg-type]
    ("exit_code", lambda data: data.commands.start_command("a", exit_code=0)),
    ("lease_seconds", lambda data: data.commands.start_command("a", lease_seconds=0)),
    ("lease_seconds", lambda data: data.commands.heartbeat(1, float("nan"))),
    ("older_than_hours", lambda data: data.commands.reap_orphans(older_than_hours=0)),
    ("days", lambda data: data.commands.expire(0)),
    ("time_zone", lambda data: data.commands.queries.get_days(NOW, NOW + timedelta(1), "UTC+99")),
    ("since", lambda data: data.commands.queries.get_days(NOW, NOW)),
    ("until", lambda data: data.commands.queries.get_days(NOW, NOW + timedelta(days=4000))),
    # Metrics
    ("value", lambda data: data.metrics.record_metric("m", float("nan"))),
    ("value", lambda data: data.metrics.record_metric("m", float("inf"))),
    ("value", lambda data: data.metrics.record_metric("m", "1")),  # type: ignore[arg-type]
    ("value", lambda data: data.metrics.record_metric("m", 10**400)),
    ("type", lambda data: data.metrics.record_metric("m", 1, "GAUGE")),
    ("timestamp", lambda data: data.metrics.record_metric("m", 1, timestamp=NAIVE)),
    ("interval_minutes", lambda data: data.metrics.queries.get_time_series("m", interval_minutes=0)),
    ("interval", lambda data: data.metrics.queries.get_time_series("m", hours=87_840, interval_minutes=1)),
    (
        "interval",
        lambda data: data.metrics.queries.time_series("m", since=NOW, until=NOW + timedelta(1), interval="hour"),
    ),
    (
        "interval",
        lambda data: data.metrics.queries.time_series(
            "m", since=NOW, until=NOW + timedelta(1), interval=timedelta(seconds=1)
        ),
    ),
    ("percentiles", lambda data: data.metrics.queries.aggregate_by_name("m", percentiles=1)),  # type: ignore[arg-type]
    # Specifications and telemetry
    ("content", lambda data: data.specifications.create_specification(1, "a.ttl", CONTENT)),
    ("content", lambda data: data.specifications.create_specification(1, "a.ttl", "é" * 2_000_001)),
    ("content", lambda data: data.specifications.verify_specification(1, b"x")),  # type: ignore[arg-type]
    ("content_hash", lambda data: data.specifications.queries.find_by_hash("0" * 64)),
    ("trace_id", lambda data: data.telemetry.queries.find_by_trace_id(TRACE[:-1])),
    ("trace_id", lambda data: data.telemetry.record_event("0" * 32, SPAN, "a", NOW)),
    ("span_id", lambda data: data.telemetry.record_event(TRACE, "xyz", "a", NOW)),
    ("end_time", lambda data: data.telemetry.record_event(TRACE, SPAN, "a", NOW, end_time=NOW - timedelta(1))),
    ("document", lambda data: data.telemetry.record_otlp(b"{")),
    ("document", lambda data: data.telemetry.record_otlp("[" * 100_000)),
    ("document", lambda data: data.telemetry.record_otlp("[]")),
    ("document", lambda data: data.telemetry.record_otlp({"resourceLogs": []})),
    ("document", lambda data: data.telemetry.record_otlp(b" " * 64_000_001)),
    # Cache, configuration, tokens
    ("ttl_seconds", lambda data: data.cache.set_cache("k", "v", 0)),
    ("ttl_seconds", lambda data: data.cache.set_cache("k", "v", 366 * 86_400 + 1)),
    ("value", lambda data: data.cache.set_cache("k", "x" * 1_000_001)),
    ("key", lambda data: data.cache.get_cache("")),
    ("count", lambda data: data.cache.get_cache("k", count=None)),  # type: ignore[arg-type]
    ("value", lambda data: data.configuration.set_config(1, "k", float("nan"))),
    ("value", lambda data: data.configuration.set_config(1, "k", 10**4300)),
    ("value", lambda data: data.configuration.set_config(1, "k", b"x")),
    ("value[0]", lambda data: data.configuration.set_config(1, "k", [NOW])),
    ("value", lambda data: data.configuration.create({"project_id": 1, "key": "k", "value": "x", "type": "integer"})),
    ("value", lambda data: data.configuration.create({"project_id": 1, "key": "k", "value": 1, "type": "json"})),
    ("type", lambda data: data.configuration.create({"project_id": 1, "key": "k", "value": 1, "type": "number"})),
    ("type", lambda data: data.configuration.update(1, {"type": "json"})),
    ("expected", lambda data: data.configuration.compare_and_set_config(1, "k", b"", 1)),
    ("token", lambda data: data.tokens.validate_token("")),
    ("ttl_seconds", lambda data: data.tokens.create_session(1, -1)),
    ("token", lambda data: data.tokens.create_session(1, token="mine")),
    # Many at once
    ("rows", lambda data: data.users.bulk_create({"username": "a"})),  # type: ignore[arg-type]
    ("rows", lambda data: data.users.bulk_create(repeat({}))),
    ("rows[1].email", lambda data: data.users.bulk_create([_user("a"), {**_user("b"), "email": "b"}])),
    ("rows[0].value", lambda data: data.metrics.record_metrics([{"name": "m", "value": None}])),
    ("updates[0].id", lambda data: data.users.bulk_update([{"full_name": "A"}])),
    ("updates[1].id", lambda data: data.users.bulk_update([{"id": 1}, {"id": 1}])),
    ("updates[0].key", lambda data: data.users.bulk_update([{"id": 1}], id_key="key")),
    ("updates[0].full_name", lambda data: data.users.bulk_update([{"id": 1, "full_name": 7}])),
]


def _user(name: str) -> dict[str, Any]:
    return {"username": name, "email": f"{name}@example.com", "password_hash": b"x"}


@pytest.mark.parametrize(("field", "call"), [pytest.param(*each, id=f"{n}-{each[0]}") for n, each in enumerate(CALLS)])
def test_refused(data: SpecifyDataLayer, refused: Callable[..., Any], field: str, call: Call) -> None:
    """The error names the field, stays short, and nothing was sent."""
    error = refused(lambda: call(data), ValidationError)
    assert error.field is not None
    # What is nested deeply is named with its path.
    assert error.field.startswith(field)
    assert len(str(error)) < 500
    assert data.stats()["queries"] == {}


def test_encryption_needs_keys(data: SpecifyDataLayer, refused: Callable[..., Any]) -> None:
    """Without keys nothing is stored in the clear that was to be encrypted."""
    refused(lambda: data.configuration.set_config(1, "k", "v", encrypted=True), ConfigurationError)
