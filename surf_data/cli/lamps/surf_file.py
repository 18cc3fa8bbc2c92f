"""Surf data in a file: one JSON object a line, checked before anything is made of it."""

import json
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.lamps import SurfData

#: Bytes that a line may have, with its end.
MAX_LINE_BYTES = 1_000_000
#: Objects that a file may have. They are held in memory, and stored in one transaction.
MAX_OBJECTS = 100_000
#: Bytes that a file may have.
MAX_FILE_BYTES = 100_000_000


class _Refused(Exception):
    """What is wrong with a line."""


def read(file: BinaryIO, advance: Callable[[int], object]) -> dict[int, SurfData]:
    """Return the surf data in ``file`` by location.

    Arguments:
        file: one JSON object a line in UTF-8, with ``location_index`` and the keys of `SurfData`, and others; a byte
            order mark at the beginning and blank lines are skipped.
        advance: called with each line how many bytes it has.

    Raises:
        ValidationError: a line is refused; the message begins with its number.
    """
    found: dict[int, SurfData] = {}
    lines: dict[int, int] = {}
    number = size = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        size += len(line)
        advance(len(line))
        try:
            _check_limits(len(line), size, len(found))
            document = _document(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            if document is None:
                continue
            location, found_here = _entry(document)
            if location in lines:
                raise _Refused(f"location_index {location} is already on line {lines[location]}")  # noqa: TRY301
        except (_Refused, ValidationError) as refused:
            problem = str(refused)
        else:
            lines[location], found[location] = number, found_here
            continue
        raise ValidationError(f"line {number}: {problem}", field=f"line {number}")
    return found


def _check_limits(line_bytes: int, file_bytes: int, objects: int) -> None:
    if line_bytes > MAX_LINE_BYTES:
        raise _Refused(f"must not be longer than {MAX_LINE_BYTES} bytes")
    if file_bytes > MAX_FILE_BYTES:
        raise _Refused(f"the file must not be larger than {MAX_FILE_BYTES} bytes")
    if objects == MAX_OBJECTS:
        raise _Refused(f"the file must not have more than {MAX_OBJECTS} objects")


def _document(line: bytes) -> dict[str, Any] | None:
    """Return the object that is on ``line``; ``None`` when it is blank."""
    try:
        text = line.decode().strip()
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_constant) if text else None
    except UnicodeDecodeError:
        raise _Refused("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _Refused(f"invalid JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise _Refused("invalid JSON: nested too deeply") from None
    except ValueError:
        raise _Refused("invalid JSON: a number has too many digits") from None
    if text and not isinstance(document, dict):
        raise _Refused("must be a JSON object")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise _Refused("invalid JSON: an object has a key twice")
    return document


def _constant(name: str) -> NoReturn:
    raise _Refused(f"invalid JSON: {name} is not a number")


def _entry(document: dict[str, Any]) -> tuple[int, SurfData]:
    if "location_index" not in document:
        raise _Refused("lacks location_index")
    location = validation.integer("location_index", document.pop("location_index"), minimum=0)
    try:
        surf = SurfData.from_dict(document)
    except ValidationError as error:
        # What SurfData does not know it keeps in `extra`, of which the file knows nothing.
        raise _Refused(str(error).removeprefix("extra.")) from None
    validation.json_text("the object", surf.to_dict())
    return location, surf
