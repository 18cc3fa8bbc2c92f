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

# The uuid module also takes braces, URNs, underscores and non-ASCII digits, and gives some of them another value.
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)


def refusal(field: str, problem: str) -> ValidationError:
    """Return the error for ``field``: the sentence is its name followed by ``problem``."""
    return ValidationError(f"{field} {problem}", field=field)


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
        with suppress(ValueError):
            value = ip_address(value)
    # PostgreSQL's inet has no room for a scope id. An interface is an address with a mask.
    if isinstance(value, (IPv4Interface, IPv6Interface)) or getattr(value, "scope_id", None):
        value = None
    if not isinstance(value, (IPv4Address, IPv6Address)):
        raise refusal(field, "must be an IP address")
    return value


def mapping(field: str, value: object) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping whose keys are text."""
    if not isinstance(value, Mapping):
        raise refusal(field, "must be a mapping")
    if not all(isinstance(key, str) for key in value):
        raise refusal(field, "must have text keys")
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


def jsonb_text(field: str, value: object) -> str:
    """Return the same as `json_text`, for PostgreSQL's ``jsonb``: floats must be below `MAX_JSONB_FLOAT`."""
    return _json_text(field, value, MAX_JSONB_FLOAT)


def _json_text(field: str, value: object, max_float: float) -> str:
    _check_json(field, value, 0, max_float, [MAX_JSON_BYTES])
    document = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=dict)
    if len(document.encode()) > MAX_JSON_BYTES:
        raise refusal(field, f"must not be larger than {MAX_JSON_BYTES} bytes of JSON")
    return document


def _check_json(path: str, value: object, depth: int, max_float: float, budget: list[int]) -> None:
    # The budget counts a byte for each value and character, so a small object that refers to itself many times is
    # refused before it is written out.
    budget[0] -= len(value) if isinstance(value, str) else 1
    if budget[0] < 0:
        raise refusal(path, f"must not be larger than {MAX_JSON_BYTES} bytes of JSON")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if not _storable(value):
            raise refusal(path, "must not contain NUL characters or lone surrogates")
    elif isinstance(value, (int, float)):
        if isinstance(number(path, value), float) and abs(value) >= max_float:
            raise refusal(path, f"must be smaller than {max_float:g}")
    elif not isinstance(value, (Mapping, list, tuple)):
        raise refusal(path, "must be JSON: text, a number, a boolean, None, a list or a mapping")
    elif depth == MAX_JSON_DEPTH:
        raise refusal(path, f"must not be nested deeper than {MAX_JSON_DEPTH} levels")
    elif isinstance(value, Mapping):
        for key, member in mapping(path, value).items():
            _check_json(path, key, depth, max_float, budget)
            # A key may be anything, so it is not repeated in full.
            _check_json(f"{path}.{key[:40]}", member, depth + 1, max_float, budget)
    else:
        for position, member in enumerate(value):
            _check_json(f"{path}[{position}]", member, depth + 1, max_float, budget)


def _storable(value: str) -> bool:
    with suppress(UnicodeEncodeError):
        return b"\0" not in value.encode()
    return False
