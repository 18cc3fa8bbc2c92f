"""Whether a connection that was idle can still be used, found out without a round trip."""

import select
from typing import Any

import psycopg
import psycopg_pool


def is_alive(connection: psycopg.Connection[Any]) -> bool:
    """Whether ``connection`` can be lent."""
    return _is_quiet(connection) or _answers(connection)


def _is_quiet(connection: psycopg.Connection[Any]) -> bool:
    """Whether nothing waits to be read: an idle connection whose server has gone has its end to tell."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _answers(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server still answers on a connection on which something waits to be read."""
    try:
        psycopg_pool.ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True
