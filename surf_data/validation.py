"""Checks of what callers hand in, before anything is sent. Every refusal is a ValidationError that names the field.

The limits are what PostgreSQL, Redis and JSON can store and give back unchanged; where one of them would truncate,
round or shift a value silently, the value is refused here.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address
from typing import Any, TypeVar
from uuid import UUID

from surf_data.errors import ValidationError

_F = TypeVar("_F", bound=Callable[..., Any])

#: The largest JSON document that is accepted, in bytes of UTF-8.
MAX_JSON_BYTES = 1_000_000
#: How deep objects and arrays may nest. PostgreSQL stores far deeper ones that Python cannot read back.
MAX_JSON_DEPTH = 64
#: Where floats in jsonb end: from here on PostgreSQL gives them back as whole numbers, some of them as other ones.
MAX_JSONB_FLOAT = 1e16
#: How long a name may be in PostgreSQL, in bytes.
MAX_IDENTIFIER = 63
#: PostgreSQL's integer.
INT4_MAX = 2**31 - 1
#: PostgreSQL's bigint, and the widest whole number that JSON peers agree on.
INT8_MAX = 2**63 - 1

# The longest spelling of an address; what is longer has a scope id.
_MAX_ADDRESS = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")
_KEYS = "must have text keys"
_TOO_LARGE = f"must not be larger than {MAX_JSON_BYTES} bytes of JSON"
# What is written has been walked through before, so it does not hold itself.
_JSON = json.JSONEncoder(allow_nan=False, ensure_ascii=False, check_circular=False, separators=(",", ":"), default=dict)
# Most mappings are dicts, and these are known at once.
_MAPPINGS = (dict, Mapping)
_CONTAINERS = (*_MAPPINGS, list, tuple)

# The uuid module also takes braces, URNs, underscores and non-ASCII digits, and gives some of them another value.
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)


def refusal(field: str, problem: str) -> ValidationError:
    """Return the error for ``field``: the sentence is its name followed by ``problem``."""
    return ValidationError(f"{field} {problem}", field=field)


def within(prefix: str, error: ValidationError) -> ValidationError:
    """Return what ``error`` is where its field is one of something else's, which ``prefix`` names."""
    return ValidationError(f"{prefix}{error}", field=f"{prefix}{error.field}")


def uuid(field: str, value: object) -> UUID:
    """Return ``value`` (a UUID, or its 32 hexadecimal digits with or without hyphens) as a UUID."""
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise refusal(field, "must be a UUID")


def text(field: str, value: object, *, maximum: int, minimum: int = 1) -> str:
    """Return ``value`` if it is text of ``minimum`` to ``maximum`` characters that PostgreSQL can store."""
    if not isinstance(value, str):
        raise refusal(field, "must be text")
    if not minimum <= len(value) <= maximum:
        raise refusal(field, f"must have {minimum} to {maximum} characters")
    if not _storable(value):
        raise refusal(field, "must not contain NUL characters or lone surrogates")
    return value


def identifier(field: str, value: object, *, marks: str = "_") -> str:
    """Return ``value`` if it can name something without being quoted: 1 to 63 of a to z, 0 to 9 and ``marks``.

    PostgreSQL cuts longer names off, and folds upper case where a name is not quoted, so that two become one.
    """
    if not isinstance(value, str) or not re.fullmatch(f"[a-z0-9{re.escape(marks)}]{{1,{MAX_IDENTIFIER}}}", value):
        raise refusal(field, f"must be 1 to {MAX_IDENTIFIER} of the characters a to z, 0 to 9 and {' '.join(marks)}")
    return value


def integer(field: str, value: object, *, minimum: int, maximum: int = INT4_MAX) -> int:
    """Return ``value`` if it is a whole number from ``minimum`` to ``maximum``; booleans are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusal(field, "must be a whole number")
    if not minimum <= value <= maximum:
        raise refusal(field, f"must be from {minimum} to {maximum}")
    return int(value)


def number(field: str, value: object) -> int | float:
    """Return ``value`` if it is a finite number; booleans are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refusal(field, "must be a number")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise refusal(field, "must be finite")
    elif abs(value) > INT8_MAX:
        raise refusal(field, "must fit 64 bits")
    return value


def function(field: str, value: _F) -> _F:
    """Return ``value`` if it can be called."""
    if not callable(value):
        raise refusal(field, "must be a function")
    return value


def aware_datetime(field: str, value: object) -> datetime:
    """Return ``value``, a datetime with a time zone, in UTC."""
    if not isinstance(value, datetime):
        raise refusal(field, "must be a datetime")
    if value.utcoffset() is None:
        raise refusal(field, "must have a time zone")
    with suppress(OverflowError):
        return value.astimezone(UTC)
    raise refusal(field, "must lie in the years 1 to 9999 of UTC")


def address(field: str, value: object) -> IPv4Address | IPv6Address:
    """Return ``value``, an IPv4 or IPv6 address without a scope id or a network mask, as an address."""
    if isinstance(value, str):
        value = _address(value) if len(value) <= _MAX_ADDRESS else None
    # PostgreSQL's inet has no room for a scope id. An interface is an address with a mask.
    if isinstance(value, (IPv4Interface, IPv6Interface)) or getattr(value, "scope_id", None):
        value = None
    if not isinstance(value, (IPv4Address, IPv6Address)):
        raise refusal(field, "must be an IP address")
    return value


@lru_cache(maxsize=1024)
def _address(value: str) -> IPv4Address | IPv6Address | None:
    # The same few come again and again, and to read one takes longer than to check all the rest of a log entry.
    with suppress(ValueError):
        return ip_address(value)
    return None


def mapping(field: str, value: object) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping whose keys are text."""
    if not isinstance(value, _MAPPINGS):
        raise refusal(field, "must be a mapping")
    for key in value:
        if not isinstance(key, str):
            raise refusal(field, _KEYS)
    return value


def keys(field: str, value: Mapping[str, Any], *, required: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Refuse a mapping that lacks a required key or has one that is neither required nor optional."""
    for key in required:
        if key not in value:
            raise ValidationError(f"{field} lacks {key}", field=key)
    for key in value:
        if key not in required and key not in optional:
            # An unknown key may be anything, so it is not repeated in full.
            raise ValidationError(f"{field} has an unknown key {key[:40]!r}", field=key[:40])


def json_text(field: str, value: object) -> str:
    """Return the JSON of ``value``, compact, after checking that it survives the round trip unchanged.

    Accepted are ``None``, booleans, 64-bit whole numbers, finite floats, text without NUL or lone surrogates, lists,
    tuples and mappings with text keys, up to `MAX_JSON_DEPTH` levels and `MAX_JSON_BYTES` bytes.
    """
    return _json_text(field, value, math.inf)


def json_value(field: str, value: object) -> None:
    """Refuse what `json_text` refuses, but for documents whose size is known: it is checked only roughly."""
    _check_json(field, value, 0, math.inf, MAX_JSON_BYTES)


def jsonb_text(field: str, value: object) -> str:
    """Return the same as `json_text`, for PostgreSQL's ``jsonb``: floats must be below `MAX_JSONB_FLOAT`."""
    return _json_text(field, value, MAX_JSONB_FLOAT)


def jsonb_object(field: str, value: object) -> str:
    """Return the same as `jsonb_text`, of a mapping."""
    if not isinstance(value, _MAPPINGS):
        raise refusal(field, "must be a mapping")
    return jsonb_text(field, value)


# Where in a document a value is: the field, or a place and a key or position in it. Most are never spelled out.
_Place = str | tuple["_Place", str | int]


def _json_text(field: str, value: object, max_float: float) -> str:
    _check_json(field, value, 0, max_float, MAX_JSON_BYTES)
    document = _JSON.encode(value)
    # No character takes more than four bytes.
    if len(document) > MAX_JSON_BYTES // 4 and len(document.encode()) > MAX_JSON_BYTES:
        raise refusal(field, _TOO_LARGE)
    return document


def _check_json(place: _Place, value: object, depth: int, max_float: float, room: int) -> int:
    """Refuse what JSON cannot carry; return how much of ``room`` is left.

    Each value and each character takes a byte of it, so a small object that refers to itself many times is refused
    before it is written out.
    """
    if isinstance(value, str):
        return _check_text(place, value, room)
    room -= 1
    if room < 0:
        raise refusal(_path(place), _TOO_LARGE)
    # True and False are such numbers, too.
    if isinstance(value, (int, float)):
        # What is not a number is not within anything.
        if not -MAX_JSONB_FLOAT < value < MAX_JSONB_FLOAT:
            number(_path(place), value)
            if isinstance(value, float) and abs(value) >= max_float:
                raise refusal(_path(place), f"must be smaller than {max_float:g}")
        return room
    return room if value is None else _check_members(place, value, depth, max_float, room)


def _check_members(place: _Place, value: object, depth: int, max_float: float, room: int) -> int:
    if not isinstance(value, _CONTAINERS):
        raise refusal(_path(place), "must be JSON: text, a number, a boolean, None, a list or a mapping")
    if depth == MAX_JSON_DEPTH:
        raise refusal(_path(place), f"must not be nested deeper than {MAX_JSON_DEPTH} levels")
    if isinstance(value, (list, tuple)):
        for position, member in enumerate(value):
            room = _check_json((place, position), member, depth + 1, max_float, room)
        return room
    for key, member in value.items():
        if not isinstance(key, str):
            raise refusal(_path(place), _KEYS)
        room = _check_text(place, key, room)
        room = _check_json((place, key), member, depth + 1, max_float, room)
    return room


def _check_text(place: _Place, value: str, room: int) -> int:
    room -= len(value)
    if room < 0:
        raise refusal(_path(place), _TOO_LARGE)
    if not _storable(value):
        raise refusal(_path(place), "must not contain NUL characters or lone surrogates")
    return room


def _path(place: _Place) -> str:
    if isinstance(place, str):
        return place
    above, step = place
    # A key may be anything, so it is not repeated in full.
    return f"{_path(above)}.{step[:40]}" if isinstance(step, str) else f"{_path(above)}[{step}]"


def _storable(value: str) -> bool:
    if value.isascii():
        return "\0" not in value
    with suppress(UnicodeEncodeError):
        return b"\0" not in value.encode()
    return False
