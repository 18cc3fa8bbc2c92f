"""`PgsqlBaseDAO`: a connection to PostgreSQL and the transaction on it, as their callers know them."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from psycopg import conninfo

from surf_data.errors import CommitUnknown, DatabaseError, DatabaseUnavailable
from surf_data.kernel.backoff import Backoff
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.postgres import Executor, Session
from surf_data.mining.connections import shared_layer
from surf_data.mining.errors import DataAccessError
from surf_data.mining.layer import MiningDataLayer
from surf_data.mining.operations import Observed, OperationCounts
from surf_data.mining.records import Record

_log = get_logger("surf_data.mining.pgsql")

T = TypeVar("T")


class PgsqlBaseDAO:
    """PostgreSQL, with the transactions of a ``with`` block.

    Outside ``with``, every call is a transaction by itself, and holds no connection between calls: an object may live
    for hours. When the server is lost, a write is made again once it is known that it was not committed. For that a
    record gets its key before it is inserted, and other writes ask for the number of their transaction.

    Inside, the first write begins a transaction; each call has a savepoint of its own, so that one that is refused
    leaves what went before; `commit` and a clean exit commit, `rollback` and an exception roll back.

    One object belongs to one thread while a transaction is open; different objects are independent.

    Arguments:
        data: the data layer to use; without one, the process's own, opened from the environment at the first use.
    """

    def __init__(self, data: MiningDataLayer | None = None) -> None:
        self._given = data
        self._counts = OperationCounts()
        self._inside = False
        self._block: AbstractContextManager[Session] | None = None
        self._session: Session | None = None
        self._owner = 0
        self._statements = 0
        self._keyed: list[Record] = []
        #: How often `connect` tries.
        self.max_retries: int = 5
        #: Seconds until it tries again for the first time; doubled each time.
        self.initial_backoff: float = 1.0
        #: Seconds at the most.
        self.max_backoff: float = 16.0
        #: The schema of the views.
        self.dx_schema_name: str = "dx"

    @property
    def _data(self) -> MiningDataLayer:
        return self._given or shared_layer()

    @property
    def pgsql_db_settings(self) -> dict[str, Any]:
        """``host``, ``port``, ``database`` and ``user``; no password."""
        return connection_details(self._data)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._session is not None

    def connect(self) -> Self:
        """Make a round trip now instead of at the first statement, up to ``max_retries`` times until one succeeds.

        Raises:
            PgsqlConnectionError: there is no connection to be had.
        """
        with self._observed("connect"):
            backoff = Backoff(self.initial_backoff, self.max_backoff)
            tries = 1
            while not self._answers(is_last=tries >= self.max_retries):
                backoff.pause(tries)
                tries += 1
        _log.info("connected", extra={"operation": "connect"})
        return self

    def _answers(self, *, is_last: bool) -> bool:
        """Return whether PostgreSQL answers; raise why it does not, if this was the last attempt."""
        try:
            self._data.database.ping(self._data.settings.connect_timeout)
        except DatabaseUnavailable as error:
            if is_last:
                raise
            _log.warning("attempt failed", extra={"operation": "connect", **error_facts(error)})
            return False
        return True

    def close_connection(self) -> None:
        """Roll back what is open. Idempotent; an object that is used again afterwards works."""
        if self._session is not None:
            _log.warning("uncommitted work rolled back", extra={"statements": self._statements})
        self._end(commit=False)

    def close(self) -> None:
        """Do what `close_connection` does."""
        self.close_connection()

    def commit(self) -> None:
        """Commit; the next write begins another transaction. Nothing happens without an open one.

        Raises:
            PgsqlConnectionError: it could not be committed; nothing is kept, unless ``outcome_unknown`` is true.
        """
        with self._observed("commit"):
            self._end(commit=True)

    def rollback(self) -> None:
        """Roll back; records that were inserted in it have no keys any more. Nothing happens without a transaction."""
        with self._observed("rollback"):
            self._check_thread()
            self._end(commit=False)

    def health_check(self) -> bool:
        """Return whether PostgreSQL answers, within 2 seconds for a connection."""
        try:
            self._data.database.ping()
        except DatabaseError:
            return False
        return True

    def get_pool_status(self) -> dict[str, int]:
        """Return what `DatabaseManager.get_pool_status` does."""
        return self._data.database.get_pool_status()

    def get_metrics(self) -> dict[str, Any]:
        """Return ``pool``; ``queries``, the statements of the process; ``operations``, the calls of this object."""
        database = self._data.database
        return {
            "pool": database.get_pool_status(),
            "queries": database.statistics(),
            "operations": self._counts.to_dict(),
        }

    def __enter__(self) -> Self:
        if self._inside:
            raise DataAccessError("this object is in a with block already")
        self._inside = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._inside = False
        if error is None:
            self.commit()
            return
        self._end(commit=False)

    def _observed(self, operation: str) -> Observed:
        return Observed(operation, self._counts, lambda: connection_details(self._data))

    def _read(self, operation: str, work: Callable[[Executor], T]) -> T:
        """Run ``work`` in the open transaction, behind a savepoint, or else by itself."""
        with self._observed(operation):
            if self._session is None:
                return work(self._data.database)
            return self._in_savepoint(self._session, work)

    def _write(self, operation: str, work: Callable[[Executor], T], *keyed: Record) -> T:
        """Run ``work`` by itself outside ``with``, and in a transaction inside; ``keyed`` get their keys from it."""
        with self._observed(operation):
            if not self._inside:
                return self._by_itself(work, keyed)
            if self._session is None:
                self._block = self._data.database.transaction()
                self._session = self._block.__enter__()
                self._owner = threading.get_ident()
            result = self._in_savepoint(self._session, work)
            self._keyed.extend(keyed)
            return result

    def _by_itself(self, work: Callable[[Executor], T], keyed: Sequence[Record]) -> T:
        def once(session: Session) -> T:
            # It may be run again.
            _forget_keys(keyed)
            return work(session)

        try:
            return self._data.database.run_transaction(once)
        except CommitUnknown:
            raise
        except Exception:
            _forget_keys(keyed)
            raise

    def _within_deadline(self) -> AbstractContextManager[None]:
        seconds = self._data.settings.deadline
        return self._data.deadline(seconds) if seconds else nullcontext()

    def _in_savepoint(self, session: Session, work: Callable[[Executor], T]) -> T:
        self._check_thread()
        self._statements += 1
        with session.savepoint() as savepoint:
            return work(savepoint)

    def _check_thread(self) -> None:
        if self._session is not None and self._owner != threading.get_ident():
            raise DataAccessError("another thread has a transaction open on this object: use one object per thread")

    def _end(self, *, commit: bool) -> None:
        """End the transaction, if one is open."""
        self._check_thread()
        block, keyed = self._block, self._keyed
        self._block = self._session = None
        self._statements, self._keyed = 0, []
        if block is None:
            return
        is_kept = False
        try:
            if commit:
                block.__exit__(None, None, None)
                is_kept = True
            else:
                rollback = psycopg.Rollback()
                block.__exit__(type(rollback), rollback, None)
        except CommitUnknown:
            is_kept = True
            raise
        finally:
            if not is_kept:
                _forget_keys(keyed)
        if commit:
            _log.info("committed")


def _forget_keys(records: Sequence[Record]) -> None:
    for record in records:
        record.set_key(None)


def connection_details(data: MiningDataLayer) -> dict[str, Any]:
    """Return ``host``, ``port``, ``database`` and ``user`` as they are configured; no password."""
    url = data.settings.database_url
    given = conninfo.conninfo_to_dict("" if url is None else url.reveal())
    names = {"host": "host", "port": "port", "database": "dbname", "user": "user"}
    return {name: given[key] for name, key in names.items() if given.get(key)}
