"""What the services return: rows of the domain's tables, with the camelCase keys that callers of the original know."""

import re
from datetime import UTC, date, datetime
from typing import Any

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


_AS_TIMESTAMP = {"key": "timestamp"}


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
    recorded_at: datetime = attrs.field(metadata=_AS_TIMESTAMP)
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
