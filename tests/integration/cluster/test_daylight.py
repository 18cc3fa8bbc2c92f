"""The day planner with its two large tables in shards: the same calls, the same answers."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import daylight
from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.errors import LegalHoldError

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
HERE = {"lat": 21.66, "lng": -158.05}


@pytest.fixture
def url(spread: Callable[[str], str]) -> str:
    """Return the URL of the day planner's database on a cluster."""
    return spread("daylight")


@pytest.fixture
def data(url: str, redis_url: str, tmp_path: Path) -> Iterator[DaylightDataLayer]:
    """Open the day planner on a cluster, with two users and a folder for archives."""
    with daylight.open(url, redis_url, archive_url=str(tmp_path / "archives")) as opened:
        for name in ("kai", "eve"):
            opened.users.create_user(
                {"id": name, "email": f"{name}@example.org", "username": name, "password_hash": "x"}
            )
        yield opened


def entries(user: str, days_ago: int = 0) -> list[dict[str, Any]]:
    """Return ten entries of a user, a minute apart."""
    at = NOON - timedelta(days=days_ago)
    return [
        {
            "id": f"{user}-{days_ago}-{number}",
            "user_id": user,
            "location": HERE,
            "activity": "surf",
            "recorded_at": at + timedelta(minutes=number),
        }
        for number in range(10)
    ]


def test_uploads(data: DaylightDataLayer) -> None:
    """An upload of several users is stored once, however often and in whichever parts it is repeated."""
    upload = [*entries("kai"), *entries("eve")]
    first = data.history.add_location_histories(None, upload[:15])
    again = data.history.add_location_histories(None, upload)
    with data.transaction() as tx:
        part = tx.history.add_location_histories(None, upload[5:])
    assert [(each.inserted, each.duplicates) for each in (first, again, part)] == [(15, 0), (5, 15), (0, 15)]
    one = data.history.add_location_history("kai", HERE, "rest", id="own", recorded_at=NOON)
    assert data.history.add_location_history("kai", HERE, "rest", id="own", recorded_at=NOON) == one
    [day] = data.history.get_location_days("eve", NOON, NOON + timedelta(hours=1))
    assert (day.points, len(data.history.get_user_location_history("kai"))) == (10, 11)


def test_usage(data: DaylightDataLayer) -> None:
    """Events of all users are counted once in each hour and type, and users once."""
    since = datetime.now(UTC).date()
    data.analytics.record_usage_events(
        [{"user_id": user, "event_type": "opened"} for user in ("kai", "kai", "eve")]
        + [{"user_id": "eve", "event_type": "closed"}]
    )
    days = [data.analytics.get_daily_analytics(since + timedelta(days=day)) for day in (0, 1)]
    # Midnight may have come meanwhile.
    day = max(days, key=lambda each: each.total)
    assert (day.total, day.users) == (4, 2)
    types = [(each.event_type, each.events, each.users) for each in day.by_type]
    assert types == [("closed", 1, 1), ("opened", 3, 2)]


def test_holds_and_erasure(data: DaylightDataLayer) -> None:
    """What is under a hold stays; an erasure takes all of a user's rows, and no other's."""
    data.history.add_location_histories(None, [*entries("kai"), *entries("eve")])
    data.analytics.record_usage_event("kai", "opened")
    hold = data.retention.place_hold("location_history", "case 1", user_id="kai", until=NOON + timedelta(minutes=5))
    assert not data.history.delete_location_history("kai-0-1", "kai")
    assert data.history.delete_location_history("kai-0-9", "kai")
    assert data.history.delete_location_range("kai", NOON, NOON + timedelta(hours=1)) == 4
    with pytest.raises(LegalHoldError):
        data.privacy.erase_user("kai")
    assert data.retention.release_hold(hold.id)
    deleted = data.privacy.erase_user("kai").deleted
    assert (deleted["location_history"], deleted["usage_analytics"], deleted["users"]) == (5, 1, 1)
    assert len(data.history.get_user_location_history("eve")) == 10


def test_retention(data: DaylightDataLayer, url: str) -> None:
    """An expired week is archived and dropped on all nodes; what is held of it comes back before."""
    data.history.add_location_histories(None, [*entries("kai", 200), *entries("eve", 200), *entries("eve")])
    hold = data.retention.place_hold("location_history", "case 2", user_id="kai")
    [job] = data.retention.run_manual_retention("location_history")
    assert (job.error, job.records_archived, job.records_deleted) == (None, 10, 10)
    assert data.retention.release_hold(hold.id)
    [job] = data.retention.run_manual_retention("location_history")
    assert (job.error, job.records_deleted) == (None, 10)
    assert data.retention.restore("location_history").rows == 20
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM daylight.location_history").fetchone() == (10,)
