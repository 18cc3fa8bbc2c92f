"""The commit status of a transaction whose COMMIT got no answer."""

import time
from collections.abc import Callable

import psycopg

from surf_data.errors import DatabaseError
from surf_data.kernel.backoff import Backoff
from surf_data.kernel.postgres import deadlines
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.session import CommitProbe, Session
from surf_data.kernel.postgres.session_queries import session_queries

# Between two questions.
_BACKOFF = Backoff(0.02, 0.5)
# What pg_xact_status() says of an id that has not been reached.
_IN_THE_FUTURE = "22023"


def commit_status(probe: CommitProbe, connect: Callable[[], Connection], timeout: float) -> bool | None:
    """Ask the server on a new connection whether a transaction was committed.

    Arguments:
        probe: which transaction, on which server.
        connect: returns a new connection, which is closed here.
        timeout: seconds that this may take, if the deadline does not end it earlier.

    Returns:
        ``None`` when that cannot be known: the server does not come back in time, it is another one by now, or it
        has forgotten; or it is of a cluster and has rolled back, which a worker may not have.
    """
    deadline = min(time.monotonic() + timeout, deadlines.current_deadline())
    attempts = 0
    while (left := deadline - time.monotonic()) > 0:
        with deadlines.deadline(left):
            status = _status(probe, connect)
        if status is not None:
            return {"committed": True, "aborted": None if probe.is_cluster else False}.get(status)
        # The server is away, or has not noticed yet that its client is.
        attempts += 1
        _BACKOFF.pause(attempts, deadline)
    return None


def _status(probe: CommitProbe, connect: Callable[[], Connection]) -> str | None:
    """Return ``committed``, ``aborted`` or ``unknown``, and ``None`` as long as there is no saying."""
    try:
        with connect() as connection:
            if connection.server != probe.server:
                # Another server, or a standby that was promoted, counts its transactions on its own.
                return "unknown"
            status = session_queries().transaction_status(Session(connection), transaction=probe.transaction)
            crashed = connection.stats_epoch != probe.stats_epoch
    except psycopg.Error:
        return None
    except DatabaseError as error:
        # The id is in the future: a crash came before anything of the transaction was on the disk.
        return "aborted" if error.sqlstate == _IN_THE_FUTURE else None
    if crashed:
        # The id may have been given to another transaction; but not if ours was committed.
        return "unknown" if status in {"committed", None} else "aborted"
    return None if status == "in progress" else status or "unknown"
