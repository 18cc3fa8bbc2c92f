"""The activity log in PostgreSQL."""

import logging
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from surf_data import validation
from surf_data.lamps.queries import StatisticsRow, lamp_queries
from surf_data.postgres import Executor, Json

_log = logging.getLogger("surf_data.lamps.activity_logger")

#: The most entries that one page of history has.
MAX_HISTORY = 10_000
#: The longest time that statistics cover: a year and a day, in hours.
MAX_STATISTICS_HOURS = 366 * 24

_REQUIRED = ("activity_type", "status")
_OPTIONAL = ("lamp_id", "details", "ip_address", "user_agent")


class FailureCount:
    """How many entries could not be logged; shared by all loggers of a data layer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0

    def increment(self) -> None:
        """Count one."""
        with self._lock:
            self._failures += 1

    @property
    def value(self) -> int:
        """The failures so far."""
        return self._failures


class PostgresActivityLogger:
    """Logs what happens, and tells what happened.

    Arguments:
        database: runs the statements.
        failures: counts what could not be logged.
    """

    def __init__(self, database: Executor, failures: FailureCount | None = None) -> None:
        self._database = database
        self._failures = failures or FailureCount()

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
        ``stats()["activity"]["failures"]``.

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
            values = _checked("", {**entry, "ip_address": ip_address, "user_agent": user_agent})
            with self._database.savepoint() as database:
                lamp_queries().activity_insert(database, **values)
        except Exception as error:  # noqa: BLE001 - logging must not break what it logs
            self._failures.increment()
            facts = {"error": type(error).__name__, "field": getattr(error, "field", None)}
            _log.warning("activity logging failed", extra={**facts, "sqlstate": getattr(error, "sqlstate", None)})

    def log_activities(self, entries: Iterable[Mapping[str, Any]]) -> int:
        """Log many entries at once, all of them or none.

        Every entry is checked before the first is sent, so memory grows with their number; feed a large import in
        portions of, say, 100,000.

        Arguments:
            entries: mappings with ``activity_type`` and ``status``, and if wanted ``lamp_id``, ``details``,
                ``ip_address`` and ``user_agent``, as for `log_activity`.

        Returns:
            How many were stored.

        Raises:
            ValidationError: an entry is refused; the field says which: ``entries[3].status``.
            DatabaseError: they could not be stored, for example because one names an unknown lamp.
        """
        if isinstance(entries, (str, bytes, Mapping)) or not isinstance(entries, Iterable):
            raise validation.refusal("entries", "must be a list of mappings")
        rows = []
        for position, entry in enumerate(entries):
            name = f"entries[{position}]"
            validation.keys(name, validation.mapping(name, entry), required=_REQUIRED, optional=_OPTIONAL)
            rows.append(tuple(_checked(f"{name}.", entry).values()))
        if rows:
            with lamp_queries().activity_copy(self._database) as copy:
                for row in rows:
                    copy.write_row(row)
        return len(rows)

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
        before_created_at, before_id = _keyset(before)
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
        return _statistics(hours, lamp_queries().activity_statistics(self._database, hours=hours))


def _checked(prefix: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of ``entry`` in the order in which COPY wants them."""
    lamp_id, details, ip_address, user_agent = (entry.get(key) for key in _OPTIONAL)
    if details is not None:
        details = Json(validation.jsonb_text(f"{prefix}details", validation.mapping(f"{prefix}details", details)))
    return {
        "lamp_id": None if lamp_id is None else validation.uuid(f"{prefix}lamp_id", lamp_id),
        "activity_type": validation.text(f"{prefix}activity_type", entry["activity_type"], maximum=50),
        "status": validation.text(f"{prefix}status", entry["status"], maximum=20),
        "details": details,
        "ip_address": None if ip_address is None else validation.address(f"{prefix}ip_address", ip_address),
        "user_agent": (
            None if user_agent is None else validation.text(f"{prefix}user_agent", user_agent, minimum=0, maximum=2000)
        ),
    }


def _keyset(before: object) -> tuple[datetime | None, int | None]:
    if before is None:
        return None, None
    if isinstance(before, Mapping):
        created_at = validation.aware_datetime("before.created_at", before.get("created_at"))
        return created_at, validation.integer("before.id", before.get("id"), minimum=0, maximum=validation.INT8_MAX)
    # No entry has the id 0, so this is strictly before the moment.
    return validation.aware_datetime("before", before), 0


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
