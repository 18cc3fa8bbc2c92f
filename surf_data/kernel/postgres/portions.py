"""The rows of one call made into something else while they are read, a few at a time."""

from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import psycopg

from surf_data.kernel.postgres.execution import PORTION, Executor

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def in_portions(
    query: Callable[Concatenate[Executor, P], list[R]], take: Callable[[Iterator[list[R]]], T]
) -> Callable[Concatenate[Executor, P], T]:
    """Return a query that makes of its rows what ``take`` does, this time.

    All rows at once, and then all that is made of them, would keep Python's garbage collector busier than all the rest.
    For a class that is always the same, name it to `surf_data.kernel.postgres.load_queries`.

    Arguments:
        query: a query function without an operator.
        take: is called once the statement has run, with an iterator over its rows in portions of at most 50, none of
            them empty; it must read them before it returns, and must not use the executor.
    """
    function: Any = query
    statement = function.__self__.driver_adapter.statement(function.sql)

    def fetch(cursor: psycopg.Cursor[Any]) -> tuple[T | None, Exception | None]:
        portions = _Portions(cursor)
        try:
            return take(portions), None
        except Exception as error:
            if error is portions.failure:
                raise
            # The caller's own is not to be taken for one of the rows.
            return None, error

    def run(executor: Executor, /, *_: P.args, **parameters: P.kwargs) -> T:
        made, error = executor.run(statement, parameters, fetch)
        if error is not None:
            try:
                raise error
            finally:
                # It holds this frame.
                del error
        return cast("T", made)

    return run


class _Portions:
    """The rows of a cursor, a few at a time; remembers what reading them has raised."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor
        #: What a row could not be read for.
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        try:
            portion = self._cursor.fetchmany(PORTION)
        except Exception as error:
            self.failure = error
            raise
        if not portion:
            raise StopIteration
        return portion
