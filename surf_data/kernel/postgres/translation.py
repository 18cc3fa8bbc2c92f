"""Driver errors become `surf_data` errors here, and nowhere else.

What the driver and the server say may hold a parameter, a whole row or a connection string, so none of their text
goes on: an error carries the query's name, SQLSTATE and constraint, and a reason in our own words.
"""

import re
import struct
from types import TracebackType
from typing import Literal

import psycopg

from surf_data import domain
from surf_data.errors import (
    ConstraintViolation,
    DatabaseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    LockTimeout,
    StatementTimeout,
    SurfDataError,
    TransactionConflict,
)
from surf_data.kernel.postgres.connection import Expired

#: By SQLSTATE, whole or its class; the longer key wins. Source: PostgreSQL's manual, appendix A.
_BY_SQLSTATE: dict[str, type[DatabaseError]] = {
    "08": DatabaseUnavailable,
    "23": ConstraintViolation,
    "25P03": DatabaseUnavailable,  # idle_in_transaction_session_timeout ended the session
    "40001": TransactionConflict,
    "40P01": TransactionConflict,
    "53300": DatabaseUnavailable,
    "55P03": LockTimeout,
    "57014": StatementTimeout,
    "57P": DatabaseUnavailable,
}

# The server undid or never began what it says this of, and the same again may well succeed.
_RETRYABLE = frozenset(
    {
        "25006",  # a standby; behind the same address there may be a primary now
        "25P03",
        "26000",  # a pooler gave the session, and with it the prepared statement, to another client
        "40001",
        "40P01",
        "42P05",  # likewise
        "57P05",  # idle_session_timeout ended the session before the statement came
    }
)

#: The SQLSTATE of a table that is not there.
UNDEFINED_TABLE = "42P01"
# What a statement meets where the schema is not there, or is older than the statement: a table, a schema, a column, a
# function, a type.
_UNMIGRATED = frozenset({UNDEFINED_TABLE, "3F000", "42703", "42704", "42883"})

_TIMEOUTS = (psycopg.errors.ConnectionTimeout, psycopg.errors.CancellationTimeout)
#: What binding parameters and reading rows can raise besides the driver's own errors; their text may hold a value.
VALUE_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


# Where in a COPY a row was refused: the table, the number of the row, counted from 1, and more that is not for others.
# The words between are in the server's language, and are not read; no field of the error has the number.
_COPIED = re.compile(r"^COPY [^,\n]+, [^,\d\n]*(\d+)", re.MULTILINE)


def reason(error: Exception) -> str:
    """Return why ``error``, which has no SQLSTATE, happened, in words that hold nothing of what was sent."""
    if isinstance(error, _TIMEOUTS):
        return "timed out"
    # Whatever the driver calls so on a connection is its end.
    return "connection lost" if isinstance(error, psycopg.OperationalError) else type(error).__name__


def translated(error: Exception, query: str | None) -> DatabaseError:
    """Return the caller's error for the driver's ``error`` while it ran ``query``."""
    sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
    constraint = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
    retryable = sqlstate in _RETRYABLE or (isinstance(error, psycopg.Error) and is_stale_plan(error))
    row = _row(error.diag.context) if isinstance(error, psycopg.Error) else None
    kind = DatabaseError
    if sqlstate is not None:
        matches = (sqlstate[:length] for length in (5, 3, 2) if sqlstate[:length] in _BY_SQLSTATE)
        kind = _BY_SQLSTATE.get(next(matches, ""), DatabaseError)
        facts = [f"SQLSTATE {sqlstate}", *([f"constraint {constraint}"] if constraint else [])]
        what = f"{type(error).__name__} ({', '.join([*facts, *([] if row is None else [f'row {row}'])])})"
    else:
        what = reason(error)
        if isinstance(error, psycopg.OperationalError):
            kind = DatabaseUnavailable
        if isinstance(error, Expired):
            kind, what = DeadlineExceeded, "no answer before the deadline"
    said = f"{query} failed: {what}" if query else what
    if sqlstate in _UNMIGRATED and query and (name := query.partition(".")[0]) in domain.names():
        said += f"; is the schema up to date? surf-data migrate up --domain {name}"
    return kind(said, query=query, sqlstate=sqlstate, constraint=constraint, retryable=retryable, row=row)


def _row(context: str | None) -> int | None:
    """Return which row of a COPY is at fault, counted from 0; ``None`` if the server does not say so."""
    found = _COPIED.search(context or "")
    return int(found[1]) - 1 if found else None


def is_stale_plan(error: psycopg.Error) -> bool:
    """Whether a table has changed under a prepared statement, so that this session can never run it again."""
    # The message is in the server's language; the function that raises it is not.
    return error.sqlstate == "0A000" and error.diag.source_function == "RevalidateCachedQuery"


class Translation:
    """A context manager that translates what leaves its block; made once for each query, entered at each call.

    Arguments:
        query: the name that the errors carry.
        values: whether the block handles parameters or rows; if so, what that can raise is translated too.
    """

    __slots__ = ("_kinds", "_query")

    def __init__(self, query: str | None = None, *, values: bool = False) -> None:
        self._query = query
        self._kinds = (psycopg.Error, *VALUE_ERRORS) if values else (psycopg.Error,)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        if error is None or isinstance(error, SurfDataError) or not isinstance(error, self._kinds):
            return False
        ours = translated(error, self._query)
        # Some tools show the local variables of each frame.
        del error, traceback
        try:
            raise ours
        finally:
            # ``raise ... from None`` would only hide the driver's error; error trackers follow the attribute.
            ours.__context__ = None
            # The error holds this frame; held in turn, both would wait for the garbage collector.
            del ours
