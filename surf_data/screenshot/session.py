"""Sessions of users, as the database records them."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any, ClassVar
from uuid import UUID

import attrs

from surf_data.kernel import validation
from surf_data.kernel.secret import Secret
from surf_data.screenshot import fields
from surf_data.screenshot.entities import Entity, Style, stored
from surf_data.screenshot.enums import SessionStatus, SessionType

_SECURE = (
    "id", "session_id", "status", "type", "expires_at", "last_active_at", "device_type", "browser", "operating_system",
    "country", "city", "request_count", "created_at", "remaining_time_hours", "duration_hours",
)  # fmt: skip
#: The longest life of a session in seconds.
MAX_SESSION_SECONDS = 366 * 86_400
_HOUR = 3600


@attrs.define
class Session(Entity):
    """A session. `session_id` is the SHA-256 of the token that its holder presents."""

    hidden: ClassVar[frozenset[str]] = frozenset({"session_data"})

    id: UUID | None = fields.uuid()
    session_id: str = fields.text(64, "", required=True, shown=False)
    status: SessionStatus = fields.choice(SessionStatus, SessionStatus.ACTIVE)
    type: SessionType = fields.choice(SessionType, SessionType.WEB)
    expires_at: datetime = fields.moment(now=True)
    last_active_at: datetime = fields.moment(now=True)
    ip_address: IPv4Address | IPv6Address | None = fields.address()
    user_agent: str | None = fields.text(1_000)
    device_id: str | None = fields.text(255)
    device_type: str | None = fields.text(100)
    browser: str | None = fields.text(100)
    browser_version: str | None = fields.text(50)
    operating_system: str | None = fields.text(100)
    os_version: str | None = fields.text(50)
    country: str | None = fields.text(100)
    city: str | None = fields.text(100)
    #: An IANA name.
    timezone: str | None = fields.text(100)
    session_data: dict[str, Any] = fields.document(shown=False)
    metadata: dict[str, Any] = fields.document()
    request_count: int = fields.integer(0)
    revoked_at: datetime | None = fields.moment()
    revoked_reason: str | None = fields.text(255)
    user_id: UUID | None = fields.uuid(required=True)
    created_at: datetime = fields.moment(now=True)
    updated_at: datetime = fields.moment(now=True)

    @property
    def is_active(self) -> bool:
        """Whether it is active and its end is to come."""
        return self.status is SessionStatus.ACTIVE and self.expires_at > datetime.now(UTC)

    @property
    def is_expired(self) -> bool:
        """Whether it is marked as expired, or its end has passed."""
        return self.status is SessionStatus.EXPIRED or self.expires_at <= datetime.now(UTC)

    @property
    def is_revoked(self) -> bool:
        """Whether it was ended before its time."""
        return self.status is SessionStatus.REVOKED

    @property
    def is_valid(self) -> bool:
        """Whether it holds."""
        return self.is_active

    @property
    def remaining_time(self) -> int:
        """Milliseconds until its end, 0 behind it."""
        return max(0, round((self.expires_at - datetime.now(UTC)).total_seconds() * 1000))

    @property
    def remaining_time_hours(self) -> float:
        """Hours until its end."""
        return self.remaining_time / 1000 / _HOUR

    @property
    def duration(self) -> int:
        """Milliseconds from its beginning to when it was last used."""
        return round((self.last_active_at - self.created_at).total_seconds() * 1000)

    @property
    def duration_hours(self) -> float:
        """Hours from its beginning to when it was last used."""
        return self.duration / 1000 / _HOUR

    def update_activity(self) -> None:
        """Note a request in this object; `SessionRepository.touch` does it in the row."""
        self.last_active_at = datetime.now(UTC)
        self.request_count += 1

    def extend_expiration(self, minutes: int = 60) -> None:
        """Let it end so many minutes later than it would; `SessionRepository.extend` counts from now."""
        self.expires_at += _minutes(minutes)

    def revoke(self, reason: str | None = None) -> None:
        """End it in this object; `SessionRepository.revoke` does it in the row."""
        self.status = SessionStatus.REVOKED
        self.revoked_at = datetime.now(UTC)
        self.revoked_reason = reason

    def mark_as_expired(self) -> None:
        """Mark it as over."""
        self.status = SessionStatus.EXPIRED

    def mark_as_invalid(self) -> None:
        """Mark it as no session."""
        self.status = SessionStatus.INVALID

    def reactivate(self, minutes: int = 60) -> None:
        """Let it go on for so many minutes from now, in this object; one that was revoked stays so."""
        if not self.is_revoked:
            self.status = SessionStatus.ACTIVE
            self.expires_at = datetime.now(UTC) + _minutes(minutes)
            self.update_activity()

    def get_session_data(self, key: str, default: Any = None) -> Any:
        """Return what it holds under a key; the default where there is nothing, or null."""
        return stored(self.session_data, key, default)

    def set_session_data(self, key: str, value: Any) -> None:
        """Have it hold something, in this object."""
        self.session_data = {**self.session_data, key: value}

    def to_secure(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what its user may see of it."""
        return self.selected(_SECURE, style)


@attrs.frozen(kw_only=True)
class NewSession:
    """A session that has just begun, with what its holder presents from now on."""

    #: The token, which cannot be had again.
    token: Secret
    session: Session


def session_seconds(value: object, field: str = "ttl_seconds") -> int:
    """Return ``value`` if a session may live for as long: 1 to 31,622,400 seconds."""
    return validation.integer(field, value, minimum=1, maximum=MAX_SESSION_SECONDS)


def _minutes(value: object) -> timedelta:
    return timedelta(minutes=validation.integer("minutes", value, minimum=1, maximum=MAX_SESSION_SECONDS // 60))
