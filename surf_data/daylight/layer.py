"""The day planner, as the library's tools see it, and its data layer."""

from typing import TYPE_CHECKING, Any, Unpack

from surf_data import data_layer
from surf_data.data_layer import DataLayer, Transaction
from surf_data.daylight.alerting import channels, thresholds
from surf_data.daylight.alerts import AlertService
from surf_data.daylight.analytics import AnalyticsService
from surf_data.daylight.api_keys import ApiKeyService
from surf_data.daylight.audit import AuditService
from surf_data.daylight.caches import PREFIXES, CacheService
from surf_data.daylight.error_logging import ErrorLoggingService
from surf_data.daylight.location_history import LocationHistoryService
from surf_data.daylight.locations import LocationService
from surf_data.daylight.monitoring import MonitoringService
from surf_data.daylight.planning import PlanningService
from surf_data.daylight.privacy import PrivacyService
from surf_data.daylight.query_log import QueryLog
from surf_data.daylight.rate_limits import RateLimiter
from surf_data.daylight.roles import RoleService
from surf_data.daylight.sessions import AuthSessionService, UserSessionService
from surf_data.daylight.settings import DaylightKeywords, DaylightSettings
from surf_data.daylight.users import UserService
from surf_data.domain import Domain, Retention
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.postgres import Executor, Observer, QueryEvent, Session

if TYPE_CHECKING:
    from surf_data.daylight.retention import RetentionService
    from surf_data.daylight.sqlite import SqliteImportService

DOMAIN = Domain(
    name="daylight",
    title="Day planner",
    schemas=("daylight", "daylight_restored"),
    settings=DaylightSettings,
    queries="surf_data.daylight.queries:daylight_queries",
    # Without days: what has expired goes by surf-data daylight retention run, which archives it first.
    retention=(
        Retention(table="daylight.location_history", by="recorded_at", partition="week", archive=True),
        Retention(table="daylight.usage_analytics", by="occurred_at", partition="month", archive=True),
        Retention(table="daylight.performance_metrics", by="measured_at", partition="month", archive=True),
        Retention(table="daylight.error_logs", by="occurred_at", partition="month", archive=True),
        Retention(table="daylight.api_usage", by="occurred_at", partition="month", archive=True),
        Retention(table="daylight.audit_logs", by="occurred_at", partition="month", archive=True),
    ),
    cache_prefixes=PREFIXES,
    variables={
        "pool_min_size": ("POSTGRES_POOL_MIN",),
        "pool_max_size": ("POSTGRES_POOL_MAX",),
    },
)


class Services:
    """The services over the pool or over a transaction.

    Arguments:
        executor: runs the statements.
        values: Redis; ``None`` within a transaction.
        cache_layers: where cached values are.
    """

    def __init__(self, executor: Executor, values: JsonCache | None = None, cache_layers: str = "both") -> None:
        #: Accounts and profiles.
        self.users: UserService = UserService(executor)
        #: Plans.
        self.plans: PlanningService = PlanningService(executor)
        #: Where users were.
        self.history: LocationHistoryService = LocationHistoryService(executor)
        #: Places that users keep.
        self.locations: LocationService = LocationService(executor)
        #: Weather, traffic and events.
        self.cache: CacheService = CacheService(executor, values, cache_layers)
        #: What users do.
        self.analytics: AnalyticsService = AnalyticsService(executor)
        #: Errors of the application.
        self.errors: ErrorLoggingService = ErrorLoggingService(executor)
        #: Sessions that hold data.
        self.sessions: UserSessionService = UserSessionService(executor)
        #: Logins.
        self.logins: AuthSessionService = AuthSessionService(executor)
        #: Roles and permissions.
        self.roles: RoleService = RoleService(executor)
        #: Keys of the API.
        self.keys: ApiKeyService = ApiKeyService(executor)
        #: What a user may ask for: all that is known, and that it be forgotten.
        self.privacy: PrivacyService = PrivacyService(executor)
        #: What was done.
        self.audit: AuditService = AuditService(executor)


class DaylightTransaction(Transaction, Services):
    """The services, bound to one connection in one transaction. Created by `DaylightDataLayer`."""

    def __init__(self, session: Session) -> None:
        Transaction.__init__(self, session)
        Services.__init__(self, session)


class DaylightDataLayer(DataLayer[DaylightTransaction], Services):
    """Everything that the day planner needs, behind one handle. Any number of threads may use it.

    Arguments:
        settings: what `surf_data.data_layer.load_settings` returned.
        on: another data layer, whose connections are used.
        observer: called with a `QueryEvent` after every statement, and what else it describes.

    Raises:
        ConfigurationError: a URL or a setting is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(
        self, settings: DaylightSettings, *, on: DataLayer[Any] | None = None, observer: Observer | None = None
    ) -> None:
        log = QueryLog(settings.slow_query_ms)
        DataLayer.__init__(self, DOMAIN, settings, on=on, observer=None if on is not None else _both(log, observer))
        #: The settings of the day planner itself.
        self.own_settings: DaylightSettings = settings
        Services.__init__(self, self.database, self._values, settings.cache_layers)
        #: How often something may be done.
        self.limits: RateLimiter = RateLimiter(self.database, self.redis, self.settings.cache_prefix)
        #: What the data layer observes of itself.
        self.monitoring: MonitoringService = MonitoringService(
            self,
            self.health,
            log,
            AlertService(self, channels(settings), thresholds(settings)),
            interval=settings.metrics_interval,
        )
        self._opened.callback(self.monitoring.stop)

    @property
    def retention(self) -> "RetentionService":
        """What archives and deletes what has expired; it needs the owner's role."""
        # Not with this module: services import it, and only operators run retention.
        from surf_data.daylight.retention import RetentionService  # noqa: PLC0415
        from surf_data.daylight.retention.tables import archive_place  # noqa: PLC0415

        return RetentionService(self.database, self.maintain, lambda: archive_place(self.own_settings))

    @property
    def imports(self) -> "SqliteImportService":
        """What imports SQLite files: ``data.imports.import_sqlite(path)``."""
        # Not with this module: it is needed once in the life of a database.
        from surf_data.daylight.sqlite import SqliteImportService  # noqa: PLC0415

        return SqliteImportService(self.database)

    def _after_maintenance(self) -> None:
        self.audit.seal_audit()
        self.sessions.clean_up()
        self.logins.clean_up()
        self.cache.clean_up()
        self.limits.clean_up()

    def _bind(self, session: Session) -> DaylightTransaction:
        return DaylightTransaction(session)


def _both(log: QueryLog, observer: Observer | None) -> Observer:
    if observer is None:
        return log

    def observe(event: QueryEvent) -> None:
        log(event)
        observer(event)

    return observe


def open(  # noqa: A001 - read as surf_data.daylight.open
    database_url: str | None = None,
    redis_url: str | None = None,
    *,
    on: DataLayer[Any] | None = None,
    observer: Observer | None = None,
    **settings: Unpack[DaylightKeywords],
) -> DaylightDataLayer:
    """Open the data layer of the day planner, as `surf_data.open` does for the lamp.

    Arguments:
        database_url: as for `surf_data.open`.
        redis_url: as for `surf_data.open`.
        on: another data layer, of whatever domain, whose connections are used.
        observer: called with a `QueryEvent` after every statement, in the thread that ran it.
        settings: the other attributes of `DaylightSettings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
        EmbeddedServerError: the embedded servers cannot be started.
    """
    loaded = data_layer.load_settings(
        DaylightSettings, DOMAIN, on, database_url=database_url, redis_url=redis_url, **settings
    )
    return DaylightDataLayer(loaded, on=on, observer=observer)
