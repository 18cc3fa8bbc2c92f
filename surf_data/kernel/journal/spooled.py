"""One entry at a time, kept in a spool when PostgreSQL cannot accept it now."""

from surf_data.errors import DatabaseError
from surf_data.kernel.journal.identifiers import IdReservation
from surf_data.kernel.journal.replay import Replayer
from surf_data.kernel.journal.table import Entry, JournalTable
from surf_data.kernel.journal.transient import is_transient
from surf_data.kernel.postgres import Executor


class SpooledWriter:
    """Inserts an entry under an id that was reserved before, so that doing it twice is as good as doing it once.

    Arguments:
        database: runs the statements.
        table: whose entries they are.
        replayer: keeps what cannot be written now.
    """

    def __init__(self, database: Executor, table: JournalTable, replayer: Replayer) -> None:
        self._database = database
        self._table = table
        self._ids = IdReservation(database, table)
        self._replayer = replayer

    def write(self, entry: Entry) -> None:
        """Write an entry and then what was kept before, or keep it for later.

        Raises:
            DatabaseError: the server will never accept it.
            OSError: it cannot be kept either.
        """
        problem: Exception | None = None
        try:
            if entry[self._table.id] is None:
                entry[self._table.id] = self._ids.next()
            self._table.insert_once(self._database, **entry)
        except DatabaseError as error:
            if not is_transient(error):
                raise
            problem = error
        if problem is None:
            self._replayer.catch_up()
        elif self._replayer.keep([entry], problem):
            raise OSError("the spool is full")
