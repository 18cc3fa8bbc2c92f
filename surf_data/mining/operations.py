"""What is counted of the operations of an access object, and how their errors become those that callers know."""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal

from surf_data.errors import DatabaseError, DatabaseUnavailable, DeadlineExceeded, RedisError, RedisUnavailable
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.mining.errors import (
    AccessError,
    PgsqlConnectionError,
    RedisConnectionError,
    RedisReadFailed,
    StatementFailed,
)

_log = get_logger("surf_data.mining")

#: Returns where the server is, for errors.
Details = Callable[[], Mapping[str, Any]]


class OperationCounts:
    """How often each operation was called, and how often it failed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, operation: str, *, failed: bool) -> None:
        """Count a call."""
        with self._lock:
            counts = self._counts.setdefault(operation, {"count": 0, "errors": 0})
            counts["count"] += 1
            counts["errors"] += failed

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Return ``count`` and ``errors`` by operation."""
        with self._lock:
            return {operation: dict(counts) for operation, counts in self._counts.items()}


class Observed:
    """A context manager that counts its block as an operation, and translates the errors of the kernel.

    Arguments:
        operation: what it is called.
        counts: where it is counted.
        details: returns where the server is.
    """

    __slots__ = ("_counts", "_details", "_operation")

    def __init__(self, operation: str, counts: OperationCounts, details: Details) -> None:
        self._operation = operation
        self._counts = counts
        self._details = details

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        self._counts.add(self._operation, failed=error is not None)
        if not isinstance(error, (DatabaseError, RedisError)):
            return False
        failure = _translated(error, self._operation, self._details)
        _log.error("operation failed", extra={"operation": self._operation, **error_facts(error)})
        del error, traceback
        try:
            raise failure
        finally:
            # What was raised in the block travels as original_exception alone.
            failure.__context__ = None
            # The error holds this frame; held in turn, both would wait for the garbage collector.
            del failure


def _translated(error: DatabaseError | RedisError, operation: str, details: Details) -> AccessError:
    kind: type[AccessError] = StatementFailed
    if isinstance(error, (DatabaseUnavailable, DeadlineExceeded)):
        kind = PgsqlConnectionError
    elif isinstance(error, RedisUnavailable):
        kind = RedisConnectionError
    elif isinstance(error, RedisError):
        kind = RedisReadFailed
    return kind(str(error), error, details(), operation=operation)
