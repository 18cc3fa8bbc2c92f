"""Writes many entries of the activity log in one statement, whatever some of them are like."""

from collections.abc import Callable

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres import Executor
from surf_data.lamps.failures import Failures
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.spool import Entry
from surf_data.lamps.spooling import SpoolingLogger, reserve, to_json, will_pass

# The columns, and what the statement that inserts many entries calls their values.
_PARAMETERS = {
    "id": "ids",
    "lamp_id": "lamp_ids",
    "activity_type": "activity_types",
    "status": "statuses",
    "details": "documents",
    "ip_address": "ip_addresses",
    "user_agent": "user_agents",
    "created_at": "times",
}


class BatchWriter:
    """Inserts entries under ids that were reserved before, so that doing it twice is as good as doing it once.

    Arguments:
        database: runs the statements.
        failures: counts what is lost.
        spooling: keeps what cannot be written now.
    """

    def __init__(self, database: Executor, failures: Failures, spooling: SpoolingLogger | None) -> None:
        self._database = database
        self._failures = failures
        self._spooling = spooling

    def write(self, entries: list[Entry], sent: Callable[[], None]) -> None:
        """Write entries, in order. What the server will never take, or cannot take and nobody keeps, is a failure.

        Arguments:
            entries: the columns of each by name.
            sent: is called when all are sent, if all can be, and before they are known to be stored.
        """
        # What is still to be written: the last part first.
        parts = [entries]
        try:
            for entry, reserved in zip(entries, reserve(self._database, len(entries)), strict=True):
                entry["id"] = reserved
            if self._copy(entries, sent):
                parts.clear()
            while parts:
                self._insert_last(parts)
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and others are to be written after it
            self._keep([entry for part in reversed(parts) for entry in part], error)
            return
        if self._spooling is not None:
            self._spooling.catch_up()

    def _copy(self, entries: list[Entry], sent: Callable[[], None]) -> bool:
        """Write entries in the fastest way; return whether all are known to be there."""
        try:
            with lamp_queries().activity_copy_many(self._database) as copy:
                copy.write_rows([tuple(entry.values()) for entry in entries])
                sent()
        except DatabaseError:
            # One of them was refused, or the answer was lost.
            return False
        return True

    def _insert_last(self, parts: list[list[Entry]]) -> None:
        """Write the last part in a way that may be repeated; one that is refused is halved, or done with."""
        part = parts[-1]
        try:
            rows = [to_json(entry) for entry in part]
            columns = {parameter: [row[column] for row in rows] for column, parameter in _PARAMETERS.items()}
            lamp_queries().activity_insert_many(self._database, **columns)
        except DatabaseError as error:
            if will_pass(error):
                raise
            if len(part) > 1:
                # One whose lamp is gone, for example, must not take the others with it.
                middle = len(part) // 2
                parts[-1:] = [part[middle:], part[:middle]]
                return
            self._failures.record(error)
        parts.pop()

    def _keep(self, entries: list[Entry], error: Exception) -> None:
        lost = len(entries)
        if self._spooling is not None and will_pass(error):
            try:
                lost = self._spooling.keep(entries, error)
            except Exception as problem:  # noqa: BLE001 - as above
                error = problem
        if lost:
            self._failures.record(error, lost)
