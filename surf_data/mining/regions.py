"""Regions of a mine as they are kept in Redis, by others and by us."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import get_logger
from surf_data.mining import values
from surf_data.mining.errors import RedisReadFailed

_log = get_logger("surf_data.mining.regions")

_MAX_POINTS = 1_000_000
# Others write 2025-9-1, too.
_MOMENT = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:[T ](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2})(?:[.,](?P<part>[0-9]+))?)?)?"
    r"\s*(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?)?"
)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def _guid(_region: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    values.guid(attribute.name, value)


def _text(_region: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None:
        validation.text(attribute.name, value, minimum=0, maximum=_MAX_POINTS)


@attrs.frozen
class RegionData:
    """A region: a place where trucks are loaded, or dump."""

    #: Its id.
    region_guid: str = attrs.field(validator=_guid)
    #: Its edge: ``longitude latitude, longitude latitude, ...``, closed by the first point.
    region_points: str | None = attrs.field(validator=_text)
    #: When this version was made, as ISO 8601.
    created_date: str | None = attrs.field(validator=_text)
    #: Whose it is.
    client_guid: str | None = attrs.field(default=None, validator=_text)
    #: At which site.
    site_guid: str | None = attrs.field(default=None, validator=_text)

    def to_dict(self) -> dict[str, Any]:
        """Return the five fields."""
        return attrs.asdict(self)


def moment_of(text: str | None) -> datetime:
    """Return when ``text`` says, in UTC; the beginning of time when it says nothing that can be read."""
    with suppress(ValueError, OverflowError):
        # Nearly all are written so, and this takes a tenth of the time.
        moment = datetime.fromisoformat(text or "")
        return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    matched = _MOMENT.fullmatch((text or "").strip())
    if matched is None:
        return _BEGINNING
    parts = {name: int(matched[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")}
    offset = timedelta(hours=int(matched["hours"] or 0), minutes=int(matched["minutes"] or 0))
    with suppress(ValueError, OverflowError):
        zone = timezone(-offset if matched["sign"] == "-" else offset)
        microsecond = int(f"{matched['part'] or 0:0<6}"[:6])
        return datetime(**parts, microsecond=microsecond, tzinfo=zone).astimezone(UTC)
    return _BEGINNING


def decoded(value: bytes) -> str:
    """Return a value as text.

    Raises:
        RedisReadFailed: it is not UTF-8.
    """
    with suppress(UnicodeDecodeError):
        return value.decode()
    raise RedisReadFailed("a value is not text in UTF-8")


def versions_of(
    hashes: Iterable[tuple[str, Mapping[str, str]]], *, include_all_versions: bool
) -> list[dict[str, Any]] | None:
    """Return the regions that hashes hold, sorted by region, the newest first; ``None`` when there are none.

    Arguments:
        hashes: each with the name that the set has it under.
        include_all_versions: whether all versions are wanted, or the newest of each region, client and site.
    """
    found: list[tuple[tuple[str, str, str], datetime, str, Mapping[str, str]]] = []
    for name, fields in hashes:
        if fields:
            region = fields.get("region_guid") or name
            same = (region, fields.get("client_guid", ""), fields.get("site_guid", ""))
            found.append((same, moment_of(fields.get("created_date")), name, fields))
    # By name where the times are the same: which one is the newest does not depend on the order of a set.
    found.sort(key=lambda each: (each[1], each[2]), reverse=True)
    found.sort(key=lambda each: each[0])
    regions: list[dict[str, Any]] = []
    seen: set[tuple[str, str, str]] = set()
    for same, _, name, fields in found:
        is_newest = same not in seen
        seen.add(same)
        if (is_newest or include_all_versions) and not _is_deleted(fields):
            with suppress(ValidationError):
                regions.append(_region(same[0], fields).to_dict())
                continue
            _log.warning("region skipped", extra={"key": f"region:{name}"})
    return regions or None


def newest_site(found: Iterable[tuple[str, str, str]]) -> str | None:
    """Return the site of the newest region that has one.

    Arguments:
        found: the name of each region, its site and its date, empty where there is none.
    """
    sites = [(moment_of(date), name, site) for name, site, date in found if site]
    return max(sites)[2] if sites else None


def of_type(key: str, entries: Mapping[str, str], region_type: str) -> list[dict[str, Any]] | None:
    """Return ``region_guid``, ``region_name`` and ``region_points`` of the regions of a type, compared without case.

    What cannot be used is skipped, and counted in the log; ``None`` when nothing is left.

    Arguments:
        key: where the entries come from, for the log.
        entries: JSON documents by field.
        region_type: the type.
    """
    wanted = region_type.casefold()
    regions: list[dict[str, Any]] = []
    broken = 0
    for _, document in sorted(entries.items()):
        entry = _json_object(document)
        kind = entry.get("region_type")
        points = entry.get("points") or entry.get("region_points")
        guid, name = entry.get("region_guid"), entry.get("region_name")
        if isinstance(kind, str) and kind.casefold() != wanted:
            continue
        if not (isinstance(kind, str) and isinstance(points, str) and isinstance(guid, str) and guid):
            broken += 1
            continue
        regions.append(
            {"region_guid": guid, "region_name": name if isinstance(name, str) else None, "region_points": points}
        )
    if broken:
        _log.warning("regions skipped", extra={"key": key, "count": broken})
    return regions or None


def _json_object(document: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        value = json.loads(document)
        if isinstance(value, dict):
            return value
    return {}


def _is_deleted(fields: Mapping[str, str]) -> bool:
    return fields.get("is_deleted", "").strip().lower() in {"1", "t", "true", "yes"}


def _region(guid: str, fields: Mapping[str, str]) -> RegionData:
    return RegionData(
        region_guid=guid,
        region_points=fields.get("region_points"),
        created_date=fields.get("created_date"),
        client_guid=fields.get("client_guid"),
        site_guid=fields.get("site_guid"),
    )
