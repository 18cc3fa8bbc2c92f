"""Which column holds what Python cannot: infinity, a year before 1 or after 9999, 24:00."""

from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format

from surf_data.errors import DatabaseError

_BEYOND = "a value that Python cannot hold, such as infinity, BC, a year after 9999 or 24:00; write ::text"


def named(error: Exception, cursor: object) -> Exception:
    """Return what a caller gets in the place of ``error`` when reading a row has failed.

    Arguments:
        error: how a statement has ended.
        cursor: what it was read from, if that is what failed.

    Returns:
        ``error`` itself when it was not a value.
    """
    if not isinstance(error, DatabaseError) or error.sqlstate is not None or not isinstance(cursor, psycopg.Cursor):
        return error
    column = _column(cursor)
    if column is None:
        return error
    return DatabaseError(f"{error.query} failed: column {column} holds {_BEYOND}", query=error.query)


def _column(cursor: psycopg.Cursor[Any]) -> str | None:
    """Return the name of the first column with such a value, and its type."""
    result = cursor.pgresult
    if result is None or result.status != ExecStatus.TUPLES_OK:
        return None
    transformer = Transformer(cursor.connection)
    for column in range(result.nfields):
        load = transformer.get_loader(result.ftype(column), Format(result.fformat(column))).load
        for row in range(result.ntuples):
            value = result.get_value(row, column)
            try:
                if value is not None:
                    load(value)
            except (psycopg.Error, ValueError, ArithmeticError):
                kind = cursor.connection.adapters.types.get(result.ftype(column))
                name = (result.fname(column) or b"").decode()
                return name if kind is None else f"{name} ({kind.name})"
    return None
