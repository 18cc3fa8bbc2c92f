"""Entries of the audit log."""

from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import attrs

from surf_data.screenshot import fields
from surf_data.screenshot.entities import Entity, Style
from surf_data.screenshot.enums import AuditAction, AuditCategory, AuditLevel

_SECURE = (
    "id", "action", "level", "category", "description", "resource_type", "resource_id", "is_success", "duration",
    "created_at",
)  # fmt: skip
_COMPLIANCE = (
    "id", "action", "level", "category", "description", "resource_type", "resource_id", "is_success", "created_at",
    "details", "user_id", "ip_address", "session_id", "correlation_id", "error_message",
)  # fmt: skip
_BAD = (AuditLevel.ERROR, AuditLevel.CRITICAL)


@attrs.define
class AuditLog(Entity):
    """An entry of the audit log; once it was saved it cannot be changed."""

    id: UUID | None = fields.uuid()
    action: AuditAction | None = fields.choice(AuditAction, None, required=True)
    level: AuditLevel = fields.choice(AuditLevel, AuditLevel.INFO)
    category: AuditCategory | None = fields.choice(AuditCategory, None, required=True)
    description: str = fields.text(10_000, "", required=True)
    details: str | None = fields.text(100_000)
    resource_type: str | None = fields.text(100)
    resource_id: str | None = fields.text(255)
    old_values: dict[str, Any] | None = fields.document(optional=True)
    new_values: dict[str, Any] | None = fields.document(optional=True)
    context: dict[str, Any] | None = fields.document(optional=True)
    metadata: dict[str, Any] | None = fields.document(optional=True)
    ip_address: IPv4Address | IPv6Address | None = fields.address()
    user_agent: str | None = fields.text(1_000)
    session_id: str | None = fields.text(255, shown=False)
    #: That of the request; when not given, the current one is taken when it is saved.
    correlation_id: str | None = fields.text(255)
    source: str | None = fields.text(100)
    is_success: bool | None = fields.flag(default=None, required=True)
    error_message: str | None = fields.text(10_000)
    #: Milliseconds.
    duration: int | None = fields.integer()
    user_id: UUID | None = fields.uuid()
    created_at: datetime | None = fields.moment()

    @classmethod
    def create_user_action(
        cls, action: AuditAction | str, user_id: UUID | str, description: str, options: Mapping[str, Any] | None = None
    ) -> "AuditLog":
        """Return an entry about what a user did: authentication, info, successful.

        Arguments:
            action: what was done.
            user_id: the user.
            description: what was done, for people.
            options: any other fields, in camelCase or snake_case, which also replace those above.

        Raises:
            ValidationError: a value or an option is refused.
        """
        given = {"category": AuditCategory.AUTHENTICATION, "user_id": user_id, "is_success": True}
        return cls._create(options, action=action, description=description, **given)

    @classmethod
    def create_security_event(
        cls,
        action: AuditAction | str,
        description: str,
        level: AuditLevel | str = AuditLevel.WARNING,
        options: Mapping[str, Any] | None = None,
    ) -> "AuditLog":
        """Return an entry about security; it was a success unless the level is error or critical."""
        return cls._create(
            options, action=action, description=description, level=level, category=AuditCategory.SECURITY
        )

    @classmethod
    def create_data_action(
        cls,
        action: AuditAction | str,
        user_id: UUID | str,
        resource_type: str,
        resource_id: UUID | str,
        description: str,
        options: Mapping[str, Any] | None = None,
    ) -> "AuditLog":
        """Return an entry about data that a user changed: data_modification, info, successful."""
        given = {"category": AuditCategory.DATA_MODIFICATION, "user_id": user_id, "is_success": True}
        return cls._create(
            options, action=action, description=description, **given, **_resource(resource_type, resource_id)
        )

    @classmethod
    def create_system_event(
        cls,
        action: AuditAction | str,
        description: str,
        level: AuditLevel | str = AuditLevel.INFO,
        options: Mapping[str, Any] | None = None,
    ) -> "AuditLog":
        """Return an entry about the system; it was a success unless the level is error or critical."""
        return cls._create(options, action=action, description=description, level=level, category=AuditCategory.SYSTEM)

    @classmethod
    def create_admin_action(
        cls,
        action: AuditAction | str,
        admin_user_id: UUID | str,
        target_type: str,
        target_id: UUID | str,
        description: str,
        options: Mapping[str, Any] | None = None,
    ) -> "AuditLog":
        """Return an entry about what an administrator did: administration, info, successful."""
        given = {"category": AuditCategory.ADMINISTRATION, "user_id": admin_user_id, "is_success": True}
        return cls._create(
            options, action=action, description=description, **given, **_resource(target_type, target_id)
        )

    @classmethod
    def _create(cls, options: Mapping[str, Any] | None, **given: Any) -> "AuditLog":
        values = {**given, **fields.snake_case({} if options is None else options, attrs.fields_dict(cls), "options")}
        entry = cls(**values)
        if entry.is_success is None:
            entry.is_success = entry.level not in _BAD
        return entry

    @property
    def has_error(self) -> bool:
        """Whether it tells of something that failed."""
        return bool(self.error_message) or self.level in _BAD

    @property
    def is_critical(self) -> bool:
        """Whether its level is critical."""
        return self.level is AuditLevel.CRITICAL

    @property
    def is_security(self) -> bool:
        """Whether it is about security."""
        return self.category is AuditCategory.SECURITY

    def set_error(self, message: str) -> None:
        """Have it tell of a failure."""
        self.is_success = False
        self.level = AuditLevel.ERROR
        self.error_message = message

    def to_secure(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what names no person."""
        return self.selected(_SECURE, style)

    def to_compliance(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what an auditor wants to see."""
        return self.selected(_COMPLIANCE, style)


def _resource(kind: str, identifier: UUID | str) -> dict[str, str]:
    return {"resource_type": kind, "resource_id": str(identifier)}
