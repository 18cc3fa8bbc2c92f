"""The only place that wires the parts together."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self, Unpack

import attrs

from surf_data import settings as settings_module
from surf_data.cache import JsonCache, RedisManager
from surf_data.errors import DatabaseError
from surf_data.health import Check, Health
from surf_data.lamps import (
    PostgresActivityLogger,
    PostgresLampRepository,
    PostgresUserRepository,
    RedisCacheManager,
)
from surf_data.lamps.activity_logger import FailureCount
from surf_data.lamps.reference_data import ReferenceCache
from surf_data.postgres import DatabaseManager, Observer, Session
from surf_data.settings import Secret, Settings, SettingsKeywords

_EMBEDDED = "embedded:"


class Transaction:
    """The repositories, bound to one connection in one transaction. Made by `DataLayer.transaction`."""

    def __init__(self, session: Session, reference: ReferenceCache, failures: FailureCount) -> None:
        self._session = session
        self._reference = reference
        self._failures = failures
        #: Lamps, within the transaction.
        self.lamps: PostgresLampRepository = PostgresLampRepository(session, reference)
        #: Users, within the transaction.
        self.users: PostgresUserRepository = PostgresUserRepository(session)
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
        settings: what `surf_data.settings.load` returned.
        observer: is told of every statement.

    Raises:
        ConfigurationError: a URL is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(self, settings: Settings, *, observer: Observer | None = None) -> None:
        with ExitStack() as opened:
            settings = _with_servers(settings, opened)
            #: PostgreSQL.
            self.database: DatabaseManager = DatabaseManager(settings, observer=observer)
            opened.callback(self.database.close)
            #: Redis.
            self.redis: RedisManager = RedisManager(settings)
            opened.callback(self.redis.close)
            self._opened = opened.pop_all()
        self._cache_wanted = settings.redis_url is not None
        self._reference = ReferenceCache()
        self._failures = FailureCount()
        #: Lamps.
        self.lamps: PostgresLampRepository = PostgresLampRepository(self.database, self._reference)
        #: Users.
        self.users: PostgresUserRepository = PostgresUserRepository(self.database)
        #: Activity.
        self.activity: PostgresActivityLogger = PostgresActivityLogger(self.database, self._failures)
        #: Surf data and its companions, cached.
        self.cache: RedisCacheManager = RedisCacheManager(JsonCache(self.redis))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

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

    def health(self) -> Health:
        """Ask PostgreSQL and Redis whether they answer. Never raises; takes 2 seconds at the most for a connection."""
        started = perf_counter()
        reason = None
        try:
            self.database.ping()
        except DatabaseError as error:
            reason = getattr(error, "cause", None) or str(error)
        database = Check(ok=reason is None, latency_ms=(perf_counter() - started) * 1000, reason=reason)
        ping = self.redis.ping()
        cache = Check(ok=ping.reason is None, latency_ms=ping.seconds * 1000, reason=ping.reason)
        return Health.of(database, cache, cache_wanted=self._cache_wanted)

    def stats(self) -> dict[str, Any]:
        """Return what has happened in this process so far.

        Returns:
            ``queries``: by query name ``count``, ``errors``, ``rows``, ``p50_ms``, ``p95_ms``, ``p99_ms``;
            ``pool``: as `DatabaseManager.get_pool_status`; ``cache``: as `RedisManager.stats`;
            ``activity``: ``failures``, the entries that could not be logged.
        """
        return {
            "queries": self.database.statistics(),
            "pool": self.database.get_pool_status(),
            "cache": self.redis.stats(),
            "activity": {"failures": self._failures.value},
        }

    def close(self) -> None:
        """Close all connections, and stop the embedded servers if nobody else uses them. May be called twice."""
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
        redis_url: ``redis://``, ``rediss://`` or ``unix://``. Without one nothing is cached, unless the database is
            embedded: then so is Redis.
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
