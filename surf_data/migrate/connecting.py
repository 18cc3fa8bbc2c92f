"""The connections on which migrations run: in autocommit mode, and without prepared statements."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from surf_data.errors import DatabaseUnavailable
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
    connection = None
    # Ours says why it cannot; of another's error no more is known.
    with translation, suppress(psycopg.OperationalError):
        connection = connect()
    if connection is None:
        raise DatabaseUnavailable(f"{doing} failed: no connection")
    try:
        with translation:
            connection.autocommit = True
    except BaseException:
        connection.close()
        raise
    # A migration may forget all prepared statements, and the driver would not know.
    connection.prepare_threshold = None
    return connection
