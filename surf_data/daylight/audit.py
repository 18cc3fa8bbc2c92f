"""What was done, by whom and to what: added to, never changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from surf_data.daylight import checks
from surf_data.daylight.operation_records import AuditEntry
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.redaction import redacted
from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor
from surf_data.kernel.sealing import SealedLog, SealStatements, Verification

#: What a type of event begins with.
AREAS = ("authentication", "authorization", "data", "security", "compliance", "system", "admin")
OUTCOMES = ("success", "failure", "partial")
RISK_LEVELS = ("low", "medium", "high", "critical")


def _event_type(field: str, value: object) -> str:
    text = validation.text(field, value, maximum=100)
    if text.partition(".")[0] not in AREAS:
        raise validation.invalid(field, f"must begin with one of {', '.join(AREAS)}")
    return text


def _labels(field: str, value: object) -> str:
    if not isinstance(value, (list, tuple)):
        raise validation.invalid(field, "must be a list")
    return ",".join(validation.identifier(f"{field}[{number}]", each, marks="_-.") for number, each in enumerate(value))


_OPTIONAL: dict[str, Callable[[str, object], Any]] = {
    "user_id": checks.optional(checks.identifier),
    "session_id": checks.optional(checks.identifier),
    "risk_level": lambda field, value: checks.choice(field, value, RISK_LEVELS),
    "ip_address": checks.optional(validation.ip_address),
    "user_agent": checks.optional(checks.text(1000, minimum=0)),
    "details": lambda field, value: checks.document(field, redacted(value)),
    "changes": lambda field, value: checks.anything(field, redacted(value)),
    "compliance_labels": _labels,
    "source": checks.text(100),
    "correlation_id": checks.optional(checks.identifier),
    "trace_id": checks.optional(checks.identifier),
}
_ARRAYS = {
    "ids": "id",
    "moments": "occurred_at",
    "event_types": "event_type",
    "user_ids": "user_id",
    "session_ids": "session_id",
    "resources": "resource",
    "actions": "action",
    "outcomes": "outcome",
    "risk_levels": "risk_level",
    "ip_addresses": "ip_address",
    "user_agents": "user_agent",
    "details": "details",
    "changes": "changes",
    "labels": "compliance_labels",
    "sources": "source",
    "correlation_ids": "correlation_id",
    "trace_ids": "trace_id",
}


class AuditService:
    """Records what was done. The application's role can add entries and read them; no role can change one.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def log_audit(self, event_type: str, resource: str, action: str, outcome: str = "success", **facts: Any) -> UUID:
        """Record what was done.

        Arguments:
            event_type: ``area.event`` with one of `AREAS`: ``authentication.login``.
            resource: what it was done to, 1 to 500 characters.
            action: what was done, 1 to 100 characters.
            outcome: ``success``, ``failure`` or ``partial``.
            facts: ``user_id``, ``session_id``, ``risk_level`` (``low`` by default), ``ip_address``, ``user_agent``,
                ``details`` and ``changes`` (JSON, with secrets masked), ``compliance_labels``, ``source``,
                ``correlation_id``, ``trace_id``.

        Returns:
            The id of the entry.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be recorded.
        """
        entry: dict[str, Any] = {
            **dict.fromkeys(_OPTIONAL),
            "id": uuid4(),
            "occurred_at": datetime.now(UTC),
            "event_type": _event_type("event_type", event_type),
            "resource": validation.text("resource", resource, maximum=500),
            "action": validation.text("action", action, maximum=100),
            "outcome": checks.choice("outcome", outcome, OUTCOMES),
            "risk_level": "low",
            "details": checks.document("details", {}),
            "compliance_labels": "",
            "source": "daylight",
            **checks.record("facts", facts, _OPTIONAL),
        }
        arrays = {array: [entry[name]] for array, name in _ARRAYS.items()}
        daylight_queries().audit_insert_many(self._database, **arrays)
        return UUID(int=entry["id"].int)

    def get_audit_logs(
        self,
        *,
        user_id: str | None = None,
        event_type: str | None = None,
        since: object = None,
        until: object = None,
        before: AuditEntry | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Return entries, newest first.

        Arguments:
            user_id: of this user alone.
            event_type: of this type alone.
            since: not before this moment.
            until: not after this moment.
            before: the last entry of the page before.
            limit: how many at the most, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        if before is not None and not isinstance(before, AuditEntry):
            raise ValidationError("before must be an entry", field="before")
        return daylight_queries().audit_list(
            self._database,
            user_id=None if user_id is None else checks.identifier("user_id", user_id),
            event_type=None if event_type is None else _event_type("event_type", event_type),
            since=None if since is None else checks.moment("since", since),
            until=None if until is None else checks.moment("until", until),
            before_occurred_at=None if before is None else before.occurred_at,
            before_id=None if before is None else before.id,
            row_limit=checks.limit(limit),
        )

    def seal_audit(self, days: int = 7) -> int:
        """Seal the hours that have ended; for the owner of the tables, by ``surf-data maintain``.

        Arguments:
            days: how far back to look for entries without a seal, 1 to 36,500.

        Returns:
            How many entries were sealed.

        Raises:
            ValidationError: ``days`` is no such number.
            DatabaseError: they could not be sealed.
        """
        now = datetime.now(UTC)
        begin = now - timedelta(days=validation.integer("days", days, minimum=1, maximum=36_500))
        return self._sealed().seal(begin.replace(minute=0, second=0, microsecond=0), now)

    def verify_audit(self, days: int = 2555) -> Verification:
        """Compare the log with its seals, and name the first entry that was changed or removed.

        Arguments:
            days: how far back, 1 to 36,500; entries that were archived are not missed before that.

        Raises:
            ValidationError: ``days`` is no such number.
            DatabaseError: the question could not be answered.
        """
        kept = timedelta(days=validation.integer("days", days, minimum=1, maximum=36_500))
        return self._sealed().verify(datetime.now(UTC) - kept)

    def _sealed(self) -> SealedLog:
        return SealedLog(self._database, SealStatements.of(daylight_queries()))
