"""Rows become attrs objects by position: no dictionary, no name looked up per row."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import psycopg

from surf_data.kernel.postgres.query_source import QuerySource


class RowFactory:
    """A psycopg row factory for one query, which compares the columns with the class when it is first used.

    Arguments:
        row: an attrs class with positional fields, one for each column and in the same order.
        source: the query, for the error.

    Raises:
        QueryFileError: the class cannot be called with positional arguments.
    """

    __slots__ = ("_checked", "_fields", "_make", "_source")

    def __init__(self, row: type[attrs.AttrsInstance], source: QuerySource) -> None:
        fields = attrs.fields(row)
        if not all(field.init and not field.kw_only for field in fields):
            raise source.error(f"{row.__name__} must take each column as a positional argument")
        self._fields = tuple(field.name for field in fields)
        self._source = source
        self._checked = False
        self._make = lambda values: row(*values)

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
