"""Objects of frozen classes, made in less time."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from surf_data.kernel.postgres import maker


@attrs.frozen(weakref_slot=False)
class _Wave:
    id: int
    name: str | None = None


@attrs.frozen(kw_only=True, weakref_slot=False)
class _Beach:
    id: int
    _name: str = attrs.field(default="x", alias="name")


def test_an_object_is_what_the_class_would_make() -> None:
    """It is equal, of the same class, and frozen; no default takes the place of a value."""
    made = maker(_Wave)((7, None))
    assert made == _Wave(7)
    assert type(made) is _Wave
    assert hash(made) == hash(_Wave(7))
    assert repr(made) == repr(_Wave(7))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.id = 8  # type: ignore[misc]
    assert attrs.evolve(made, name="a") == _Wave(7, "a")


def test_fields_by_name_are_made_in_their_order() -> None:
    """Also where the class takes its values by name, under other names than its fields have."""
    assert maker(_Beach)([7, "Malibu"]) == _Beach(id=7, name="Malibu")


@pytest.mark.parametrize("values", [(7,), (7, "a", 1), ()])
def test_all_values_are_needed(values: tuple[Any, ...]) -> None:
    """One too few or too many is an error, as of any call."""
    with pytest.raises(TypeError):
        maker(_Wave)(values)


def _class(options: Callable[..., Any], **body: Any) -> type:
    return options(type("_Other", (), {"__annotations__": {"id": int}, **body}))


@pytest.mark.parametrize(
    "cls",
    [
        _class(attrs.frozen),
        _class(attrs.frozen(slots=False)),
        _class(attrs.frozen(weakref_slot=False), id=attrs.field(validator=attrs.validators.instance_of(int))),
        _class(attrs.frozen(weakref_slot=False), id=attrs.field(converter=int)),
        _class(attrs.frozen(weakref_slot=False), id=attrs.field(init=False, default=1)),
        _class(attrs.frozen(weakref_slot=False), __attrs_post_init__=lambda _: None),
        _class(attrs.frozen(weakref_slot=False), __init__=lambda self, id: self.__attrs_init__(id)),  # noqa: A006
    ],
    ids=["weak references", "no slots", "validator", "converter", "no argument", "hook", "an __init__ of its own"],
)
def test_a_class_that_does_more_is_refused(cls: type) -> None:
    """What it does besides would not be done."""
    with pytest.raises(TypeError):
        maker(cls)
