"""Rows become attrs objects by position: no dictionary, no name looked up per row."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import psycopg

from surf_data.errors import QueryFileError


class RowFactory:
    """A psycopg row factory for one query, which compares the columns with the class when it is first used.

    Arguments:
        row: an attrs class with positional fields, one for each column and in the same order.
        place: file and line of the query, for the error.
    """

    __slots__ = ("_checked", "_fields", "_file", "_line", "_make")

    def __init__(self, row: type[attrs.AttrsInstance], file: str, line: int) -> None:
        self._fields = tuple(field.name for field in attrs.fields(row))
        self._file = file
        self._line = line
        self._checked = False
        self._make = lambda values: row(*values)

    def __call__(self, cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Any]:
        if not self._checked and (columns := cursor.description):
            names = tuple(column.name for column in columns)
            if names != self._fields:
                raise QueryFileError(
                    f"the columns are {', '.join(names)}, but the row class has {', '.join(self._fields)}",
                    file=self._file,
                    line=self._line,
                )
            self._checked = True
        return self._make
