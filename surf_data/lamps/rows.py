"""The rows of the domain's statements: a field for each column, in the order of the columns."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any
from uuid import UUID

import attrs

#: A lamp, without what is the same for every lamp: ``lamp_id``, ``location_index``, ``brightness``, ``is_active``,
#: ``last_seen``, and the version of the rest: ``None`` when its table was emptied by hand; then it is read every time.
LampRow = tuple[UUID, int, int | None, bool, datetime | None, UUID | None]

#: The same where many are read at once, but instead of the version, whether it is the known one.
LampOfManyRow = tuple[UUID, int, int | None, bool, datetime | None, bool | None]


@attrs.frozen
class ReferenceRow:
    """The reference data as it is stored."""

    version: UUID | None
    locations: Any
    api_configs: Any


# They come by the hundred; see `surf_data.kernel.postgres.maker`.
@attrs.frozen(weakref_slot=False)
class ActivityRow:
    """An entry of the activity log."""

    id: int
    lamp_id: UUID | None
    activity_type: str
    status: str
    details: Any
    created_at: datetime
    ip_address: IPv4Address | IPv4Interface | IPv6Address | IPv6Interface | None
    user_agent: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the entry with its lamp and address as text and its time in UTC."""
        entry: dict[str, Any] = attrs.asdict(self, recurse=False)
        entry["created_at"] = self.created_at.astimezone(UTC)
        entry["lamp_id"] = None if self.lamp_id is None else str(self.lamp_id)
        entry["ip_address"] = None if self.ip_address is None else str(self.ip_address)
        return entry


@attrs.frozen
class StatisticsRow:
    """A count of activity in one grouping."""

    activity_type: str | None
    status: str | None
    hour: datetime | None
    entries: int
    active_lamps: int
    measured_at: datetime
