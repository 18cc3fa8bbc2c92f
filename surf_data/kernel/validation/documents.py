"""Checks of JSON documents: what survives the round trip unchanged."""

import json
import math

from surf_data.kernel.validation.scalars import MAPPINGS, TEXT_KEYS, invalid, is_storable, number

#: The largest JSON document that is accepted, in bytes of UTF-8.
MAX_JSON_BYTES = 1_000_000
#: How deep objects and arrays may nest. PostgreSQL stores far deeper ones that Python cannot read back.
MAX_JSON_DEPTH = 64
#: Where floats in jsonb end: from here on PostgreSQL gives them back as whole numbers, some of them as other ones.
MAX_JSONB_FLOAT = 1e16

_TOO_LARGE = f"must not be larger than {MAX_JSON_BYTES} bytes of JSON"
# What is written has been walked through before, so it does not hold itself.
_JSON = json.JSONEncoder(allow_nan=False, ensure_ascii=False, check_circular=False, separators=(",", ":"), default=dict)
_CONTAINERS = (*MAPPINGS, list, tuple)


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
    if not isinstance(value, MAPPINGS):
        raise invalid(field, "must be a mapping")
    return jsonb_text(field, value)


# Where in a document a value is: the field, or a place and a key or position in it. Most are never spelled out.
_Place = str | tuple["_Place", str | int]


def _json_text(field: str, value: object, max_float: float) -> str:
    _check_json(field, value, 0, max_float, MAX_JSON_BYTES)
    document = _JSON.encode(value)
    # No character takes more than four bytes.
    if len(document) > MAX_JSON_BYTES // 4 and len(document.encode()) > MAX_JSON_BYTES:
        raise invalid(field, _TOO_LARGE)
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
        raise invalid(_path(place), _TOO_LARGE)
    # True and False are such numbers, too.
    if isinstance(value, (int, float)):
        # What is not a number is not within anything.
        if not -MAX_JSONB_FLOAT < value < MAX_JSONB_FLOAT:
            number(_path(place), value)
            if isinstance(value, float) and abs(value) >= max_float:
                raise invalid(_path(place), f"must be smaller than {max_float:g}")
        return room
    return room if value is None else _check_members(place, value, depth, max_float, room)


def _check_members(place: _Place, value: object, depth: int, max_float: float, room: int) -> int:
    if not isinstance(value, _CONTAINERS):
        raise invalid(_path(place), "must be JSON: text, a number, a boolean, None, a list or a mapping")
    if depth == MAX_JSON_DEPTH:
        raise invalid(_path(place), f"must not be nested deeper than {MAX_JSON_DEPTH} levels")
    if isinstance(value, (list, tuple)):
        for position, member in enumerate(value):
            room = _check_json((place, position), member, depth + 1, max_float, room)
        return room
    for key, member in value.items():
        if not isinstance(key, str):
            raise invalid(_path(place), TEXT_KEYS)
        room = _check_text(place, key, room)
        room = _check_json((place, key), member, depth + 1, max_float, room)
    return room


def _check_text(place: _Place, value: str, room: int) -> int:
    room -= len(value)
    if room < 0:
        raise invalid(_path(place), _TOO_LARGE)
    if not is_storable(value):
        raise invalid(_path(place), "must not contain NUL characters or lone surrogates")
    return room


def _path(place: _Place) -> str:
    if isinstance(place, str):
        return place
    above, step = place
    # A key may be anything, so it is not repeated in full.
    return f"{_path(above)}.{step[:40]}" if isinstance(step, str) else f"{_path(above)}[{step}]"
