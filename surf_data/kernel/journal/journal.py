"""A journal: what is appended to one table, at once, or soon and together with others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from surf_data.kernel.journal.batches import BatchWriter
from surf_data.kernel.journal.buffer import Buffer, BufferLimits
from surf_data.kernel.journal.losses import LossCounter
from surf_data.kernel.journal.replay import Replayer
from surf_data.kernel.journal.spool import Spool
from surf_data.kernel.journal.spooled import SpooledWriter
from surf_data.kernel.journal.table import JournalTable
from surf_data.kernel.postgres import Executor
from surf_data.kernel.settings import Settings


class Journal:
    """Appends entries to one table. Thread-safe. Its caller checks the values.

    Arguments:
        database: runs the statements: a pool, or a session within a transaction, which takes neither spool nor buffer.
        table: the table, and the statements that write to it.
        losses: counts what could not be written.
        spool: keeps what cannot be written now.
        buffer: collects entries in memory, to be written together.
    """

    def __init__(
        self,
        database: Executor,
        table: JournalTable,
        *,
        losses: LossCounter | None = None,
        spool: Spool | None = None,
        buffer: BufferLimits | None = None,
    ) -> None:
        self._database = database
        self._table = table
        #: Counts what could not be written, and warns of it.
        self.losses: LossCounter = LossCounter(table.name) if losses is None else losses
        # A transaction has a journal of its own, so what is not needed is not created.
        self._replayer = self._spooled = self._buffer = None
        if spool is not None:
            self._replayer = Replayer(database, table, spool)
            self._spooled = SpooledWriter(database, table, self._replayer)
        if buffer is not None:
            self._buffer = Buffer(BatchWriter(database, table, self.losses, self._replayer).write, buffer, table.name)

    @classmethod
    def of_settings(
        cls, database: Executor, table: JournalTable, settings: Settings, *, losses: LossCounter | None = None
    ) -> Self:
        """Return a journal with the spool and the buffer that the settings ask for.

        Arguments:
            database: a pool.
            table: the table, and the statements that write to it.
            settings: the ``journal_...`` of them.
            losses: counts what could not be written.
        """
        folder = settings.journal_spool
        return cls(
            database,
            table,
            losses=losses,
            spool=None if folder is None else Spool(Path(folder), table.name, settings.journal_spool_max_bytes),
            buffer=BufferLimits(entries=settings.journal_buffer, seconds=settings.journal_buffer_seconds)
            if settings.journal_buffer
            else None,
        )

    def append(self, values: Mapping[str, Any]) -> None:
        """Write an entry.

        With a buffer this keeps it in memory with the time of this call, and waits only while the buffer is full; what
        is not written later is counted by ``losses``. With a spool, what the server cannot accept now is kept there,
        and written after the next entry that it accepts. With neither, the entry is one insert, within a transaction
        in a savepoint.

        Arguments:
            values: by column: all of them, but the id and the time are optional.

        Raises:
            DatabaseError: the entry could not be written; it is neither kept nor counted.
            OSError: it could be neither written nor kept.
        """
        if self._buffer is not None:
            entry = self._table.entry(values)
            self._buffer.add(entry, self._table.characters(entry))
        elif self._spooled is not None:
            self._spooled.write(self._table.entry(values))
        else:
            with self._database.savepoint() as database:
                self._table.insert(database, **values)

    def flush(self) -> bool:
        """Write what the buffer has, and wait until that is done.

        Returns:
            Whether nothing that was appended before is left in it: it was written, is in the spool, or is counted as
            lost. ``False`` when a deadline came first. ``True`` at once without a buffer.
        """
        return self._buffer is None or self._buffer.flush()

    def replay(self) -> int:
        """Write the entries that the spool keeps, in order, each exactly once.

        Returns:
            How many they were; 0 without a spool, and while another process does it.

        Raises:
            DatabaseError: the server cannot accept them now. They are kept.
            OSError: the spool's folder cannot be read or written to.
        """
        return 0 if self._replayer is None else self._replayer.replay()
