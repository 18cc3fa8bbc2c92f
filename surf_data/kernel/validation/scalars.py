"""Checks of single values: text, numbers, moments, addresses, mappings."""

import ipaddress
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from surf_data.errors import ValidationError

_F = TypeVar("_F", bound=Callable[..., Any])

#: How long a name may be in PostgreSQL, in bytes.
MAX_IDENTIFIER = 63
#: PostgreSQL's integer.
INT4_MAX = 2**31 - 1
#: PostgreSQL's bigint, and the widest whole number that JSON peers agree on.
INT8_MAX = 2**63 - 1

# The longest name of a file on the file systems that there are, in bytes.
_MAX_NAME = 255
# The longest spelling of an address; what is longer has a scope id.
_MAX_ADDRESS = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")
TEXT_KEYS = "must have text keys"
# Most mappings are dicts, and these are known at once.
MAPPINGS = (dict, Mapping)

# The uuid module also takes braces, URNs, underscores and non-ASCII digits, and gives some of them another value.
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)


def invalid(field: str, problem: str) -> ValidationError:
    """Return the error for ``field``: the sentence is its name followed by ``problem``."""
    return ValidationError(f"{field} {problem}", field=field)


def nested(prefix: str, error: ValidationError) -> ValidationError:
    """Return what ``error`` is where its field is one of something else's, which ``prefix`` names."""
    return ValidationError(f"{prefix}{error}", field=f"{prefix}{error.field}")


def uuid(field: str, value: object) -> UUID:
    """Return ``value`` (a UUID, or its 32 hexadecimal digits with or without hyphens) as a UUID."""
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise invalid(field, "must be a UUID")


def text(field: str, value: object, *, maximum: int, minimum: int = 1) -> str:
    """Return ``value`` if it is text of ``minimum`` to ``maximum`` characters that PostgreSQL can store."""
    if not isinstance(value, str):
        raise invalid(field, "must be text")
    if not minimum <= len(value) <= maximum:
        raise invalid(field, f"must have {minimum} to {maximum} characters")
    if not is_storable(value):
        raise invalid(field, "must not contain NUL characters or lone surrogates")
    return value


def identifier(field: str, value: object, *, marks: str = "_") -> str:
    """Return ``value`` if it can name something without being quoted: 1 to 63 of a to z, 0 to 9 and ``marks``.

    PostgreSQL cuts longer names off, and folds upper case where a name is not quoted, so that two become one.
    """
    if not isinstance(value, str) or not re.fullmatch(f"[a-z0-9{re.escape(marks)}]{{1,{MAX_IDENTIFIER}}}", value):
        raise invalid(field, f"must be 1 to {MAX_IDENTIFIER} of the characters a to z, 0 to 9 and {' '.join(marks)}")
    return value


def integer(field: str, value: object, *, minimum: int, maximum: int = INT4_MAX) -> int:
    """Return ``value`` if it is a whole number from ``minimum`` to ``maximum``; booleans are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(field, "must be a whole number")
    if not minimum <= value <= maximum:
        raise invalid(field, f"must be from {minimum} to {maximum}")
    return int(value)


def number(field: str, value: object) -> int | float:
    """Return ``value`` if it is a finite number; booleans are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise invalid(field, "must be a number")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise invalid(field, "must be finite")
    elif abs(value) > INT8_MAX:
        raise invalid(field, "must fit 64 bits")
    return value


def boolean(field: str, value: object) -> bool:
    """Return ``value`` if it is ``True`` or ``False``; a word such as ``no`` would count as true."""
    if not isinstance(value, bool):
        raise invalid(field, "must be True or False")
    return value


def function(field: str, value: _F) -> _F:
    """Return ``value`` if it can be called."""
    if not callable(value):
        raise invalid(field, "must be a function")
    return value


def binary(field: str, value: object) -> bytes:
    """Return ``value`` if it is bytes."""
    if not isinstance(value, bytes):
        raise invalid(field, "must be bytes")
    return value


def path(field: str, value: object) -> Path:
    """Return ``value``, a path or its text that a file system can take, as a path."""
    if isinstance(value, (str, Path)) and "\0" not in str(value):
        with suppress(UnicodeEncodeError):
            if all(len(os.fsencode(part)) <= _MAX_NAME for part in Path(value).parts):
                return Path(value)
    raise invalid(field, "must be a path")


def unicode(field: str, value: object) -> str:
    """Return ``value`` if it is a text of any length that UTF-8 can hold."""
    if not isinstance(value, str):
        raise invalid(field, "must be a text")
    with suppress(UnicodeEncodeError):
        value.encode()
        return value
    raise invalid(field, "must be Unicode without lone surrogates")


def aware_datetime(field: str, value: object) -> datetime:
    """Return ``value``, a datetime with a time zone, in UTC."""
    if not isinstance(value, datetime):
        raise invalid(field, "must be a datetime")
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise invalid(field, "must have a time zone")
    with suppress(OverflowError):
        return value.astimezone(UTC)
    raise invalid(field, "must lie in the years 1 to 9999 of UTC")


def ip_address(field: str, value: object) -> IPv4Address | IPv6Address:
    """Return ``value``, an IPv4 or IPv6 address without a scope id or a network mask, as an address."""
    if isinstance(value, str):
        value = _parsed_address(value) if len(value) <= _MAX_ADDRESS else None
    # PostgreSQL's inet has no room for a scope id. An interface is an address with a mask.
    if isinstance(value, (IPv4Interface, IPv6Interface)) or getattr(value, "scope_id", None):
        value = None
    if not isinstance(value, (IPv4Address, IPv6Address)):
        raise invalid(field, "must be an IP address")
    return value


@lru_cache(maxsize=1024)
def _parsed_address(value: str) -> IPv4Address | IPv6Address | None:
    # The same few come again and again, and to read one takes longer than to check all the rest of a log entry.
    with suppress(ValueError):
        return ipaddress.ip_address(value)
    return None


def items(field: str, value: object, *, of: str) -> Iterable[Any]:
    """Return ``value`` if it is a list, an iterator or the like: neither a text nor bytes nor a mapping."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise invalid(field, f"must be a list of {of}")
    return value


def mapping(field: str, value: object) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping whose keys are text."""
    if not isinstance(value, MAPPINGS):
        raise invalid(field, "must be a mapping")
    for key in value:
        if not isinstance(key, str):
            raise invalid(field, TEXT_KEYS)
    return value


def check_keys(field: str, value: Mapping[str, Any], *, required: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Refuse a mapping that lacks a required key or has one that is neither required nor optional."""
    for key in required:
        if key not in value:
            raise ValidationError(f"{field} lacks {key}", field=key)
    for key in value:
        if key not in required and key not in optional:
            # An unknown key may be anything, so it is not repeated in full.
            raise ValidationError(f"{field} has an unknown key {key[:40]!r}", field=key[:40])


def is_storable(value: str) -> bool:
    """Return whether PostgreSQL and JSON can store ``value``: no NUL character, no lone surrogate."""
    if value.isascii():
        return "\0" not in value
    with suppress(UnicodeEncodeError):
        return b"\0" not in value.encode()
    return False
