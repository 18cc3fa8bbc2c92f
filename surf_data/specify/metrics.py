"""Performance metrics: recorded, aggregated, and as series over time."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from surf_data.kernel import validation
from surf_data.kernel.paging import Page, keyset
from surf_data.kernel.postgres import Executor, Json
from surf_data.specify import fields, filters
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.copying import Copied
from surf_data.specify.filters import MetricFilter
from surf_data.specify.models import MetricType, PerformanceMetric
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Table

#: The most intervals of a series.
MAX_BUCKETS = 10_000
_MAX_INTERVAL = timedelta(hours=12)
_YEARS = timedelta(days=36_600)
#: Intervals that are made of local days, with the least days that one has.
_CALENDAR = {"day": 1, "week": 7, "month": 28}

_OPTIONAL = {
    "unit": fields.optional(fields.text(50, 0)),
    "command_id": fields.optional(fields.row_id),
    "project_id": fields.optional(fields.row_id),
}

TABLE: Table[PerformanceMetric] = Table(
    noun="a metric",
    stem="metric",
    row=PerformanceMetric,
    checks={
        "name": fields.text(200),
        "type": fields.choice(MetricType),
        "value": fields.number,
        "metric_id": validation.uuid,
        "timestamp": fields.moment,
        "labels": fields.document,
        "meta": fields.document,
        **_OPTIONAL,
    },
    required=("name", "value"),
    defaults={
        **dict.fromkeys(_OPTIONAL),
        "type": "gauge",
        "metric_id": None,
        "timestamp": None,
        "labels": {},
        "meta": {},
    },
    orders=("-timestamp",),
    changes=False,
    newest=("-timestamp", filters.parameters(MetricFilter, None)),
    copied=Copied(
        stem="metric",
        columns={
            "metric_id": "bytea",
            "name": "text",
            "type": "text",
            "value": "float8",
            "unit": "text",
            "command_id": "int8",
            "project_id": "int8",
            "timestamp": "timestamptz",
            "labels": "jsonb",
            "meta": "jsonb",
        },
        uuid="metric_id",
        time="timestamp",
        documents=("labels", "meta"),
    ),
)


@attrs.frozen
class Bucket:
    """A metric within one interval of a series."""

    #: When the interval begins.
    begins_at: datetime
    #: When it ends; that moment is not part of it.
    ends_at: datetime
    #: How many values there are.
    count: int
    #: ``None`` without values, as the others.
    avg: float | None
    min: float | None
    max: float | None
    sum: float | None


class PerformanceMetricQueries(BaseQueries[PerformanceMetric]):
    """Reads metrics."""

    table = TABLE

    def _latest(
        self, conditions: MetricFilter | None, after: PerformanceMetric | None, limit: int | None
    ) -> list[PerformanceMetric]:
        before_time, before_id = keyset("after", after, by="timestamp")
        return self._listed(
            "list",
            **filters.parameters(MetricFilter, conditions),
            before_time=before_time,
            before_id=before_id,
            row_limit=fields.limit("limit", limit),
        )

    def find_by_name(self, name: str, limit: int | None = None) -> list[PerformanceMetric]:
        """Return the latest values of a metric, newest first.

        Arguments:
            name: the metric.
            limit: how many, 1 to 10,000; ``None`` means 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._latest(MetricFilter(name=validation.text("name", name, maximum=200)), None, limit)

    def find_by_command(self, command_id: int) -> list[PerformanceMetric]:
        """Return the metrics of a command, newest first; 10,000 at the most."""
        return self._latest(MetricFilter(command_id=fields.row_id("command_id", command_id)), None, None)

    def list_metrics(
        self, matching: MetricFilter | None = None, page: int = 1, per_page: int = 20
    ) -> Page[PerformanceMetric]:
        """Return a page of the metrics that match, newest first, and how many match, in one statement.

        Arguments:
            matching: the conditions; ``None``: none.
            page: its number, counted from 1.
            per_page: 1 to 1,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._page("filtered", page, per_page, **filters.parameters(MetricFilter, matching), cap=None)

    def list_metrics_after(
        self,
        matching: MetricFilter | None = None,
        after: PerformanceMetric | None = None,
        limit: int = 100,
    ) -> list[PerformanceMetric]:
        """Return the next metrics that match, newest first; ``after`` is the last one of the page before."""
        return self._latest(matching, after, limit)

    def aggregate_by_name(
        self,
        name: str,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        *,
        project_id: int | None = None,
        labels: Mapping[str, Any] | None = None,
        percentiles: bool = False,
    ) -> dict[str, Any]:
        """Return what the values of a metric come to.

        Arguments:
            name: the metric.
            start_date: when they were measured at the earliest.
            end_date: when they were measured at the latest.
            project_id: of which project they are.
            labels: labels that they have, among others.
            percentiles: whether to sort the values for ``p50``, ``p95`` and ``p99``, too.

        Returns:
            ``count``; ``avg``, ``min``, ``max``, ``sum``, ``stddev`` and, if asked for, ``p50``, ``p95``, ``p99``:
            each ``None`` where there are no values, or too few.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        since, until = fields.interval(start_date, end_date)
        row = specify_queries().metric_aggregate(
            self._executor,
            metric_name=validation.text("name", name, maximum=200),
            since=since,
            until=until,
            project_id=fields.optional(fields.row_id)("project_id", project_id),
            labels=None if labels is None else Json(validation.jsonb_object("labels", labels)),
            percentiles=fields.boolean("percentiles", percentiles),
        )
        names = ("count", "avg", "min", "max", "sum", "stddev", "p50", "p95", "p99")
        found: dict[str, Any] = dict(zip(names, row, strict=True))
        return found if percentiles else {name: found[name] for name in names[:6]}

    def get_time_series(self, name: str, hours: int = 24, interval_minutes: int = 60) -> list[dict[str, Any]]:
        """Return a metric of the last hours in intervals of equal length; those without values are left out.

        Arguments:
            name: the metric.
            hours: 1 to 87,840.
            interval_minutes: 1 to 720, with 10,000 intervals at the most.

        Returns:
            By interval, the earliest first: ``timestamp`` (when it begins), ``avg``, ``min``, ``max``, ``count``.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        period = fields.hours("hours", hours)
        minutes = validation.integer("interval_minutes", interval_minutes, minimum=1, maximum=720)
        _check_buckets(timedelta(hours=period), timedelta(minutes=minutes))
        rows = specify_queries().metric_recent_series(
            self._executor,
            metric_name=validation.text("name", name, maximum=200),
            hours=period,
            width=timedelta(minutes=minutes),
        )
        return [dict(zip(("timestamp", "avg", "min", "max", "count"), row, strict=True)) for row in rows]

    def time_series(
        self,
        name: str,
        *,
        since: datetime,
        until: datetime,
        interval: timedelta | str = "day",
        time_zone: str = "UTC",
        fill: bool = True,
        project_id: int | None = None,
    ) -> list[Bucket]:
        """Return a metric over time, in the days of a time zone or in parts of them.

        A day is as long as it is: 23 or 25 hours where the clock changes. A week begins on Monday.

        Arguments:
            name: the metric.
            since: the first interval holds it.
            until: the last interval ends by then, or holds it.
            interval: ``day``, ``week``, ``month``, or 1 minute to 12 hours, counted from the midnight before ``since``;
                10,000 of them at the most.
            time_zone: whose days they are: ``Europe/Berlin``.
            fill: whether intervals without values are there, too, with a count of 0.
            project_id: of which project the values are.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        begins, ends = fields.period(since, until, maximum=_YEARS)
        given: dict[str, Any] = {
            "metric_name": validation.text("name", name, maximum=200),
            "project_id": fields.optional(fields.row_id)("project_id", project_id),
            "since": begins,
            "until": ends,
            "time_zone": fields.time_zone("time_zone", time_zone),
        }
        queries = specify_queries()
        rows: list[Any]  # PostgreSQL does not say that the ends are never null.
        if isinstance(interval, timedelta) and timedelta(minutes=1) <= interval <= _MAX_INTERVAL:
            _check_buckets(ends - begins, interval)
            rows = [*queries.metric_series(self._executor, **given, width=interval)]
        elif isinstance(interval, str) and interval in _CALENDAR:
            _check_buckets(ends - begins, timedelta(days=_CALENDAR[interval]))
            rows = [*queries.metric_series_days(self._executor, **given, unit=interval)]
        else:
            raise validation.invalid("interval", "must be 1 minute to 12 hours, day, week or month")
        buckets = [Bucket(*row) for row in rows]
        return buckets if fields.boolean("fill", fill) else [bucket for bucket in buckets if bucket.count]


class PerformanceMetricRepository(BaseRepository[PerformanceMetric]):
    """Records metrics. They are appended; none is changed or deleted.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads metrics.
        self.queries: PerformanceMetricQueries = PerformanceMetricQueries(executor)
        super().__init__(executor, self.queries)

    def create(self, data: Mapping[str, Any]) -> PerformanceMetric:
        """Record one value; see `record_metric`.

        Arguments:
            data: ``name``, ``value``, and what `record_metric` takes.
        """
        document = TABLE.checked(data, creating=True)
        recorded: PerformanceMetric = specify_queries().metric_insert(
            self._executor,
            metric_id=document["metric_id"],
            metric_name=document["name"],
            metric_type=document["type"],
            value=document["value"],
            unit=document["unit"],
            command_id=document["command_id"],
            project_id=document["project_id"],
            recorded_at=document["timestamp"],
            labels=Json(validation.jsonb_text("labels", document["labels"])),
            meta=Json(validation.jsonb_text("meta", document["meta"])),
        )
        return recorded

    def record_metric(  # noqa: PLR0917 - as callers know it
        self,
        name: str,
        value: float,
        type: MetricType | str = "gauge",  # noqa: A002 - as callers know it
        unit: str | None = None,
        command_id: int | None = None,
        project_id: int | None = None,
        **more: Any,
    ) -> PerformanceMetric:
        """Record one value of a metric.

        Arguments:
            name: 1 to 200 characters.
            value: a finite number.
            type: what it means; a member of `MetricType` or its value.
            unit: at most 50 characters: ``ms``.
            command_id: the id of the command it was measured of.
            project_id: the project it was measured of.
            more: ``timestamp`` (now when left out), ``labels``, ``meta``, ``metric_id`` (a UUID).

        Raises:
            ValidationError: an argument is refused.
            ConstraintViolation: there is no such command or project.
            DatabaseError: it could not be stored.
        """
        given = {"name": name, "value": value, "type": type, "unit": unit}
        return self.create({**given, "command_id": command_id, "project_id": project_id, **more})

    def record_metrics(self, metrics: Iterable[Mapping[str, Any]]) -> list[PerformanceMetric]:
        """Record many values, all of them or none; see `BaseRepository.bulk_create`."""
        return self.bulk_create(metrics)


def _check_buckets(period: timedelta, interval: timedelta) -> None:
    if period / interval > MAX_BUCKETS:
        raise validation.invalid("interval", f"must not divide the time into more than {MAX_BUCKETS:,} parts")
