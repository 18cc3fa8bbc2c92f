"""The history of a command-line tool, as the library's tools see it, and its data layer."""

from typing import Any, Unpack

from surf_data import data_layer
from surf_data.data_layer import DataLayer, Transaction
from surf_data.domain import Domain, Retention
from surf_data.kernel.crypto import KeyRing
from surf_data.kernel.postgres import Executor, Observer, Session
from surf_data.kernel.settings import Settings, SettingsKeywords
from surf_data.specify.audit import AuditLogRepository
from surf_data.specify.cache import CacheRepository
from surf_data.specify.commands import CommandRepository
from surf_data.specify.configuration import ConfigurationRepository
from surf_data.specify.metrics import PerformanceMetricRepository
from surf_data.specify.projects import ProjectRepository
from surf_data.specify.specifications import RDFSpecificationRepository
from surf_data.specify.telemetry import TelemetryEventRepository
from surf_data.specify.tokens import SessionTokenRepository
from surf_data.specify.users import UserRepository

DOMAIN = Domain(
    name="specify",
    title="Command-line tool history",
    schemas=("specify",),
    settings=Settings,
    queries="surf_data.specify.statements:specify_queries",
    retention=(
        Retention(table="specify.audit_logs", by="timestamp", partition="month", keep_days=2557),
        Retention(table="specify.performance_metrics", by="timestamp", partition="month", keep_days=396),
        Retention(table="specify.telemetry_events", by="start_time", partition="month", keep_days=92),
        # Commands go when an operator says so: surf-data specify prune.
        Retention(table="specify.commands", by="started_at"),
        Retention(table="specify.cache_entries", by="expires_at", keep_days=0),
        Retention(table="specify.session_tokens", by="expires_at", keep_days=0),
    ),
    variables={"database_url": ("DATABASE_URL",)},
)


class Repositories:
    """The repositories over the pool or over a transaction.

    Arguments:
        executor: runs the statements.
        keys: encrypts configuration; ``None`` without keys.
    """

    def __init__(self, executor: Executor, keys: KeyRing | None) -> None:
        #: Users.
        self.users: UserRepository = UserRepository(executor)
        #: Projects.
        self.projects: ProjectRepository = ProjectRepository(executor)
        #: Commands.
        self.commands: CommandRepository = CommandRepository(executor)
        #: Metrics.
        self.metrics: PerformanceMetricRepository = PerformanceMetricRepository(executor)
        #: Audit rows.
        self.audit: AuditLogRepository = AuditLogRepository(executor)
        #: Specifications.
        self.specifications: RDFSpecificationRepository = RDFSpecificationRepository(executor)
        #: Spans.
        self.telemetry: TelemetryEventRepository = TelemetryEventRepository(executor)
        #: Cache entries, in PostgreSQL.
        self.cache: CacheRepository = CacheRepository(executor)
        #: Configuration of projects.
        self.configuration: ConfigurationRepository = ConfigurationRepository(executor, keys)
        #: Session tokens.
        self.tokens: SessionTokenRepository = SessionTokenRepository(executor)


class SpecifyTransaction(Transaction, Repositories):
    """The repositories, bound to one connection in one transaction. Created by `SpecifyDataLayer`."""

    def __init__(self, session: Session, keys: KeyRing | None) -> None:
        Transaction.__init__(self, session)
        Repositories.__init__(self, session, keys)


class SpecifyDataLayer(DataLayer[SpecifyTransaction], Repositories):
    """Everything that a command-line tool's history needs, behind one handle. Any number of threads may use it.

    Arguments:
        settings: what `surf_data.data_layer.load_settings` returned.
        on: another data layer, whose connections are used.
        observer: called with a `QueryEvent` after every statement, and what else it describes.

    Raises:
        ConfigurationError: a URL or a key is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(
        self, settings: Settings, *, on: DataLayer[Any] | None = None, observer: Observer | None = None
    ) -> None:
        self._keys = None if settings.encryption_keys is None else KeyRing(settings.encryption_keys)
        DataLayer.__init__(self, DOMAIN, settings, on=on, observer=observer)
        Repositories.__init__(self, self.database, self._keys)

    def _bind(self, session: Session) -> SpecifyTransaction:
        return SpecifyTransaction(session, self._keys)


def open(  # noqa: A001 - read as surf_data.specify.open
    database_url: str | None = None,
    redis_url: str | None = None,
    *,
    on: DataLayer[Any] | None = None,
    observer: Observer | None = None,
    **settings: Unpack[SettingsKeywords],
) -> SpecifyDataLayer:
    """Open the data layer. What is not given comes from ``SURF_DATA_*``, ``DATABASE_URL`` and ``PG*`` variables.

    Nothing is connected before it is needed, and nothing is migrated.

    Arguments:
        database_url: ``postgresql://...`` or any libpq connection string; ``embedded:`` for a server of its own that
            leaves nothing behind, ``embedded:/some/folder`` for one that keeps its data there.
        redis_url: as for `surf_data.open`; nothing here needs Redis.
        on: another data layer, of whatever domain, whose connections are used.
        observer: called with a `QueryEvent` after every statement, in the thread that ran it.
        settings: the other attributes of `Settings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
        EmbeddedServerError: the embedded servers cannot be started.
    """
    loaded = data_layer.load_settings(Settings, DOMAIN, on, database_url=database_url, redis_url=redis_url, **settings)
    return SpecifyDataLayer(loaded, on=on, observer=observer)
