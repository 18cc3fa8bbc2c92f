"""What is appended and never changed: audit rows and spans."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from surf_data import ConstraintViolation
from surf_data.specify import (
    AuditAction,
    AuditFilter,
    AuditLog,
    Command,
    Project,
    SpecifyDataLayer,
    TelemetryFilter,
    User,
)
from surf_data.specify.importing import import_history, import_otlp

Refused = Callable[..., Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRACE = "5b8efff798038103d269b633813fc60c"


def test_audit_rows(data: SpecifyDataLayer, user: User, refused: Refused) -> None:
    """Actions are recorded with the user's name, without secrets, and found by what they are about."""
    audit = data.audit
    login = audit.log_action("login", "session", user_id=user.id, ip_address="127.0.0.1", details={"token": "x"})
    assert (login.user_name, str(login.ip_address), login.details) == ("alice", "127.0.0.1", {"token": "***"})
    failed = audit.log_action(AuditAction.UPDATE, "project", "7", success=False)
    named = audit.log_action("read", "project", "8", user_id=user.id, log_id="00000000-0000-4000-8000-000000000001")
    many = audit.bulk_create(
        {"action": "execute", "resource_type": "command", "user_id": who, "user_name": name}
        for who, name in ((user.id, None), (None, None), (None, "cron"))
    )
    assert [each.user_name for each in many] == ["alice", None, "cron"]
    assert [each.user_name for each in audit.bulk_create([{"action": "read", "resource_type": "x"}])] == [None]
    refused(lambda: audit.log_action("login", "session", user_id=9999), ConstraintViolation)
    assert audit.get(named.id) == named
    queries = audit.queries
    assert [each.id for each in queries.find_by_resource("project")] == [named.id, failed.id]
    assert [each.id for each in queries.find_by_resource("project", "7")] == [failed.id]
    assert [each.id for each in queries.find_by_user(user.id)] == [many[0].id, named.id, login.id]
    assert len(queries.get_recent_logs(hours=1, limit=3)) == 3
    page = queries.list_logs(AuditFilter(success=False), per_page=1)
    assert (page.items, page.total) == ([failed], 1)
    assert queries.list_logs(AuditFilter(ip_address="127.0.0.1", action="login")).items == [login]
    walked: list[AuditLog] = []
    while portion := queries.list_logs_after(after=walked[-1] if walked else None, limit=3):
        walked += portion
    assert walked == queries.paginate().items
    assert queries.paginate(order_by="-timestamp").total == queries.count() == 7


def test_rows_that_cannot_be_changed(app_url: str, data: SpecifyDataLayer) -> None:
    """The application's role may append audit rows, metrics and spans, and nothing else."""
    data.audit.log_action("login", "session")
    with psycopg.connect(app_url, autocommit=True) as connection:
        for table in ("audit_logs", "performance_metrics", "telemetry_events"):
            for statement in ("DELETE FROM specify.{}", "UPDATE specify.{} SET id = 1", "TRUNCATE specify.{}"):
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(statement.format(table).encode())


def test_spans(data: SpecifyDataLayer, command: Command, refused: Refused) -> None:
    """Each is recorded once; they are found by trace, command and name, as a tree and by their duration."""
    telemetry = data.telemetry

    def event(number: int, parent: int | None = None, **more: Any) -> dict[str, Any]:
        return {
            "trace_id": TRACE,
            "span_id": f"{number:016x}",
            "parent_span_id": None if parent is None else f"{parent:016x}",
            "name": "step",
            "start_time": NOON + timedelta(seconds=number),
            "end_time": NOON + timedelta(seconds=number, milliseconds=number),
            **more,
        }

    root = telemetry.record_event(**event(1), command_id=command.id, attributes={"authorization": "x"})
    assert (root.duration_ns, root.attributes) == (1_000_000, {"authorization": "***"})
    assert refused(lambda: telemetry.record_event(**event(1))).field == "span_id"
    assert telemetry.record_events([event(1), event(2, 1), event(3, 1, status_code="error"), event(4, 9)]) == 3
    made = telemetry.bulk_create([event(5, 2, duration_ns=7, end_time=None)])
    assert [each.duration_ns for each in made] == [7]
    assert refused(lambda: telemetry.bulk_create([event(6), event(6)])).field == "rows[1].span_id"
    refused(lambda: telemetry.record_events([event(7, command_id=9999)]), ConstraintViolation)
    queries = telemetry.queries
    assert [each.span_id[-1] for each in queries.find_by_trace_id(TRACE)] == ["1", "2", "3", "4", "5"]
    assert queries.find_by_command(command.id) == [root]
    trees = queries.get_trace(TRACE)
    assert [tree.event.span_id[-1] for tree in trees] == ["1", "4"]
    assert [tree.event.span_id[-1] for tree in trees[0].children] == ["2", "3"]
    assert trees[0].children[0].children[0].event == made[0]
    hours = (datetime.now(UTC) - NOON) // timedelta(hours=1) + 24 if datetime.now(UTC) > NOON else 24
    assert [each.span_id[-1] for each in queries.get_slowest("step", hours, 2)] == ["4", "3"]
    assert queries.get_error_rates(hours) == [
        {"name": "step", "total": 5, "errors": 1, "avg_ms": pytest.approx(2.0000014)}
    ]
    page = queries.list_events(TelemetryFilter(min_duration_ns=2_000_000), per_page=2)
    assert ([each.span_id[-1] for each in page.items], page.total) == (["4", "3"], 3)
    assert queries.list_events_after(TelemetryFilter(status_code="error")) == [page.items[1]]
    assert queries.paginate().total == 5
    assert telemetry.get(root.id) == root


def _otlp(*numbers: int, **more: Any) -> dict[str, Any]:
    spans = [
        {
            "traceId": TRACE,
            "spanId": f"{n:016x}",
            "name": "a",
            "startTimeUnixNano": f"{1764400000000000000 + n}",
            **more,
        }
        for n in numbers
    ]
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


def test_otlp(data: SpecifyDataLayer, command: Command) -> None:
    """A request that is sent again changes nothing; one bad span costs no other; a command is found by its UUID."""
    named = {"attributes": [{"key": "specify.command_id", "value": {"stringValue": command.command_id}}]}
    first = data.telemetry.record_otlp(json.dumps(_otlp(1, 2, 0, **named)).encode())
    assert (first.accepted, first.new, first.rejected) == (2, 2, 1)
    assert first.to_dict() == {
        "partialSuccess": {
            "rejectedSpans": "1",
            "errorMessage": "resourceSpans[0].scopeSpans[0].spans[2]: "
            "span_id must be 16 hexadecimal digits, not all of them 0",
        }
    }
    again = data.telemetry.record_otlp(_otlp(1, 2, 3))
    assert (again.accepted, again.new, again.to_dict()) == (3, 1, {})
    assert len(data.telemetry.queries.find_by_command(command.id)) == 2
    assert data.telemetry.record_otlp({"resourceSpans": []}).accepted == 0


def test_importing_lines_of_otlp(data: SpecifyDataLayer) -> None:
    """Lines that are refused are counted by their reason; the others count."""
    lines = [json.dumps(_otlp(1)).encode(), b"\n", b"{", json.dumps(_otlp(0, 1, 2)).encode()]
    result = import_otlp(data.database, lines)
    reason = "span_id must be 16 hexadecimal digits, not all of them 0"
    assert (result.created, result.known) == (2, 1)
    assert result.refused == {"document must be JSON": 1, reason: 1}
    assert result.examples == [
        "line 3: document must be JSON",
        f"line 4, resourceSpans[0].scopeSpans[0].spans[0]: {reason}",
    ]


def test_importing_a_history(
    data: SpecifyDataLayer, user: User, project: Project, refused: Refused, tmp_path: Path
) -> None:
    """Each entry is stored once, however often the file is imported; nothing of it where one fails."""
    lines = [f": {1764400000 + n}:1;make {n}\n".encode() for n in range(1500)] + [b"\xff\n"] * 12
    shared: dict[str, Any] = {"host": "here", "read_at": NOON, "user_id": user.id, "project_id": project.id}
    first = import_history(data.database, "zsh", lines, **shared)
    assert (first.created, first.known, first.refused) == (1500, 0, {"is not UTF-8": 12})
    assert len(first.examples) == 10
    again = import_history(data.database, "zsh", [*lines, b"ls\n"], **shared)
    assert (again.created, again.known) == (1, 1500)
    other = import_history(data.database, "zsh", lines[:1], **{**shared, "host": "there"})
    assert other.created == 1
    refused(
        lambda: import_history(data.database, "zsh", lines, **{**shared, "host": "x", "user_id": 9999}),
        ConstraintViolation,
    )
    assert data.commands.queries.count() == 1502
    assert refused(lambda: import_history(data.database, "tcsh", [], **shared)).field == "shell"
    assert import_history(data.database, "fish", [], **shared).created == 0
