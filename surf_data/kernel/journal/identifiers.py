"""Ids that are reserved before an entry is sent, so that sending it twice is as good as once."""

import threading
from typing import Any

from surf_data.kernel import forking
from surf_data.kernel.journal.table import Entry, JournalTable
from surf_data.kernel.postgres import Executor

#: Ids that are reserved at a time for single entries.
RESERVED = 100


class IdReservation:
    """Ids of one table, reserved a hundred at a time. Thread-safe.

    Arguments:
        database: runs the statement.
        table: whose ids they are.
    """

    def __init__(self, database: Executor, table: JournalTable) -> None:
        self._database = database
        self._table = table
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """In a forked child: reserve ids of its own."""
        self._lock = threading.Lock()
        self._ids: list[Any] = []

    def next(self) -> Any:
        """Return an id that no other entry has.

        Raises:
            DatabaseError: none could be reserved.
        """
        with self._lock:
            if self._ids:
                return self._ids.pop(0)
        # Without the lock: the server may take its time.
        first, *others = self._table.reserve(self._database, number=RESERVED)
        with self._lock:
            self._ids += others
        return first


def identify(database: Executor, table: JournalTable, entries: list[Entry]) -> None:
    """Give an id to each entry that has none.

    Raises:
        DatabaseError: they could not be reserved.
    """
    new = [entry for entry in entries if entry[table.id] is None]
    for entry, reserved in zip(new, table.reserve(database, number=len(new)) or [], strict=True):
        entry[table.id] = reserved
