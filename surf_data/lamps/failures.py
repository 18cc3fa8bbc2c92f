"""What could not be logged: counted, and a warning."""

import logging
import threading

_log = logging.getLogger("surf_data.lamps.activity_logger")


class Failures:
    """Counts the entries that could not be logged; shared by all loggers of a data layer. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def record(self, error: Exception, entries: int = 1) -> None:
        """Count entries, and warn of the error that they were lost by.

        Arguments:
            error: it is shown by its class, field and SQLSTATE alone.
            entries: how many were lost.
        """
        with self._lock:
            self._count += entries
        facts = {"error": type(error).__name__, "field": getattr(error, "field", None), "entries": entries}
        _log.warning("activity logging failed", extra={**facts, "sqlstate": getattr(error, "sqlstate", None)})

    @property
    def count(self) -> int:
        """The entries that were lost so far."""
        return self._count
