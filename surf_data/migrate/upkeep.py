"""Keeps a table in partitions by month: makes the next ones, empties the default one, removes what has expired."""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import psycopg

from surf_data.errors import LockTimeout, MigrationError, TransactionConflict
from surf_data.kernel import validation
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.migrate.connecting import connected
from surf_data.migrate.execution import Limits, seconds
from surf_data.migrate.lock import exclusive
from surf_data.migrate.queries import migrate_queries

_log = logging.getLogger("surf_data.migrate.upkeep")

#: Rows that are deleted at a time.
BATCH = 10_000
# In seconds. Shorter than for a migration: the steps are many and small.
_LONGEST_PAUSE = 5.0
_UPKEEP = Translation("the upkeep of partitions")


@attrs.frozen(kw_only=True)
class Upkeep:
    """What was done for a table in partitions, or would be."""

    #: The table.
    table: str
    #: Partitions that were made.
    made: tuple[str, ...] = ()
    #: Rows of the default partition that now have another one; what nobody made a partition for in time.
    moved: int = 0
    #: Partitions that were dropped with all their rows, which had expired.
    dropped: tuple[str, ...] = ()
    #: Expired rows that were deleted from partitions which have younger ones, too.
    deleted: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.made or self.moved or self.dropped or self.deleted)


def maintain(
    connect: Callable[[], psycopg.Connection[Any]],
    table: str,
    *,
    ahead: int = 3,
    keep_days: int | None = None,
    forget: str | None = None,
    dry_run: bool = False,
    lock_timeout: float = 0.2,
    attempts: int = 30,
    lock_wait: float = 60.0,
    on_step: Callable[[str], object] | None = None,
) -> Upkeep:
    """Keep a table in partitions: what has expired goes, the next months come, and the default partition is emptied.

    Each step is a transaction of its own. When one fails the ones before it stay, and the next run goes on. Locks that
    others queue behind are held for milliseconds, and not waited for: who reads or writes meanwhile is preferred.

    Arguments:
        connect: returns a new connection, of a role that owns the table or is a member of the role that does.
        table: its name; it is in partitions by range over one column of type timestamptz, and has a default partition.
        ahead: for how many months after the present one there are to be partitions, 0 to 120.
        keep_days: how many days rows are kept, 1 to 36,500; ``None`` keeps them for ever. A month is dropped when
            all of it has expired; single rows are deleted only where they are in no month's partition.
        forget: the name of a function of the database that is told, in the transaction that drops a partition and
            just before, up to when rows are gone. Triggers on the table hear nothing of that.
        dry_run: only say what would be done.
        lock_timeout: for how many seconds to wait for a lock on a table, 0.001 or more.
        attempts: how many times to try to have it, 1 to 1,000, with growing pauses of up to 10 seconds.
        lock_wait: for how many seconds to wait for a migration or another upkeep of the database to end.
        on_step: is told what is done next, in words.

    Returns:
        What was done, or would be.

    Raises:
        ValidationError: a number is out of range; the error names it, and nothing is sent.
        MigrationError: the table is not there, or not such a one; or another run does not end.
        LockTimeout: a lock could not be had in all attempts.
        DatabaseError: the server cannot be reached, or refuses.
    """
    limits = Limits(
        lock_timeout=seconds("lock_timeout", lock_timeout, minimum=0.001),
        statement_timeout=0,
        attempts=validation.integer("attempts", attempts, minimum=1, maximum=1000),
        longest_pause=_LONGEST_PAUSE,
    )
    lock_wait = seconds("lock_wait", lock_wait, minimum=0)
    ahead = validation.integer("ahead", ahead, minimum=0, maximum=120)
    if keep_days is not None:
        keep_days = validation.integer("keep_days", keep_days, minimum=1, maximum=36_500)
    with closing(connected(connect, "connecting for the upkeep of partitions")) as connection:
        run = _Run(connection, table, limits, on_step or (lambda _: None), dry_run=dry_run)
        with exclusive(connection, run.session, lock_wait):
            done = run.whole(ahead, keep_days, forget)
    facts = {"table": table, "made": len(done.made), "dropped": len(done.dropped)}
    _log.info("partitions kept up", extra={**facts, "moved": done.moved, "deleted": done.deleted, "dry_run": dry_run})
    return done


class _Run:
    """One upkeep, on its connection."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        table: str,
        limits: Limits,
        tell: Callable[[str], object],
        *,
        dry_run: bool,
    ) -> None:
        self._connection = connection
        self._table = table
        self._limits = limits
        self._tell = tell
        self._dry_run = dry_run
        self.session = Session(connection)

    def whole(self, ahead: int, keep_days: int | None, forget: str | None) -> Upkeep:
        """Do all there is to do."""
        self._limits.configure(self.session, transaction=False)
        migrate_queries().partition_configure(self.session)
        strays_command = migrate_queries().partition_state(self.session, table_name=self._table)
        if strays_command is None:
            problem = "is no table in partitions by time with a default one; are all migrations applied?"
            raise MigrationError(f"{self._table} {problem}")
        dropped, deleted = ((), 0) if keep_days is None else self._expire(keep_days, forget)
        [(there, strays)] = self._rows(strays_command)
        made, moved = self._make(ahead, strays or [])
        moved = there if self._dry_run else moved
        return Upkeep(table=self._table, made=made, moved=moved, dropped=dropped, deleted=deleted)

    def _expire(self, keep_days: int, forget: str | None) -> tuple[tuple[str, ...], int]:
        """Remove the rows that are older; return the partitions that are dropped, and how many rows are deleted."""
        before = datetime.now(UTC) - timedelta(days=keep_days)
        found = migrate_queries().partition_expired(
            self.session, table_name=self._table, before=before, batch=BATCH, forget=forget
        )
        dropped: list[str] = []
        deleted = 0
        for name, drop, count, delete in found:
            if drop is not None:
                self._tell(f"dropping {name}")
                self._patiently(list(map(str, drop)))
                dropped.append(name)
            elif self._dry_run:
                deleted += self._rows(count)[0][0]
            else:
                deleted += self._delete(name, delete)
        return tuple(dropped), deleted

    def _delete(self, name: str, delete: str) -> int:
        deleted, rows = 0, BATCH
        while rows == BATCH:
            rows = self._patiently([delete])
            deleted += rows
            self._tell(f"deleting from {name}: {deleted:,} rows")
        return deleted

    def _make(self, ahead: int, strays: list[str]) -> tuple[tuple[str, ...], int]:
        """Make the partitions that are missing; return them, and how many rows of the default one they have taken."""
        missing = migrate_queries().partition_missing(self.session, table_name=self._table, ahead=ahead, strays=strays)
        moved = 0
        for name, commands in missing:
            self._tell(f"making {name}")
            moved += self._patiently(list(map(str, commands)))
        return tuple(name for name, _ in missing), moved

    def _patiently(self, commands: Iterable[str]) -> int:
        """Send commands in one transaction, until it has its locks; return how many rows they concern."""
        attempt = 1
        while not self._dry_run:
            try:
                with self.session.transaction():
                    return sum(self._send(command) for command in commands)
            except (LockTimeout, TransactionConflict):
                if attempt == self._limits.attempts:
                    raise
            time.sleep(self._limits.pause(attempt))
            attempt += 1
        return 0

    def _send(self, command: str) -> int:
        with _UPKEEP:
            # Only DDL has no number of rows.
            return max(self._connection.execute(command.encode(), prepare=False).rowcount, 0)

    def _rows(self, command: str) -> list[tuple[Any, ...]]:
        with _UPKEEP:
            return self._connection.execute(command.encode(), prepare=False).fetchall()
