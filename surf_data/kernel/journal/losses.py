"""Entries that could not be logged: counted, and a warning."""

import threading

from surf_data.kernel.log_messages import error_facts, get_logger

_log = get_logger("surf_data.kernel.journal.losses")


class LossCounter:
    """Counts the entries of one table that could not be logged; shared by all its journals. Thread-safe.

    Arguments:
        table: its name, for the log record.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._count = 0

    def record(self, error: Exception, entries: int = 1) -> None:
        """Count entries, and warn of the error that they were lost by.

        Arguments:
            error: its class, field and SQLSTATE are logged, and the text of one of ours.
            entries: how many were lost, 1 or more.
        """
        with self._lock:
            self._count += entries
        facts = {"table": self._table, **error_facts(error), "field": getattr(error, "field", None)}
        _log.warning("journal entries lost", extra={**facts, "entries": entries})

    @property
    def count(self) -> int:
        """The entries that were lost so far."""
        return self._count
