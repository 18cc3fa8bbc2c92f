"""The Surf Lamp's cache: surf data, location metadata, lamp status and system statistics under the agreed keys."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from surf_data import validation
from surf_data.cache import Entry, JsonCache
from surf_data.errors import ValidationError
from surf_data.lamps.types import SurfData

_LOCATION_META = "location_meta:"
_LAMP_STATUS = "lamp_status:"
_SURF_DATA = "surf_data:"
_SYSTEM_STATS = "system_stats"

# Other applications may share the server, with keys that only look alike.
_KEYS = re.compile(
    rf"(?:{_SURF_DATA}|{_LOCATION_META})(?:0|[1-9][0-9]{{0,9}})"
    rf"|{_LAMP_STATUS}[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
    rf"|{_SYSTEM_STATS}"
)


class RedisCacheManager:
    """The cache of the Surf Lamp back end, in Redis. Thread-safe.

    No method raises because of Redis: while it cannot be used, nothing is found and nothing is kept. What could not
    be invalidated then lives until its own time to live ends. Bad input is refused in any case.

    Arguments:
        cache: where the values are kept.
    """

    def __init__(self, cache: JsonCache) -> None:
        self._cache = cache

    def get_surf_data_cache(self, location_index: int) -> SurfData | None:
        """Return the cached surf data of a location.

        Arguments:
            location_index: the location, 0 to 2147483647.

        Returns:
            The surf data with ``cache_timestamp`` telling when it was stored; ``None`` when there is none, or none
            that is fresh and whole.

        Raises:
            ValidationError: ``location_index`` is not such a number.
        """
        return self._cache.get(_location_key(_SURF_DATA, location_index), _surf_data)

    def get_surf_data_many(self, location_indexes: Iterable[int]) -> dict[int, SurfData]:
        """Return the cached surf data of several locations, in one round trip.

        Arguments:
            location_indexes: the locations, each 0 to 2147483647.

        Returns:
            The surf data by location, in the order asked for; locations without any are left out.

        Raises:
            ValidationError: ``location_indexes`` is not iterable, or one is not such a number; the error names it by
                its position.
        """
        if not isinstance(location_indexes, Iterable):
            raise validation.refusal("location_indexes", "must be iterable")
        wanted = {
            _location_key(_SURF_DATA, index, f"location_indexes[{position}]"): index
            for position, index in enumerate(location_indexes)
        }
        return {wanted[key]: data for key, data in self._cache.get_many(wanted, _surf_data).items()}

    def set_surf_data_cache(
        self, location_index: int, data: SurfData | Mapping[str, Any], ttl_seconds: int = 1800
    ) -> None:
        """Cache the surf data of a location.

        Arguments:
            location_index: the location, 0 to 2147483647.
            data: surf data, or a mapping that `SurfData.from_dict` accepts. Its ``cache_timestamp`` is ignored.
            ttl_seconds: for how many seconds it may be used, 1 to 31536000.

        Raises:
            ValidationError: an argument is refused; the error names it, with the path into ``data``.
        """
        key = _location_key(_SURF_DATA, location_index)
        self._cache.set(key, _surf_document("data", data), ttl_seconds, field="data")

    def warm_surf_data(self, data: Mapping[int, SurfData | Mapping[str, Any]], ttl_seconds: int = 1800) -> int:
        """Cache the surf data of several locations, in one round trip: all of them or none.

        Arguments:
            data: surf data by location, as for `set_surf_data_cache`.
            ttl_seconds: for how many seconds it may be used, 1 to 31536000.

        Returns:
            How many were stored: all, or 0 while Redis cannot be used.

        Raises:
            ValidationError: an argument is refused. The error names the place, as in ``data[7].wave_height_m``.
        """
        if not isinstance(data, Mapping):
            raise validation.refusal("data", "must be a mapping")
        documents: dict[str, dict[str, Any]] = {}
        fields: dict[str, str] = {}
        for index, surf in data.items():
            key = _location_key(_SURF_DATA, index)
            fields[key] = f"data[{index}]"
            documents[key] = _surf_document(fields[key], surf)
        return self._cache.set_many(documents, ttl_seconds, fields=fields)

    def invalidate_cache(self, location_index: int) -> None:
        """Forget the surf data of a location.

        Arguments:
            location_index: the location, 0 to 2147483647.

        Raises:
            ValidationError: ``location_index`` is not such a number.
        """
        self._cache.delete(_location_key(_SURF_DATA, location_index))

    def get_location_meta(self, location_index: int) -> dict[str, Any] | None:
        """Return the cached metadata of a location; ``None`` when there is none.

        Arguments:
            location_index: the location, 0 to 2147483647.

        Raises:
            ValidationError: ``location_index`` is not such a number.
        """
        return self._cache.get(_location_key(_LOCATION_META, location_index), _value)

    def set_location_meta(self, location_index: int, meta: Mapping[str, Any], ttl_seconds: int = 3600) -> None:
        """Cache the metadata of a location.

        Arguments:
            location_index: the location, 0 to 2147483647.
            meta: JSON with text keys, up to 1000000 bytes.
            ttl_seconds: for how many seconds it may be used, 1 to 31536000.

        Raises:
            ValidationError: an argument is refused; the error names it, with the path into ``meta``.
        """
        self._cache.set(_location_key(_LOCATION_META, location_index), meta, ttl_seconds, field="meta")

    def invalidate_location_meta(self, location_index: int) -> None:
        """Forget the metadata of a location.

        Arguments:
            location_index: the location, 0 to 2147483647.

        Raises:
            ValidationError: ``location_index`` is not such a number.
        """
        self._cache.delete(_location_key(_LOCATION_META, location_index))

    def get_lamp_status(self, lamp_id: str | UUID) -> dict[str, Any] | None:
        """Return the cached status of a lamp; ``None`` when there is none.

        Arguments:
            lamp_id: the lamp.

        Raises:
            ValidationError: ``lamp_id`` is not a UUID.
        """
        return self._cache.get(_lamp_key(lamp_id), _value)

    def set_lamp_status(self, lamp_id: str | UUID, status: Mapping[str, Any], ttl_seconds: int = 1800) -> None:
        """Cache the status of a lamp.

        Arguments:
            lamp_id: the lamp.
            status: JSON with text keys, up to 1000000 bytes.
            ttl_seconds: for how many seconds it may be used, 1 to 31536000.

        Raises:
            ValidationError: an argument is refused; the error names it, with the path into ``status``.
        """
        self._cache.set(_lamp_key(lamp_id), status, ttl_seconds, field="status")

    def invalidate_lamp_status(self, lamp_id: str | UUID) -> None:
        """Forget the status of a lamp.

        Arguments:
            lamp_id: the lamp.

        Raises:
            ValidationError: ``lamp_id`` is not a UUID.
        """
        self._cache.delete(_lamp_key(lamp_id))

    def get_system_stats(self) -> dict[str, Any] | None:
        """Return the cached system statistics; ``None`` when there are none."""
        return self._cache.get(_SYSTEM_STATS, _value)

    def set_system_stats(self, stats: Mapping[str, Any], ttl_seconds: int = 60) -> None:
        """Cache the system statistics.

        Arguments:
            stats: JSON with text keys, up to 1000000 bytes.
            ttl_seconds: for how many seconds they may be used, 1 to 31536000.

        Raises:
            ValidationError: an argument is refused; the error names it, with the path into ``stats``.
        """
        self._cache.set(_SYSTEM_STATS, stats, ttl_seconds, field="stats")

    def invalidate_system_stats(self) -> None:
        """Forget the system statistics."""
        self._cache.delete(_SYSTEM_STATS)

    def flush(self) -> int:
        """Forget everything this class caches, and nothing else; return how many keys there were.

        Walks the server's whole keyspace: for an operator, not for everyday use. While Redis cannot be used, nothing
        more is deleted.
        """
        return self._cache.delete_matching(
            (f"{_SURF_DATA}*", f"{_LOCATION_META}*", f"{_LAMP_STATUS}*", _SYSTEM_STATS), _KEYS
        )


def _location_key(family: str, location_index: int, field: str = "location_index") -> str:
    return f"{family}{validation.integer(field, location_index, minimum=0)}"


def _lamp_key(lamp_id: str | UUID) -> str:
    return f"{_LAMP_STATUS}{validation.uuid('lamp_id', lamp_id)}"


def _surf_document(field: str, data: SurfData | Mapping[str, Any]) -> dict[str, Any]:
    surf = data if isinstance(data, SurfData) else _from_dict(field, validation.mapping(field, data))
    document = surf.to_dict()
    # The envelope knows when it was stored.
    del document["cache_timestamp"]
    return document


def _from_dict(field: str, values: Mapping[str, Any]) -> SurfData:
    try:
        return SurfData.from_dict(values)
    except ValidationError as error:
        problem = ValidationError(f"{field}.{error}", field=f"{field}.{error.field}")
    raise problem


def _surf_data(entry: Entry) -> SurfData:
    return SurfData.from_dict({**entry.value, "cache_timestamp": entry.stored_at})


def _value(entry: Entry) -> dict[str, Any]:
    return entry.value
