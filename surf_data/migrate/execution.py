"""Runs one section of a migration, with its record, until it is done or cannot be."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from math import ceil
from time import perf_counter
from typing import Any

import attrs
import psycopg
from psycopg.pq import TransactionStatus

from surf_data.errors import DatabaseError, MigrationError, SurfDataError
from surf_data.kernel import validation
from surf_data.kernel.backoff import Backoff
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Session
from surf_data.migrate.concurrent_index import ConcurrentIndex
from surf_data.migrate.failure import described
from surf_data.migrate.files import Migration, Part, Section
from surf_data.migrate.history import Entry
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.rows import Direction, Record, SessionState

_log = get_logger("surf_data.migrate.execution")

# Another session was in the way: a lock could not be had in time, or a deadlock was broken. Nothing was done, and
# nothing else that may have gone wrong would go better the next time.
_WORTH_ANOTHER_TRY = frozenset({"55P03", "40P01"})
# The server counts milliseconds in 31 bits; in seconds.
_LONGEST = validation.INT4_MAX // 1000

# How the server says that a statement cannot run in a transaction block, before it has changed anything, or that a
# procedure would end the transaction. Source: PostgreSQL's manual, appendix A.
_NEEDS_NO_TRANSACTION = (psycopg.errors.ActiveSqlTransaction, psycopg.errors.InvalidTransactionTermination)


@attrs.frozen(kw_only=True)
class Limits:
    """How long a migration, or other work on tables that are in use, may wait and work."""

    #: Seconds that a statement waits for a lock while others queue behind it.
    lock_timeout: float
    #: Seconds that a statement works; 0 is without limit.
    statement_timeout: float
    #: How many times it is tried while other sessions are in its way.
    attempts: int
    #: Seconds between two tries, at the most; `pause` takes up to twice as long.
    longest_pause: float = 30.0

    def configure(self, session: Session, *, transaction: bool, waits: bool = False) -> None:
        """Set the limits, for the transaction or the session; one that ``waits`` has no limit for locks."""
        migrate_queries().limits_configure(
            session,
            lock_timeout="0" if waits else f"{ceil(self.lock_timeout * 1000)}ms",
            statement_timeout=f"{ceil(self.statement_timeout * 1000)}ms",
            transaction=transaction,
        )

    def pause(self, attempt: int) -> float:
        """Return for how many seconds to leave the tables to the others after an ``attempt``, counted from 1."""
        # At least as long as they have queued behind us.
        return Backoff(2 * self.lock_timeout, 2 * self.longest_pause).seconds(attempt)


def seconds(field: str, value: float, *, minimum: float) -> float:
    """Return ``value``, a number of seconds that the server can count, if it is not less than ``minimum``."""
    if validation.number(field, value) < minimum:
        raise validation.invalid(field, f"must be {minimum} or more")
    if value > _LONGEST:
        raise validation.invalid(field, f"must be {_LONGEST} or less")
    return value


class Execution:
    """Runs migrations on one connection.

    Arguments:
        connection: a direct connection to the server, in autocommit mode.
        session: the same connection's session.
        domain: the name of the history.
        limits: how long a migration may wait and work.
    """

    def __init__(self, connection: psycopg.Connection[Any], session: Session, domain: str, limits: Limits) -> None:
        self._connection = connection
        self._session = session
        self._domain = domain
        self._limits = limits

    def run(self, migration: Migration, direction: Direction, record: Record | None) -> None:
        """Apply or revert ``migration``.

        Arguments:
            migration: the file; it has a section for the direction.
            direction: which section to run.
            record: what the history says of it.

        Raises:
            MigrationError: it failed; with the file, and the line where it is known.
        """
        section = migration.section(direction)
        entry = Entry(self._session, self._domain, migration)
        finish = partial(entry.finish, direction)
        attempt = partial(self._try, migration, section)
        if section.transactional:
            [part] = section.parts
            attempt(part, partial(self._in_transaction, part, finish))
            return
        done, begun = 0, False
        if record is not None and record.unfinished == direction:
            done, begun = record.statements_done, record.begun_at is not None
        else:
            attempt(None, partial(entry.start, direction))
        for number, part in enumerate(section.parts[done:], start=done + 1):
            written = finish if number == len(section.parts) else entry.advance
            attempt(part, partial(self._by_itself, part, entry, written, begun=begun))
            begun = False

    def _try(self, migration: Migration, section: Section, part: Part | None, step: Callable[[], None]) -> None:
        attempt = 1
        while failure := self._failure(migration, section, part, step):
            if failure.sqlstate not in _WORTH_ANOTHER_TRY or attempt >= self._limits.attempts:
                raise failure
            pause = self._limits.pause(attempt)
            facts = {"domain": self._domain, "migration": migration.label, "sqlstate": failure.sqlstate}
            _log.warning("migration has to wait", extra={**facts, "attempt": attempt, "pause_ms": pause * 1000})
            time.sleep(pause)
            attempt += 1

    def _failure(
        self, migration: Migration, section: Section, part: Part | None, step: Callable[[], None]
    ) -> MigrationError | None:
        # Returned rather than raised: the driver's error, which may quote a row, must not hang on it.
        try:
            # An interrupted run would have forgotten them.
            migrate_queries().session_discard(self._session)
            step()
        except (psycopg.Error, DatabaseError, MigrationError) as error:
            return described(error, migration, section, part, lost=self._connection.closed)
        return None

    def _in_transaction(self, part: Part, record: Callable[[timedelta], None]) -> None:
        started = perf_counter()
        with self._connection.transaction():
            before = migrate_queries().session_state(self._session)
            self._limits.configure(self._session, transaction=True)
            # Unchanged: without parameters there are no placeholders, unprepared it may be any number of statements.
            self._connection.execute(part.sql.encode(), prepare=False)
            if self._connection.info.transaction_status is not TransactionStatus.INTRANS:
                raise MigrationError("it ended its own transaction, so what it did is not recorded")
            # The record belongs where the history is, whatever the migration set for itself.
            _restore(self._session, before)
            self._limits.configure(self._session, transaction=True)
            record(timedelta(seconds=perf_counter() - started))

    def _by_itself(self, part: Part, entry: Entry, record: Callable[[timedelta], None], *, begun: bool) -> None:
        # The server knows best what can be done together with its record, and refuses the rest before anything is done.
        with suppress(*_NEEDS_NO_TRANSACTION):
            self._in_transaction(part, record)
            return
        index = ConcurrentIndex.of(part.sql)
        before = migrate_queries().session_state(self._session)
        # What is done concurrently waits for others without keeping anybody waiting.
        self._limits.configure(self._session, transaction=False, waits=index is not None)
        if index is not None:
            if begun and index.is_done(self._session):
                # The interruption came between the end of the statement and its record.
                record(timedelta())
                return
            index.drop_remains(self._session, self._connection)
        if index is None or not index.is_done(self._session):
            # Whatever is there already is not of our making, and must not be taken for it after an interruption.
            entry.mark(begun=True)
        started = perf_counter()
        try:
            self._connection.execute(part.sql.encode(), prepare=False)
        except psycopg.Error:
            self._clean_up(index, entry)
            raise
        _restore(self._session, before)
        record(timedelta(seconds=perf_counter() - started))

    def _clean_up(self, index: ConcurrentIndex | None, entry: Entry) -> None:
        # If it cannot be done now, the next run will do it.
        with suppress(psycopg.Error, SurfDataError):
            if index is not None:
                index.drop_remains(self._session, self._connection)
            entry.mark(begun=False)


def _restore(session: Session, state: SessionState) -> None:
    """Put a session back into a state."""
    migrate_queries().session_identify(session, session_authorization=state.session_authorization, role=state.role)
    migrate_queries().session_reset(session)
    migrate_queries().session_configure(session, settings=state.settings)
