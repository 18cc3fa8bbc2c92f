"""The caller's span in the text of what is sent, by W3C Trace Context: what the setting ``trace_context`` asks for."""

from copy import copy
from importlib import import_module
from typing import Any, Self

import psycopg
from psycopg._queries import PostgresQuery
from psycopg.abc import Params, Query

from surf_data.errors import ConfigurationError
from surf_data.kernel.postgres.connection import Connection, StatementCursor


def check() -> None:
    """Check that spans can be asked for.

    Raises:
        ConfigurationError: the extra ``metrics`` is not installed.
    """
    try:
        import_module("opentelemetry.trace")
    except ImportError:
        said = 'trace_context needs the extra metrics: pip install "surf-data[metrics]"'
        raise ConfigurationError(said, setting="trace_context") from None


def attach(connection: Connection) -> None:
    """Have what is sent on a connection from now on say which span it is for."""
    connection.cursor_factory = TracedCursor
    connection.server_cursor_factory = TracedServerCursor


def comment() -> bytes:
    """Return the comment that names the current span; nothing where there is none, or it is not sampled."""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 - an extra

    span = get_current_span().get_span_context()
    if not (span.is_valid and span.trace_flags.sampled):
        return b""
    # Of numbers come hexadecimal digits alone. On a line of its own: the statement may end in a comment.
    return b"\n/*traceparent='00-%032x-%016x-01'*/" % (span.trace_id, span.span_id)


class TracedCursor(StatementCursor):
    """A cursor whose statements end with the span of the caller, and then are not prepared: no two are the same."""

    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Execute as psycopg does."""
        return super().execute(query, params, prepare=False if comment() else prepare, binary=binary)

    def _convert_query(self, query: Query, params: Params | None = None) -> PostgresQuery:
        return _traced(super()._convert_query(query, params))


class TracedServerCursor(psycopg.ServerCursor[Any]):
    """The same of a cursor on the server."""

    def _convert_query(self, query: Query, params: Params | None = None) -> PostgresQuery:
        return _traced(super()._convert_query(query, params))


def _traced(converted: PostgresQuery) -> PostgresQuery:
    if found := comment():
        # A copy, since what was converted is used again.
        converted = copy(converted)
        converted.query += found
    return converted
