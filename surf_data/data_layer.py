"""Connections and their lifecycle, for any domain."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import attrs

from surf_data.domain import Domain
from surf_data.errors import ConfigurationError, DatabaseError
from surf_data.kernel import resources
from surf_data.kernel import settings as settings_module
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.health import Check, Health
from surf_data.kernel.histograms import NOTHING
from surf_data.kernel.postgres import DatabaseManager, Observer, Session, deadline
from surf_data.kernel.postgres.deadlines import current_deadline
from surf_data.kernel.postgres.remains import remaining_transactions
from surf_data.kernel.postgres.session_queries import session_queries
from surf_data.kernel.postgres.translation import UNDEFINED_TABLE
from surf_data.kernel.redis import RedisManager
from surf_data.kernel.servers import with_servers
from surf_data.kernel.settings import Settings, Source

if TYPE_CHECKING:
    from surf_data.migrate import Runner
    from surf_data.retention import BeforeDrop, TableMaintenance

# Seconds for what health asks beside whether the servers answer.
_HEALTH_TIMEOUT = 0.5

R_co = TypeVar("R_co", covariant=True)
S = TypeVar("S", bound=Settings)
T = TypeVar("T")


class Transaction:
    """One connection in one transaction. A domain's own has its repositories, too.

    Arguments:
        session: the connection, in its transaction.
    """

    def __init__(self, session: Session) -> None:
        #: The connection, for query functions and for the repositories of another domain.
        self.session = session

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Begin a savepoint: an exception in the block rolls back the block alone, and propagates."""
        with self.session.transaction():
            yield self


class DataLayer(Generic[R_co]):
    """PostgreSQL and Redis behind one handle. Any number of threads may use it.

    A domain's own has its repositories, too; ``R_co`` is what its transactions yield.

    Arguments:
        domain: what it is for.
        settings: what `load` returned for it.
        on: another data layer, whose connections are used; ``settings`` then count for the domain alone.
        observer: called with a `QueryEvent` after every statement; not with ``on``.

    Raises:
        ConfigurationError: a URL is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(
        self,
        domain: Domain,
        settings: Settings,
        *,
        on: "DataLayer[Any] | None" = None,
        observer: Observer | None = None,
    ) -> None:
        self._domain = domain
        with ExitStack() as opened:
            if on is None:
                settings = with_servers(settings, opened)
                database = DatabaseManager(settings, observer=observer)
                opened.callback(database.close)
                redis = RedisManager(settings, observer=observer)
                opened.callback(redis.close)
            else:
                database, redis = on.database, on.redis
            #: PostgreSQL.
            self.database: DatabaseManager = database
            #: Redis.
            self.redis: RedisManager = redis
            self._values = JsonCache(redis, current_deadline=current_deadline, key_prefixes=domain.cache_prefixes)
            opened.callback(self._values.close)
            self._opened = opened.pop_all()
        #: The settings in use.
        self.settings: Settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _bind(self, session: Session) -> R_co:
        """Return what a transaction yields: the one method that every domain writes."""
        raise NotImplementedError

    def _warnings(self) -> list[str]:
        """Return what an operator should see to, in words without secrets; a domain may have some.

        May raise `DatabaseError` where that cannot be known now.
        """
        return []

    def _after_maintenance(self) -> None:
        """Do what else is due when all tables have been maintained; a domain may have something."""

    @property
    def migrations(self) -> "Runner":
        """What migrates the schema of this domain: ``data.migrations.up()``."""
        # Not with this module: services import it, and only operators migrate.
        from surf_data.migrate import Runner  # noqa: PLC0415

        return Runner(self.database.connect, resources.migrations_folder(self._domain), self._domain.name)

    def maintain(
        self,
        table: str | None = None,
        *,
        keep_days: int | None = None,
        ahead: int | None = None,
        before_drop: "BeforeDrop | None" = None,
        dry_run: bool = False,
        lock_timeout: float = 0.2,
        attempts: int = 30,
        on_step: Callable[[str], object] | None = None,
    ) -> "list[TableMaintenance]":
        """Maintain the tables for which this domain declares a policy, as ``surf-data maintain`` does every night.

        The role is one that owns them. See `surf_data.retention.maintain`, also for what is not said here.

        Arguments:
            table: one of them alone, with or without its schema; then nothing else of the domain is done either.
            keep_days: how many days rows are kept, 1 to 36,500: of ``table``, or without one of each table whose policy
                leaves that to the operator, and whose rows are not archived.
            ahead: for how many periods after the present one there are to be partitions, 0 to 120.
            before_drop: called with each partition before it is dropped, to archive it; returns whether it may be.
            dry_run: only report what would be done.
            lock_timeout: for how many seconds to wait for a lock on a table, 0.001 or more.
            attempts: how many times to try to have it, 1 to 1,000.
            on_step: called with what is done next, in words.

        Returns:
            What was done for each table, or would be.

        Raises:
            ValidationError: a number is out of range, or there is no policy for such a table.
            MigrationError: a table is not as its policy says; or another run does not end.
            LockTimeout: a lock could not be had in all attempts.
            DatabaseError: the server cannot be reached, or refuses.
        """
        # As with migrations.
        from surf_data import retention  # noqa: PLC0415

        done = retention.maintain(
            self.database.connect,
            retention.policies(self._domain, table, keep_days),
            ahead=ahead,
            before_drop=before_drop,
            dry_run=dry_run,
            lock_timeout=lock_timeout,
            attempts=attempts,
            on_step=on_step,
        )
        if table is None and not dry_run:
            self._after_maintenance()
        return done

    @contextmanager
    def transaction(self) -> Iterator[R_co]:
        """Begin a transaction: committed when the block exits, rolled back if it raises.

        Returns:
            The repositories, bound to the transaction's connection.

        Raises:
            PoolTimeout: no connection became free in time.
            DatabaseError: the server cannot begin or commit.
        """
        with self.database.transaction() as session:
            yield self._bind(session)

    def within(self, transaction: Transaction) -> R_co:
        """Return this domain's repositories in a transaction of another domain on the same database.

        Arguments:
            transaction: what the other data layer's `transaction` yielded, or handed to `run`.
        """
        return self._bind(transaction.session)

    def run(self, work: Callable[[R_co], T], *, retry_lock_timeout: bool = False) -> T:
        """Return what ``work`` returns, once the transaction in which it ran is committed.

        Unlike a `transaction` block it can be, and is, run again as a whole when there was a conflict or a deadlock,
        or when the server was lost before the end: three times in all, within one deadline.

        Arguments:
            work: called with the repositories, bound to the transaction's connection. What it does with anything else
                is not rolled back when it is run again.
            retry_lock_timeout: whether to run it again also when it could not have a lock in time (SQLSTATE 55P03).
                Each try waits as long for it, and those who wait behind it do, too.

        Raises:
            PoolTimeout: no connection became free in time.
            LockTimeout: it could not have a lock in time.
            CommitUnknown: the connection was lost at the end, and what became of the transaction cannot be found out.
            DatabaseError: it failed.
        """
        return self.database.run_transaction(
            lambda session: work(self._bind(session)), retry_lock_timeout=retry_lock_timeout
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

        A database that answers has a reason all the same where an operator should see to something.
        """
        started = perf_counter()
        reason = None
        try:
            self.database.ping()
        except DatabaseError as error:
            reason = getattr(error, "cause", None) or str(error)
        latency = (perf_counter() - started) * 1000
        version = None if reason else self._schema_version()
        database = Check(ok=reason is None, latency_ms=latency, reason=reason or self._warning(version))
        ping = self.redis.ping()
        reason = ping.reason or ("near cache off: connection lost" if self._values.near_state == "lost" else None)
        cache = Check(ok=ping.reason is None, latency_ms=ping.seconds * 1000, reason=reason)
        wanted = self.settings.redis_url is not None
        return Health.of(database, cache, cache_wanted=wanted, schema_version=version)

    def _schema_version(self) -> int | None:
        try:
            with deadline(_HEALTH_TIMEOUT):
                return session_queries().schema_version(self.database, domain=self._domain.name) or 0
        except DatabaseError as error:
            # Without the table no migration has been applied; without the right to read it that is not known.
            return 0 if error.sqlstate == UNDEFINED_TABLE else None

    def _warning(self, version: int | None) -> str | None:
        latest = self._latest_migration
        if version is not None and version < latest:
            behind = f"the schema is at migration {version} of {latest}"
            return f"{behind}: surf-data migrate up --domain {self._domain.name}"
        found: list[str] = []
        for ask in (self._warnings, lambda: remaining_transactions(self.database)):
            # A lock on the tables is held, or a worker of a cluster is away, which the other one says.
            with suppress(DatabaseError), deadline(_HEALTH_TIMEOUT):
                found += ask()
        return "; ".join(found) or None

    @cached_property
    def _latest_migration(self) -> int:
        return len(list(resources.migrations_folder(self._domain).glob("[0-9]*.sql")))

    def stats(self) -> dict[str, Any]:
        """Return what has happened in this process so far.

        Returns:
            ``queries``: by query name ``count``, ``errors``, ``rows``, ``p50_ms``, ``p95_ms``, ``p99_ms``; ``waits``:
            the same of waiting for a connection, by what it was for; ``retries``: of the pauses before something was
            run again; ``redis``: of exchanges, ``read`` and ``write``; ``transactions``: of all of them together;
            ``pool``: as `DatabaseManager.get_pool_status`; ``replica``: as `DatabaseManager.replica_statistics`;
            ``cache``: as `RedisManager.stats` and `JsonCache.stats`.
        """
        return {
            "queries": self.database.statistics(),
            "transactions": self.database.statistics("transaction").get("transaction", NOTHING.statistics()),
            "waits": self.database.statistics("wait"),
            "retries": self.database.statistics("retry"),
            "redis": self.redis.observation.statistics("redis"),
            "pool": self.database.get_pool_status(),
            "replica": self.database.replica_statistics(),
            "cache": {**self.redis.stats(), **self._values.stats()},
        }

    def close(self) -> None:
        """Write what is buffered, close the connections unless they are another's (``on``), stop embedded servers.

        Embedded servers go on while others use them. Idempotent.
        """
        self._opened.close()


def load_settings(
    kind: type[S],
    domain: Domain,
    on: DataLayer[Any] | None = None,
    environ: Mapping[str, str] | None = None,
    /,
    **keywords: Any,
) -> S:
    """Return the settings of a domain, for its `DataLayer`.

    Arguments:
        kind: their class.
        domain: whose they are.
        on: another data layer, whose connections are to be used: the kernel's settings are its own.
        environ: the environment; the process's own when ``None``.
        keywords: attributes of ``kind``; ``None`` means not given.

    Raises:
        ConfigurationError: a keyword or a ``SURF_DATA_*`` variable is unknown or malformed, or a keyword does not go
            with ``on``. The error names it, not its value.
    """
    source = Source(
        name=domain.name, defaults={"application_name": domain.application_name}, variables=domain.variables
    )
    loaded = settings_module.load_as(kind, source, environ, **keywords)
    if on is None:
        return loaded
    for name in attrs.fields_dict(Settings):
        if keywords.get(name) is not None:
            raise ConfigurationError(f"{name} does not go with on: the connections are another's", setting=name)
    return settings_module.shared(loaded, on.settings)
