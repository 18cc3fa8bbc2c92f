"""Metrics: recorded, aggregated, and as series over days that are 23, 24 or 25 hours long."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from surf_data import ConstraintViolation
from surf_data.specify import Command, MetricFilter, MetricType, SpecifyDataLayer

Refused = Callable[..., Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_recording(data: SpecifyDataLayer, command: Command, refused: Refused) -> None:
    """One value or many; a type is a member or its value; what a metric refers to must be there."""
    one = data.metrics.record_metric("time", 150.5, MetricType.TIMER, "ms", command.id, labels={"os": "linux"})
    assert (one.type, one.value, one.unit, one.command_id) == (MetricType.TIMER, 150.5, "ms", command.id)
    named = data.metrics.record_metric("time", 1, metric_id="00000000-0000-4000-8000-000000000001", timestamp=NOON)
    assert (named.metric_id[-1], named.timestamp, named.type) == ("1", NOON, MetricType.GAUGE)
    many = data.metrics.record_metrics({"name": "load", "value": n, "type": "counter"} for n in range(5))
    assert [each.value for each in many] == [0, 1, 2, 3, 4]
    assert data.metrics.get(many[2].id) == many[2]
    assert data.metrics.get(one.id) == one
    refused(lambda: data.metrics.record_metric("m", 1, command_id=9999), ConstraintViolation)
    refused(lambda: data.metrics.record_metrics([{"name": "m", "value": 1, "project_id": 9999}]), ConstraintViolation)
    queries = data.metrics.queries
    assert queries.count() == 7
    assert [each.id for each in queries.find_by_name("time")] == [one.id, named.id]
    assert queries.find_by_command(command.id) == [one]
    page = queries.list_metrics(MetricFilter(labels={"os": "linux"}, type="timer"))
    assert (page.items, page.total) == ([one], 1)
    assert queries.list_metrics_after(MetricFilter(name="time"), after=one) == [named]
    assert queries.paginate(per_page=1).total == 7
    assert [each.id for each in queries.get_all(limit=2)] == [one.id, named.id]
    assert queries.find_by_name("none", limit=3) == []


def test_aggregates(data: SpecifyDataLayer, command: Command) -> None:
    """Count, mean, bounds, sum; percentiles where they are asked for; None where there is nothing."""
    data.metrics.record_metrics(
        {"name": "time", "value": n, "timestamp": NOON + timedelta(minutes=n), "labels": {"half": n // 3}}
        for n in range(1, 6)
    )
    aggregate = data.metrics.queries.aggregate_by_name
    found = aggregate("time")
    assert {**found, "stddev": None} == {"count": 5, "avg": 3, "min": 1, "max": 5, "sum": 15, "stddev": None}
    assert aggregate("time", percentiles=True)["p50"] == 3
    assert aggregate("time", NOON + timedelta(minutes=2), NOON + timedelta(minutes=3))["count"] == 2
    assert aggregate("time", labels={"half": 1})["sum"] == 12
    assert aggregate("time", project_id=1) == {"count": 0} | dict.fromkeys(("avg", "min", "max", "sum", "stddev"))


def test_the_last_hours(data: SpecifyDataLayer) -> None:
    """Intervals begin at multiples of their width; empty ones are left out; an interval may be longer than an hour."""
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(hours=1)
    for hours in (0, 0, 5):
        data.metrics.record_metric("time", hours, timestamp=now - timedelta(hours=hours))
    series = data.metrics.queries.get_time_series("time", hours=24)
    assert [(each["timestamp"], each["count"], each["avg"]) for each in series] == [
        (now.replace(minute=0) - timedelta(hours=5), 1, 5),
        (now.replace(minute=0), 2, 0),
    ]
    wide = data.metrics.queries.get_time_series("time", hours=24, interval_minutes=720)
    assert sum(each["count"] for each in wide) == 3
    assert {each["timestamp"].hour % 12 for each in wide} == {0}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25), ("Asia/Kolkata", "2026-03-29", 24)],
)
def test_a_night_in_which_the_clock_changes(data: SpecifyDataLayer, zone: str, day: str, hours: int) -> None:
    """The day is as long as it is, in hours and as a whole; every value is in exactly one interval."""
    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    ends = begins + timedelta(days=1)
    exact = (begins.astimezone(UTC), ends.astimezone(UTC))
    data.metrics.record_metrics(
        {"name": "m", "value": 1, "timestamp": exact[0] + timedelta(minutes=30 * n)} for n in range(2 * hours)
    )
    queries = data.metrics.queries
    by_hour = queries.time_series("m", since=begins, until=ends, interval=timedelta(hours=1), time_zone=zone)
    assert [each.count for each in by_hour] == [2] * hours
    [by_day] = queries.time_series("m", since=begins, until=ends, interval="day", time_zone=zone)
    assert (by_day.begins_at, by_day.ends_at, by_day.count) == (*exact, 2 * hours)
    week = queries.time_series(
        "m", since=begins - timedelta(days=7), until=ends + timedelta(days=7), interval="day", time_zone=zone
    )
    assert [(each.begins_at.astimezone(ZoneInfo(zone)).hour, each.count) for each in week] == [
        *[(0, 0)] * 7,
        (0, 2 * hours),
        *[(0, 0)] * 7,
    ]


def test_weeks_and_months(data: SpecifyDataLayer) -> None:
    """Weeks begin on Monday, months on the first; empty ones are there unless they are not wanted."""
    data.metrics.record_metric("m", 3, timestamp=datetime(2026, 2, 15, tzinfo=UTC))
    span = {"since": datetime(2026, 1, 15, tzinfo=UTC), "until": datetime(2026, 3, 15, tzinfo=UTC)}
    months = data.metrics.queries.time_series("m", **span, interval="month")
    assert [(f"{each.begins_at:%m-%d}", each.count, each.sum) for each in months] == [
        ("01-01", 0, None),
        ("02-01", 1, 3),
        ("03-01", 0, None),
    ]
    [week] = data.metrics.queries.time_series("m", **span, interval="week", fill=False)
    assert (f"{week.begins_at:%a %d}", week.avg, week.min, week.max) == ("Mon 09", 3, 3, 3)


@pytest.mark.parametrize(
    ("zone", "month", "days"),
    [
        # Midnight does not exist on one day, occurs twice on one, or a whole day is left out. In the past, since the
        # server and Python have rules of their own, and not of the same age.
        ("Africa/Cairo", "2025-04", 30),
        ("America/Havana", "2025-11", 30),
        ("Pacific/Apia", "2011-12", 30),
    ],
)
def test_odd_midnights(data: SpecifyDataLayer, zone: str, month: str, days: int) -> None:
    """Days follow each other without gap or overlap, each with its own date."""
    begins = datetime.fromisoformat(f"{month}-01").replace(tzinfo=ZoneInfo(zone))
    after = (begins + timedelta(days=32)).replace(day=1)
    series = data.metrics.queries.time_series("m", since=begins, until=after, interval="day", time_zone=zone)
    assert len(series) == days
    assert [each.ends_at for each in series[:-1]] == [each.begins_at for each in series[1:]]
    dates = [each.begins_at.astimezone(ZoneInfo(zone)).date() for each in series]
    assert len(set(dates)) == days
    # In UTC, since of a time that occurs twice Python says that it equals none.
    assert (series[0].begins_at, series[-1].ends_at) == (begins.astimezone(UTC), after.astimezone(UTC))
