"""Checks of what callers hand in, beyond those of the kernel: ids, moments, places, records to store or change."""

import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Json

#: The most characters of an id.
MAX_ID = 128
#: The most items that a list returns at once.
MAX_LIMIT = 10_000
#: How far ahead of the server's clock a moment may be that something was recorded at.
MAX_AHEAD = timedelta(days=1)

_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def identifier(field: str, value: object) -> str:
    """Return ``value`` if it can be an id: text of 1 to 128 characters."""
    return validation.text(field, value, maximum=MAX_ID)


def new_id(kind: str, owner: str | None = None) -> str:
    """Return a new id that looks as the original's do, and does not collide within a millisecond.

    Arguments:
        kind: what it begins with: ``plan``.
        owner: the user to name in it, cut off where the id would become too long.
    """
    parts = [kind, *([] if owner is None else [owner[:80]]), str(time.time_ns() // 1_000_000), secrets.token_hex(4)]
    return "_".join(parts)


def limit(value: object) -> int:
    """Return ``value`` if it is a number of items from 1 to 10,000."""
    return validation.integer("limit", value, minimum=1, maximum=MAX_LIMIT)


def username_key(username: str) -> str:
    """Return the one spelling under which a username is found: NFC, casefolded, stripped."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", username.strip()).casefold())


def choice(field: str, value: object, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    allowed = tuple(choices)
    if not isinstance(value, str) or value not in allowed:
        raise validation.invalid(field, f"must be one of {', '.join(allowed)}")
    return value


def flag(field: str, value: object) -> bool:
    """Return ``value`` if it is a boolean."""
    if not isinstance(value, bool):
        raise validation.invalid(field, "must be true or false")
    return value


def time_zone(field: str, value: object) -> str:
    """Return ``value`` if it is the IANA name of a time zone."""
    name = validation.text(field, value, maximum=64)
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        ZoneInfo(name)
        return name
    raise validation.invalid(field, "must be the IANA name of a time zone")


def moment(field: str, value: object) -> datetime:
    """Return ``value``, an aware datetime or ISO 8601 text with an offset, in UTC."""
    if isinstance(value, str):
        value = _parsed(value) or value
    if isinstance(value, str):
        raise validation.invalid(field, "must be a moment in ISO 8601 with an offset")
    return validation.aware_datetime(field, value)


def bound(field: str, value: object, zone: str | None, *, end: bool = False) -> datetime:
    """Return one end of a range: a moment, or with a time zone a local day, whose last microsecond is its end."""
    day = value if isinstance(value, date) and not isinstance(value, datetime) else None
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            day = date.fromisoformat(value)
    if day is None:
        return moment(field, value)
    if zone is None:
        raise validation.invalid(field, "is a day, which needs time_zone")
    with suppress(OverflowError):
        local = datetime.combine(day + timedelta(days=1) if end else day, time_of_day.min, ZoneInfo(zone))
        return local.astimezone(UTC) - (timedelta(microseconds=1) if end else timedelta(0))
    raise validation.invalid(field, "must lie in the years 1 to 9999 of UTC")


def ordered(start: datetime, end: datetime, fields: tuple[str, str]) -> None:
    """Refuse a range that ends before it begins."""
    if end < start:
        raise validation.invalid(fields[1], f"must not be before {fields[0]}")


def latest() -> datetime:
    """Return the latest moment at which something may have been recorded: a day ahead of now."""
    return datetime.now(UTC) + MAX_AHEAD


def not_ahead(field: str, value: datetime, most: datetime) -> datetime:
    """Return ``value`` if it is not after ``most``, which is `latest`."""
    if value > most:
        raise validation.invalid(field, "must not be more than a day ahead")
    return value


def coordinate(field: str, value: object, most: int) -> float:
    """Return ``value`` if it is a finite number of degrees from ``-most`` to ``most``."""
    # Most are; what is not a number is not within anything.
    if type(value) is float and -most <= value <= most:
        return value
    number = validation.number(field, value)
    if not -most <= number <= most:
        raise validation.invalid(field, f"must be from -{most} to {most}")
    return float(number)


def place(field: str, value: object) -> tuple[float | None, float | None]:
    """Return latitude and longitude of a mapping that has both or neither."""
    location = validation.mapping(field, value)
    if ("lat" in location) != ("lng" in location):
        raise validation.invalid(field, "must have lat and lng, or neither")
    if "lat" not in location:
        return None, None
    return coordinate(f"{field}.lat", location["lat"], 90), coordinate(f"{field}.lng", location["lng"], 180)


def document(field: str, value: object) -> Json:
    """Return a mapping as ``jsonb``."""
    return Json(validation.jsonb_object(field, value))


def array(field: str, value: object) -> Json:
    """Return a list as ``jsonb``."""
    if not isinstance(value, (list, tuple)):
        raise validation.invalid(field, "must be a list")
    return Json(validation.jsonb_text(field, value))


def anything(field: str, value: object) -> Json | None:
    """Return any JSON as ``jsonb``."""
    return None if value is None else Json(validation.jsonb_text(field, value))


def optional(check: Callable[[str, object], Any]) -> Callable[[str, object], Any]:
    """Return ``check`` for what may be ``None``."""
    return lambda field, value: None if value is None else check(field, value)


def text(maximum: int, *, minimum: int = 1) -> Callable[[str, object], str]:
    """Return a check for text of so many characters."""
    return lambda field, value: validation.text(field, value, maximum=maximum, minimum=minimum)


def record(field: str, value: object, checks: Mapping[str, Callable[[str, object], Any]]) -> dict[str, Any]:
    """Return the checked members of a mapping by their snake_case names; camelCase keys are taken as well.

    Raises:
        ValidationError: a key is unknown or given in both spellings, or a value is refused.
    """
    if isinstance(value, dict) and checks.keys() >= value.keys():
        return {name: checks[name](name, member) for name, member in value.items()}
    checked: dict[str, Any] = {}
    for key, member in validation.mapping(field, value).items():
        name = key if key in checks else _CAMEL.sub(lambda match: f"_{match[1].lower()}", key)
        if name not in checks:
            raise ValidationError(f"{field} has an unknown key {key[:40]!r}", field=key[:40])
        if name in checked:
            raise ValidationError(f"{field} has {name} twice", field=name)
        checked[name] = checks[name](name, member)
    return checked


def require(field: str, checked: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse a record without one of ``names``."""
    for name in names:
        if name not in checked:
            raise ValidationError(f"{field} lacks {name}", field=name)


def position(field: str, last: object, by: str) -> tuple[datetime | None, str | None]:
    """Return moment and id of the last item of a page, a record or its mapping; ``(None, None)`` for the first page."""
    if last is None:
        return None, None
    members = last if isinstance(last, Mapping) else {name: getattr(last, name, None) for name in (by, "id")}
    return moment(f"{field}.{by}", members.get(by)), identifier(f"{field}.id", members.get("id"))


def _parsed(value: str) -> datetime | None:
    # fromisoformat takes a day alone as its midnight without a zone.
    with suppress(ValueError):
        return datetime.fromisoformat(value) if len(value) <= 64 else None  # noqa: PLR2004 - longer than any moment
    return None
