"""The usage blocks of the requirement, in Python's spelling and in the original's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from surf_data import daylight

Admin = psycopg.Connection[Any]

TABLES = {
    "users",
    "user_profiles",
    "user_sessions",
    "plans",
    "locations",
    "location_history",
    "weather_cache",
    "traffic_data",
    "events_cache",
    "usage_analytics",
    "performance_metrics",
    "error_logs",
    "auth_sessions",
    "audit_logs",
    "roles",
    "permissions",
    "api_keys",
    "api_usage",
    "rate_limits",
}


@pytest.fixture
def initialized(database_url: str, redis_url: str) -> Iterator[None]:
    """Initialize the process's data layer on an empty database."""
    assert daylight.initialize_database(database_url, redis_url, pool_min_size=1) is True
    yield
    daylight.shutdown_database()


def test_the_quick_start(initialized: None, empty_database: Admin) -> None:
    """`initialize_database()` on an empty database, then the services: nineteen tables are there."""
    from surf_data.daylight import location_history_service, user_service  # noqa: PLC0415

    rows = empty_database.execute("SELECT relname FROM pg_class WHERE relnamespace = 'daylight'::regnamespace")
    assert {row[0] for row in rows} >= TABLES
    user_data = {"id": "kai", "email": "kai@example.org", "username": "kai", "password_hash": "x"}
    user_service.create_user(user_data)
    location_history_service.add_location_history("kai", {"lat": 21.66, "lng": -158.05}, "surfing")
    user = user_service.get_user_by_id("kai")
    assert user is not None
    assert user.email == "kai@example.org"
    assert daylight.initialize_database() is True


def test_the_services_api(initialized: None) -> None:
    """Each block of the section, with the original's names."""
    from surf_data.daylight import (  # noqa: PLC0415
        analyticsService,
        cacheService,
        errorLoggingService,
        locationHistoryService,
        planningService,
        userService,
    )

    user_data = {"email": "kai@example.org", "username": "kai", "passwordHash": "x", "firstName": "Kai"}
    user, profile = userService.createUser(user_data)
    assert userService.getUserById(user.id) == userService.getUserByEmail("kai@example.org") == user
    userService.updateUser(user.id, {"emailVerified": True})
    userService.updateUserProfile(user.id, {"timezone": "Pacific/Honolulu"})
    assert profile.first_name == "Kai"

    location, activity, metadata = {"lat": 21.66, "lng": -158.05}, "surfing", {"board": "gun"}
    locationHistoryService.addLocationHistory(user.id, location, activity, metadata)
    history = locationHistoryService.getUserLocationHistory(user.id, 50)
    now = datetime.now(UTC)
    start_date, end_date = (now - timedelta(days=1)).isoformat(), (now + timedelta(minutes=1)).isoformat()
    assert locationHistoryService.getLocationHistoryByDateRange(user.id, start_date, end_date) == history

    plan_data = {"title": "Surf", "startTime": start_date, "endTime": end_date}
    planningService.createPlan(user.id, plan_data)
    [plan] = planningService.getUserPlans(user.id)
    updated = planningService.updatePlan(plan.id, user.id, {"title": "Surf again"})
    assert updated is not None
    assert updated.title == "Surf again"

    cacheService.setWeatherCache("oahu", {"wind": 7}, 60)
    assert cacheService.getWeatherCache("oahu") == {"wind": 7}
    cacheService.setTrafficCache("h1", {"slow": True}, 30)
    assert cacheService.getTrafficCache("h1") == {"slow": True}

    analyticsService.recordUsageEvent(user.id, "plan_created", {"plan": plan.id})
    assert len(analyticsService.getUserAnalytics(user.id, 30)) == 1
    assert analyticsService.getDailyAnalytics(f"{datetime.now(UTC):%Y-%m-%d}").total == 1
    logged = errorLoggingService.logError(RuntimeError("connection lost"))
    assert logged is not None
    assert logged.severity == "critical"


def test_the_debug_commands(initialized: None) -> None:
    """Health, status and metrics in the original's shapes."""
    from surf_data.daylight import getDatabaseMetrics, getDatabaseStatus, performDatabaseHealthCheck  # noqa: PLC0415

    check = performDatabaseHealthCheck()
    assert check["healthy"] is True
    assert check["details"]["overall"] == "healthy"
    status = getDatabaseStatus()
    assert status.keys() == {"initialized", "connections", "monitoring", "retention", "migration", "health"}
    assert status["initialized"] is True
    assert status["connections"] == {"postgresql": True, "redis": True}
    assert status["migration"] == {"completed": True, "currentVersion": "0007"}
    metrics = getDatabaseMetrics()
    assert metrics.keys() == {"service", "performance", "health", "slowQueries", "errors", "retention", "uptime"}
    assert metrics["uptime"] >= 0
    assert len(metrics["retention"]["policies"]) == 14
