"""What operators read: rows about errors, the audit, limits, retention and alerts."""

from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any
from uuid import UUID

import attrs

from surf_data.daylight.records import AS_TIMESTAMP, Record


@attrs.frozen
class ErrorLog(Record):
    """An error of the application."""

    id: str
    message: str
    #: The traceback, without values.
    stack: str
    #: The name of the exception's class.
    name: str
    context: dict[str, Any]
    user_id: str | None
    occurred_at: datetime = attrs.field(metadata=AS_TIMESTAMP)
    #: ``critical``, ``high``, ``medium`` or ``low``.
    severity: str
    resolved: bool
    #: The same for errors of one class from one place.
    fingerprint: str


@attrs.frozen
class ErrorGroup(Record):
    """Errors of one class from one place."""

    fingerprint: str
    name: str
    message: str
    severity: str
    errors: int
    first_at: datetime
    last_at: datetime


@attrs.frozen
class AuditEntry(Record):
    """What was done, by whom, to what, and how it ended."""

    id: UUID
    occurred_at: datetime = attrs.field(metadata=AS_TIMESTAMP)
    event_type: str
    user_id: str | None
    session_id: str | None
    resource: str
    action: str
    outcome: str
    risk_level: str
    ip_address: IPv4Address | IPv4Interface | IPv6Address | IPv6Interface | None
    user_agent: str | None
    details: dict[str, Any]
    changes: Any
    compliance_labels: list[str]
    retention_policy: str
    source: str
    version: str
    correlation_id: str | None
    trace_id: str | None


@attrs.frozen
class RateLimit(Record):
    """How often something may be done."""

    id: str
    name: str
    #: ``token_bucket``, ``leaky_bucket``, ``fixed_window`` or ``sliding_window``.
    algorithm: str
    #: So many in a window of so many milliseconds; of a bucket, what it holds and the time in which it fills up.
    requests: int
    window_ms: int
    #: What an identifier is: ``global``, ``api_key``, ``user``, ``ip`` or ``endpoint``.
    scope: str
    #: Patterns, exact or with ``*``; none means all.
    endpoints: list[str]
    methods: list[str]
    #: ``block``, or ``throttle``: the decision then says how long the caller should wait.
    action: str
    #: Milliseconds for which an identifier stays refused after a refusal.
    block_ms: int
    enabled: bool
    priority: int
    #: While Redis is away: ``postgresql`` counts, or ``allow`` or ``deny`` at once.
    on_failure: str
    #: While PostgreSQL is away, too: ``allow`` or ``deny``.
    on_failure_last: str


@attrs.frozen
class RetentionPolicy(Record):
    """How long the rows of a table are kept."""

    table_name: str
    #: ``hot``, ``warm`` or ``cold``.
    tier: str
    keep_days: int
    #: Whether rows are archived before they go.
    archive: bool
    #: What a rule of the bucket goes by; nothing else does.
    storage_class: str
    enabled: bool


@attrs.frozen
class LegalHold(Record):
    """What must not be deleted, whatever its age."""

    id: int
    #: ``None`` for every table.
    table_name: str | None
    reason: str
    #: Rows of this user alone.
    user_id: str | None
    #: Rows from then on, and before then.
    since: datetime | None
    until: datetime | None
    placed_at: datetime
    released_at: datetime | None


@attrs.frozen
class Archive(Record):
    """Rows of a table in object storage."""

    id: int
    table_name: str
    #: What they were set aside in.
    relation_name: str
    since: datetime | None
    until: datetime
    #: The key of the object.
    location: str
    #: ``pending``, ``stored`` (proved) or ``completed`` (and nowhere else any more).
    status: str
    row_count: int
    #: SHA-256 of the CSV.
    checksum: str
    raw_bytes: int
    stored_bytes: int
    created_at: datetime
    completed_at: datetime | None


@attrs.frozen(kw_only=True)
class RetentionJob(Record):
    """What a run did for a table."""

    table_name: str
    keep_days: int
    start_time: datetime
    end_time: datetime
    #: ``completed``, ``failed`` or ``planned`` (a dry run).
    status: str
    #: Expired rows, those that are archived and those that are deleted; what is held is none of them.
    records_processed: int = 0
    records_archived: int = 0
    records_deleted: int = 0
    error: str | None = None


@attrs.frozen(kw_only=True)
class Restoration(Record):
    """Rows that were restored, in a table of their own."""

    #: Its name, with its schema.
    table: str
    rows: int
    #: The keys of the archives.
    archives: list[str]


@attrs.frozen
class AlertRule(Record):
    """When to raise an alarm."""

    id: str
    name: str
    #: ``average_query_ms``, ``error_rate``, ``pool_utilization``, ``breaker_open``, ``database_down`` or
    #: ``retention_overdue_days``.
    metric: str
    #: ``>``, ``<``, ``=``, ``>=`` or ``<=``.
    operator: str
    threshold: float
    #: ``info``, ``warning`` or ``critical``.
    severity: str
    enabled: bool = True
    #: Seconds for which it must be so before it is sent.
    hold_seconds: float = 0.0
    #: Seconds in which it is sent once.
    cooldown_seconds: float = 300.0
    #: Seconds for which all must be well before the recovery is sent.
    recover_seconds: float = 0.0


@attrs.frozen
class SentAlert(Record):
    """An alert or a recovery that was sent."""

    rule_id: str
    subject: str
    #: ``alert`` or ``recovery``.
    kind: str
    severity: str
    value: float
    sent_at: datetime
