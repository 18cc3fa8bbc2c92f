"""When a statement or a transaction may be tried again: by what the server said, and by what it can have done.

PostgreSQL's answers are the only guide: psycopg's classes are not, since an OperationalError can be anything.
"""

from collections.abc import Callable

from surf_data.errors import CommitUnknown, DatabaseError, DatabaseUnavailable, PoolTimeout
from surf_data.kernel.backoff import Backoff
from surf_data.kernel.postgres import deadlines
from surf_data.kernel.postgres.statement import Statement

#: How often something is tried, the first time included.
TRIES = 3

# Enough for the other side of a deadlock or a conflict to have its way.
_BACKOFF = Backoff(0.02)

#: A standby answers: where the address leads to now there may be a primary.
READ_ONLY = "25006"
#: A table has changed under a prepared statement.
STALE_PLAN = "0A000"
#: A pooler has mixed up prepared statements.
MIXED_UP = frozenset({"26000", "42P05"})
_CONNECTION_EXCEPTION = "08"
#: The session is at fault, and not the statement.
SESSION_FAULTS = MIXED_UP | {READ_ONLY, STALE_PLAN}


def is_lost(error: DatabaseError) -> bool:
    """Whether the server went away, so that a statement may be tried again if running it twice does no harm.

    A pool without connections is not among it: a caller that waited for one has waited long enough.
    """
    return isinstance(error, DatabaseUnavailable) and not isinstance(error, PoolTimeout)


def is_rolled_back(error: DatabaseError) -> bool:
    """Whether nothing is left of a transaction that ended with ``error``, and it may be tried again."""
    return error.retryable or (is_lost(error) and not isinstance(error, CommitUnknown))


def is_ambiguous(error: DatabaseError, *, broken: bool) -> bool:
    """Whether it is unknown if a statement that was a transaction by itself has run to its end.

    Arguments:
        error: how it ended. A connection exception (class 08) that comes over a connection which is there is another
            server's: a worker of a cluster was lost, perhaps after it had committed.
        broken: whether its connection was lost.
    """
    elsewhere = (error.sqlstate or "").startswith(_CONNECTION_EXCEPTION)
    return (broken or elsewhere) and not error.retryable and is_lost(error)


def safe_to_repeat(statement: Statement, may_write: Callable[[tuple[str, ...]], bool]) -> bool:
    """Whether running ``statement`` twice is as good as running it once.

    Arguments:
        statement: what was run.
        may_write: tells of the functions with these names whether one of them may change something.
    """
    return statement.idempotent or (statement.reads and not (statement.functions and may_write(statement.functions)))


def pause(tries: int) -> None:
    """Wait for a moment of random length after so many tries, but not beyond the deadline."""
    _BACKOFF.pause(tries, deadlines.current_deadline())
