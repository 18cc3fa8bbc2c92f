"""One maintenance of some tables of a database."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import psycopg

from surf_data.domain import Retention
from surf_data.errors import LockTimeout
from surf_data.kernel import validation
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Session
from surf_data.migrate.connecting import connected
from surf_data.migrate.execution import Limits, seconds
from surf_data.migrate.lock import exclusive
from surf_data.retention.commands import Commands
from surf_data.retention.expiry import delete_expired
from surf_data.retention.partitions import maintain_partitions
from surf_data.retention.queries import retention_queries
from surf_data.retention.results import BeforeDrop, TableMaintenance

_log = get_logger("surf_data.retention.run")

# In seconds. Shorter than for a migration: the steps are many and small.
_MAX_BACKOFF = 5.0


def maintain(
    connect: Callable[[], psycopg.Connection[Any]],
    policies: Iterable[Retention],
    *,
    ahead: int | None = None,
    before_drop: BeforeDrop | None = None,
    dry_run: bool = False,
    lock_timeout: float = 0.2,
    attempts: int = 30,
    lock_wait: float = 60.0,
    on_step: Callable[[str], object] | None = None,
) -> list[TableMaintenance]:
    """Maintain tables: what has expired goes, the next partitions come, and default partitions are emptied.

    Each step is a transaction of its own. If one fails, the ones before it stay, and the next run continues. Locks that
    other sessions queue behind are held for milliseconds, and not waited for: readers and writers go first.

    A partition is dropped when all of it has expired. Single rows are deleted only in partitions that have no begin, in
    the default one, and in tables without partitions.

    Arguments:
        connect: returns a new connection, of a role that owns the tables or is a member of the role that does.
        policies: the tables, and for how long their rows are kept. A table in partitions has them by range over the
            policy's column, a timestamptz, and has a default one.
        ahead: for how many periods after the present one there are to be partitions, 0 to 120; not given: 3 months,
            6 weeks or 14 days.
        before_drop: called, outside of a transaction, with each partition before it is dropped, to archive it. For
            that the partition is detached first: its rows do not change any more, and are in no other place. If it
            returns ``False`` the partition is kept as it is, and offered again by the next run that has a
            ``before_drop``; an exception does the same, and propagates. Migrations wait meanwhile. With it no single
            rows are deleted in tables with partitions: expired rows of the default one get a partition of their own.
        dry_run: only report what would be done; ``before_drop`` is not called.
        lock_timeout: for how many seconds to wait for a lock on a table, 0.001 or more.
        attempts: how many times to try to have it, 1 to 1,000, with growing pauses of up to 10 seconds.
        lock_wait: for how many seconds to wait for a migration or another maintenance of the database to end.
        on_step: called with what is done next, in words.

    Returns:
        What was done for each table, or would be, in the order of the policies.

    Raises:
        ValidationError: a number is out of range; the error names it, and nothing is sent.
        MigrationError: a table is not there, or not such a one; or another run does not end.
        LockTimeout: a lock could not be had in all attempts; the other tables were maintained.
        DatabaseError: the server cannot be reached, or refuses.
    """
    limits = Limits(
        lock_timeout=seconds("lock_timeout", lock_timeout, minimum=0.001),
        statement_timeout=0,
        attempts=validation.integer("attempts", attempts, minimum=1, maximum=1000),
        longest_pause=_MAX_BACKOFF,
    )
    lock_wait = seconds("lock_wait", lock_wait, minimum=0)
    if ahead is not None:
        ahead = validation.integer("ahead", ahead, minimum=0, maximum=120)
    results: list[TableMaintenance] = []
    locked: LockTimeout | None = None
    with closing(connected(connect, "connecting for maintenance")) as connection:
        session = Session(connection)
        commands = Commands(
            connection=connection,
            session=session,
            limits=limits,
            on_step=on_step or (lambda _: None),
            dry_run=dry_run,
        )
        with exclusive(connection, session, lock_wait):
            limits.configure(session, transaction=False)
            retention_queries().partition_configure(session)
            for policy in policies:
                try:
                    results.append(_maintained(commands, policy, ahead, before_drop))
                except LockTimeout as error:
                    # A table that is in use all night keeps no other from its partitions.
                    locked = locked or error
    if locked is not None:
        raise locked
    return results


def _maintained(
    commands: Commands, policy: Retention, ahead: int | None, before_drop: BeforeDrop | None
) -> TableMaintenance:
    if policy.partition is None:
        done = delete_expired(commands, policy)
    else:
        done = maintain_partitions(commands, policy, ahead=ahead, before_drop=before_drop)
    facts = {"table": done.table, "created": len(done.created), "dropped": len(done.dropped), "moved": done.moved}
    counts = {"deleted": done.deleted, "retained": len(done.retained), "dry_run": commands.dry_run}
    _log.info("table maintained", extra={**facts, **counts})
    return done
