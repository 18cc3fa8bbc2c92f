"""The connections on which migrations run: in autocommit mode, and without prepared statements."""

from collections.abc import Callable
from typing import Any

import psycopg

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.postgres.refusal import Refused
from surf_data.kernel.postgres.translation import Translation


def connected(connect: Callable[[], psycopg.Connection[Any]], doing: str) -> psycopg.Connection[Any]:
    """Return a new connection for a migration, or for what stands beside one.

    Arguments:
        connect: returns a new connection.
        doing: what an error says it is for.

    Raises:
        DatabaseError: the server cannot be reached.
    """
    translation = Translation(doing)
    connection, reason = None, "no connection"
    with translation:
        try:
            connection = connect()
        except Refused as error:
            reason = error.reason
        except psycopg.OperationalError:
            # Of another's error no more is known.
            pass
    if connection is None:
        raise DatabaseUnavailable(f"{doing} failed: {reason}")
    try:
        with translation:
            connection.autocommit = True
    except BaseException:
        connection.close()
        raise
    # A migration may forget all prepared statements, and the driver would not know.
    connection.prepare_threshold = None
    return connection
