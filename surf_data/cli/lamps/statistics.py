"""What ``surf-data stats`` shows of the lamps."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from surf_data.cli.tables import bar, facts, table
from surf_data.lamps import LampsDataLayer

# With more hours the course of time is shown by day.
_HOURS_SHOWN = 48


def documents(data: LampsDataLayer, hours: int) -> dict[str, Any]:
    """Return ``activity`` of the last hours, and ``system_stats``, what services have left in the cache."""
    return {
        "activity": data.activity.get_activity_statistics(hours),
        "system_stats": data.cache.get_system_stats(),
    }


def parts(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield what `documents` returned: the sums, then the course of time."""
    yield from activity(found["activity"])
    if found["system_stats"] is not None:
        yield facts("system_stats, from the cache", found["system_stats"])


def activity(statistics: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield what `PostgresActivityLogger.get_activity_statistics` returned: the sums, then the course of time."""
    rate = statistics["success_rate"]
    sums = [
        ("all", f"{statistics['total']:,}", bar(statistics["total"], statistics["total"])),
        *_counts("type", statistics["by_type"], statistics["total"]),
        *_counts("status", statistics["by_status"], statistics["total"]),
    ]
    facts = [f"{statistics['active_lamps']:,} lamps", *([] if rate is None else [f"{rate:.1%} successful"])]
    past = "hour" if statistics["hours"] == 1 else f"{statistics['hours']} hours"
    title = Text(f"Activity of the last {past}: {', '.join(facts)}", style="bold")
    yield Group(title, table("entries", "count", "", rows=sums, right={"count"}))
    hours = statistics["per_hour"]
    if len(hours) <= _HOURS_SHOWN:
        yield _course("hour (UTC)", {f"{hour['hour']:%d %b %H:00}": hour["count"] for hour in hours})
        return
    days: Counter[str] = Counter()
    for hour in hours:
        days[f"{hour['hour']:%Y-%m-%d}"] += hour["count"]
    yield _course("day (UTC)", days)


def _counts(kind: str, counts: Mapping[str, int], total: int) -> Iterator[tuple[str, str, Text]]:
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{kind} {name}", f"{count:,}", bar(count, total)


def _course(heading: str, counts: Mapping[str, int]) -> Table:
    largest = max(counts.values())
    return table(
        heading,
        "count",
        "",
        rows=[(when, f"{count:,}", bar(count, largest)) for when, count in counts.items()],
        right={"count"},
    )
