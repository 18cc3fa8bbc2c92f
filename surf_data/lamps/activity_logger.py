"""The activity log in PostgreSQL."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import monotonic
from typing import Any
from uuid import UUID

from surf_data.errors import DatabaseError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.paging import keyset
from surf_data.kernel.postgres import Executor, Json
from surf_data.lamps.batches import BatchWriter
from surf_data.lamps.buffer import Buffer, BufferLimits
from surf_data.lamps.failures import Failures
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.rows import StatisticsRow
from surf_data.lamps.spool import Spool
from surf_data.lamps.spooling import SpoolingLogger

#: The most entries that one page of history has.
MAX_HISTORY = 10_000
#: The longest time that statistics cover: a year and a day, in hours.
MAX_STATISTICS_HOURS = 366 * 24

_log = logging.getLogger("surf_data.lamps.activity_logger")

#: Entries that are rolled up in one transaction, and seconds for which one who asks for statistics goes on with it.
_PORTION = 10_000
_PATIENCE = 1.0
_REQUIRED = ("activity_type", "status")
_OPTIONAL = ("lamp_id", "details", "ip_address", "user_agent")
_NEEDED = frozenset(_REQUIRED)
_KNOWN = _NEEDED.union(_OPTIONAL)


#: How many entries `log_activities` takes at once.
MAX_ENTRIES = 100_000
#: How many of them are checked before they are sent.
_CHECKED_AT_ONCE = 1000


class PostgresActivityLogger:
    """Logs what happens, and tells what happened.

    Arguments:
        database: runs the statements.
        failures: counts what could not be logged.
        spool: keeps what `log_activity` cannot write now.
        buffer: lets `log_activity` collect entries in memory and write them together; not for a transaction.
        rolls_up: lets `get_activity_statistics` roll up what is over; not for a transaction.
    """

    def __init__(
        self,
        database: Executor,
        failures: Failures | None = None,
        spool: Spool | None = None,
        buffer: BufferLimits | None = None,
        *,
        rolls_up: bool = False,
    ) -> None:
        self._database = database
        self._rolls_up = rolls_up
        self._failures = failures or Failures()
        self._spooling = None if spool is None else SpoolingLogger(database, spool)
        writer = BatchWriter(database, self._failures, self._spooling)
        self._buffer = None if buffer is None else Buffer(writer.write, buffer)

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

        What could not be logged, bad input included, is a warning of this module's logger and is counted in
        ``stats()["activity"]["failures"]``. With a spool, and outside transactions, what the server cannot take now is
        kept there, and written after the next entry that it takes: see `replay_spool`.

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
            values = _checked({**entry, "ip_address": ip_address, "user_agent": user_agent})
            if self._buffer is not None:
                characters = 0 if values["details"] is None else len(values["details"].text)
                self._buffer.add({"id": None, **values, "created_at": datetime.now(UTC)}, characters)
                return
            if self._spooling is not None:
                self._spooling.log(values)
                return
            with self._database.savepoint() as database:
                lamp_queries().activity_insert(database, **values)
        except Exception as error:  # noqa: BLE001 - logging must not break what it logs
            self._failures.record(error)

    def flush(self) -> bool:
        """Write what the buffer has, and wait until that is done; `surf_data.DataLayer.close` does it, too.

        Returns:
            Whether nothing that was logged before is left in it: it was written, is in the spool, or is counted as
            a failure. ``False`` when a deadline came first. ``True`` at once without a buffer.
        """
        return self._buffer is None or self._buffer.flush()

    def replay_spool(self) -> int:
        """Write the entries that the spool keeps, in order, each exactly once.

        Returns:
            How many they were; 0 without a spool, and while another process does it.

        Raises:
            DatabaseError: the server cannot take them now. They are kept.
            OSError: the spool's folder cannot be read or written to.
        """
        return 0 if self._spooling is None else self._spooling.replay()

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
        rows = _rows(listed)
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
        lamp_id = validation.uuid("lamp_id", lamp_id)
        limit = validation.integer("limit", limit, minimum=1, maximum=MAX_HISTORY)
        before_created_at, before_id = keyset("before", before)
        rows = lamp_queries().activity_history(
            self._database,
            lamp_id=lamp_id,
            before_created_at=before_created_at,
            before_id=before_id,
            row_limit=limit,
        )
        return [row.to_dict() for row in rows]

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
        hours = validation.integer("hours", hours, minimum=1, maximum=MAX_STATISTICS_HOURS)
        read = lamp_queries().activity_statistics
        rows = read(self._database, hours=hours, regardless=not self._rolls_up)
        if not rows:
            try:
                self._roll_up(hours, monotonic() + _PATIENCE)
            except DatabaseError as error:
                facts = {"error": type(error).__name__, "sqlstate": error.sqlstate}
                _log.warning("activity not rolled up", extra=facts)
            rows = read(self._database, hours=hours, regardless=True)
        return _statistics(hours, rows)

    def roll_up(self) -> None:
        """Roll up all that is over, however long it takes, so that statistics need not. Not within a transaction.

        It is done in portions, each of them a transaction. What a transaction that is still open holds up, and what
        another process is rolling up, is left to the next time.

        Raises:
            DatabaseError: it could not be done.
        """
        self._roll_up(None, math.inf)

    def _roll_up(self, hours: int | None, ends: float) -> None:
        roll_up = lamp_queries().activity_roll_up
        while roll_up(self._database, hours=hours, portion=_PORTION) and monotonic() < ends:
            pass


def _rows(entries: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of each entry in the order in which COPY wants them."""
    for position, entry in enumerate(entries):
        # Most are dicts with no other keys than there may be, which takes less to find out than which one is wrong.
        if type(entry) is not dict or not _NEEDED <= entry.keys() <= _KNOWN:
            name = f"entries[{position}]"
            validation.check_keys(name, validation.mapping(name, entry), required=_REQUIRED, optional=_OPTIONAL)
        try:
            row = tuple(_checked(entry).values())
        except ValidationError as error:
            problem = validation.nested(f"entries[{position}].", error)
            break
        yield row
    else:
        return
    raise problem


def _checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of ``entry`` in the order in which COPY wants them."""
    lamp_id, details, ip_address, user_agent = map(entry.get, _OPTIONAL)
    if details is not None:
        details = Json(validation.jsonb_object("details", details))
    return {
        "lamp_id": None if lamp_id is None else validation.uuid("lamp_id", lamp_id),
        "activity_type": validation.text("activity_type", entry["activity_type"], maximum=50),
        "status": validation.text("status", entry["status"], maximum=20),
        "details": details,
        "ip_address": None if ip_address is None else validation.ip_address("ip_address", ip_address),
        "user_agent": None
        if user_agent is None
        else validation.text("user_agent", user_agent, minimum=0, maximum=2000),
    }


def _statistics(hours: int, rows: list[StatisticsRow]) -> dict[str, Any]:
    total = next(row for row in rows if (row.activity_type, row.status, row.hour) == (None, None, None))
    by_hour = {row.hour.astimezone(UTC): row.entries for row in rows if row.hour is not None}
    by_status = {row.status: row.entries for row in rows if row.status is not None}
    last = total.measured_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    covered = [last - timedelta(hours=back) for back in range(hours, -1, -1)]
    return {
        "hours": hours,
        "total": total.entries,
        "by_type": {row.activity_type: row.entries for row in rows if row.activity_type is not None},
        "by_status": by_status,
        "success_rate": by_status.get("success", 0) / total.entries if total.entries else None,
        "active_lamps": total.active_lamps,
        "per_hour": [{"hour": hour, "count": by_hour.get(hour, 0)} for hour in covered],
    }
