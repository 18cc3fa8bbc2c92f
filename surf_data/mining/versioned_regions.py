"""The versioned layout of regions in Redis: for services that write through this library.

All keys of an asset have one hash tag, and each write is one script: nothing is ever half there, in a cluster too.

| key | type | content |
|---|---|---|
| ``asset:{A}:regions`` | hash | region: document of its latest version, unless that is a deletion |
| ``asset:{A}:region_versions`` | hash | region ``:`` ten-digit version: document |
| ``asset:{A}:region_numbers`` | hash | region: its versions, a JSON list in ascending order |
"""

import json
from contextlib import suppress
from typing import Any

import attrs
import redis

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import get_logger
from surf_data.mining.errors import RedisReadFailed
from surf_data.mining.key_pattern import RedisKeyPattern
from surf_data.mining.regions import RegionData, decoded

_log = get_logger("surf_data.mining.regions")

#: Versions of a region that are kept.
KEEP_VERSIONS = 50

_FORMAT = 1
_FIELDS = tuple(field.name for field in attrs.fields(RegionData))
# Returns 1 when the version was stored, 0 when it was there, -1 when another document was there under its number.
_STORE = """
local field = ARGV[1] .. ':' .. ARGV[2]
local stored = redis.call('HGET', KEYS[2], field)
if stored then
    if stored == ARGV[3] then return 0 end
    return -1
end
local numbers = cjson.decode(redis.call('HGET', KEYS[3], ARGV[1]) or '[]')
table.insert(numbers, tonumber(ARGV[2]))
table.sort(numbers)
redis.call('HSET', KEYS[2], field, ARGV[3])
if numbers[#numbers] == tonumber(ARGV[2]) then
    if ARGV[4] == '1' then
        redis.call('HDEL', KEYS[1], ARGV[1])
    else
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
    end
end
while #numbers > tonumber(ARGV[5]) do
    redis.call('HDEL', KEYS[2], ARGV[1] .. ':' .. string.format('%010d', table.remove(numbers, 1)))
end
redis.call('HSET', KEYS[3], ARGV[1], cjson.encode(numbers))
return 1
"""


def _keys(asset_guid: str) -> tuple[str, str, str]:
    latest, versions, numbers = (
        RedisKeyPattern(f"asset:{{{{{{asset_guid}}}}}}:{name}", {"asset_guid": asset_guid}).key
        for name in ("regions", "region_versions", "region_numbers")
    )
    return latest, versions, numbers


def document_of(region: RegionData, version: int, *, is_deleted: bool = False) -> str:
    """Return a version as it is stored."""
    document = {"v": _FORMAT, "version": version, "deleted": is_deleted, **region.to_dict()}
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def store(client: redis.Redis, asset_guid: str, region: RegionData, version: int, *, is_deleted: bool) -> int:
    """Store a version; return 1 when it was new, 0 when it was there, -1 when another document was under its number."""
    document = document_of(region, version, is_deleted=is_deleted)
    arguments = (region.region_guid, f"{version:010d}", document, "1" if is_deleted else "0", KEEP_VERSIONS)
    outcome: Any = client.register_script(_STORE)(keys=list(_keys(asset_guid)), args=list(arguments), client=client)
    return int(outcome)


def read(client: redis.Redis, asset_guid: str, *, include_all_versions: bool) -> list[dict[str, Any]] | None:
    """Return the regions of an asset, sorted by region, the newest version first, each with its ``version``.

    A document that is not as this module writes them is skipped and logged.
    """
    key = _keys(asset_guid)[1 if include_all_versions else 0]
    stored: Any = client.hgetall(key)
    regions = [region for document in stored.values() if (region := _region(key, document)) is not None]
    regions.sort(key=lambda region: (region["region_guid"], -region["version"]))
    return regions or None


def _region(key: str, document: bytes) -> dict[str, Any] | None:
    """Return what a document says; ``None`` for a deletion, and for what cannot be used."""
    with suppress(ValueError, RecursionError, RedisReadFailed, ValidationError):
        fields = validation.mapping("document", json.loads(decoded(document)))
        validation.check_keys("document", fields, required=("v", "version", "deleted", *_FIELDS))
        region = RegionData(**{name: fields[name] for name in _FIELDS})
        version = validation.integer("version", fields["version"], minimum=1)
        if fields["v"] == _FORMAT:
            return None if fields["deleted"] is True else {**region.to_dict(), "version": version}
    _log.warning("region skipped", extra={"key": key})
    return None
