"""The values of the Surf Lamp domain: what a lamp is configured to do, and what the sea does."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import attrs

from surf_data.kernel import validation


def _optional_number(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None:
        validation.number(attribute.name, value)


def _short_text(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    validation.text(attribute.name, value, minimum=0, maximum=255)


def _json_object(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if validation.mapping(attribute.name, value):
        validation.json_text(attribute.name, value)


def utc_text(moment: datetime) -> str:
    """Return ``moment`` as the specification writes it: UTC, whole seconds, ``2025-01-01T10:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@attrs.frozen(kw_only=True)
class ApiConfig:
    """One source of surf data that a lamp may ask."""

    #: The name of the source.
    website_name: str
    #: Where it answers.
    full_url: str
    #: Its key, if it needs one. A secret: left out of ``repr``.
    api_key: str | None = attrs.field(default=None, repr=False)
    #: What the source needs to know of the place, as the source names it.
    city: Any = None
    #: The order in which sources are asked, lowest first.
    priority: int | None = 1
    #: Whether it answers in JSON.
    is_json: bool = True
    #: Whether it answers in metric units.
    is_metric: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the specification's format, the key in plain text."""
        return {
            "website_name": self.website_name,
            "full_url": self.full_url,
            "api_key": self.api_key,
            "city": self.city,
            "priority": self.priority,
        }


@attrs.frozen(kw_only=True)
class Coordinates:
    """A place on Earth, WGS 84."""

    #: Degrees north, -90 to 90.
    lat: float
    #: Degrees east, -180 to 180.
    lon: float


# Lamps come by the thousand; see `surf_data.kernel.postgres.maker`.
@attrs.frozen(kw_only=True, weakref_slot=False)
class LampConfig:
    """What one lamp is configured to do."""

    #: The lamp.
    lamp_id: UUID
    #: The beach it shows, an index into the supported locations.
    location_index: int
    #: Per cent, 0 to 100; ``None`` in rows that were stored without one.
    brightness: int | None
    #: Whether the lamp is in use.
    is_active: bool = True
    #: When it was last heard of, with time zone; ``None`` when never.
    last_seen: datetime | None = None
    #: The name of the beach; ``Location 7`` for an index that is not among the supported locations.
    location_name: str = attrs.field(
        default=attrs.Factory(lambda self: f"Location {self.location_index}", takes_self=True)
    )
    #: Where the beach is; ``None`` for an index that is not among the supported locations.
    coordinates: Coordinates | None = None
    #: The sources of surf data, in the order in which they are to be asked.
    api_configs: tuple[ApiConfig, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the specification's format: JSON types, UTC with ``Z``, API keys in plain text."""
        return {
            "lamp_id": str(self.lamp_id),
            "location_index": self.location_index,
            "location_name": self.location_name,
            "brightness": self.brightness,
            "is_active": self.is_active,
            "last_seen": None if self.last_seen is None else utc_text(self.last_seen),
            "api_configs": [config.to_dict() for config in self.api_configs],
        }


@attrs.frozen(kw_only=True)
class SurfData:
    """What one source said of one beach at one moment.

    Raises:
        ValidationError: a value is not a finite number, not text, or not JSON.
    """

    #: Metres.
    wave_height_m: float | None = attrs.field(default=None, validator=_optional_number)
    #: Seconds.
    wave_period_s: float | None = attrs.field(default=None, validator=_optional_number)
    #: Metres per second.
    wind_speed_mps: float | None = attrs.field(default=None, validator=_optional_number)
    #: Degrees, where the wind comes from.
    wind_deg: float | None = attrs.field(default=None, validator=_optional_number)
    #: The name of the beach.
    location_name: str = attrs.field(default="", validator=_short_text)
    #: When it was measured, seconds since 1970-01-01 UTC.
    timestamp: float | None = attrs.field(default=None, validator=_optional_number)
    #: The source.
    data_source: str = attrs.field(default="", validator=_short_text)
    #: When it was stored in the cache, seconds since 1970-01-01 UTC; ``None`` before that.
    cache_timestamp: float | None = attrs.field(default=None, validator=_optional_number)
    #: Whatever else the source said, by its own keys.
    extra: Mapping[str, Any] = attrs.field(factory=dict, validator=_json_object)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return surf data from the specification's flat format; unknown keys go to ``extra``.

        Raises:
            ValidationError: ``data`` is not a mapping with text keys, or a value is not what the field takes.
        """
        data = validation.mapping("data", data)
        known = {name: data[name] for name in _SURF_FIELDS if name in data}
        return cls(**known, extra={key: data[key] for key in data if key not in _SURF_NAMES})

    def to_dict(self) -> dict[str, Any]:
        """Return the specification's flat format, the unknown keys among the others."""
        return {**self.extra, **{name: getattr(self, name) for name in _SURF_FIELDS}}

    @property
    def is_complete(self) -> bool:
        """Whether wave height, wave period and wind speed are all known."""
        return None not in (self.wave_height_m, self.wave_period_s, self.wind_speed_mps)

    @property
    def age_minutes(self) -> float | None:
        """Minutes since the measurement; ``None`` when its time is unknown."""
        return None if self.timestamp is None else (time.time() - self.timestamp) / 60


_SURF_FIELDS = tuple(field.name for field in attrs.fields(SurfData) if field.name != "extra")
_SURF_NAMES = frozenset(_SURF_FIELDS)
