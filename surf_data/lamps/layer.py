"""The Surf Lamp, as the library's tools see it, and its data layer."""

from typing import Any, Unpack

from surf_data import data_layer
from surf_data.data_layer import DataLayer, Transaction
from surf_data.domain import Domain, Retention
from surf_data.kernel.crypto import KeyRing
from surf_data.kernel.journal import Journal, LossCounter
from surf_data.kernel.postgres import Executor, Observer, Session
from surf_data.kernel.settings import Settings, SettingsKeywords
from surf_data.lamps.activity_entries import activity_table
from surf_data.lamps.activity_logger import PostgresActivityLogger
from surf_data.lamps.cache_manager import KEY_PREFIXES, RedisCacheManager
from surf_data.lamps.lamp_repository import PostgresLampRepository
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.reference_data import ReferenceCache
from surf_data.lamps.session_repository import PostgresSessionRepository
from surf_data.lamps.user_repository import PostgresUserRepository

DOMAIN = Domain(
    name="lamps",
    title="Surf Lamp back end",
    schemas=("public",),
    settings=Settings,
    queries="surf_data.lamps.queries:lamp_queries",
    retention=(
        Retention(
            table="public.activity_log", by="created_at", partition="month", on_drop="public.activity_rollup_forget"
        ),
        Retention(table="public.user_sessions", by="expires_at", keep_days=0),
    ),
    roles="surf_lamp",
    application_name="surfboard_lamp_backend",
    cache_prefixes=KEY_PREFIXES,
)

_DEFAULT_PARTITION = "the activity log has entries in its default partition: surf-data maintain"


class Repositories:
    """The repositories over the pool or over a transaction.

    Arguments:
        executor: runs the statements.
        reference: the reference data that was read last.
        activity: the activity log.
    """

    def __init__(self, executor: Executor, reference: ReferenceCache, activity: PostgresActivityLogger) -> None:
        #: Lamps.
        self.lamps: PostgresLampRepository = PostgresLampRepository(executor, reference)
        #: Users.
        self.users: PostgresUserRepository = PostgresUserRepository(executor)
        #: Sessions of users.
        self.sessions: PostgresSessionRepository = PostgresSessionRepository(executor)
        #: Activity; in a transaction `PostgresActivityLogger.log_activity` never makes it fail.
        self.activity: PostgresActivityLogger = activity


class LampsTransaction(Transaction, Repositories):
    """The lamp's repositories, bound to one connection in one transaction. Created by `LampsDataLayer`."""

    def __init__(self, session: Session, reference: ReferenceCache, losses: LossCounter) -> None:
        Transaction.__init__(self, session)
        journal = Journal(session, activity_table(), losses=losses)
        Repositories.__init__(self, session, reference, PostgresActivityLogger(session, journal))


class LampsDataLayer(DataLayer[LampsTransaction], Repositories):
    """Everything that the lamp's back end needs, behind one handle. Any number of threads may use it.

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
        keys = settings.encryption_keys
        self._reference = ReferenceCache(None if keys is None else KeyRing(keys))
        self._losses = LossCounter(activity_table().name)
        DataLayer.__init__(self, DOMAIN, settings, on=on, observer=observer)
        journal = Journal.of_settings(self.database, activity_table(), self.settings, losses=self._losses)
        # The roll-up is written at the primary, which a replica is there to do without.
        activity = PostgresActivityLogger(self.database, journal, rolls_up=self.settings.replica_url is None)
        Repositories.__init__(self, self.database, self._reference, activity)
        self._opened.callback(activity.flush)
        #: Surf data and its companions, cached.
        self.cache: RedisCacheManager = RedisCacheManager(self._values)

    def _bind(self, session: Session) -> LampsTransaction:
        return LampsTransaction(session, self._reference, self._losses)

    def _warnings(self) -> list[str]:
        return [_DEFAULT_PARTITION] if lamp_queries().activity_has_default_rows(self.database) else []

    def _after_maintenance(self) -> None:
        self.activity.roll_up()

    def stats(self) -> dict[str, Any]:
        """Return what has happened in this process so far.

        Returns:
            As `DataLayer.stats`, and ``activity``: ``failures``, the entries that could not be logged.
        """
        return {**super().stats(), "activity": {"failures": self._losses.count}}


def open(  # noqa: A001 - read as surf_data.open
    database_url: str | None = None,
    redis_url: str | None = None,
    *,
    on: DataLayer[Any] | None = None,
    observer: Observer | None = None,
    **settings: Unpack[SettingsKeywords],
) -> LampsDataLayer:
    """Open the data layer. What is not given here comes from ``SURF_DATA_*`` and then ``PG*`` variables.

    Nothing is connected before it is needed, and nothing is migrated.

    Arguments:
        database_url: ``postgresql://...`` or any libpq connection string; ``embedded:`` for servers of its own that
            leave nothing behind, ``embedded:/some/folder`` for ones that keep their data there.
        redis_url: ``redis://``, ``rediss://``, ``unix://``, ``redis+sentinel://`` or ``redis+cluster://``. Without one
            nothing is cached, unless the database is embedded: then so is Redis.
        on: another data layer, of whatever domain, whose connections are used; the URLs and the kernel's settings are
            its own then. The other one is closed by its owner, after this one.
        observer: called with a `QueryEvent` after every statement, in the thread that ran it.
        settings: the other attributes of `Settings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
        EmbeddedServerError: the embedded servers cannot be started.
    """
    loaded = data_layer.load_settings(Settings, DOMAIN, on, database_url=database_url, redis_url=redis_url, **settings)
    return LampsDataLayer(loaded, on=on, observer=observer)
