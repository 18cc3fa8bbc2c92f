"""Liveness check of an idle connection, without a round trip."""

import psycopg
import psycopg_pool

from surf_data.kernel.postgres.connection import Connection


def is_alive(connection: Connection) -> bool:
    """Whether ``connection`` can be lent."""
    try:
        return _is_quiet(connection) or _answers(connection)
    except psycopg.Error:
        return False


def _is_quiet(connection: Connection) -> bool:
    """Whether nothing has arrived since the connection went idle.

    A server that goes away closes the socket or sends a notice, so silence means alive.

    Raises:
        OperationalError: the connection has ended.
    """
    connection.notice.raised = False
    # libpq takes what has come and looks at it, and waits for nothing, as no statement is under way. Not is_busy(), nor
    # the module select: both release the GIL; with eight threads, reacquiring it costs a sixth of a small statement.
    connection.pgconn.consume_input()
    connection.pgconn.get_result()
    return not connection.notice.raised


def _answers(connection: Connection) -> bool:
    """Whether the server still answers on a connection on which it has sent a notice."""
    psycopg_pool.ConnectionPool.check_connection(connection)
    return True
