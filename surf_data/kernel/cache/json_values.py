"""What a cached value looks like in Redis: JSON in a versioned envelope that knows its own age.

``{"version":1,"stored_at":1767225600.5,"ttl_seconds":1800,"value":{...}}``
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

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

#: Why a stored document is no entry: its time is up, or it is not what `dump` writes.
Fault = Literal["corrupt", "stale"]


@attrs.frozen(kw_only=True)
class Entry:
    """A value, and what is known of it."""

    #: The value itself.
    value: dict[str, Any]
    #: When it was stored, seconds since 1970-01-01 UTC.
    stored_at: float
    #: For how many seconds after that it may be used.
    ttl_seconds: int


def validated_ttl(ttl_seconds: int) -> int:
    """Return ``ttl_seconds`` if it is a whole number of seconds from 1 to `MAX_TTL_SECONDS`.

    Raises:
        ValidationError: it is not; the field is ``ttl_seconds``.
    """
    return validation.integer("ttl_seconds", ttl_seconds, minimum=1, maximum=MAX_TTL_SECONDS)


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


def load(document: object, now: float) -> Entry | Fault:
    """Return the entry that ``document`` holds, or why it holds none.

    Whatever `dump` could not have written is corrupt: text that is not JSON, another version or shape, numbers that
    JSON does not know, text that UTF-8 cannot hold, nesting or size out of bounds.

    Arguments:
        document: what Redis answered.
        now: seconds since 1970-01-01 UTC. An entry is stale when that is its ``ttl_seconds`` or more after
            ``stored_at``; and also as much before, since no clock is that wrong.
    """
    if not isinstance(document, bytes) or len(document) > _MAX_BYTES:
        return "corrupt"
    try:
        entry = _remembered(document) if len(document) <= _SMALL else entry_of(document)
    except (RecursionError, ValueError):
        return "corrupt"
    return entry if abs(now - entry.stored_at) < entry.ttl_seconds else "stale"


def _remembered(document: bytes) -> Entry:
    known = _entry_of(document)
    return Entry(value=copy_json(known.value), stored_at=known.stored_at, ttl_seconds=known.ttl_seconds)


def entry_of(document: bytes) -> Entry:
    """Return the entry in a document, whatever its age.

    Raises:
        ValueError: it is not what `dump` writes.
        RecursionError: it is nested too deeply.
    """
    # Decoded here: given bytes, json guesses an encoding and lets lone surrogates pass.
    members = validation.mapping("envelope", json.loads(document.decode()))
    validation.check_keys("envelope", members, required=_MEMBERS)
    validation.integer("version", members["version"], minimum=VERSION, maximum=VERSION)
    value = members["value"]
    validation.json_value("value", validation.mapping("value", value))
    return Entry(
        value=value,
        stored_at=validation.number("stored_at", members["stored_at"]),
        ttl_seconds=validated_ttl(members["ttl_seconds"]),
    )


# Most keys are read far more often than they are written, and the same bytes need not be read and checked again.
_entry_of = lru_cache(maxsize=_REMEMBERED)(entry_of)


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
