"""The Surf Lamp's cache: surf data, location metadata, lamp status and system statistics under the agreed keys."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Unpack
from uuid import UUID

from surf_data.kernel import validation
from surf_data.kernel.cache import Entry, JsonCache, LoadOptions, checked_options
from surf_data.lamps.surf_documents import copy_for_caller, surf_data, to_document
from surf_data.lamps.types import SurfData

_LOCATION_META = "location_meta:"
_LAMP_STATUS = "lamp_status:"
_SURF_DATA = "surf_data:"
_SYSTEM_STATS = "system_stats"

#: What the keys begin with.
KEY_PREFIXES = (_LAMP_STATUS, _LOCATION_META, _SURF_DATA, _SYSTEM_STATS)

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

    The methods ``get_or_load_...`` compute what is not found: ``source`` is called without arguments, by one thread
    however many want the same value, and the others get what it returns or raises. ``None`` means that there is no
    such value, and is not stored. While Redis cannot be used every value is computed. Their ``options`` are those of
    `surf_data.kernel.cache.LoadOptions`.

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
        return self._cache.get(_location_key(_SURF_DATA, location_index), surf_data, copy_for_caller)

    def get_or_load_surf_data(
        self,
        location_index: int,
        source: Callable[[], SurfData | Mapping[str, Any] | None],
        ttl_seconds: int = 1800,
        **options: Unpack[LoadOptions],
    ) -> SurfData | None:
        """Return the cached surf data of a location, or compute and cache them.

        Arguments:
            location_index: the location, 0 to 2147483647.
            source: computes the surf data, as `set_surf_data_cache` takes them.
            ttl_seconds: for how many seconds they may be used, 1 to 31536000.
            options: how they are computed.

        Raises:
            ValidationError: an argument, or what ``source`` returned, is refused.
        """
        validation.function("source", source)

        def document() -> Mapping[str, Any] | None:
            data = source()
            return None if data is None else to_document("data", data)

        key = _location_key(_SURF_DATA, location_index)
        return self._cache.get_or_load(
            key, surf_data, document, ttl_seconds, field="data", copy=copy_for_caller, **checked_options(options)
        )

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
            raise validation.invalid("location_indexes", "must be iterable")
        wanted = {
            _location_key(_SURF_DATA, index, f"location_indexes[{position}]"): index
            for position, index in enumerate(location_indexes)
        }
        return {wanted[key]: data for key, data in self._cache.get_many(wanted, surf_data, copy_for_caller).items()}

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
        self._cache.set(key, to_document("data", data), ttl_seconds, field="data")

    def warm_surf_data(
        self, data: Mapping[int, SurfData | Mapping[str, Any]], ttl_seconds: int = 1800, *, ttl_jitter: float = 0.0
    ) -> int:
        """Cache the surf data of several locations, in one round trip: all of them or none.

        Arguments:
            data: surf data by location, as for `set_surf_data_cache`.
            ttl_seconds: for how many seconds it may be used, 1 to 31536000.
            ttl_jitter: by what part of it each time to live is shortened at random, 0 to 0.9, so that not all expire at
                the same moment.

        Returns:
            How many were stored: all, or 0 while Redis cannot be used.

        Raises:
            ValidationError: an argument is refused. The error names the place, as in ``data[7].wave_height_m``.
        """
        if not isinstance(data, Mapping):
            raise validation.invalid("data", "must be a mapping")
        documents: dict[str, dict[str, Any]] = {}
        fields: dict[str, str] = {}
        for index, surf in data.items():
            key = _location_key(_SURF_DATA, index)
            fields[key] = f"data[{index}]"
            documents[key] = to_document(fields[key], surf)
        return self._cache.set_many(documents, ttl_seconds, fields=fields, ttl_jitter=ttl_jitter)

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

    def get_or_load_location_meta(
        self,
        location_index: int,
        source: Callable[[], Mapping[str, Any] | None],
        ttl_seconds: int = 3600,
        **options: Unpack[LoadOptions],
    ) -> dict[str, Any] | None:
        """Return the cached metadata of a location, or compute and cache them.

        Arguments:
            location_index: the location, 0 to 2147483647.
            source: computes them: JSON with text keys, up to 1000000 bytes.
            ttl_seconds: for how many seconds they may be used, 1 to 31536000.
            options: how they are computed.

        Raises:
            ValidationError: an argument, or what ``source`` returned, is refused.
        """
        return self._cache.get_or_load(
            _location_key(_LOCATION_META, location_index),
            _value,
            source,
            ttl_seconds,
            field="meta",
            **checked_options(options),
        )

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

    def get_or_load_lamp_status(
        self,
        lamp_id: str | UUID,
        source: Callable[[], Mapping[str, Any] | None],
        ttl_seconds: int = 1800,
        **options: Unpack[LoadOptions],
    ) -> dict[str, Any] | None:
        """Return the cached status of a lamp, or compute and cache it.

        Arguments:
            lamp_id: the lamp.
            source: computes it: JSON with text keys, up to 1000000 bytes.
            ttl_seconds: for how many seconds it may be used, 1 to 31536000.
            options: how it is computed.

        Raises:
            ValidationError: an argument, or what ``source`` returned, is refused.
        """
        return self._cache.get_or_load(
            _lamp_key(lamp_id), _value, source, ttl_seconds, field="status", **checked_options(options)
        )

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

    def get_or_load_system_stats(
        self,
        source: Callable[[], Mapping[str, Any] | None],
        ttl_seconds: int = 60,
        **options: Unpack[LoadOptions],
    ) -> dict[str, Any] | None:
        """Return the cached system statistics, or compute and cache them.

        Arguments:
            source: computes them: JSON with text keys, up to 1000000 bytes.
            ttl_seconds: for how many seconds they may be used, 1 to 31536000.
            options: how they are computed.

        Raises:
            ValidationError: an argument, or what ``source`` returned, is refused.
        """
        return self._cache.get_or_load(
            _SYSTEM_STATS, _value, source, ttl_seconds, field="stats", **checked_options(options)
        )

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


def _value(entry: Entry) -> dict[str, Any]:
    return entry.value
