"""What users have and may do: rows of the tables, with the camelCase keys that callers of the original know."""

import re
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import attrs

_WORD = re.compile(r"_([a-z0-9])")


def camel_case(name: str) -> str:
    """Return ``name`` in camelCase: ``created_at`` is ``createdAt``."""
    return _WORD.sub(lambda match: match[1].upper(), name)


def as_json(value: Any) -> Any:
    """Return ``value`` as JSON has it: moments as ISO 8601 in UTC, days as text, records and their lists as objects."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    if isinstance(value, (UUID, IPv4Address, IPv6Address)):
        return str(value)
    return value


@attrs.frozen
class Record:
    """An attrs class whose `to_dict` has the keys of the original."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as a dictionary for JSON: keys in camelCase, moments as ISO 8601 text in UTC."""
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(self))
        return {
            field.metadata.get("key", camel_case(field.name)): as_json(getattr(self, field.name)) for field in fields
        }


#: Of a field whose key is ``timestamp``.
AS_TIMESTAMP = {"key": "timestamp"}


@attrs.frozen
class User(Record):
    """An account, without its password hash."""

    id: str
    email: str
    username: str
    is_active: bool
    email_verified: bool
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None


@attrs.frozen
class UserProfile(Record):
    """What a user says of itself."""

    user_id: str
    first_name: str
    last_name: str
    avatar: str | None
    #: An IANA name.
    timezone: str
    preferences: dict[str, Any]
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@attrs.frozen
class Plan(Record):
    """What a user intends to do between two moments."""

    id: str
    user_id: str
    title: str
    description: str
    #: Any JSON that the caller gave.
    location: Any
    start_time: datetime
    end_time: datetime
    activities: list[Any]
    preferences: dict[str, Any]
    #: ``active``, ``completed``, ``cancelled`` or ``archived``.
    status: str
    created_at: datetime
    updated_at: datetime


@attrs.frozen
class SavedLocation(Record):
    """A place that a user keeps."""

    id: str
    user_id: str
    name: str
    lat: float
    lng: float
    address: str | None
    #: ``home``, ``work``, ``favorite`` or ``wishlist``.
    type: str
    notes: str | None
    tags: list[Any]
    created_at: datetime
    updated_at: datetime
    visited_at: datetime | None


@attrs.frozen
class HistoryEntry(Record):
    """Where a user was, doing what."""

    id: str
    user_id: str
    #: As the caller gave it; ``lat`` and ``lng`` both or neither.
    location: dict[str, Any]
    activity: str
    metadata: dict[str, Any]
    recorded_at: datetime = attrs.field(metadata=AS_TIMESTAMP)
    created_at: datetime
    updated_at: datetime


@attrs.frozen
class HistoryDay(Record):
    """A local day of a user's history."""

    day: date
    #: How many entries.
    points: int
    first_at: datetime
    last_at: datetime
    #: The box around the entries that have coordinates, in degrees; ``None`` where none has.
    south: float | None
    north: float | None
    west: float | None
    east: float | None


@attrs.frozen
class UserSession(Record):
    """What a session holds. Its token is known to its holder alone."""

    user_id: str
    data: dict[str, Any]
    expires_at: datetime
    created_at: datetime


@attrs.frozen
class UsageEvent(Record):
    """Something that a user did."""

    id: str
    user_id: str
    event_type: str
    event_data: dict[str, Any]
    session_id: str | None
    user_agent: str | None
    occurred_at: datetime = attrs.field(metadata=AS_TIMESTAMP)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as the base does, and ``date``: its day in UTC."""
        return {**Record.to_dict(self), "date": self.occurred_at.astimezone(UTC).date().isoformat()}


@attrs.frozen
class UsageCount(Record):
    """How much happened: in all, of one type, or in one hour."""

    event_type: str | None
    hour: datetime | None
    events: int
    users: int


@attrs.frozen
class Permission(Record):
    """What may be done: an action on a resource, ``*`` for each."""

    id: str
    name: str
    description: str
    resource: str
    action: str
    #: What the context of a question must contain.
    conditions: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@attrs.frozen
class Role(Record):
    """A set of permissions."""

    id: str
    name: str
    description: str
    permissions: list[str]
    inherited_roles: list[str]
    #: ``global``, ``organization`` or ``project``.
    scope: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@attrs.frozen
class Assignment(Record):
    """A role that a user has."""

    user_id: str
    role_id: str
    assigned_by: str | None
    assigned_at: datetime
    expires_at: datetime | None
    #: Where; ``*`` is everywhere.
    scope: str
    conditions: dict[str, Any]


@attrs.frozen
class ApiKey(Record):
    """A key of the API, without the key itself and without its hash."""

    id: str
    name: str
    #: ``...`` and the last four characters.
    key_preview: str
    user_id: str
    organization_id: str | None
    scopes: list[str]
    allowed_endpoints: list[str]
    allowed_methods: list[str]
    ip_whitelist: list[str]
    #: ``active``, ``suspended`` or ``revoked``.
    status: str
    environment: str
    expires_at: datetime | None
    last_used_at: datetime | None
    description: str | None
    tags: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by: str | None


@attrs.frozen
class ApiKeyFound(ApiKey):
    """A key that was looked up."""

    is_expired: bool


@attrs.frozen
class ApiUsage(Record):
    """What a key was used for in a span of time."""

    bucket: datetime
    calls: int
    errors: int
    average_ms: float
    request_bytes: int
    response_bytes: int
