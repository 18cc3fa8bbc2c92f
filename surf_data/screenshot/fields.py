"""Fields of entities: each is checked when an entity is made and whenever it is assigned."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.validation import INT4_MAX

E = TypeVar("E", bound=StrEnum)

_REQUIRED = "required"


def _field(default: Any, check: Callable[[str, Any], Any], *, required: bool = False, shown: bool = True) -> Any:
    """Declare a field of an entity.

    Arguments:
        default: what a new entity has.
        check: returns the value to keep, or raises ValidationError; ``None`` is not checked.
        required: whether an entity cannot be saved without it.
        shown: whether ``repr`` shows it.
    """

    def convert(value: Any, field: "attrs.Attribute[Any]") -> Any:
        return None if value is None else check(field.name, value)

    converter = attrs.Converter(convert, takes_field=True)
    if isinstance(default, (dict, list)):
        return attrs.field(factory=type(default), converter=converter, repr=shown)
    return attrs.field(default=default, converter=converter, repr=shown, metadata={_REQUIRED: required})


def text(maximum: int, default: str | None = None, *, required: bool = False, shown: bool = True) -> Any:
    """Declare text of at most so many characters."""

    def check(field: str, value: Any) -> str:
        # Emptiness is checked when it is saved: what is assigned piece by piece begins empty.
        return validation.text(field, value, maximum=maximum, minimum=0)

    return _field(default, check, required=required, shown=shown)


def choice(kind: type[E], default: E | None, *, required: bool = False) -> Any:
    """Declare a member of an enum; text of the same value will do."""
    return _field(default, lambda field, value: member(field, value, kind), required=required)


def member(field: str, value: object, kind: type[E]) -> E:
    """Return ``value``, a member of an enum or text of the same value, as a member.

    Raises:
        ValidationError: it is neither; the error names the choices where they are few.
    """
    if isinstance(value, kind):
        return value
    found = kind.__members__.get(value.upper()) if isinstance(value, str) else None
    if found is not None and found.value == value:
        return found
    # Some members are not named after their value.
    for each in kind:
        if isinstance(value, str) and each.value == value:
            return each
    raise validation.invalid(field, f"must be one of {', '.join(each.value for each in list(kind)[:12])}")


def integer(default: int | None = None, minimum: int = 0, maximum: int = INT4_MAX) -> Any:
    """Declare a whole number."""
    return _field(default, lambda field, value: validation.integer(field, value, minimum=minimum, maximum=maximum))


def number(minimum: float | None = None, maximum: float | None = None) -> Any:
    """Declare a finite number."""

    def check(field: str, value: Any) -> float:
        checked = float(validation.number(field, value))
        if (minimum is not None and checked < minimum) or (maximum is not None and checked > maximum):
            limits = f"at least {minimum:g}" if maximum is None else f"from {minimum:g} to {maximum:g}"
            raise validation.invalid(field, f"must be {limits}")
        return checked

    return _field(None, check)


def flag(*, default: bool | None = False, required: bool = False) -> Any:
    """Declare a boolean."""

    def check(field: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise validation.invalid(field, "must be true or false")
        return value

    return _field(default, check, required=required)


def uuid(*, required: bool = False) -> Any:
    """Declare a UUID; its text will do."""
    return _field(None, validation.uuid, required=required)


def moment(*, now: bool = False) -> Any:
    """Declare a moment with a time zone; a new entity has none, or that of its beginning."""
    return _field(attrs.Factory(lambda: datetime.now(UTC)) if now else None, validation.aware_datetime)


def address() -> Any:
    """Declare an IP address; its text will do."""
    return _field(None, validation.ip_address)


def document(*, optional: bool = False, shown: bool = True) -> Any:
    """Declare a JSON object. What is in it is checked when it is saved, since it may be changed in place."""

    def check(field: str, value: Any) -> dict[str, Any]:
        return value if type(value) is dict else dict(validation.mapping(field, value))

    return _field(None if optional else {}, check, shown=shown)


def tags() -> Any:
    """Declare a list of tags: at most 100, each of 1 to 100 characters, none twice."""
    return _field([], tag_list)


def tag_list(field: str, value: object) -> list[str]:
    """Return ``value`` as a list of tags in which none is there twice."""
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise validation.invalid(field, "must be a list of text")
    checked = list(
        dict.fromkeys(validation.text(f"{field}[{place}]", tag, maximum=100) for place, tag in enumerate(value))
    )
    if len(checked) > 100:  # noqa: PLR2004 - as the database has it
        raise validation.invalid(field, "must have at most 100 tags")
    return checked


def check_required(entity: attrs.AttrsInstance) -> None:
    """Refuse an entity that cannot be saved because a field is missing or empty."""
    for field in attrs.fields(type(entity)):
        if field.metadata.get(_REQUIRED) and getattr(entity, field.name) in (None, ""):
            raise ValidationError(f"{field.name} is missing", field=field.name)


def snake_case(values: Mapping[str, Any], allowed: Mapping[str, Any] | frozenset[str], field: str) -> dict[str, Any]:
    """Return a mapping with its camelCase keys in snake_case; a key that is not allowed, or given twice, is refused."""
    renamed: dict[str, Any] = {}
    for key, value in validation.mapping(field, values).items():
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
        if name not in allowed:
            raise ValidationError(f"{field} has an unknown key {key[:40]!r}", field=key[:40])
        if name in renamed:
            raise ValidationError(f"{field} has {name} twice", field=name)
        renamed[name] = value
    return renamed
