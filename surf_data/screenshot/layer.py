"""Screenshots to code, as the library's tools see it, and its data layer."""

from typing import Any, Unpack

from surf_data import data_layer
from surf_data.data_layer import DataLayer, Transaction
from surf_data.domain import Domain, Retention
from surf_data.kernel.journal import Journal, LossCounter
from surf_data.kernel.postgres import Executor, Observer, Session
from surf_data.screenshot.audit import KEEP_DAYS, AuditRepository, audit_table
from surf_data.screenshot.caching import CacheManager
from surf_data.screenshot.codes import CodeRepository
from surf_data.screenshot.images import ImageRepository
from surf_data.screenshot.projects import ProjectRepository
from surf_data.screenshot.sessions import SessionRepository
from surf_data.screenshot.settings import VARIABLES, ScreenshotKeywords, ScreenshotSettings, with_urls
from surf_data.screenshot.storage import StorageManager
from surf_data.screenshot.storage_cleanup import StorageCounts
from surf_data.screenshot.stores import object_store, url_signer
from surf_data.screenshot.users import UserRepository

DOMAIN = Domain(
    name="screenshot",
    title="Screenshots to code",
    schemas=("screenshot",),
    settings=ScreenshotSettings,
    queries="surf_data.screenshot.queries:screenshot_queries",
    retention=(
        Retention(table="screenshot.audit_logs", by="created_at", partition="month", keep_days=KEEP_DAYS),
        Retention(table="screenshot.sessions", by="expires_at", keep_days=30),
    ),
    variables=VARIABLES,
)


class Repositories:
    """The repositories over the pool or over a transaction.

    Arguments:
        executor: runs the statements.
        storage: object storage over the same.
        sessions: sessions over the same.
        audit: the audit log over the same.
    """

    def __init__(
        self, executor: Executor, storage: StorageManager, sessions: SessionRepository, audit: AuditRepository
    ) -> None:
        #: Users.
        self.users: UserRepository = UserRepository(executor)
        #: Projects.
        self.projects: ProjectRepository = ProjectRepository(executor)
        #: Generated code.
        self.codes: CodeRepository = CodeRepository(executor)
        #: Generated images.
        self.images: ImageRepository = ImageRepository(executor)
        #: Sessions of users.
        self.sessions: SessionRepository = sessions
        #: The audit log.
        self.audit: AuditRepository = audit
        #: Object storage.
        self.storage: StorageManager = storage


class ScreenshotTransaction(Transaction, Repositories):
    """The repositories, bound to one connection in one transaction. Created by `ScreenshotDataLayer`."""

    def __init__(
        self, session: Session, storage: StorageManager, sessions: SessionRepository, audit: AuditRepository
    ) -> None:
        Transaction.__init__(self, session)
        Repositories.__init__(self, session, storage, sessions, audit)


class ScreenshotDataLayer(DataLayer[ScreenshotTransaction], Repositories):
    """Everything that the application needs, behind one handle. Any number of threads may use it.

    Arguments:
        settings: what `surf_data.data_layer.load_settings` returned.
        on: another data layer, whose connections are used.
        observer: called with a `QueryEvent` after every statement, and what else it describes.

    Raises:
        ConfigurationError: a URL or a setting is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(
        self, settings: ScreenshotSettings, *, on: DataLayer[Any] | None = None, observer: Observer | None = None
    ) -> None:
        # What may be malformed comes first: nothing is open then.
        self._store, self._signer, self._counts = object_store(settings), url_signer(settings), StorageCounts()
        DataLayer.__init__(self, DOMAIN, settings, on=on, observer=observer)
        self._own_settings = settings
        sessions = SessionRepository(self.database, self.redis, settings, reads_cache=True)
        self._losses = LossCounter(audit_table().name)
        journal = Journal.of_settings(self.database, audit_table(), self.settings, losses=self._losses)
        audit = AuditRepository(self.database, journal)
        Repositories.__init__(self, self.database, self._storage(self.database), sessions, audit)
        self._opened.callback(audit.flush)
        #: Values and sessions in Redis.
        self.cache: CacheManager = CacheManager(self.redis, settings)

    def _bind(self, session: Session) -> ScreenshotTransaction:
        sessions = SessionRepository(session, self.redis, self._own_settings, reads_cache=False)
        audit = AuditRepository(session, Journal(session, audit_table(), losses=self._losses))
        return ScreenshotTransaction(session, self._storage(session), sessions, audit)

    def _after_maintenance(self) -> None:
        self.audit.seal()

    def stats(self) -> dict[str, Any]:
        """Return what has happened in this process so far.

        Returns:
            As `DataLayer.stats`, ``storage`` as `StorageManager.stats`, and ``audit``: ``failures``, the entries that
            `AuditRepository.try_record` could not add.
        """
        return {**super().stats(), "storage": self.storage.stats(), "audit": {"failures": self._losses.count}}

    def _storage(self, executor: Executor) -> StorageManager:
        return StorageManager(
            self._store, executor, self.database, self._own_settings, signer=self._signer, counts=self._counts
        )


def open(  # noqa: A001 - read as surf_data.screenshot.open
    database_url: str | None = None,
    redis_url: str | None = None,
    *,
    on: DataLayer[Any] | None = None,
    observer: Observer | None = None,
    **settings: Unpack[ScreenshotKeywords],
) -> ScreenshotDataLayer:
    """Open the data layer.

    What is not given comes from ``SURF_DATA_*``, from the original's variables (``DB_HOST``, ``REDIS_URL``,
    ``STORAGE_BACKEND``, ...) and from ``PG*``. Nothing is connected before it is needed, and nothing is migrated.

    Arguments:
        database_url: as for `surf_data.open`.
        redis_url: as for `surf_data.open`.
        on: another data layer, of whatever domain, whose connections are used.
        observer: called with a `QueryEvent` after every statement, in the thread that ran it.
        settings: the other attributes of `ScreenshotSettings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
        EmbeddedServerError: the embedded servers cannot be started.
    """
    loaded = data_layer.load_settings(
        ScreenshotSettings, DOMAIN, on, database_url=database_url, redis_url=redis_url, **settings
    )
    return ScreenshotDataLayer(loaded if on else with_urls(loaded), on=on, observer=observer)
