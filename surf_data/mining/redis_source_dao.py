"""`RedisSourceDAO`: regions and other values that services keep in Redis."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Literal, cast

import redis

from surf_data.kernel import validation
from surf_data.mining import regions, values, versioned_regions
from surf_data.mining.errors import DataAccessError, RedisConnectionError
from surf_data.mining.key_pattern import RedisKeyPattern
from surf_data.mining.layer import MiningDataLayer
from surf_data.mining.redis_base_dao import RedisBaseDAO
from surf_data.mining.regions import RegionData, decoded

__all__ = ["DataAccessError", "RedisConnectionError", "RedisKeyPattern", "RedisSourceDAO", "RegionData"]

#: What a key may hold.
DataType = Literal["string", "set", "hash"]
_Value = str | set[str] | dict[str, str] | None

# The fields that tell an asset's site.
_SITE = ["site_guid", "created_date"]
# Keys that are read in one pipeline.
_PORTION = 500
_MAX_PATTERNS = 100_000


class RedisSourceDAO(RedisBaseDAO):
    """Reads what other services keep in Redis; stores regions in a layout of its own, if that is chosen.

    Arguments:
        data: the data layer to use; without one, the process's own.
        layout: ``foreign``: regions as other services write them, to be read; ``versioned``: as `put_region` stores
            them.

    Raises:
        ValidationError: there is no such layout.
    """

    def __init__(
        self, data: MiningDataLayer | None = None, *, layout: Literal["foreign", "versioned"] = "foreign"
    ) -> None:
        super().__init__(data)
        if layout not in ("foreign", "versioned"):
            raise validation.invalid("layout", "must be foreign or versioned")
        self._layout = layout

    def get_data_by_key_pattern(self, pattern: RedisKeyPattern, data_type: DataType = "string") -> _Value:
        """Return what a key holds: text or ``None``; a set of texts; a dictionary of texts. The last two may be empty.

        Raises:
            ValidationError: it is no pattern, or there is no such type.
            RedisConnectionError: Redis cannot be reached.
            DataAccessError: the key holds another type, or what is not text.
        """
        return self.get_data_by_key_patterns([pattern], data_type)[0]

    def get_data_by_key_patterns(
        self, patterns: Iterable[RedisKeyPattern], data_type: DataType = "string"
    ) -> list[_Value]:
        """Return what several keys hold, in order, in a round trip for each 500 of them.

        Raises:
            ValidationError: one is no pattern, there are more than 100,000, or there is no such type.
            RedisConnectionError: Redis cannot be reached.
            DataAccessError: a key holds another type, or what is not text.
        """
        kinds = [kind for name, kind in _KINDS.items() if name == data_type]
        if not kinds:
            raise validation.invalid("data_type", "must be string, set or hash")
        if isinstance(patterns, (str, bytes, Mapping)) or not isinstance(patterns, Iterable):
            raise validation.invalid("patterns", "must be a list of RedisKeyPattern")
        given = list(islice(patterns, _MAX_PATTERNS + 1))
        if len(given) > _MAX_PATTERNS:
            raise validation.invalid("patterns", f"must not be more than {_MAX_PATTERNS}")
        for pattern in given:
            if not isinstance(pattern, RedisKeyPattern):
                raise validation.invalid("pattern", "must be a RedisKeyPattern")
        [(command, convert)] = kinds
        keys = [pattern.key for pattern in given]
        answers = self._demand("get_data_by_key_pattern", lambda client: _all(client, command, keys), read=True)
        return [convert(answer) for answer in answers]

    def get_asset_site(self, asset_guid: str) -> str | None:
        """Return the site of the newest of an asset's regions that has one; ``None`` without one.

        Raises:
            ValidationError: ``asset_guid`` is refused.
            RedisConnectionError: Redis cannot be reached, or failed the command.
        """
        key = f"asset:{values.guid('asset_guid', asset_guid)}:regions"
        found = self._demand("get_asset_site", lambda client: _sites(client, key), read=True)
        return regions.newest_site([(_text(name), _text(site), _text(date)) for name, site, date in found])

    def get_site_regions(self, site_guid: str, region_type: str) -> list[dict[str, Any]] | None:
        """Return ``region_guid``, ``region_name`` and ``region_points`` of a site's regions of one type.

        Entries that cannot be used are skipped and logged; ``None`` when nothing is left.

        Arguments:
            site_guid: the site.
            region_type: ``dump``, ``load``, ...; case does not matter.

        Raises:
            ValidationError: an argument is refused.
            RedisConnectionError: Redis cannot be reached, or failed the command.
        """
        key = f"site:{values.guid('site_guid', site_guid)}:regions"
        region_type = validation.text("region_type", region_type, maximum=values.MAX_WORD)
        stored: Any = self._demand("get_site_regions", lambda client: client.hgetall(key), read=True)
        return regions.of_type(key, _lenient(stored), region_type)

    def pull_region_based_asset(self, asset_guid: str) -> list[dict[str, Any]] | None:
        """Return the newest version of each of an asset's regions; ``None`` when there are none."""
        return self.get_asset_regions(asset_guid)

    def get_asset_regions(
        self,
        asset_guid: str,
        include_all_versions: bool = False,  # noqa: FBT001, FBT002 - as its callers know it
    ) -> list[dict[str, Any]] | None:
        """Return an asset's regions, as `RegionData.to_dict`, sorted by region; ``None`` when there are none.

        Arguments:
            asset_guid: the asset.
            include_all_versions: whether all versions are wanted, the newest first, or the newest alone.

        Raises:
            ValidationError: ``asset_guid`` is refused.
            RedisConnectionError: Redis cannot be reached, or failed a command.
        """
        if self._layout == "versioned":
            asset_guid = values.guid("asset_guid", asset_guid)
            return self._demand(
                "get_asset_regions",
                lambda client: versioned_regions.read(client, asset_guid, include_all_versions=include_all_versions),
                read=True,
            )
        hashes = self._hashes("get_asset_regions", asset_guid)
        return regions.versions_of(hashes, include_all_versions=include_all_versions)

    def put_region(self, asset_guid: str, region: RegionData, version: int) -> bool:
        """Store a version of a region, atomically; an older one than the latest is stored behind it.

        Arguments:
            asset_guid: the asset.
            region: the region.
            version: 1 to 2,147,483,647; a region keeps its 50 newest.

        Returns:
            Whether it was new: the same again changes nothing.

        Raises:
            ValidationError: an argument is refused, or the layout is not ``versioned``.
            DataAccessError: another document is stored under this version.
            RedisConnectionError: Redis cannot be reached, or refused to store it; ``outcome_unknown`` says whether it
                may be stored all the same.
        """
        return self._store("put_region", asset_guid, region, version, is_deleted=False)

    def remove_region(self, asset_guid: str, region: RegionData, version: int) -> bool:
        """Store that a region is gone as its newest version; arguments, result and errors as those of `put_region`."""
        return self._store("remove_region", asset_guid, region, version, is_deleted=True)

    def _store(self, operation: str, asset_guid: str, region: RegionData, version: int, *, is_deleted: bool) -> bool:
        if self._layout != "versioned":
            raise validation.invalid("layout", "must be versioned: the other one is written by others")
        asset_guid = values.guid("asset_guid", asset_guid)
        if not isinstance(region, RegionData):
            raise validation.invalid("region", "must be a RegionData")
        version = validation.integer("version", version, minimum=1)
        outcome = self._demand(
            operation,
            lambda client: versioned_regions.store(client, asset_guid, region, version, is_deleted=is_deleted),
            read=False,
        )
        if outcome < 0:
            raise DataAccessError("another document is stored under this version of the region")
        return outcome == 1

    def _hashes(self, operation: str, asset_guid: str) -> list[tuple[str, dict[str, str]]]:
        """Return the hashes of an asset's regions with their names, in two round trips."""
        key = f"asset:{values.guid('asset_guid', asset_guid)}:regions"

        def read(client: redis.Redis) -> tuple[list[Any], list[Any]]:
            names = sorted(cast("set[bytes]", client.smembers(key)))
            return names, _all(client, "hgetall", [b"region:" + name for name in names])

        names, stored = self._demand(operation, read, read=True)
        return [(_text(name), _lenient(fields)) for name, fields in zip(names, stored, strict=True)]


def _sites(client: Any, key: str) -> list[tuple[Any, Any, Any]]:
    """Return each region of a set with its site and its date, by one command where the server allows it."""
    # Refused by clusters and replicas, and to users who may not read all keys.
    with suppress(redis.ResponseError):
        found = client.sort(key, by="nosort", get=["#", *(f"region:*->{field}" for field in _SITE)])
        return list(zip(found[::3], found[1::3], found[2::3], strict=True))
    names = list(cast("set[bytes]", client.smembers(key)))
    fields = _all(client, "hmget", [b"region:" + name for name in names], _SITE)
    return [(name, site, date) for name, (site, date) in zip(names, fields, strict=True)]


def _all(client: redis.Redis, command: str, keys: list[Any], *arguments: Any) -> list[Any]:
    answers: list[Any] = []
    for start in range(0, len(keys), _PORTION):
        with client.pipeline(transaction=False) as pipeline:
            for key in keys[start : start + _PORTION]:
                getattr(pipeline, command)(key, *arguments)
            answers += pipeline.execute()
    return answers


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _lenient(fields: Mapping[Any, Any]) -> dict[str, str]:
    """Return a hash that others wrote; what is not UTF-8 in it is replaced, and so no longer JSON, a date or an id."""
    return {_text(name): _text(value) for name, value in fields.items()}


_KINDS: dict[str, tuple[str, Callable[[Any], _Value]]] = {
    "string": ("get", lambda answer: None if answer is None else decoded(answer)),
    "set": ("smembers", lambda answer: {decoded(member) for member in answer}),
    "hash": ("hgetall", lambda answer: {decoded(name): decoded(value) for name, value in answer.items()}),
}
