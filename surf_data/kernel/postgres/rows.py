"""Rows become attrs objects by position: no dictionary, no name looked up per row."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import psycopg

if TYPE_CHECKING:
    # Reading SQL is for when queries are loaded.
    from surf_data.kernel.postgres.query_source import QuerySource

T = TypeVar("T")

# What attrs calls while it makes an object, and what it writes beside a class's own __init__.
_HOOKS = ("__attrs_init__", "__attrs_post_init__", "__attrs_pre_init__")


def maker(cls: type[T]) -> Callable[[Sequence[Any]], T]:
    """Return what makes an object of the values of all its fields, in their order: for frozen classes, by the thousand.

    The ``__init__`` of a frozen class has to get round the class itself for each value. This makes an object of a twin,
    which has the same slots and is not frozen, and changes its class: in a third of the time.

    Arguments:
        cls: an attrs class that does nothing but store its values: with slots, without ``weakref_slot``, without
            validators, converters and hooks. Fields may have defaults, which are not used.

    Raises:
        TypeError: it is not such a class.
    """
    fields = attrs.fields(cast("type[attrs.AttrsInstance]", cls))
    if any(hasattr(cls, hook) for hook in _HOOKS) or any(
        field.validator or field.converter or not field.init for field in fields
    ):
        raise TypeError(f"{cls.__name__} does more than to store its values")
    names = [field.name for field in fields]
    twin: Any = attrs.make_class(cls.__name__, names, slots=True, weakref_slot=False, eq=False, repr=False)

    def make(values: Sequence[Any]) -> T:
        made = twin(*values)
        made.__class__ = cls
        return cast("T", made)

    # Raises TypeError where the slots are others.
    make(names)
    return make


class RowFactory:
    """A psycopg row factory for one query, which compares the columns with the class when it is first used.

    Arguments:
        row: an attrs class with positional fields, one for each column and in the same order.
        source: the query, for the error.

    Raises:
        QueryFileError: the class cannot be called with positional arguments.
    """

    __slots__ = ("_checked", "_fields", "_make", "_source")

    def __init__(self, row: type[attrs.AttrsInstance], source: "QuerySource") -> None:
        fields = attrs.fields(row)
        if not all(field.init and not field.kw_only for field in fields):
            raise source.error(f"{row.__name__} must take each column as a positional argument")
        self._fields = tuple(field.name for field in fields)
        self._source = source
        self._checked = False
        self._make: Callable[[Sequence[Any]], Any] = lambda values: row(*values)
        # One that is not frozen is as fast by itself.
        if row.__setattr__ is not object.__setattr__:
            with suppress(TypeError):
                self._make = maker(row)

    def __call__(self, cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Any]:
        """Return what makes an object of a row's values.

        Raises:
            QueryFileError: the columns are not the fields of the class.
        """
        if not self._checked and (columns := cursor.description):
            names = tuple(column.name for column in columns)
            if names != self._fields:
                raise self._source.error(
                    f"the columns are {', '.join(names)}, but the row class has {', '.join(self._fields)}"
                )
            self._checked = True
        return self._make
