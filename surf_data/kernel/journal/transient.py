"""Which failures of a write pass by themselves."""

from surf_data.errors import DatabaseError, DatabaseUnavailable, DeadlineExceeded, LockTimeout, StatementTimeout

TRANSIENT = (DatabaseUnavailable, DeadlineExceeded, LockTimeout, StatementTimeout)


def is_transient(error: Exception) -> bool:
    """Return whether the server may accept later what it refused with ``error``."""
    # Class 53: the server's disk or memory is full, or its connections are.
    return isinstance(error, DatabaseError) and (
        error.retryable or isinstance(error, TRANSIENT) or (error.sqlstate or "").startswith("53")
    )
