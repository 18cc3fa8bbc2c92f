"""Users."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any, ClassVar
from uuid import UUID

import attrs

from surf_data.kernel.validation import ip_address
from surf_data.screenshot import fields
from surf_data.screenshot.entities import Entity, stored
from surf_data.screenshot.enums import AuthProvider, UserRole, UserStatus


@attrs.define
class User(Entity):
    """A user. The password hash can be set and is never read; tokens are not here at all."""

    hidden: ClassVar[frozenset[str]] = frozenset({"password_hash"})

    id: UUID | None = fields.uuid()
    #: The address as typed. It is unique in any spelling: case, composition and surrounding space do not count.
    email: str = fields.text(255, "", required=True)
    first_name: str = fields.text(100, "")
    last_name: str = fields.text(100, "")
    display_name: str | None = fields.text(255)
    avatar: str | None = fields.text(100_000)
    status: UserStatus = fields.choice(UserStatus, UserStatus.ACTIVE)
    role: UserRole = fields.choice(UserRole, UserRole.USER)
    auth_provider: AuthProvider = fields.choice(AuthProvider, AuthProvider.LOCAL)
    azure_id: str | None = fields.text(255)
    google_id: str | None = fields.text(255)
    github_id: str | None = fields.text(255)
    email_verified: bool = fields.flag()
    email_verified_at: datetime | None = fields.moment()
    last_login_at: datetime | None = fields.moment()
    last_login_ip: IPv4Address | IPv6Address | None = fields.address()
    last_login_user_agent: str | None = fields.text(1_000)
    login_count: int = fields.integer(0)
    password_changed_at: datetime | None = fields.moment()
    preferences: dict[str, Any] = fields.document()
    metadata: dict[str, Any] = fields.document()
    created_at: datetime | None = fields.moment()
    updated_at: datetime | None = fields.moment()
    #: What the service made of the password, 1 to 255 characters; ``None`` leaves the stored one as it is.
    password_hash: str | None = fields.text(255, shown=False)

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_active(self) -> bool:
        """Whether the user may sign in."""
        return self.status is UserStatus.ACTIVE

    @property
    def is_admin(self) -> bool:
        """Whether the user is an administrator."""
        return self.role is UserRole.ADMIN

    @property
    def is_moderator(self) -> bool:
        """Whether the user may do what a moderator may: administrators may, too."""
        return self.role in (UserRole.MODERATOR, UserRole.ADMIN)

    def update_last_login(self, ip_address_: str | None = None, user_agent: str | None = None) -> None:
        """Note a login in this object; `UserRepository.record_login` does it in the row."""
        self.last_login_at = datetime.now(UTC)
        self.last_login_ip = None if ip_address_ is None else ip_address("ip_address", ip_address_)
        self.last_login_user_agent = user_agent
        self.login_count += 1

    def get_preference(self, key: str, default: Any = None) -> Any:
        """Return a preference; the default where there is none, or null."""
        return stored(self.preferences, key, default)

    def set_preference(self, key: str, value: Any) -> None:
        """Set a preference in this object."""
        self.preferences = {**self.preferences, key: value}

    def get_metadata(self, key: str, default: Any = None) -> Any:
        """Return what is noted under a key; the default where there is nothing, or null."""
        return stored(self.metadata, key, default)

    def set_metadata(self, key: str, value: Any) -> None:
        """Note something in this object."""
        self.metadata = {**self.metadata, key: value}
