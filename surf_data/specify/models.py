"""The ten models: what a row of each table is once it has been read. Fields are in the order of the columns."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

import attrs

from surf_data.kernel.secret import Secret

Address = IPv4Address | IPv4Interface | IPv6Address | IPv6Interface


class ExecutionStatus(StrEnum):
    """How a command stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class AuditAction(StrEnum):
    """What was done."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    EXECUTE = "execute"
    LOGIN = "login"
    LOGOUT = "logout"
    CONFIG_CHANGE = "config_change"


class MetricType(StrEnum):
    """What a metric's values mean."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    TIMER = "timer"


# Enumerations by their values: rows come by the thousand, and calling an enumeration takes a third of making a row.
_STATUSES = {str(member): member for member in ExecutionStatus}
_METRIC_TYPES = {str(member): member for member in MetricType}
_ACTIONS = {str(member): member for member in AuditAction}


def _status(value: str) -> ExecutionStatus:
    return _STATUSES[value]


def _metric_type(value: str) -> MetricType:
    return _METRIC_TYPES[value]


def _action(value: str) -> AuditAction:
    return _ACTIONS[value]


@attrs.frozen
class User:
    """A user account."""

    id: int
    #: As typed; it is found by this spelling, and unique in any.
    username: str
    #: As typed; it is found by this spelling, and unique in any.
    email: str
    full_name: str | None
    #: What the caller stored: a secret, left out of ``repr``.
    password_hash: bytes = attrs.field(repr=False)
    #: The last four characters of the API key; ``None`` without one.
    api_key_preview: str | None
    is_active: bool
    is_admin: bool
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None
    meta: dict[str, Any]
    #: How many projects of this user are in use.
    active_projects_count: int
    #: The API key, in what `UserRepository.create_user` and `create` return alone: the table has a hash.
    api_key: Secret | None = None


@attrs.frozen
class Project:
    """A project: what commands, specifications and configuration belong to."""

    id: int
    name: str
    slug: str
    description: str | None
    owner_id: int
    path: str | None
    repository_url: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime
    meta: dict[str, Any]
    settings: dict[str, Any]


@attrs.frozen
class Command:
    """One run of a command."""

    id: int
    #: A UUID as text: what other systems know the command by.
    command_id: str = attrs.field(converter=str)
    name: str
    args: str | None
    user_id: int | None
    project_id: int | None
    status: ExecutionStatus = attrs.field(converter=_status)
    started_at: datetime
    completed_at: datetime | None
    #: Milliseconds from start to completion, computed by the server; ``None`` while it runs.
    duration_ms: float | None
    exit_code: int | None
    stdout: str | None = attrs.field(repr=False)
    stderr: str | None = attrs.field(repr=False)
    environment: dict[str, Any] = attrs.field(repr=False)
    meta: dict[str, Any]
    parent_id: int | None
    host: str | None
    pid: int | None
    #: When it was last heard of, under a lease.
    heartbeat_at: datetime | None
    #: Until when it counts as alive without another heartbeat; ``None`` without a lease.
    lease_until: datetime | None

    @property
    def is_success(self) -> bool:
        """Whether it has succeeded, with exit code 0."""
        return self.status is ExecutionStatus.SUCCESS and self.exit_code == 0


@attrs.frozen
class PerformanceMetric:
    """One value of a metric."""

    id: int
    metric_id: str = attrs.field(converter=str)
    name: str
    type: MetricType = attrs.field(converter=_metric_type)
    value: float
    unit: str | None
    command_id: int | None
    project_id: int | None
    timestamp: datetime
    labels: dict[str, Any]
    meta: dict[str, Any]


@attrs.frozen
class AuditLog:
    """One action, as it was recorded."""

    id: int
    log_id: str = attrs.field(converter=str)
    action: AuditAction = attrs.field(converter=_action)
    resource_type: str
    resource_id: str | None
    #: ``None`` when no user did it, or the user was deleted since.
    user_id: int | None
    #: The user's name at that time; it stays when the user goes.
    user_name: str | None
    ip_address: Address | None
    user_agent: str | None
    timestamp: datetime
    success: bool
    details: dict[str, Any]
    meta: dict[str, Any]


@attrs.frozen
class RDFSpecification:
    """A file of a project with a specification in RDF."""

    id: int
    spec_id: str = attrs.field(converter=str)
    project_id: int
    file_path: str
    #: SHA-256 of the content's UTF-8, in hexadecimal.
    content_hash: str
    format: str
    triple_count: int
    valid: bool
    validation_errors: str | None
    created_at: datetime
    updated_at: datetime
    meta: dict[str, Any]


@attrs.frozen
class TelemetryEvent:
    """A span of a trace, as OpenTelemetry has them."""

    id: int
    event_id: str = attrs.field(converter=str)
    #: 32 hexadecimal digits.
    trace_id: str
    #: 16 hexadecimal digits.
    span_id: str
    parent_span_id: str | None
    command_id: int | None
    name: str
    kind: str | None
    status_code: str | None
    start_time: datetime
    end_time: datetime | None
    #: Nanoseconds, exact where the times are rounded to microseconds.
    duration_ns: int | None
    attributes: dict[str, Any]
    resource_attributes: dict[str, Any]


@attrs.frozen
class CacheEntry:
    """A text under a key, for a time."""

    id: int
    key: str
    value: str = attrs.field(repr=False)
    #: SHA-256 of the value's UTF-8, in hexadecimal.
    value_hash: str
    #: Bytes of the value's UTF-8.
    size_bytes: int
    created_at: datetime
    #: ``None``: it does not expire.
    expires_at: datetime | None
    #: How often it was read.
    access_count: int
    last_accessed_at: datetime | None
    meta: dict[str, Any]

    @property
    def is_expired(self) -> bool:
        """Whether it has expired by this machine's clock."""
        return self.expires_at is not None and datetime.now(UTC) > self.expires_at


@attrs.frozen
class Configuration:
    """A value of a project's configuration."""

    id: int
    config_id: str = attrs.field(converter=str)
    project_id: int
    key: str
    #: As it is stored: text, encrypted if the row says so. `ConfigurationRepository.get_config` returns the value.
    value: str = attrs.field(repr=False)
    #: ``string``, ``integer``, ``float``, ``boolean`` or ``json``.
    type: str
    encrypted: bool
    description: str | None
    created_at: datetime
    updated_at: datetime
    meta: dict[str, Any]

    def get_value(self) -> Any:
        """Return the value with its Python type; of an encrypted entry the text that is stored."""
        return self.value if self.encrypted else typed_value(self.type, self.value)


@attrs.frozen
class SessionToken:
    """A session of a user."""

    id: int
    user_id: int
    created_at: datetime
    expires_at: datetime
    #: Moves at most once a minute.
    last_used_at: datetime | None
    ip_address: Address | None
    user_agent: str | None
    is_active: bool
    meta: dict[str, Any]
    #: The token, in what `SessionTokenRepository.create_session` and `create` return alone: the table has a hash.
    token: Secret | None = None

    @property
    def is_expired(self) -> bool:
        """Whether it has expired by this machine's clock."""
        return datetime.now(UTC) > self.expires_at


def typed_value(kind: str, text: str) -> Any:
    """Return a stored value of a configuration with its Python type.

    Arguments:
        kind: ``string``, ``integer``, ``float``, ``boolean`` or ``json``.
        text: as `surf_data.specify.configuration.stored_value` made it.
    """
    match kind:
        case "integer":
            return int(text)
        case "float":
            return float(text)
        case "boolean":
            return text == "true"
        case "json":
            return json.loads(text)
        case _:
            return text
