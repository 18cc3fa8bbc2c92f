"""The activity log in PostgreSQL."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from surf_data.kernel import validation
from surf_data.kernel.journal import Journal
from surf_data.kernel.postgres import Executor
from surf_data.lamps.activity_entries import activity_table, checked, checked_rows
from surf_data.lamps.activity_history import activity_history
from surf_data.lamps.activity_statistics import activity_statistics, roll_up
from surf_data.lamps.queries import lamp_queries

#: How many entries `log_activities` takes at once.
MAX_ENTRIES = 100_000
#: How many of them are checked before they are sent.
_CHECKED_AT_ONCE = 1000


class PostgresActivityLogger:
    """Logs what happens, and reports what happened.

    Arguments:
        database: runs the statements.
        journal: takes the entries of `log_activity`: with a buffer, with a spool, or with neither.
        rolls_up: lets `get_activity_statistics` roll up what is over; not for a transaction.
    """

    def __init__(self, database: Executor, journal: Journal | None = None, *, rolls_up: bool = False) -> None:
        self._database = database
        self._rolls_up = rolls_up
        self._journal = Journal(database, activity_table()) if journal is None else journal

    def log_activity(
        self,
        lamp_id: str | UUID | None,
        activity_type: str,
        status: str,
        details: Mapping[str, Any] | None = None,
        *,
        ip_address: str | None = None,
        user_agent: str | None = None,
    ) -> None:
        """Log one entry. This never raises, and never spoils a transaction it is called in.

        What could not be logged, bad input included, is a warning of the kernel's journal and is counted in
        ``stats()["activity"]["failures"]``. With a spool, and outside transactions, what the server cannot accept now
        is kept there, and written after the next entry that it accepts: see `replay_spool`.

        With a buffer, and outside transactions, an entry is kept in memory with the time of this call, and written
        together with others soon after; what was not written is lost when the process is killed, or leaves by
        ``os._exit``. While the buffer is full this waits. See `flush`.

        Arguments:
            lamp_id: the lamp; ``None`` for the system itself.
            activity_type: 1 to 50 characters.
            status: 1 to 20 characters; ``success`` counts for the success rate.
            details: a mapping that is JSON; ``None`` is stored as NULL, ``{}`` as ``{}``.
            ip_address: IPv4 or IPv6.
            user_agent: up to 2,000 characters.
        """
        try:
            entry = {"lamp_id": lamp_id, "activity_type": activity_type, "status": status, "details": details}
            self._journal.append(checked({**entry, "ip_address": ip_address, "user_agent": user_agent}))
        except Exception as error:  # noqa: BLE001 - logging must not break what it logs
            self._journal.losses.record(error)

    def flush(self) -> bool:
        """Write what the buffer has, and wait until that is done; `surf_data.DataLayer.close` does it, too.

        Returns:
            Whether nothing that was logged before is left in it: it was written, is in the spool, or is counted as
            a failure. ``False`` when a deadline came first. ``True`` at once without a buffer.
        """
        return self._journal.flush()

    def replay_spool(self) -> int:
        """Write the entries that the spool keeps, in order, each exactly once.

        Returns:
            How many they were; 0 without a spool, and while another process does it.

        Raises:
            DatabaseError: the server cannot take them now. They are kept.
            OSError: the spool's folder cannot be read or written to.
        """
        return self._journal.replay()

    def log_activities(self, entries: Iterable[Mapping[str, Any]]) -> int:
        """Log many entries at once, all of them or none. Within a transaction, which goes on if they are refused.

        Entries are checked by the thousand and then sent, while the server works on those before them. So when one of
        the first thousand is refused, nothing is sent at all.

        Arguments:
            entries: at most 100,000 mappings with ``activity_type`` and ``status``, and if wanted ``lamp_id``,
                ``details``, ``ip_address`` and ``user_agent``, as for `log_activity`.

        Returns:
            How many were stored.

        Raises:
            ValidationError: an entry is refused; the field says which: ``entries[3].status``. Nothing is stored.
            DatabaseError: they could not be stored, for example because one names an unknown lamp.
        """
        if isinstance(entries, (str, bytes, Mapping)) or not isinstance(entries, Iterable):
            raise validation.invalid("entries", "must be a list of mappings")
        # What is made while it is asked for could take its time, or use this database, so it is made first.
        listed = entries if isinstance(entries, (list, tuple)) else list(islice(entries, MAX_ENTRIES + 1))
        if len(listed) > MAX_ENTRIES:
            raise validation.invalid("entries", f"must be {MAX_ENTRIES:,} at the most")
        rows = checked_rows(listed)
        if some := list(islice(rows, _CHECKED_AT_ONCE)):
            with self._database.savepoint() as database, lamp_queries().activity_copy(database) as copy:
                while some:
                    copy.write_rows(some)
                    some = list(islice(rows, _CHECKED_AT_ONCE))
        return len(listed)

    def get_lamp_activity_history(
        self, lamp_id: str | UUID, limit: int = 100, before: datetime | Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return the latest entries of a lamp, newest first.

        Arguments:
            lamp_id: the lamp.
            limit: entries at the most, 1 to 10,000.
            before: the last entry of the page before, to go on after it; or an aware datetime, to begin with the
                entries before that moment.

        Returns:
            Entries with ``id``, ``lamp_id`` (text), ``activity_type``, ``status``, ``details``, ``created_at`` (an
            aware datetime), ``ip_address`` (text) and ``user_agent``; no entries for an unknown lamp.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they could not be read.
        """
        return activity_history(self._database, lamp_id, limit, before)

    def get_activity_statistics(self, hours: int = 24) -> dict[str, Any]:
        """Return counts of what happened lately.

        They are exact. What is over is rolled up, and only the rest is read entry by entry. What is found not to be
        rolled up is, for about a second at the most, unless this is within a transaction, the database is read-only, or
        there is a replica for reads: then it is up to `roll_up`.

        Arguments:
            hours: how far to look back, 1 to 8,784.

        Returns:
            ``hours``; ``total``; ``by_type`` and ``by_status``, counts by name; ``success_rate``, the share of
            entries with status ``success`` from 0 to 1, ``None`` without entries; ``active_lamps``, how many lamps
            have entries; ``per_hour``, a list of ``hour`` (its begin, UTC) and ``count`` that covers the whole time,
            oldest first, the first and the last hour being partial.

        Raises:
            ValidationError: ``hours`` is out of range.
            DatabaseError: they could not be read.
        """
        return activity_statistics(self._database, hours, rolls_up=self._rolls_up)

    def roll_up(self) -> None:
        """Roll up all that is over, however long it takes, so that statistics need not. Not within a transaction.

        It is done in portions, each of them a transaction. What a transaction that is still open holds up, and what
        another process is rolling up, is left to the next time.

        Raises:
            DatabaseError: it could not be done.
        """
        roll_up(self._database)
