"""What users do: events as they come, counts of a day."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from surf_data.daylight import checks
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import Record, UsageCount, UsageEvent
from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor

#: The most events that are recorded at once.
MAX_EVENTS = 10_000
_MAX_DAYS = 3_660
# What is taken out of an event's data into columns, by both spellings.
_LIFTED = {"session_id": ("sessionId", "session_id"), "user_agent": ("userAgent", "user_agent")}


@attrs.frozen
class DailyAnalytics(Record):
    """What happened on one day."""

    date: date
    #: Events, and users that had any.
    total: int
    users: int
    #: By type of event, in alphabetical order.
    by_type: list[UsageCount]
    #: By hour in which anything happened, oldest first.
    by_hour: list[UsageCount]


class AnalyticsService:
    """Records what users do, and counts it.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def record_usage_event(
        self, user_id: str, event_type: str, event_data: Mapping[str, Any] | None = None
    ) -> UsageEvent:
        """Record an event, now.

        Arguments:
            user_id: whose it is.
            event_type: 1 to 100 characters.
            event_data: a JSON object; ``session_id`` and ``user_agent`` in it (also in camelCase) become attributes.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        event = _event(user_id, event_type, event_data)
        stored: UsageEvent | None = daylight_queries().usage_insert(self._database, **event)
        assert stored is not None, "INSERT ... RETURNING without ON CONFLICT has a row"  # noqa: S101
        return stored

    def record_usage_events(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Record many events at once, all now; return how many.

        Arguments:
            events: at most 10,000 mappings with ``user_id``, ``event_type`` and optionally ``event_data``; camelCase
                keys are taken as well.

        Raises:
            ValidationError: an event is refused, and none is stored; ``field`` says which: ``events[3].event_type``.
            DatabaseError: they could not be stored.
        """
        rows = _events(events)
        if not rows:
            return 0
        return daylight_queries().usage_insert_many(
            self._database,
            ids=[row["id"] for row in rows],
            user_ids=[row["user_id"] for row in rows],
            event_types=[row["event_type"] for row in rows],
            documents=[row["event_data"] for row in rows],
            session_ids=[row["session_id"] for row in rows],
            user_agents=[row["user_agent"] for row in rows],
        )

    def get_user_analytics(self, user_id: str, days: int = 30, *, time_zone: str = "UTC") -> list[UsageEvent]:
        """Return events of a user from so many days ago to today, both included, oldest first; 100,000 at the most.

        Arguments:
            user_id: the user.
            days: 0 to 3,660.
            time_zone: the IANA name of the zone whose days count.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        days = validation.integer("days", days, minimum=0, maximum=_MAX_DAYS)
        zone = ZoneInfo(checks.time_zone("time_zone", time_zone))
        today = datetime.now(zone).date()
        since, _ = _day(today - timedelta(days=days), zone)
        _, until = _day(today, zone)
        user_id = checks.identifier("user_id", user_id)
        return daylight_queries().usage_of_user(self._database, user_id=user_id, since=since, until=until)

    def get_daily_analytics(self, date: str | date, *, time_zone: str = "UTC") -> DailyAnalytics:
        """Return what happened on a day, of all users.

        Arguments:
            date: the day, also as ``YYYY-MM-DD``.
            time_zone: the IANA name of the zone whose day it is.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        zone = ZoneInfo(checks.time_zone("time_zone", time_zone))
        day = _date("date", date)
        since, until = _day(day, zone)
        counts = daylight_queries().usage_daily(self._database, since=since, until=until)
        total = next(count for count in counts if count.event_type is None and count.hour is None)
        return DailyAnalytics(
            date=day,
            total=total.events,
            users=total.users,
            by_type=[count for count in counts if count.event_type is not None],
            by_hour=[count for count in counts if count.hour is not None],
        )

    recordUsageEvent = record_usage_event  # noqa: N815 - the original's names
    getUserAnalytics = get_user_analytics  # noqa: N815
    getDailyAnalytics = get_daily_analytics  # noqa: N815


def _event(user_id: object, event_type: object, event_data: object) -> dict[str, Any]:
    data = dict(validation.mapping("event_data", {} if event_data is None else event_data))
    lifted: dict[str, Any] = {}
    for name, spellings in _LIFTED.items():
        values = [data.pop(spelling) for spelling in spellings if data.get(spelling) is not None]
        lifted[name] = validation.text(f"event_data.{name}", values[0], maximum=1000) if values else None
    return {
        "id": checks.new_id("analytics", checks.identifier("user_id", user_id)),
        "user_id": user_id,
        "event_type": validation.text("event_type", event_type, maximum=100),
        "event_data": checks.document("event_data", data),
        **lifted,
    }


def _events(events: object) -> list[dict[str, Any]]:
    anything = {name: lambda _field, value: value for name in ("user_id", "event_type", "event_data")}
    rows: list[dict[str, Any]] = []
    for number, event in enumerate(validation.items("events", events, of="mappings")):
        if number == MAX_EVENTS:
            raise validation.invalid("events", f"must have at most {MAX_EVENTS:,} items")
        try:
            checked = checks.record("event", event, anything)
            checks.require("event", checked, ("user_id", "event_type"))
            rows.append(_event(checked["user_id"], checked["event_type"], checked.get("event_data")))
            continue
        except ValidationError as error:
            problem = validation.nested(f"events[{number}].", error)
        # Raised outside the handler, so that nothing is chained to it.
        raise problem
    return rows


def _date(field: str, value: object) -> date:
    if isinstance(value, str) and len(value) == len("2026-03-01"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise validation.invalid(field, "must be a day: YYYY-MM-DD")


def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the moments at which a local day begins and ends."""
    try:
        midnights = [
            datetime(each.year, each.month, each.day, tzinfo=zone).astimezone(UTC)
            for each in (day, day + timedelta(days=1))
        ]
        return midnights[0], midnights[1]
    except OverflowError:
        pass
    raise validation.invalid("date", "must lie in the years 1 to 9999 of UTC")
