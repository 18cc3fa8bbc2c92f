"""The day planner's part of ``surf-data demo``: a day, a limit, and a week that expires and comes back."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from surf_data.cli import tables
from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.retention import RetentionService
from surf_data.daylight.retention.tables import ArchivePlace
from surf_data.kernel.storage import LocalStore

_USER = "sample"


def story(data: DaylightDataLayer, console: Console) -> None:
    """Show a day of a user, a rate limit and an archive on a migrated database with the sample day.

    Arguments:
        data: the data layer, on servers that may be written to, with the owner's role.
        console: where it is shown.
    """
    _day(data, console)
    _limit(data, console)
    _retention(data, console)


def _day(data: DaylightDataLayer, console: Console) -> None:
    plans = data.plans.get_user_plans(_USER)
    days = data.history.get_location_days(_USER, "2026-01-01", "2026-02-01", "Pacific/Honolulu")
    near = data.locations.find_near(_USER, 21.66, -158.05, 2_000)
    rows = [
        ("plan", ", ".join(plan.title for plan in plans)),
        *((f"{day.day}", f"{day.points} points from {day.first_at:%H:%M} to {day.last_at:%H:%M} UTC") for day in days),
        ("within 2 km", ", ".join(place.name for place in near)),
    ]
    _show(console, "A day", "data.plans, data.history, data.locations", ("what", "is"), rows)


def _limit(data: DaylightDataLayer, console: Console) -> None:
    decisions = [data.limits.check({"ip": "203.0.113.7"}, endpoint="/login") for _ in range(12)]
    rows = [
        (f"{number}", "yes" if each.allowed else "no", f"{each.remaining}", f"{each.retry_after:.0f} s", each.source)
        for number, each in enumerate(decisions, 1)
        if number in {1, 10, 11, 12}
    ]
    heads = ("attempt", "allowed", "remaining", "try again in", "decided by")
    _show(console, "Ten logins a minute", 'data.limits.check({"ip": ...}, endpoint="/login")', heads, rows)


def _retention(data: DaylightDataLayer, console: Console) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=200)
    entries: list[dict[str, Any]] = [
        {
            "location": {"lat": 21.6, "lng": -158.1},
            "activity": "surfing",
            "recorded_at": long_ago + timedelta(minutes=n),
        }
        for n in range(500)
    ]
    data.history.add_location_histories(_USER, entries)
    with tempfile.TemporaryDirectory(prefix="surf_data-demo-") as folder:
        store = LocalStore(Path(folder))
        store.initialize()
        retention = RetentionService(data.database, data.maintain, lambda: ArchivePlace(store, ""))
        [job] = retention.run_manual_retention("location_history")
        archives = retention.list_archives("location_history")
        restored = retention.restore("location_history")
    rows = [
        ("expired", f"{job.records_processed:,} rows"),
        (
            "archived, read back and compared",
            f"{job.records_archived:,} rows in {sum(a.stored_bytes for a in archives):,} bytes",
        ),
        ("deleted", f"{job.records_deleted:,} rows"),
        ("restored, identical", f"{restored.rows:,} rows"),
    ]
    _show(console, "A week that has expired", "data.retention.run_daily_retention()", ("what", "how many"), rows)


def _show(console: Console, title: str, call: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    console.print(Rule(Text(title), align="left"))
    console.print(Padding(Text(call, style="dim"), (0, 0, 1, 0)))
    console.print(Padding(tables.table(*heads, rows=[tuple(map(str, row)) for row in rows]), (0, 0, 1, 0)))
