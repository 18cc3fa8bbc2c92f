"""Values of SQLite, of any storage class in any column, as PostgreSQL's: exactly, or refused with a reason.

Texts are read as bytes, so that one that is no UTF-8 does not end the whole cursor; ``typeof()`` says what a value is.
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

#: A value of SQLite: its storage class, and what Python has of it; text is bytes.
Value = tuple[bytes, Any]

_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
# Microseconds that a number of so many digits counts.
_UNITS = {10: 1_000_000, 13: 1_000, 16: 1}


class Refused(Exception):
    """A value cannot be stored as it is."""


def text(value: Value) -> str | None:
    """Return a value as text; numbers as they are written."""
    kind, raw = value
    if kind == b"null":
        return None
    if kind == b"text":
        try:
            decoded: str = raw.decode()
        except UnicodeDecodeError:
            raise Refused("is not UTF-8") from None
        if "\0" in decoded:
            raise Refused("has a NUL character")
        return decoded
    if kind == b"blob":
        raise Refused("is binary")
    return str(raw)


def limited(most: int, default: str | None, *, least: int = 1) -> Callable[[Value], str | None]:
    """Return a converter for text of so many characters; what is null or empty is ``default``, if there is one."""

    def convert(value: Value) -> str | None:
        found = text(value)
        if default is not None and not found:
            return default
        if found is None:
            if least:
                raise Refused("is missing")
            return None
        if not least <= len(found) <= most:
            raise Refused(f"must have {least} to {most} characters")
        return found

    return convert


def boolean(default: bool | None) -> Callable[[Value], bool | None]:  # noqa: FBT001 - the only argument
    """Return a converter for booleans: 0 and 1 in any storage class, and the words true, false, yes, no."""

    def convert(value: Value) -> bool | None:
        kind, raw = value
        if kind == b"null":
            return default
        if kind in {b"integer", b"real"} and raw in {0, 1}:
            return bool(raw)
        word = (text(value) or "").strip().lower() if kind == b"text" else ""
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise Refused("is no boolean")

    return convert


def real(value: Value) -> float | None:
    """Return a value as a finite number; text that is one counts."""
    kind, raw = value
    if kind == b"null":
        return None
    number: float | None = None
    if kind in {b"integer", b"real"}:
        number = float(raw)
    elif kind == b"text":
        with suppress(ValueError):
            number = float(text(value) or "")
    if number is None or not math.isfinite(number):
        raise Refused("is no finite number")
    return number


def moment(value: Value) -> datetime | None:
    """Return a value as a moment from 1970 to 2100.

    ISO 8601, where no zone means UTC, as in SQLite's own functions; or a number of 10 digits, which are seconds, of 13
    milliseconds, of 16 microseconds. Nothing is guessed.
    """
    kind, raw = value
    if kind == b"null":
        return None
    found: datetime | None = None
    if kind == b"text":
        written = (text(value) or "").strip()
        if written.isascii() and written.isdigit():
            found = _counted(int(written)) if len(written) in _UNITS else None
        elif "-" in written:
            with suppress(ValueError):
                found = datetime.fromisoformat(written)
    elif kind == b"integer":
        found = _counted(raw)
    elif kind == b"real" and raw.is_integer():
        found = _counted(int(raw))
    if found is not None:
        with suppress(OverflowError):
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
            if _FIRST <= found <= _LAST:
                return found
    raise Refused("is no moment from 1970 to 2100")


def _counted(number: int) -> datetime | None:
    unit = _UNITS.get(len(str(number)))
    return None if unit is None else _EPOCH + timedelta(microseconds=number * unit)


def document(value: Value) -> Any:
    """Return a value as a JSON object: a dictionary that `as_jsonb` takes; null and empty text are an empty one."""
    written = text(value)
    if not written or not written.strip():
        return {}
    found: Any = None
    with suppress(ValueError, RecursionError):
        found = json.loads(written, parse_constant=_no_constant, object_pairs_hook=_unique)
    if not isinstance(found, dict):
        raise Refused("is no JSON object")
    try:
        validation.jsonb_object("value", found)
    except ValidationError:
        found = None
    if found is None:
        raise Refused("is JSON that cannot be stored unchanged")
    return found


def _no_constant(_name: str) -> Any:
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def place(lat: Value, lng: Value) -> tuple[float | None, float | None]:
    """Return both coordinates, or neither."""
    found = real(lat), real(lng)
    if (found[0] is None) != (found[1] is None):
        raise Refused("has one coordinate alone")
    if found[0] is not None and found[1] is not None and not (abs(found[0]) <= 90 and abs(found[1]) <= 180):  # noqa: PLR2004
        raise Refused("is out of range")
    return found


def time_zone(value: Value) -> str:
    """Return a value as the IANA name of a time zone; null and empty text are UTC."""
    name = text(value) or "UTC"
    try:
        return checks.time_zone("timezone", name)
    except ValidationError:
        pass
    raise Refused("is no IANA time zone")


def as_jsonb(found: Any) -> Json:
    """Return a checked document as ``jsonb``."""
    return Json(validation.jsonb_text("value", found))


def jsonb_text(found: Any) -> str:
    """Return PostgreSQL's text of a document in ``jsonb``: keys by length, then by bytes; numbers in full."""
    if isinstance(found, dict):
        keys = sorted(found, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{_quoted(key)}: {jsonb_text(found[key])}" for key in keys) + "}"
    if isinstance(found, (list, tuple)):
        return "[" + ", ".join(map(jsonb_text, found)) + "]"
    if isinstance(found, bool) or found is None:
        return {True: "true", False: "false", None: "null"}[found]
    if isinstance(found, float):
        # PostgreSQL's numeric has no exponent and no negative zero.
        plain = format(Decimal(repr(found)), "f")
        return plain if found else plain.removeprefix("-")
    return str(found) if isinstance(found, int) else _quoted(found)


def _quoted(written: str) -> str:
    return json.dumps(written, ensure_ascii=False)


def microseconds(found: datetime) -> str:
    """Return a moment as whole microseconds since 1970."""
    return str((found - _EPOCH) // timedelta(microseconds=1))
