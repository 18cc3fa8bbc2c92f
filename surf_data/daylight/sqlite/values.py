"""Values of SQLite, of any storage class in any column, as PostgreSQL's: exactly, or refused with a reason.

An integer is an ``int``, a real a ``float``, a text a ``str`` and a blob ``bytes``. What is no UTF-8 in a text is there
as lone surrogates, so that it does not end the whole cursor.
"""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from surf_data.daylight import checks
from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Json

#: A value of SQLite.
Value = int | float | str | bytes | None

_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
# Microseconds that a number of so many digits counts.
_UNITS = {10: 1_000_000, 13: 1_000, 16: 1}
_quoted = json.JSONEncoder(ensure_ascii=False).encode


class Refused(Exception):
    """A value cannot be stored as it is.

    Arguments:
        column: where it is.
        reason: what is wrong with it.
    """

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def text(column: str, value: Value) -> str | None:
    """Return a value as text; numbers as they are written."""
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Refused(column, "is not UTF-8") from None
        if "\0" in value:
            raise Refused(column, "has a NUL character")
        return value
    if isinstance(value, bytes):
        raise Refused(column, "is binary")
    return None if value is None else str(value)


def limited(most: int, default: str | None, *, least: int = 1) -> Callable[[str, Value], str | None]:
    """Return a converter for text of so many characters; what is null or empty is ``default``, if there is one."""

    def convert(column: str, value: Value) -> str | None:
        found = text(column, value)
        if default is not None and not found:
            return default
        if found is None:
            if least:
                raise Refused(column, "is missing")
            return None
        if not least <= len(found) <= most:
            raise Refused(column, f"must have {least} to {most} characters")
        return found

    return convert


def boolean(default: bool | None) -> Callable[[str, Value], bool | None]:  # noqa: FBT001 - the only argument
    """Return a converter for booleans: 0 and 1 in any storage class, and the words true, false, yes, no."""

    def convert(column: str, value: Value) -> bool | None:
        if value is None:
            return default
        if isinstance(value, (int, float)) and value in {0, 1}:
            return bool(value)
        word = (text(column, value) or "").strip().lower() if isinstance(value, str) else ""
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise Refused(column, "is no boolean")

    return convert


def real(column: str, value: Value) -> float | None:
    """Return a value as a finite number; text that is one counts."""
    if value is None:
        return None
    number: float | None = None
    if isinstance(value, (int, float)):
        number = float(value)
    elif isinstance(value, str):
        with suppress(ValueError):
            number = float(text(column, value) or "")
    if number is None or not math.isfinite(number):
        raise Refused(column, "is no finite number")
    return number


def moment(column: str, value: Value) -> datetime | None:
    """Return a value as a moment from 1970 to 2100.

    ISO 8601, where no zone means UTC, as in SQLite's own functions; or a number of 10 digits, which are seconds, of 13
    milliseconds, of 16 microseconds. Nothing is guessed.
    """
    if value is None:
        return None
    found: datetime | None = None
    if isinstance(value, str):
        found = _iso(value) or _written((text(column, value) or "").strip())
    elif isinstance(value, int):
        found = _counted(value)
    elif isinstance(value, float) and value.is_integer():
        found = _counted(int(value))
    if found is not None and found.tzinfo is not UTC:
        try:
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except OverflowError:
            found = None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise Refused(column, "is no moment from 1970 to 2100")
    return found


def _iso(value: str) -> datetime | None:
    try:
        # Python takes a week or a day without hyphens, too.
        return datetime.fromisoformat(value) if "-" in value else None
    except ValueError:
        return None


def _written(value: str) -> datetime | None:
    if value.isascii() and value.isdigit():
        return _counted(int(value)) if len(value) in _UNITS else None
    return _iso(value)


def _counted(number: int) -> datetime | None:
    unit = _UNITS.get(len(str(number)))
    return None if unit is None else _EPOCH + timedelta(microseconds=number * unit)


def document(column: str, value: Value) -> Any:
    """Return a value as a JSON object: a dictionary that `as_jsonb` takes; null and empty text are an empty one."""
    written = text(column, value)
    if not written or not written.strip():
        return {}
    found: Any = None
    with suppress(ValueError, RecursionError):
        found = json.loads(written, parse_constant=_no_constant, object_pairs_hook=_unique)
    if not isinstance(found, dict):
        raise Refused(column, "is no JSON object")
    try:
        validation.jsonb_object("value", found)
    except ValidationError:
        found = None
    if found is None:
        raise Refused(column, "is JSON that cannot be stored unchanged")
    return found


def _no_constant(_name: str) -> Any:
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def place(lat: Value, lng: Value) -> tuple[float, float] | None:
    """Return both coordinates; ``None`` when there is neither."""
    if type(lat) is float and type(lng) is float and -90 <= lat <= 90 and -180 <= lng <= 180:  # noqa: PLR2004 - degrees
        return lat, lng
    found = real("lat", lat), real("lng", lng)
    if found[0] is None and found[1] is None:
        return None
    if found[0] is None or found[1] is None:
        raise Refused("lng", "has one coordinate alone")
    if not (-90 <= found[0] <= 90 and -180 <= found[1] <= 180):  # noqa: PLR2004 - degrees
        raise Refused("lng", "is out of range")
    return found[0], found[1]


def time_zone(column: str, value: Value) -> str:
    """Return a value as the IANA name of a time zone; null and empty text are UTC."""
    name = text(column, value) or "UTC"
    try:
        return checks.time_zone("timezone", name)
    except ValidationError:
        pass
    raise Refused(column, "is no IANA time zone")


def as_jsonb(found: Any) -> Json:
    """Return a checked document as ``jsonb``."""
    return Json(validation.jsonb_text("value", found))


def jsonb_text(found: Any) -> str:
    """Return PostgreSQL's text of a document in ``jsonb``: keys by length, then by bytes; numbers in full."""
    if isinstance(found, str):
        return _quoted(found)
    if isinstance(found, dict):
        keys = sorted(found, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join([f"{_quoted(key)}: {jsonb_text(found[key])}" for key in keys]) + "}"
    if isinstance(found, (list, tuple)):
        return "[" + ", ".join(map(jsonb_text, found)) + "]"
    if isinstance(found, bool) or found is None:
        return {True: "true", False: "false", None: "null"}[found]
    return numeric(found) if isinstance(found, float) else str(found)


def numeric(found: float) -> str:
    """Return PostgreSQL's text of a number in ``jsonb``."""
    # PostgreSQL's numeric has no exponent and no negative zero.
    written = repr(found)
    plain = format(Decimal(written), "f") if "e" in written else written
    return plain if found else plain.removeprefix("-")


def microseconds(found: datetime) -> str:
    """Return a moment as whole microseconds since 1970."""
    since = found - _EPOCH
    # A quarter of the time that a division by a microsecond takes.
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
