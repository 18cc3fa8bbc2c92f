"""What a cached value looks like in Redis: JSON in a versioned envelope that knows its own age.

``{"version":1,"stored_at":1767225600.5,"ttl_seconds":1800,"value":{...}}``
"""

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import attrs

from surf_data.kernel import validation

#: The envelope's version. A value with another one is corrupt, so a change of format only costs misses.
VERSION = 1
#: The longest time to live that is accepted: a year, in seconds.
MAX_TTL_SECONDS = 31_536_000

_SCALARS = frozenset({bool, float, int, str, type(None)})
# The envelope adds about a hundred bytes to the value.
_MAX_BYTES = validation.MAX_JSON_BYTES + 1000
# Documents that are remembered: how many, and of how many bytes at the most.
_REMEMBERED, _SMALL = 256, 4096
_MEMBERS = ("version", "stored_at", "ttl_seconds", "value")

# The envelope adds a level to the value.
_MAX_DEPTH = validation.MAX_JSON_DEPTH + 1
_TEXTS, _BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL), re.compile(rb"[][{}]")
#: By what part of it a time to live may be shortened at random at the most.
MAX_JITTER = 0.9


@attrs.frozen(kw_only=True)
class Entry:
    """A value, and what is known of it."""

    #: The value itself.
    value: dict[str, Any]
    #: When it was stored, seconds since 1970-01-01 UTC.
    stored_at: float
    #: For how many seconds after that it may be used.
    ttl_seconds: int


@attrs.frozen(kw_only=True)
class Absence:
    """That there is no value, and what is known of that."""

    #: When it was stored, seconds since 1970-01-01 UTC.
    stored_at: float
    #: For how many seconds after that it may be used.
    ttl_seconds: int


def validated_ttl(ttl_seconds: int, field: str = "ttl_seconds") -> int:
    """Return ``ttl_seconds`` if it is a whole number of seconds from 1 to `MAX_TTL_SECONDS`.

    Raises:
        ValidationError: it is not; the error names ``field``.
    """
    return validation.integer(field, ttl_seconds, minimum=1, maximum=MAX_TTL_SECONDS)


def validated_jitter(jitter: float) -> float:
    """Return ``jitter`` if it is a number from 0 to `MAX_JITTER`.

    Raises:
        ValidationError: it is not; the field is ``ttl_jitter``.
    """
    if not 0 <= validation.number("ttl_jitter", jitter) <= MAX_JITTER:
        raise validation.invalid("ttl_jitter", f"must be from 0 to {MAX_JITTER}")
    return jitter


class Document(NamedTuple):
    """What is stored under a key."""

    #: The JSON.
    text: bytes
    #: For how many seconds.
    ttl_seconds: int
    #: Since when, seconds since 1970-01-01 UTC.
    stored_at: float


def document_of(field: str, value: Mapping[str, Any] | None, ttl_seconds: int, jitter: float) -> Document:
    """Return what is stored of a value from now on, or of there being none.

    Arguments:
        field: what an error calls the value.
        value: as for `dump`; ``None`` says that there is none.
        ttl_seconds: what `validated_ttl` returned.
        jitter: what `validated_jitter` returned: by what part of it the time to live is shortened at random.

    Raises:
        ValidationError: the value is refused; the error names it.
    """
    now = time.time()
    ttl = max(1, round(ttl_seconds * (1 - jitter * random.random())))  # noqa: S311 - jitter, no secret
    return Document(dump_absence(ttl, now) if value is None else dump(field, value, ttl, now), ttl, now)


def dump(field: str, value: Mapping[str, Any], ttl_seconds: int, now: float) -> bytes:
    """Return the document that stores ``value``.

    Arguments:
        field: what an error calls the value.
        value: what `surf_data.kernel.validation.json_text` accepts, with text keys.
        ttl_seconds: what `validated_ttl` returned.
        now: seconds since 1970-01-01 UTC.

    Raises:
        ValidationError: the value is refused; the error names it.
    """
    text = validation.json_text(field, validation.mapping(field, value))
    return f'{{"version":{VERSION},"stored_at":{now!r},"ttl_seconds":{ttl_seconds},"value":{text}}}'.encode()


def dump_absence(ttl_seconds: int, now: float) -> bytes:
    """Return the document that says that there is no value; for how long, and since when, as for `dump`."""
    return f'{{"version":{VERSION},"stored_at":{now!r},"ttl_seconds":{ttl_seconds},"value":null}}'.encode()


def load(document: object) -> Entry | Absence | None:
    """Return what ``document`` holds, whatever its age; ``None`` when it is corrupt.

    Whatever `dump` could not have written is corrupt: text that is not JSON, another version or shape, numbers that
    JSON does not know, text that UTF-8 cannot hold, nesting or size out of bounds.

    Arguments:
        document: what Redis answered.

    Raises:
        RecursionError: the caller's stack has too little room left; it is not the document's fault.
    """
    if not isinstance(document, bytes) or len(document) > _MAX_BYTES:
        return None
    try:
        return _remembered(document) if len(document) <= _SMALL else loaded(document)
    except ValueError:
        return None
    except RecursionError:
        if _depth(document) <= _MAX_DEPTH:
            raise
        return None


def is_doubtful(stored: Entry | Absence, now: float) -> bool:
    """Whether the time to live has ended by this clock, or not begun, so that Redis should be asked.

    It removes what has expired, and its clock is the same for all; those of two hosts can be minutes apart.

    Arguments:
        stored: what was found.
        now: seconds since 1970-01-01 UTC.
    """
    return abs(now - stored.stored_at) >= stored.ttl_seconds


def _remembered(document: bytes) -> Entry | Absence:
    known = _loaded(document)
    if isinstance(known, Absence):
        return known
    return Entry(value=copy_json(known.value), stored_at=known.stored_at, ttl_seconds=known.ttl_seconds)


def loaded(document: bytes) -> Entry | Absence:
    """Return what is in a document, whatever its age.

    Raises:
        ValueError: it is not what `dump` or `dump_absence` writes.
        RecursionError: it is nested too deeply.
    """
    # Decoded here: given bytes, json guesses an encoding and lets lone surrogates pass.
    members = validation.mapping("envelope", json.loads(document.decode()))
    validation.check_keys("envelope", members, required=_MEMBERS)
    validation.integer("version", members["version"], minimum=VERSION, maximum=VERSION)
    value, stored_at = members["value"], validation.number("stored_at", members["stored_at"])
    ttl_seconds = validated_ttl(members["ttl_seconds"])
    if value is None:
        return Absence(stored_at=stored_at, ttl_seconds=ttl_seconds)
    validation.json_value("value", validation.mapping("value", value))
    return Entry(value=value, stored_at=stored_at, ttl_seconds=ttl_seconds)


def _depth(document: bytes) -> int:
    """Return how deeply a document is nested, without nesting anything."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub(b"", document)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


# Most keys are read far more often than they are written, and the same bytes need not be read and checked again.
_loaded = lru_cache(maxsize=_REMEMBERED)(loaded)


def json_copier(value: Any) -> Callable[[Any], Any]:
    """Return what copies this value fastest, as `copy_json` does."""
    flat = type(value) is dict and all(type(member) in _SCALARS for member in value.values())
    return dict.copy if flat else copy_json


def copy_json(value: Any) -> Any:
    """Return a copy of what JSON can say, down to the last list; of anything else, the same."""
    kind = type(value)
    if kind is dict:
        return {key: one if type(one) in _SCALARS else copy_json(one) for key, one in value.items()}
    if kind is list:
        return [one if type(one) in _SCALARS else copy_json(one) for one in value]
    return value
