"""Places, sessions, caches, analytics and errors: each keeps what it is given, for as long as it should."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from surf_data import daylight
from surf_data.daylight import DaylightDataLayer
from surf_data.errors import SurfDataError

Refused = Callable[..., SurfDataError]

PIPELINE = {"name": "Pipeline", "lat": 21.664, "lng": -158.054, "type": "favorite"}


def test_places_are_kept_and_found_by_distance(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """Places of the user alone, nearest first, changed and deleted by their user alone."""
    near = data.locations.add_location(user_id, {**PIPELINE, "tags": ["surf"]})
    far = data.locations.add_location(
        user_id, {**PIPELINE, "id": "w", "name": "Waikiki", "lat": 21.276, "lng": -157.827, "type": "work"}
    )
    assert data.locations.get_user_locations(user_id) == [far, near]
    assert data.locations.get_user_locations(user_id, "work") == [far]
    assert data.locations.find_near(user_id, 21.66, -158.05, 2000) == [near]
    assert data.locations.find_near(user_id, 21.66, -158.05, 60_000) == [near, far]
    assert data.locations.find_near("eve", 21.66, -158.05, 60_000) == []
    changed = data.locations.update_location("w", user_id, {"notes": "busy", "visitedAt": "2026-03-01T00:00:00Z"})
    assert changed is not None
    assert (changed.notes, changed.name, changed.visited_at) == ("busy", "Waikiki", datetime(2026, 3, 1, tzinfo=UTC))
    assert data.locations.update_location("w", "eve", {"notes": "x"}) is None
    assert data.locations.delete_location("w", "eve") is False
    assert data.locations.delete_location("w", user_id) is True
    add = data.locations.add_location
    assert "lat must be" in str(refused(lambda: add(user_id, {**PIPELINE, "lat": 91})))
    assert "lacks lng" in str(refused(lambda: add(user_id, {"name": "x", "lat": 1, "type": "home"})))
    assert str(refused(lambda: add(user_id, {**PIPELINE, "id": near.id}))) == "id is taken"
    assert "no such user" in str(refused(lambda: add("nobody", PIPELINE)))
    assert "metres" in str(refused(lambda: data.locations.find_near(user_id, 0, 0, 0)))


def test_a_session_holds_its_data_until_it_ends(
    data: DaylightDataLayer, refused: Refused, admin: psycopg.Connection[Any], user_id: str
) -> None:
    """The token finds it, its hash alone is stored, and an expired one is as missing before it is deleted."""
    token = data.sessions.create(user_id, {"cart": [1]}, 1)
    session = data.sessions.get(token.reveal())
    assert session is not None
    assert (session.user_id, session.data) == (user_id, {"cart": [1]})
    assert session.expires_at - session.created_at == timedelta(days=1)
    assert admin.execute(
        "SELECT count(*) FROM daylight.user_sessions WHERE session_hash = %s", (token.reveal(),)
    ).fetchone() == (0,)
    admin.execute("UPDATE daylight.user_sessions SET expires_at = now()")
    assert data.sessions.get(token.reveal()) is None
    assert (data.sessions.clean_up(), data.sessions.clean_up()) == (1, 0)
    other = data.sessions.create(user_id)
    assert (data.sessions.destroy(other.reveal()), data.sessions.destroy(other.reveal())) == (True, False)
    assert "no such user" in str(refused(lambda: data.sessions.create("nobody")))
    assert "ttl_days" in str(refused(lambda: data.sessions.create(user_id, ttl_days=31)))


def test_a_login_is_refreshed_and_the_sixth_ends_the_oldest(
    data: DaylightDataLayer, refused: Refused, user_id: str
) -> None:
    """Five at once; a refresh makes the old tokens worthless; an inactive user has none."""
    logins = [data.logins.begin(user_id, ip_address="10.0.0.1", user_agent="surf") for _ in range(6)]
    states = [data.logins.get(login.token.reveal()) for login in logins]
    assert [state is not None for state in states] == [False] + [True] * 5
    assert states[1] is not None
    assert (states[1].user_id, states[1].should_refresh) == (user_id, False)
    assert 86_000 < states[1].seconds_left <= 86_400
    new = data.logins.refresh(logins[1].refresh_token.reveal())
    assert new is not None
    assert data.logins.get(logins[1].token.reveal()) is None
    assert data.logins.refresh(logins[1].refresh_token.reveal()) is None
    assert data.logins.end(new.token.reveal()) is True
    assert data.logins.end(new.token.reveal()) is False
    data.sessions.create(user_id)
    assert data.sessions.destroy_all(user_id) == 5
    last = data.logins.begin(user_id)
    data.users.deactivate_user(user_id)
    assert data.logins.get(last.token.reveal()) is None
    assert "no such user" in str(refused(lambda: data.logins.begin("nobody")))


def test_caches_work_without_redis(app_url: str) -> None:
    """The table alone holds a value until it is deleted."""
    with daylight.open(app_url, cache_layers="postgresql") as data:
        data.cache.set_traffic_cache("h1", ["slow"])
        assert data.cache.get_traffic_cache("h1") == ["slow"]
        data.cache.delete_traffic_cache("h1")
        assert data.cache.get_traffic_cache("h1") is None


def test_caches_are_read_from_redis_and_survive_it(data: DaylightDataLayer, admin: psycopg.Connection[Any]) -> None:
    """Redis answers first; when it has lost a value, the table fills it again."""
    cache = data.cache
    cache.setWeatherCache("oahu", {"wind": 7}, 60)
    cache.set_traffic_cache("h1", ["slow"])
    cache.set_events_cache("today", {"contest": True})
    assert cache.getWeatherCache("oahu") == {"wind": 7}
    assert "daylight.weather_read" not in data.stats()["queries"]
    data.redis.call(lambda client: client.flushall(), read=False, otherwise=None)
    assert (cache.get_weather_cache("oahu"), cache.get_traffic_cache("h1")) == ({"wind": 7}, ["slow"])
    admin.execute("TRUNCATE daylight.weather_cache")
    assert cache.get_weather_cache("oahu") == {"wind": 7}
    assert cache.get_events_cache("today") == {"contest": True}
    for delete in (cache.delete_weather_cache, cache.delete_traffic_cache, cache.delete_events_cache):
        delete("oahu")
    assert cache.get_weather_cache("oahu") is None
    assert cache.get_traffic_cache("nowhere") is None


def test_an_expired_value_is_never_returned(app_url: str, redis_url: str, admin: psycopg.Connection[Any]) -> None:
    """Expiry counts when it is read, whenever the row is removed; a replaced value has its own."""
    with daylight.open(app_url, redis_url, cache_layers="postgresql") as data:
        data.cache.set_weather_cache("oahu", 1, 5)
        data.cache.set_weather_cache("oahu", 2, 5)
        assert data.cache.get_weather_cache("oahu") == 2
        admin.execute("UPDATE daylight.weather_cache SET expires_at = now()")
        assert data.cache.get_weather_cache("oahu") is None
        assert data.cache.clean_up() == {"weather": 1, "traffic": 0, "events": 0}
    with daylight.open(app_url, redis_url, cache_layers="redis") as data:
        data.cache.set_weather_cache("oahu", 3, 0.001)
        assert data.cache.get_weather_cache("oahu") is None
        data.cache.set_weather_cache("oahu", 3)
        assert data.cache.get_weather_cache("oahu") == 3
        data.cache.delete_weather_cache("oahu")
        with data.transaction() as tx:
            tx.cache.set_weather_cache("oahu", 4)
    assert admin.execute("SELECT count(*) FROM daylight.weather_cache").fetchone() == (1,)


@pytest.mark.parametrize(
    ("key", "value", "ttl"),
    [("", 1, 1), ("k", None, 1), ("k", {1: 2}, 1), ("k", 1, 0), ("k", 1, 44_641), ("k", 1, "1")],
)
def test_a_bad_cache_value_is_refused(
    data: DaylightDataLayer, refused: Refused, key: Any, value: Any, ttl: Any
) -> None:
    """Nothing is stored that could not be given back."""
    refused(lambda: data.cache.set_weather_cache(key, value, ttl))


def test_usage_is_recorded_and_counted(data: DaylightDataLayer, refused: Refused) -> None:
    """Session and agent become attributes; a user's events come oldest first; a day is counted by type and hour."""
    event = data.analytics.recordUsageEvent("kai", "plan_created", {"sessionId": "s", "userAgent": "surf", "n": 1})
    assert (event.session_id, event.user_agent, event.event_data) == ("s", "surf", {"n": 1})
    assert event.to_dict()["date"] == event.occurred_at.date().isoformat()
    more = [{"userId": "kai", "eventType": "login"}, {"user_id": "eve", "event_type": "login", "event_data": {"a": 1}}]
    assert data.analytics.record_usage_events(more) == 2
    assert data.analytics.record_usage_events([]) == 0
    assert [each.event_type for each in data.analytics.getUserAnalytics("kai", 1)] == ["plan_created", "login"]
    day = data.analytics.getDailyAnalytics(event.to_dict()["date"])
    assert (day.total, day.users) == (3, 2)
    assert [(count.event_type, count.events, count.users) for count in day.by_type] == [
        ("login", 2, 2),
        ("plan_created", 1, 1),
    ]
    assert sum(count.events for count in day.by_hour) == 3
    empty = data.analytics.get_daily_analytics(date(2020, 2, 29), time_zone="Pacific/Apia")
    assert (empty.total, empty.by_type, empty.to_dict()["byHour"]) == (0, [], [])
    daily = data.analytics.get_daily_analytics
    for bad in ("2026-02-30", "today", 5, datetime.now(UTC)):
        assert "must be a day" in str(refused(lambda bad=bad: daily(bad)))
    assert "years" in str(refused(lambda: daily(date.max)))
    assert "events[1].user_id" in str(
        refused(lambda: data.analytics.record_usage_events([more[0], {"user_id": 1, "event_type": "x"}]))
    )
    assert "must be a list" in str(refused(lambda: data.analytics.record_usage_events("x")))
    assert "10,000" in str(refused(lambda: data.analytics.record_usage_events(more[0] for _ in range(10_001))))


def test_errors_are_recorded_with_their_severity(data: DaylightDataLayer, refused: Refused) -> None:
    """The first line of words that fits the message decides; groups are by class and place."""
    messages = ["Connection lost", "auth failed", "invalid date", "surf's up"]
    for message in messages:
        try:
            raise RuntimeError(message)  # noqa: TRY301
        except RuntimeError as error:
            logged = data.errors.logError(error, {"token": "t", "n": 1}, "kai")
    assert logged is not None
    assert (logged.name, logged.severity, logged.context, logged.resolved) == (
        "RuntimeError",
        "low",
        {"token": "***", "n": 1},
        False,
    )
    assert "test_errors_are_recorded" in logged.stack
    found = data.errors.getErrorLogs()
    assert [each.severity for each in found] == ["low", "medium", "high", "critical"]
    assert [each.message for each in data.errors.get_error_logs(1, "critical")] == ["Connection lost"]
    assert data.errors.get_error_logs(before=found[2]) == found[3:]
    [group] = data.errors.get_error_groups()
    assert (group.errors, group.name) == (4, "RuntimeError")
    assert (data.errors.resolve_error(logged.id), data.errors.resolve_error(logged.id)) == (True, False)
    assert "severity must be one of" in str(refused(lambda: data.errors.get_error_logs(severity="bad")))


def test_logging_an_error_never_raises(
    data: DaylightDataLayer, admin: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Contexts that are no JSON and texts that cannot be stored are changed; a missing table is a warning."""
    logged = data.errors.log_error(ValueError("a\0b\ud800"), {"x": object()})
    assert logged is not None
    assert (logged.message, logged.context) == ("ab?", {"unserializable": True})

    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    logged = data.errors.log_error(SilentError())
    assert logged is not None
    assert logged.message == "SilentError without a text"
    with data.transaction() as tx:
        assert tx.errors.log_error(ValueError("x")) is not None
        admin.execute("SET lock_timeout = 0")
    admin.execute("ALTER TABLE daylight.error_logs RENAME TO gone")
    with data.transaction() as tx:
        assert tx.errors.log_error(ValueError("x")) is None
        assert tx.users.get_user_by_id("kai") is None
    assert "error not recorded" in [record.msg for record in caplog.records]
