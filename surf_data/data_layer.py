"""The only place that wires the parts together."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import attrs

from surf_data.errors import DatabaseError
from surf_data.kernel import resources
from surf_data.kernel import settings as settings_module
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.crypto import KeyRing
from surf_data.kernel.health import Check, Health
from surf_data.kernel.postgres import DatabaseManager, Observer, Session, deadline
from surf_data.kernel.postgres.deadlines import ends
from surf_data.kernel.redis import RedisManager
from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings, SettingsKeywords
from surf_data.lamps import (
    PostgresActivityLogger,
    PostgresLampRepository,
    PostgresSessionRepository,
    PostgresUserRepository,
    RedisCacheManager,
)
from surf_data.lamps.buffer import BufferLimits
from surf_data.lamps.cache_manager import FAMILIES
from surf_data.lamps.failures import Failures
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.reference_data import ReferenceCache
from surf_data.lamps.spool import Spool

if TYPE_CHECKING:
    from surf_data.migrate import Runner

_EMBEDDED = "embedded:"
# Seconds for what health looks at beside whether the servers answer.
_GLANCE = 0.5
_STRAYS = "the activity log has entries in its default partition: surf-data maintain"

T = TypeVar("T")


class Transaction:
    """The repositories, bound to one connection in one transaction. Made by `DataLayer.transaction`."""

    def __init__(self, session: Session, reference: ReferenceCache, failures: Failures) -> None:
        self._session = session
        self._reference = reference
        self._failures = failures
        #: Lamps, within the transaction.
        self.lamps: PostgresLampRepository = PostgresLampRepository(session, reference)
        #: Users, within the transaction.
        self.users: PostgresUserRepository = PostgresUserRepository(session)
        #: Sessions of users, within the transaction.
        self.sessions: PostgresSessionRepository = PostgresSessionRepository(session)
        #: Activity, within the transaction; `PostgresActivityLogger.log_activity` never spoils it.
        self.activity: PostgresActivityLogger = PostgresActivityLogger(session, failures)

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Begin a savepoint: an exception in the block undoes the block alone, and goes on."""
        with self._session.transaction() as session:
            yield Transaction(session, self._reference, self._failures)


class DataLayer:
    """Everything that a caller needs, behind one handle. Any number of threads may use it.

    Arguments:
        settings: what `surf_data.kernel.settings.load` returned.
        observer: is told of every statement.

    Raises:
        ConfigurationError: a URL or a key is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(self, settings: Settings, *, observer: Observer | None = None) -> None:
        keys = settings.encryption_keys
        self._reference = ReferenceCache(None if keys is None else KeyRing(keys))
        with ExitStack() as opened:
            settings = _with_servers(settings, opened)
            #: PostgreSQL.
            self.database: DatabaseManager = DatabaseManager(settings, observer=observer)
            opened.callback(self.database.close)
            #: Redis.
            self.redis: RedisManager = RedisManager(settings)
            opened.callback(self.redis.close)
            self._values = JsonCache(self.redis, ends=ends, families=FAMILIES)
            opened.callback(self._values.close)
            self._opened = opened.pop_all()
        self._cache_wanted = settings.redis_url is not None
        self._failures = Failures()
        #: Lamps.
        self.lamps: PostgresLampRepository = PostgresLampRepository(self.database, self._reference)
        #: Users.
        self.users: PostgresUserRepository = PostgresUserRepository(self.database)
        #: Sessions of users.
        self.sessions: PostgresSessionRepository = PostgresSessionRepository(self.database)
        #: Activity.
        self.activity: PostgresActivityLogger = PostgresActivityLogger(
            self.database,
            self._failures,
            None if settings.spool is None else Spool(Path(settings.spool), settings.spool_max_bytes),
            BufferLimits(entries=settings.buffer, seconds=settings.buffer_seconds) if settings.buffer else None,
            # It is written at the primary, which a replica is there to do without.
            rolls_up=settings.replica_url is None,
        )
        self._opened.callback(self.activity.flush)
        #: Surf data and its companions, cached.
        self.cache: RedisCacheManager = RedisCacheManager(self._values)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def migrations(self) -> "Runner":
        """What brings this database's schema up to date: ``data.migrations.up()``."""
        # Not with this module: services import it, and only operators migrate.
        from surf_data.migrate import Runner  # noqa: PLC0415

        return Runner(self.database.connect, resources.directory("migrations") / "lamps", "lamps")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction: committed when the block ends, undone when it raises.

        Returns:
            The repositories, bound to the transaction's connection.

        Raises:
            PoolTimeout: no connection became free in time.
            DatabaseError: the server cannot begin or commit.
        """
        with self.database.transaction() as session:
            yield Transaction(session, self._reference, self._failures)

    def run(self, work: Callable[[Transaction], T], *, retry_lock_timeout: bool = False) -> T:
        """Return what ``work`` returns, once the transaction in which it ran is committed.

        Unlike a `transaction` block it can be, and is, run again as a whole when there was a conflict or a deadlock,
        or when the server was lost before the end: three times in all, within one deadline.

        Arguments:
            work: is given the repositories, bound to the transaction's connection. What it does with anything else
                is not undone when it is run again.
            retry_lock_timeout: whether to run it again also when it could not have a lock in time (SQLSTATE 55P03).
                Each try waits as long for it, and those who wait behind it do, too.

        Raises:
            PoolTimeout: no connection became free in time.
            LockTimeout: it could not have a lock in time.
            CommitUnknown: the connection was lost at the end, and what became of the transaction cannot be found out.
            DatabaseError: it failed.
        """
        return self.database.run_transaction(
            lambda session: work(Transaction(session, self._reference, self._failures)),
            retry_lock_timeout=retry_lock_timeout,
        )

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Let whatever waits for PostgreSQL in the block, in this thread, end within so many seconds.

        A connection that has not answered by then is closed, and the server is asked to cancel what it was doing.
        A block within a block can only shorten it.

        Arguments:
            seconds: for the whole block, above 0.

        Raises:
            ValidationError: ``seconds`` is no such number.
            DeadlineExceeded: in the block: the server has not answered in time.
            PoolTimeout: in the block: no connection became free in time.
        """
        return deadline(seconds)

    def health(self) -> Health:
        """Ask PostgreSQL and Redis whether they answer. Never raises; takes 2 seconds at the most for a connection.

        A database that answers has a reason all the same when entries of the activity log are in its default partition,
        because nobody made one for them in time.
        """
        started = perf_counter()
        reason = None
        try:
            self.database.ping()
        except DatabaseError as error:
            reason = getattr(error, "cause", None) or str(error)
        latency = (perf_counter() - started) * 1000
        database = Check(ok=reason is None, latency_ms=latency, reason=reason or self._upkeep_due())
        ping = self.redis.ping()
        reason = ping.reason or ("near cache off: connection lost" if self._values.near_state == "lost" else None)
        cache = Check(ok=ping.reason is None, latency_ms=ping.seconds * 1000, reason=reason)
        return Health.of(database, cache, cache_wanted=self._cache_wanted)

    def _upkeep_due(self) -> str | None:
        """Return what an operator should see to; ``None`` also when that cannot be known at once."""
        try:
            with deadline(_GLANCE):
                return _STRAYS if lamp_queries().activity_has_strays(self.database) else None
        except DatabaseError:
            # There are no tables, or somebody has locked them.
            return None

    def stats(self) -> dict[str, Any]:
        """Return what has happened in this process so far.

        Returns:
            ``queries``: by query name ``count``, ``errors``, ``rows``, ``p50_ms``, ``p95_ms``, ``p99_ms``;
            ``pool``: as `DatabaseManager.get_pool_status`; ``replica``: as
            `DatabaseManager.replica_statistics`; ``cache``: as `RedisManager.stats`,
            and ``near``, which tells whether the near cache is used: ``on``, ``lost``, ``idle`` or ``off``;
            ``activity``: ``failures``, the entries that could not be logged.
        """
        return {
            "queries": self.database.statistics(),
            "pool": self.database.get_pool_status(),
            "replica": self.database.replica_statistics(),
            "cache": {**self.redis.stats(), "near": self._values.near_state},
            "activity": {"failures": self._failures.count},
        }

    def close(self) -> None:
        """Write what the buffer has, close all connections, and stop the embedded servers if nobody else uses them.

        May be called twice.
        """
        self._opened.close()


def open(  # noqa: A001 - read as surf_data.open
    database_url: str | None = None,
    redis_url: str | None = None,
    *,
    observer: Observer | None = None,
    **settings: Unpack[SettingsKeywords],
) -> DataLayer:
    """Open the data layer. What is not given here comes from ``SURF_DATA_*`` and then ``PG*`` variables.

    Nothing is connected before it is needed, and nothing is migrated.

    Arguments:
        database_url: ``postgresql://...`` or any libpq connection string; ``embedded:`` for servers of its own that
            leave nothing behind, ``embedded:/some/folder`` for ones that keep their data there.
        redis_url: ``redis://``, ``rediss://``, ``unix://``, ``redis+sentinel://`` or ``redis+cluster://``. Without one
            nothing is cached, unless the database is embedded: then so is Redis.
        observer: is told of every statement, in the thread that ran it.
        settings: the other attributes of `Settings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
        EmbeddedServerError: the embedded servers cannot be started.
    """
    loaded = settings_module.load(database_url=database_url, redis_url=redis_url, **settings)
    return DataLayer(loaded, observer=observer)


def _with_servers(settings: Settings, opened: ExitStack) -> Settings:
    """Start the embedded servers if the settings ask for them, and return the settings that point at them."""
    url = "" if settings.database_url is None else settings.database_url.reveal()
    if not url.startswith(_EMBEDDED):
        return settings
    # An extra: imported only where it is asked for.
    from surf_data import embedded  # noqa: PLC0415

    folder = url.removeprefix(_EMBEDDED)
    servers = embedded.start(Path(folder) if folder else None, redis=settings.redis_url is None)
    opened.callback(servers.stop)
    redis_url = settings.redis_url if servers.redis_url is None else Secret(servers.redis_url)
    return attrs.evolve(settings, database_url=Secret(servers.database_url), redis_url=redis_url)
