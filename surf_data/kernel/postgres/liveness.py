"""Whether a connection that was idle can still be used, found out without a round trip."""

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
    """Whether the server has said nothing since: an idle connection whose server has gone has its end to tell.

    Raises:
        OperationalError: the connection has ended.
    """
    connection.notices.heard = False
    # libpq takes what has come and looks at it, and waits for nothing, as no statement is under way. Not is_busy(), nor
    # the module select: they let other threads run meanwhile, and with eight of them, to queue for Python's lock again
    # costs a sixth of a small statement.
    connection.pgconn.consume_input()
    connection.pgconn.get_result()
    return not connection.notices.heard


def _answers(connection: Connection) -> bool:
    """Whether the server still answers on a connection on which it has said something unasked."""
    psycopg_pool.ConnectionPool.check_connection(connection)
    return True
