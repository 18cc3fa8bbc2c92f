"""Record metrics, and read them as sums and as series, over a night in which the clock changes.

It prints:

    count 5, avg 30.0, min 10.0, max 50.0
    series: 2, 1, 0, 2
    a day in October in Berlin: 25 hours
    one value an hour: True
"""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from surf_data.specify import MetricType, PerformanceMetricRepository, close_db, get_session, init_db

init_db(os.environ.get("DATABASE_URL", "embedded:"))
noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
with get_session() as session:
    metrics = PerformanceMetricRepository(session)
    for value, minutes in ((10, 0), (20, 10), (30, 70), (40, 200), (50, 230)):
        metrics.record_metric(
            "execution_time", value, MetricType.TIMER, "ms", timestamp=noon + timedelta(minutes=minutes)
        )
    stats = metrics.queries.aggregate_by_name("execution_time")
    print("count {count}, avg {avg}, min {min}, max {max}".format(**stats))
    series = metrics.queries.time_series(
        "execution_time", since=noon, until=noon + timedelta(hours=4), interval=timedelta(hours=1)
    )
    print("series:", ", ".join(f"{bucket.count}" for bucket in series))

    berlin = ZoneInfo("Europe/Berlin")
    midnight, next_midnight = datetime(2026, 10, 25, tzinfo=berlin), datetime(2026, 10, 26, tzinfo=berlin)
    first = midnight.astimezone(UTC)
    metrics.record_metrics(
        {"name": "load", "value": 1, "timestamp": first + timedelta(hours=hour)} for hour in range(25)
    )
    hours = metrics.queries.time_series(
        "load", since=midnight, until=next_midnight, interval=timedelta(hours=1), time_zone="Europe/Berlin"
    )
    print(f"a day in October in Berlin: {len(hours)} hours")
    print("one value an hour:", all(bucket.count == 1 for bucket in hours))
close_db()
