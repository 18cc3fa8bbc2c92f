"""Counts of activity: what is over is rolled up, the rest is read."""

import math
from datetime import UTC, timedelta
from time import monotonic
from typing import Any

from surf_data.errors import DatabaseError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.postgres import Executor
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.rows import StatisticsRow

#: The longest time that statistics cover: a year and a day, in hours.
MAX_STATISTICS_HOURS = 366 * 24

#: Entries that are rolled up in one transaction.
_PORTION = 10_000
# Seconds for which a caller that wants statistics goes on rolling up.
_ROLL_UP_TIMEOUT = 1.0

_log = get_logger("surf_data.lamps.activity_statistics")


def activity_statistics(database: Executor, hours: int, *, rolls_up: bool) -> dict[str, Any]:
    """Return what `PostgresActivityLogger.get_activity_statistics` returns; roll up what is over if it ``rolls_up``."""
    hours = validation.integer("hours", hours, minimum=1, maximum=MAX_STATISTICS_HOURS)
    read = lamp_queries().activity_statistics
    rows = read(database, hours=hours, allow_unrolled=not rolls_up)
    if not rows:
        try:
            roll_up(database, hours, monotonic() + _ROLL_UP_TIMEOUT)
        except DatabaseError as error:
            _log.warning("activity not rolled up", extra=error_facts(error))
        rows = read(database, hours=hours, allow_unrolled=True)
    return _counts(hours, rows)


def roll_up(database: Executor, hours: int | None = None, deadline: float = math.inf) -> None:
    """Roll up the activity that is over, each portion in a transaction.

    Arguments:
        database: a pool.
        hours: how far back; all of it without a number.
        deadline: when to stop, by ``time.monotonic()``.

    Raises:
        DatabaseError: it could not be done.
    """
    while lamp_queries().activity_roll_up(database, hours=hours, portion=_PORTION) and monotonic() < deadline:
        pass


def _counts(hours: int, rows: list[StatisticsRow]) -> dict[str, Any]:
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
