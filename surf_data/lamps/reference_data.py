"""Locations and API configurations: the same for every lamp, kept until their version moves."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import attrs

from surf_data.kernel.crypto import KeyRing
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Executor, maker
from surf_data.lamps import api_keys
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.rows import LampOfManyRow, LampRow, ReferenceRow
from surf_data.lamps.types import ApiConfig, Coordinates, LampConfig

_log = get_logger("surf_data.lamps.reference_data")

# In the order of the fields, without a default for any.
_lamp_config = maker(LampConfig)


@attrs.frozen(kw_only=True, eq=False)
class ReferenceData:
    """One version of what is the same for every lamp."""

    version: UUID | None
    #: The name of each supported location and where it is, by its index.
    locations: Mapping[int, tuple[str, Coordinates | None]]
    api_configs: tuple[ApiConfig, ...]

    @classmethod
    def from_row(cls, row: ReferenceRow, ring: KeyRing | None = None) -> "ReferenceData":
        """Return the data of ``row``; a stored location that cannot be read is left out, with a warning.

        Arguments:
            row: what is stored.
            ring: opens the API keys that are encrypted.

        Raises:
            EncryptionError: one of them cannot be decrypted.
        """
        locations = {}
        for entry in row.locations if isinstance(row.locations, list) else []:
            try:
                locations[int(entry["index"])] = str(entry["name"]), _coordinates(entry.get("coordinates"))
            except (AttributeError, KeyError, TypeError, ValueError):
                _log.warning("unreadable entry in supported_locations")
        api_configs = tuple(_api_config(ring, **entry) for entry in row.api_configs)
        return cls(version=row.version, locations=locations, api_configs=api_configs)

    def lamp_config(self, row: LampRow | LampOfManyRow) -> LampConfig:
        """Return the configuration of a lamp, its beach and the sources of surf data filled in."""
        lamp_id, location_index, brightness, is_active, last_seen, _ = row
        location = self.locations.get(location_index)
        if location is None:
            return LampConfig(
                lamp_id=lamp_id,
                location_index=location_index,
                brightness=brightness,
                is_active=is_active,
                last_seen=last_seen,
                api_configs=self.api_configs,
            )
        return _lamp_config((lamp_id, location_index, brightness, is_active, last_seen, *location, self.api_configs))


def _coordinates(stored: Any) -> Coordinates | None:
    return None if stored is None else Coordinates(lat=float(stored["lat"]), lon=float(stored["lon"]))


def _api_config(ring: KeyRing | None, *, id: int, api_key: str | None, **entry: Any) -> ApiConfig:  # noqa: A002 - a column
    return ApiConfig(api_key=api_keys.opened(ring, id, api_key), **entry)


class ReferenceCache:
    """Keeps the version that was read last; shared by all threads of a data layer.

    Versions are random, so that one which was read inside a transaction and then rolled back never returns with
    another content.

    Arguments:
        ring: opens the API keys that are encrypted.
    """

    def __init__(self, ring: KeyRing | None = None) -> None:
        self._ring = ring
        #: The version that was read last.
        self.current: ReferenceData | None = None

    def configs(self, executor: Executor, rows: Iterable[LampRow | LampOfManyRow]) -> Iterator[LampConfig]:
        """Yield the configurations of lamps that one statement has read, and so with one version of all else."""
        remaining = iter(rows)
        if (first := next(remaining, None)) is not None:
            lamp_config = self.get(executor, first).lamp_config
            yield lamp_config(first)
            yield from map(lamp_config, remaining)

    def get(self, executor: Executor, row: LampRow | LampOfManyRow) -> ReferenceData:
        """Return the reference data of a lamp's version, or of a newer one when it has just moved on."""
        current, version = self.current, row[-1]
        if current is not None and version is not None and current.version == version:
            return current
        # One assignment: threads that race store one of several right answers.
        self.current = read = ReferenceData.from_row(lamp_queries().reference_data(executor), self._ring)
        return read
