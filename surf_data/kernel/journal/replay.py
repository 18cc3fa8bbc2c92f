"""What a spool keeps is written later, in order, each entry exactly once."""

from collections.abc import Sequence
from typing import Any

from surf_data.errors import ConstraintViolation
from surf_data.kernel.journal.codec import encode
from surf_data.kernel.journal.identifiers import identify
from surf_data.kernel.journal.spool import Spool
from surf_data.kernel.journal.table import Entry, JournalTable
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.postgres import Executor

_log = get_logger("surf_data.kernel.journal.replay")


class Replayer:
    """Moves entries of one table to its spool, and from there to PostgreSQL.

    Arguments:
        database: runs the statements.
        table: whose entries they are.
        spool: keeps them.
    """

    def __init__(self, database: Executor, table: JournalTable, spool: Spool) -> None:
        self._database = database
        self._table = table
        self._spool = spool

    def keep(self, entries: Sequence[Entry], error: Exception) -> int:
        """Keep entries for later, because of an error; return how many there was no room for, from the end.

        Raises:
            OSError: they cannot be kept.
        """
        lost = self._spool.append([encode(entry) for entry in entries])
        if kept := len(entries) - lost:
            facts = {"table": self._table.name, **error_facts(error), "entries": kept}
            _log.warning("journal entries spooled", extra=facts)
        return lost

    def catch_up(self) -> None:
        """Write what was kept, if there is anything, and the server accepts it."""
        if not self._spool.is_empty:
            try:
                self.replay()
            except Exception as error:  # noqa: BLE001 - a file may hold anything
                facts = {"table": self._table.name, **error_facts(error)}
                _log.warning("journal entries not replayed yet", extra=facts)

    def replay(self) -> int:
        """Write what was kept, in order; return how many entries that were.

        Raises:
            DatabaseError: the server cannot accept them now. They are kept.
            OSError: the folder cannot be read or written to, or holds a line that is no entry. They are kept.
        """
        with self._spool.claim() as kept:
            if kept:
                entries = list(map(self._entry, kept))
                identify(self._database, self._table, entries)
                # From here on it can be interrupted at any place, and done again.
                self._spool.save([encode(entry) for entry in entries])
                with self._database.transaction() as transaction:
                    for entry in entries:
                        self._insert(transaction, entry)
            return len(kept)

    def _entry(self, kept: Any) -> Entry:
        """Return a kept line as an entry of today's columns: one that was added since is null."""
        if isinstance(kept, dict) and kept.keys() >= {self._table.id, self._table.time}:
            return {column: kept.get(column) for column in self._table.columns}
        raise OSError("the spool holds a line that is no entry")

    def _insert(self, executor: Executor, entry: Entry) -> None:
        detached = {**entry, **dict.fromkeys(self._table.references)}
        for values in (entry, detached):
            try:
                with executor.savepoint() as savepoint:
                    self._table.insert_once(savepoint, **values)
            except ConstraintViolation:
                # The row that it refers to was deleted meanwhile; the entries that it had then have lost it, too.
                continue
            return
        _log.warning("spooled journal entry refused", extra={"table": self._table.name})
