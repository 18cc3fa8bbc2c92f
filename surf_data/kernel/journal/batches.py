"""Many entries of a journal in one statement, also when the server refuses some of them."""

from collections.abc import Callable

from surf_data.errors import DatabaseError
from surf_data.kernel.journal.codec import encode
from surf_data.kernel.journal.identifiers import identify
from surf_data.kernel.journal.losses import LossCounter
from surf_data.kernel.journal.replay import Replayer
from surf_data.kernel.journal.table import Entry, JournalTable
from surf_data.kernel.journal.transient import is_transient
from surf_data.kernel.postgres import Executor


class BatchWriter:
    """Inserts entries under ids that were reserved before, so that doing it twice is as good as doing it once.

    Arguments:
        database: runs the statements.
        table: whose entries they are.
        losses: counts what is lost.
        replayer: keeps what cannot be written now.
    """

    def __init__(self, database: Executor, table: JournalTable, losses: LossCounter, replayer: Replayer | None) -> None:
        self._database = database
        self._table = table
        self._losses = losses
        self._replayer = replayer

    def write(self, entries: list[Entry], sent: Callable[[], None]) -> None:
        """Write entries, in order. One that the server will never accept, or that cannot be kept, is lost and counted.

        Arguments:
            entries: the columns of each by name.
            sent: called when all are sent, if all can be, and before they are known to be stored.
        """
        # What is still to be written: the last part first.
        parts = [entries]
        try:
            identify(self._database, self._table, entries)
            if self._copy(entries, sent):
                parts.clear()
            while parts:
                self._insert_last(parts)
        except Exception as error:  # noqa: BLE001 - no caller waits for it, and later entries are still to be written
            self._keep([entry for part in reversed(parts) for entry in part], error)
            return
        if self._replayer is not None:
            self._replayer.catch_up()

    def _copy(self, entries: list[Entry], sent: Callable[[], None]) -> bool:
        """Write entries in the fastest way; return whether all are known to be there."""
        try:
            with self._table.copy_many(self._database) as copy:
                copy.write_rows(list(map(self._table.row, entries)))
                sent()
        except DatabaseError:
            # One of them was refused, or the answer was lost.
            return False
        return True

    def _insert_last(self, parts: list[list[Entry]]) -> None:
        """Write the last part in a way that may be repeated; one that is refused is halved, or done with."""
        part = parts[-1]
        try:
            rows = [encode(entry) for entry in part]
            arrays = {column.array: [row[name] for row in rows] for name, column in self._table.columns.items()}
            self._table.insert_many(self._database, **arrays)
        except DatabaseError as error:
            if is_transient(error):
                raise
            if len(part) > 1:
                # One whose referenced row is gone, for example, must not take the others with it.
                middle = len(part) // 2
                parts[-1:] = [part[middle:], part[:middle]]
                return
            self._losses.record(error)
        parts.pop()

    def _keep(self, entries: list[Entry], error: Exception) -> None:
        lost = len(entries)
        if self._replayer is not None and is_transient(error):
            try:
                lost = self._replayer.keep(entries, error)
            except Exception as problem:  # noqa: BLE001 - as above
                error = problem
        if lost:
            self._losses.record(error, lost)
