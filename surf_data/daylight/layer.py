"""The day planner, as the library's tools see it, and its data layer."""

from typing import Any, Unpack

from surf_data import data_layer
from surf_data.data_layer import DataLayer, Transaction
from surf_data.daylight.location_history import LocationHistoryService
from surf_data.daylight.planning import PlanningService
from surf_data.daylight.settings import DaylightKeywords, DaylightSettings
from surf_data.daylight.users import UserService
from surf_data.domain import Domain, Retention
from surf_data.kernel.postgres import Executor, Observer, Session

DOMAIN = Domain(
    name="daylight",
    title="Day planner",
    schemas=("daylight", "daylight_restored"),
    settings=DaylightSettings,
    queries="surf_data.daylight.queries:daylight_queries",
    # Without days: what has expired goes by surf-data daylight retention run, which archives it first.
    retention=(
        Retention(table="daylight.location_history", by="recorded_at", partition="week"),
        Retention(table="daylight.usage_analytics", by="occurred_at", partition="month"),
        Retention(table="daylight.performance_metrics", by="measured_at", partition="month"),
        Retention(table="daylight.error_logs", by="occurred_at", partition="month"),
        Retention(table="daylight.api_usage", by="occurred_at", partition="month"),
        Retention(table="daylight.audit_logs", by="occurred_at", partition="month"),
    ),
    variables={
        "pool_min_size": ("POSTGRES_POOL_MIN",),
        "pool_max_size": ("POSTGRES_POOL_MAX",),
    },
)


class Services:
    """The services over the pool or over a transaction.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        #: Accounts and profiles.
        self.users: UserService = UserService(executor)
        #: Plans.
        self.plans: PlanningService = PlanningService(executor)
        #: Where users were.
        self.history: LocationHistoryService = LocationHistoryService(executor)


class DaylightTransaction(Transaction, Services):
    """The services, bound to one connection in one transaction. Created by `DaylightDataLayer`."""

    def __init__(self, session: Session) -> None:
        Transaction.__init__(self, session)
        Services.__init__(self, session)


class DaylightDataLayer(DataLayer[DaylightTransaction], Services):
    """Everything that the day planner needs, behind one handle. Any number of threads may use it.

    Arguments:
        settings: what `surf_data.data_layer.load` returned.
        on: another data layer, whose connections are used.
        observer: called with a `QueryEvent` after every statement.

    Raises:
        ConfigurationError: a URL or a setting is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(
        self, settings: DaylightSettings, *, on: DataLayer[Any] | None = None, observer: Observer | None = None
    ) -> None:
        DataLayer.__init__(self, DOMAIN, settings, on=on, observer=observer)
        Services.__init__(self, self.database)

    def _bind(self, session: Session) -> DaylightTransaction:
        return DaylightTransaction(session)


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
    loaded = data_layer.load(DaylightSettings, DOMAIN, on, database_url=database_url, redis_url=redis_url, **settings)
    return DaylightDataLayer(loaded, on=on, observer=observer)
