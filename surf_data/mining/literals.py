"""What a literal of a filter, or a value bound in one, is for a column of each type."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.mining import values

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_MAX_TEXT = 10_000


class Literal(NamedTuple):
    """A literal as it was read."""

    #: ``string``, ``number``, ``boolean`` or ``value`` for one that was bound.
    kind: str
    #: Text without its quotes, digits, a boolean, or what was bound.
    value: Any


@attrs.frozen
class Kind:
    """How the values of a type are read and bound."""

    #: PostgreSQL's name for the type that they are bound as.
    cast: str
    #: Makes a value of a literal.
    read: Callable[[str, Literal], Any]
    #: Whether LIKE applies.
    is_text: bool = False


def _text(field: str, literal: Literal) -> str:
    if literal.kind in {"string", "value"}:
        return validation.text(field, literal.value, minimum=0, maximum=_MAX_TEXT)
    raise validation.invalid(field, "must be text in quotes")


def _integer(field: str, literal: Literal) -> int:
    value = literal.value
    if literal.kind == "number" and _WHOLE.fullmatch(value):
        value = int(value)
    if literal.kind in {"number", "value"}:
        return validation.integer(field, value, minimum=-validation.INT8_MAX - 1, maximum=validation.INT8_MAX)
    raise validation.invalid(field, "must be a whole number")


def _float(field: str, literal: Literal) -> float:
    if literal.kind == "value":
        return values.real(field, literal.value)
    if literal.kind == "number":
        number = float(literal.value)
        # PostgreSQL refuses what is too large, and what is too small to be told from 0.
        if math.isfinite(number) and (number or not re.search("[1-9]", literal.value.lower().partition("e")[0])):
            return number
    raise validation.invalid(field, "must be a number within the range of double precision")


def _numeric(field: str, literal: Literal) -> Decimal:
    if literal.kind == "number":
        return Decimal(literal.value)
    if literal.kind == "value" and isinstance(literal.value, Decimal) and literal.value.is_finite():
        return literal.value
    if literal.kind == "value":
        return Decimal(repr(validation.number(field, literal.value)))
    raise validation.invalid(field, "must be a number")


def _boolean(field: str, literal: Literal) -> bool:
    if literal.kind in {"boolean", "value"}:
        return values.boolean(field, literal.value)
    raise validation.invalid(field, "must be TRUE or FALSE")


def _moment(field: str, literal: Literal) -> Any:
    if literal.kind in {"string", "value"}:
        return values.moment_or_text(field, literal.value)
    raise validation.invalid(field, "must be a time in quotes")


_KINDS = {
    "bool": Kind("bool", _boolean),
    "float8": Kind("float8", _float),
    "int4": Kind("int8", _integer),
    "int8": Kind("int8", _integer),
    "numeric": Kind("numeric", _numeric),
    "text": Kind("text", _text, is_text=True),
    "timestamptz": Kind("timestamptz", _moment),
}


def kind_of(field: str, type_name: str) -> Kind:
    """Return how values of a column of this type are bound.

    Raises:
        ValidationError: columns of this type are only compared with NULL.
    """
    if type_name in _KINDS:
        return _KINDS[type_name]
    raise ValidationError(f"{field}: a column of this type can only be compared with NULL", field=field)
