"""The original's entry: one data layer for the process, begun at start, with the services as names to import."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Unpack, cast

import attrs

from surf_data.daylight.analytics import AnalyticsService
from surf_data.daylight.caches import CacheService
from surf_data.daylight.error_logging import ErrorLoggingService
from surf_data.daylight.layer import DaylightDataLayer, open  # noqa: A004 - as surf_data.daylight.open
from surf_data.daylight.location_history import LocationHistoryService
from surf_data.daylight.planning import PlanningService
from surf_data.daylight.records import as_json
from surf_data.daylight.settings import DaylightKeywords
from surf_data.daylight.users import UserService
from surf_data.errors import ConfigurationError, DatabaseUnavailable, SurfDataError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.secret import Secret

_log = get_logger(__name__)


class DatabaseService:
    """A data layer from start to end: migrated, imported into, monitored, and shut down in order.

    Arguments:
        data: the data layer.
    """

    def __init__(self, data: DaylightDataLayer) -> None:
        #: The data layer.
        self.data: DaylightDataLayer = data
        self._initialized_at: float | None = None
        self._handlers: list[Callable[[], object]] = []

    def initialize(self, run_migrations: bool = True) -> bool:  # noqa: FBT001, FBT002 - the original's argument
        """Migrate, import the SQLite file if that is set, and start monitoring in production. Idempotent.

        Arguments:
            run_migrations: whether to apply what is pending; the role must be allowed to.

        Returns:
            ``True``.

        Raises:
            MigrationError: migrations are pending and cannot be applied, or the SQLite file cannot be imported.
            DatabaseUnavailable: PostgreSQL does not answer.
            DatabaseError: it refuses.
        """
        if self._initialized_at is not None:
            return True
        settings = self.data.own_settings
        health = self.data.health()
        if not health.database.ok:
            raise DatabaseUnavailable(f"PostgreSQL does not answer: {health.database.reason}")
        if run_migrations and self._pending():
            self.data.migrations.up()
            # The partitions of this time and the next.
            self.data.maintain()
        if settings.migrate_from_sqlite:
            self._import(Path(settings.sqlite_path))
        if settings.metrics_enabled and settings.node_env == "production":
            self.data.monitoring.start_monitoring()
        self._initialized_at = time.monotonic()
        return True

    def add_shutdown_handler(self, handler: Callable[[], object]) -> None:
        """Have a function called by `shutdown`, in the order in which they were added."""
        self._handlers.append(validation.function("handler", handler))

    def shutdown(self) -> None:
        """Call the handlers and close the data layer. A handler that fails is logged. Idempotent."""
        handlers, self._handlers = self._handlers, []
        for handler in handlers:
            try:
                handler()
            except Exception as error:  # noqa: BLE001 - the next one has its turn
                _log.warning("shutdown handler failed", extra=error_facts(error))
        self._initialized_at = None
        self.data.close()

    def get_service_status(self) -> dict[str, Any]:
        """Return what runs: ``initialized``, ``connections``, ``monitoring``, ``retention``, ``migration``, ``health``.

        Never raises because of a server.
        """
        health = self.get_health_status()
        current: str | None = None
        completed = False
        try:
            applied = self.data.migrations.status()
            completed = all(each.state == "applied" for each in applied)
            done = [each for each in applied if each.state == "applied"]
            current = f"{done[-1].number:04}" if done else "0"
        except SurfDataError as error:
            _log.warning("migrations not looked at", extra=error_facts(error))
        settings = self.data.own_settings
        return {
            "initialized": self._initialized_at is not None,
            "connections": {"postgresql": health["services"]["database"], "redis": health["services"]["cache"]},
            "monitoring": {"enabled": settings.metrics_enabled, "started": self.data.monitoring.is_started},
            # Retention is a command for a timer of the operator's: nothing is deleted by a hidden one.
            "retention": {"enabled": settings.archive_url is not None, "started": False},
            "migration": {"completed": completed, "currentVersion": current},
            "health": health,
        }

    def get_health_status(self) -> dict[str, Any]:
        """Return ``overall``: ``healthy``, ``warning`` or ``critical``; ``services``; ``lastCheck``. Never raises."""
        services = self.data.monitoring.check_health()
        wanted = self.data.settings.redis_url is not None
        overall = (
            "critical" if not services["database"] else "warning" if wanted and not services["cache"] else "healthy"
        )
        return {
            "overall": overall,
            "services": services,
            "lastCheck": self.data.monitoring.get_metrics()["health"]["lastCheck"],
            "uptime": self.data.monitoring.uptime_share(),
            "consecutiveFailures": self.data.monitoring.consecutive_failures(),
        }

    def get_detailed_metrics(self) -> dict[str, Any]:
        """Return ``service``, ``performance``, ``health``, ``slowQueries``, ``errors``, ``retention``, ``uptime``."""
        monitoring = self.data.monitoring
        metrics = monitoring.get_metrics()
        return {
            "service": self.get_service_status(),
            "performance": metrics,
            "health": self.get_health_status(),
            "slowQueries": monitoring.get_slow_queries(),
            "errors": monitoring.get_error_queries(),
            "retention": {"policies": [policy.to_dict() for policy in self.data.retention.list_policies()]},
            "uptime": self.get_uptime(),
        }

    def get_uptime(self) -> int:
        """Return the milliseconds since `initialize`, 0 before."""
        return 0 if self._initialized_at is None else int((time.monotonic() - self._initialized_at) * 1000)

    def get_configuration(self) -> dict[str, Any]:
        """Return the settings; secrets are masked."""
        settings = attrs.asdict(self.data.own_settings, recurse=False)
        return {name: str(value) if isinstance(value, Secret) else as_json(value) for name, value in settings.items()}

    def _pending(self) -> bool:
        return any(each.state != "applied" for each in self.data.migrations.status())

    def _import(self, path: Path) -> None:
        if not path.exists():
            _log.warning("no SQLite file to import", extra={"file": path.name})
            return
        imports = self.data.imports
        if imports.has_completed(path):
            return
        report = imports.import_sqlite(path)
        _log.info("import completed", extra={"file": path.name, "quarantined": len(report.quarantine)})


_lock = threading.Lock()
_current: DatabaseService | None = None


def initialize_database(
    database_url: str | None = None, redis_url: str | None = None, **settings: Unpack[DaylightKeywords]
) -> bool:
    """Open the process's data layer and `DatabaseService.initialize` it. Idempotent; what fails leaves nothing open.

    Arguments:
        database_url: as for `surf_data.open`.
        redis_url: as for `surf_data.open`.
        settings: the other attributes of `DaylightSettings`.

    Returns:
        ``True``.

    Raises:
        ConfigurationError: a setting is malformed, or it is initialized with others.
        MigrationError: as `DatabaseService.initialize`.
        DatabaseError: as `DatabaseService.initialize`.
    """
    global _current  # noqa: PLW0603 - there is one in a process
    with _lock:
        if _current is not None:
            if database_url is not None or redis_url is not None or settings:
                raise ConfigurationError("daylight is initialized already; call shutdown_database() first")
            return True
        service = DatabaseService(open(database_url, redis_url, **settings))
        try:
            service.initialize()
        except BaseException:
            service.shutdown()
            raise
        _current = service
    return True


def shutdown_database() -> None:
    """Shut the process's data layer down. Idempotent."""
    global _current
    with _lock:
        service, _current = _current, None
    if service is not None:
        service.shutdown()


def database_service() -> DatabaseService:
    """Return the process's service.

    Raises:
        ConfigurationError: `initialize_database` was not called.
    """
    if _current is None:
        raise ConfigurationError("daylight is not initialized: call initialize_database()")
    return _current


def perform_database_health_check() -> dict[str, Any]:
    """Return ``healthy`` with ``details``, or with ``error``. Never raises."""
    try:
        status = database_service().get_health_status()
    except SurfDataError as error:
        return {"healthy": False, "error": str(error)}
    return {"healthy": status["overall"] != "critical", "details": status}


def get_database_status() -> dict[str, Any]:
    """Return `DatabaseService.get_service_status` of the process's service.

    Raises:
        ConfigurationError: `initialize_database` was not called.
    """
    return database_service().get_service_status()


def get_database_metrics() -> dict[str, Any]:
    """Return `DatabaseService.get_detailed_metrics` of the process's service.

    Raises:
        ConfigurationError: `initialize_database` was not called.
        DatabaseError: the policies cannot be read.
    """
    return database_service().get_detailed_metrics()


class _Current:
    """Stands for a service of the process's data layer, which need not be there yet when it is imported."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(database_service().data, self._name), attribute)


location_history_service: LocationHistoryService = cast("LocationHistoryService", _Current("history"))
user_service: UserService = cast("UserService", _Current("users"))
planning_service: PlanningService = cast("PlanningService", _Current("plans"))
cache_service: CacheService = cast("CacheService", _Current("cache"))
analytics_service: AnalyticsService = cast("AnalyticsService", _Current("analytics"))
error_logging_service: ErrorLoggingService = cast("ErrorLoggingService", _Current("errors"))

# The original's names.
initializeDatabase = initialize_database  # noqa: N816
shutdownDatabase = shutdown_database  # noqa: N816
performDatabaseHealthCheck = perform_database_health_check  # noqa: N816
getDatabaseStatus = get_database_status  # noqa: N816
getDatabaseMetrics = get_database_metrics  # noqa: N816
locationHistoryService = location_history_service  # noqa: N816
userService = user_service  # noqa: N816
planningService = planning_service  # noqa: N816
cacheService = cache_service  # noqa: N816
analyticsService = analytics_service  # noqa: N816
errorLoggingService = error_logging_service  # noqa: N816
