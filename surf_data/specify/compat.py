"""What callers of the original know: one database for the whole process, sessions, a manager with a pool.

Thin: behind each name is the kernel. New code opens a `surf_data.specify.open` and keeps it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from time import sleep
from typing import Any, TypeVar

import attrs

from surf_data.errors import ConfigurationError, DatabaseError
from surf_data.kernel.postgres import DatabaseManager as Engine
from surf_data.kernel.postgres import Session
from surf_data.specify import layer
from surf_data.specify.layer import SpecifyDataLayer

T = TypeVar("T")

_DATABASES = ("postgres:", "postgresql:", "embedded:")


@attrs.frozen
class RetryConfig:
    """How often something is tried that the server could not do for the moment."""

    #: How often in all, 1 or more.
    max_attempts: int = attrs.field(default=3, validator=attrs.validators.ge(1))
    #: Seconds before the second attempt.
    initial_delay: float = attrs.field(default=0.1, validator=attrs.validators.ge(0))
    #: Seconds at the most between two attempts.
    max_delay: float = attrs.field(default=5.0, validator=attrs.validators.ge(0))
    #: By how much the delay grows with each attempt.
    exponential_base: float = attrs.field(default=2.0, validator=attrs.validators.ge(1))


class DatabaseManager:
    """A database with a pool of connections.

    Arguments:
        url: ``postgresql://...`` or ``embedded:[/folder]``.
        echo: accepted for the sake of callers; an observer of `surf_data.specify.open` sees every statement.
        pool_size: connections that are kept, 0 to 1,000.
        max_overflow: connections beyond these while they are needed.
        pool_timeout: seconds that a caller waits for a connection.
        pool_recycle: seconds after which a connection is replaced.
        retry_config: for `execute_with_retry`.
        pool_pre_ping: accepted; connections are always checked, without a round trip.
        settings: as for `surf_data.specify.open`.

    Raises:
        ConfigurationError: another kind of database is named, or an argument is refused.
        EmbeddedServerError: the embedded server cannot be started.
    """

    def __init__(  # noqa: PLR0917 - as callers know it
        self,
        url: str,
        echo: bool = False,  # noqa: FBT001, FBT002 - as callers know it
        pool_size: int = 5,
        max_overflow: int = 10,
        pool_timeout: float = 30.0,
        pool_recycle: float = 3600,
        retry_config: RetryConfig | None = None,
        *,
        pool_pre_ping: bool = True,
        **settings: Any,
    ) -> None:
        del echo, pool_pre_ping
        if "://" in url and not url.startswith(_DATABASES):
            raise ConfigurationError(
                "url must be postgresql://... or embedded:; other databases are not supported", setting="url"
            )
        #: Where the database is; with a password, if it has one.
        self.url: str = url
        #: For `execute_with_retry`.
        self.retry_config: RetryConfig = retry_config or RetryConfig()
        #: The data layer behind this.
        self.data: SpecifyDataLayer = layer.open(
            url,
            pool_min_size=pool_size,
            pool_max_size=pool_size + max_overflow,
            pool_timeout=pool_timeout,
            pool_max_lifetime=pool_recycle,
            **settings,
        )

    def __repr__(self) -> str:
        # The URL may hold a password.
        return "DatabaseManager()"

    @property
    def engine(self) -> Engine:
        """What runs statements, each a transaction by itself; every repository takes it."""
        return self.data.database

    @property
    def session_factory(self) -> Callable[[], AbstractContextManager[Session]]:
        """What `get_session` calls."""
        return self.data.database.transaction

    def get_session(self) -> AbstractContextManager[Session]:
        """Return a block that is one transaction: committed when it exits, rolled back if it raises.

        Returns:
            A context whose session every repository takes.

        Raises:
            PoolTimeout: at its begin: no connection became free in time.
            DatabaseError: the server cannot begin or commit.
        """
        return self.session_factory()

    def execute_with_retry(self, func: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Return what ``func`` returns; call it again when the server could not do for the moment what it wanted.

        What is tried again was not applied: a conflict, a deadlock, a connection that could not be had.

        Raises:
            DatabaseError: the last attempt failed, or trying again is of no use.
        """
        config, delay = self.retry_config, self.retry_config.initial_delay
        for _ in range(config.max_attempts - 1):
            try:
                return func(*args, **kwargs)
            except DatabaseError as error:
                if not error.retryable:
                    raise
            sleep(min(delay, config.max_delay))
            delay *= config.exponential_base
        return func(*args, **kwargs)

    def health_check(self) -> dict[str, Any]:
        """Return ``healthy``, ``latency_ms``, ``error``, ``pool_size`` and ``pool_checked_out``. Never raises."""
        database = self.data.health().database
        pool = self.data.database.get_pool_status()
        return {
            "healthy": database.ok,
            "latency_ms": database.latency_ms,
            "error": None if database.ok else database.reason,
            "pool_size": pool["size"],
            "pool_checked_out": pool["size"] - pool["idle_size"],
        }

    def create_all(self) -> None:
        """Create the tables: apply the migrations that are pending.

        Raises:
            MigrationError: one cannot be applied.
            DatabaseError: the server cannot be reached.
        """
        self.data.migrations.up()

    def drop_all(self) -> None:
        """Drop the tables and all they hold: revert every migration. The history of migrations stays.

        Raises:
            MigrationError: one cannot be reverted.
            DatabaseError: the server cannot be reached.
        """
        self.data.migrations.down(to=0)

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self.data.close()


class _Process:
    """The database of this process, once there is one."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.manager: DatabaseManager | None = None


_process = _Process()


def init_db(url: str | None = None, echo: bool = False, **kw: Any) -> DatabaseManager:  # noqa: FBT001, FBT002 - as callers know it
    """Open the database of this process and apply the migrations that are pending.

    Arguments:
        url: where it is; ``None`` takes ``SURF_DATA_DATABASE_URL`` or ``DATABASE_URL``.
        echo: accepted; see `DatabaseManager`.
        kw: as for `DatabaseManager`.

    Raises:
        ConfigurationError: no database is named, or another kind of database.
        MigrationError: a migration cannot be applied.
        DatabaseError: the server cannot be reached.
    """
    with _process.lock:
        return _init(url, echo=echo, **kw)


def _init(url: str | None, **kw: Any) -> DatabaseManager:
    named = url or os.environ.get("SURF_DATA_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if not named:
        # No file in a home folder by surprise: what is stored there is lost to everyone else.
        raise ConfigurationError("name a database: init_db(url), or DATABASE_URL", setting="database_url")
    manager = DatabaseManager(named, **kw)
    try:
        manager.create_all()
    except BaseException:
        manager.close()
        raise
    before, _process.manager = _process.manager, manager
    if before is not None:
        before.close()
    return manager


@contextmanager
def get_session() -> Iterator[Session]:
    """Begin a transaction on the database of this process: committed when the block exits, rolled back if it raises.

    Without `init_db` the database is opened that ``SURF_DATA_DATABASE_URL`` or ``DATABASE_URL`` names.

    Returns:
        A session, which every repository and query class takes.

    Raises:
        ConfigurationError: no database is named.
        DatabaseError: the server cannot begin or commit.
    """
    with _process.lock:
        manager = _process.manager or _init(None)
    with manager.get_session() as session:
        yield session


def current() -> DatabaseManager:
    """Return the database of this process.

    Raises:
        RuntimeError: `init_db` was not called.
    """
    if _process.manager is None:
        raise RuntimeError("Database not initialized: call init_db() first")
    return _process.manager


def get_engine() -> Engine:
    """Return what runs statements on the database of this process.

    Raises:
        RuntimeError: `init_db` was not called.
    """
    return current().engine


def get_session_factory() -> Callable[[], AbstractContextManager[Session]]:
    """Return what begins transactions on the database of this process.

    Raises:
        RuntimeError: `init_db` was not called.
    """
    return current().session_factory


def health_check() -> dict[str, Any]:
    """Return how the database of this process is; see `DatabaseManager.health_check`. Never raises."""
    if _process.manager is None:
        return {"healthy": False, "error": "Database not initialized: call init_db() first"}
    return _process.manager.health_check()


def close_db() -> None:
    """Close the database of this process, and forget it. Idempotent."""
    with _process.lock:
        manager, _process.manager = _process.manager, None
    if manager is not None:
        manager.close()
