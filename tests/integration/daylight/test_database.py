"""The process's data layer: begun once, ended in order, and honest about what is not there."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import daylight
from surf_data.daylight import DatabaseService, DaylightDataLayer
from surf_data.errors import ConfigurationError, DatabaseUnavailable, SurfDataError

Refused = Callable[..., SurfDataError]


def test_nothing_works_before_it_is_initialized(refused: Refused) -> None:
    """Services say what to call; the health check says it without raising."""
    error = refused(lambda: daylight.user_service.get_user_by_id("kai"), ConfigurationError)
    assert "initialize_database()" in str(error)
    assert daylight.perform_database_health_check() == {"healthy": False, "error": str(error)}
    daylight.shutdown_database()


def test_it_is_initialized_once(database_url: str, refused: Refused) -> None:
    """Again without arguments is nothing; with others it is refused."""
    daylight.initialize_database(database_url, pool_min_size=0)
    try:
        assert daylight.initialize_database() is True
        assert "already" in str(refused(lambda: daylight.initialize_database(database_url), ConfigurationError))
        service = daylight.database_service()
        assert service.initialize() is True
        assert service.get_health_status()["overall"] == "healthy"
    finally:
        daylight.shutdown_database()


def test_what_fails_leaves_nothing_open(refused: Refused) -> None:
    """A server that does not answer is an error with its reason, and the next attempt is free."""
    url = "postgresql://127.0.0.1:1/none?connect_timeout=1"
    error = refused(lambda: daylight.initialize_database(url, pool_timeout=0.2), DatabaseUnavailable)
    assert "PostgreSQL does not answer" in str(error)
    with pytest.raises(ConfigurationError):
        daylight.database_service()


def test_handlers_are_called_in_order(app_url: str, caplog: pytest.LogCaptureFixture, refused: Refused) -> None:
    """A handler that fails is logged, and the next one has its turn."""
    called: list[int] = []
    service = DatabaseService(daylight.open(app_url))

    def fail() -> None:
        called.append(1)
        raise RuntimeError("planted")

    service.add_shutdown_handler(fail)
    service.add_shutdown_handler(lambda: called.append(2))
    assert "handler must be a function" in str(refused(lambda: service.add_shutdown_handler(5)))  # type: ignore[arg-type]
    assert service.get_uptime() == 0
    service.shutdown()
    service.shutdown()
    assert called == [1, 2]
    assert "planted" not in caplog.text


def test_the_configuration_shows_no_secret(app_url: str) -> None:
    """Secrets are masked; the rest is as it counts."""
    with daylight.open(app_url, alert_slack_webhook="https://planted", archive_url="/archives") as data:
        shown = DatabaseService(data).get_configuration()
    assert (shown["alert_slack_webhook"], shown["archive_url"]) == ("***", "/archives")
    assert "planted" not in str(shown)


def test_settings_have_the_originals_variables(app_url: str, monkeypatch: pytest.MonkeyPatch, refused: Refused) -> None:
    """NODE_ENV, switches, thresholds and pool sizes are read; another database is refused by name."""
    for name, value in {
        "NODE_ENV": "test",
        "DB_METRICS_ENABLED": "no",
        "DB_ALERTS_ENABLED": "false",
        "MIGRATE_FROM_SQLITE": "1",
        "DB_ERROR_THRESHOLD": "0.1",
        "POSTGRES_POOL_MAX": "7",
    }.items():
        monkeypatch.setenv(name, value)
    with daylight.open(app_url) as data:
        settings = data.own_settings
        assert (settings.node_env, settings.metrics_enabled, settings.alerts_enabled) == ("test", True, False)
        assert (settings.migrate_from_sqlite, settings.error_threshold, settings.pool_max_size) == (False, 0.1, 7)
    monkeypatch.setenv("DATABASE_PRIMARY", "dynamodb")
    assert "DATABASE_PRIMARY must be postgresql" in str(refused(lambda: daylight.open(app_url), ConfigurationError))


def test_a_sqlite_file_is_imported_at_start(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once: a file that was imported completely is passed over; a missing one is a warning."""
    path = tmp_path / "external_history.sqlite"
    settings: dict[str, Any] = {"migrate_from_sqlite": True, "sqlite_path": str(path)}
    assert daylight.initialize_database(database_url, **settings) is True
    daylight.shutdown_database()
    assert "no SQLite file to import" in [record.msg for record in caplog.records]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE history (id INTEGER PRIMARY KEY, ts TEXT, type TEXT)")
        connection.execute("INSERT INTO history VALUES (1, ?, 'geocode')", (datetime.now(UTC).isoformat(),))
        connection.commit()
    for _ in range(2):
        daylight.initialize_database(database_url, **settings)
        assert len(daylight.location_history_service.get_user_location_history("unknown")) == 1
        daylight.shutdown_database()


def test_in_production_the_sampler_is_started(database_url: str) -> None:
    """Unless DB_METRICS_ENABLED is false; shutting down ends it."""
    daylight.initialize_database(database_url, node_env="production")
    service = daylight.database_service()
    assert service.get_service_status()["monitoring"] == {"enabled": True, "started": True}
    daylight.shutdown_database()
    assert not service.data.monitoring.is_started


def test_a_layer_may_use_the_connections_of_another(data: DaylightDataLayer, user_id: str) -> None:
    """`on=` shares PostgreSQL and Redis; an observer is the other's."""
    with daylight.open(on=data) as second:
        assert second.users.get_user_by_id(user_id) is not None
        assert second.monitoring.get_slow_queries() == []


def test_a_database_that_is_gone_is_critical(
    app_url: str, admin: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Status and health say so, and never raise."""
    with daylight.open(app_url, pool_timeout=0.2) as data:
        service = DatabaseService(data)
        assert service.get_health_status()["overall"] == "healthy"
        data.close()
        status = service.get_service_status()
        assert status["health"]["overall"] == "critical"
        assert status["health"]["consecutiveFailures"]["database"] == 1
