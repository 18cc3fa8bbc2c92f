"""The lock that admits one run at a time to a database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from surf_data.errors import DatabaseError, MigrationError
from surf_data.kernel.postgres import Session
from surf_data.migrate.queries import migrate_queries

# Between two attempts, in seconds.
_INTERVAL = 0.1


@contextmanager
def exclusive(connection: psycopg.Connection[Any], session: Session, wait: float) -> Iterator[None]:
    """Hold the lock while the block runs; after an exception it ends with the connection, which the caller closes.

    Arguments:
        connection: a direct connection to the server, in autocommit mode.
        session: the same connection's session.
        wait: for how many seconds to ask for the lock; at least once.

    Raises:
        MigrationError: a pooler sits between, another session held the lock all the time, or it was lost.
    """
    if migrate_queries().session_backend(session) != connection.info.backend_pid:
        # Behind a pooler the lock would belong to whichever client comes next.
        raise MigrationError("migrations need a direct connection to the server: a connection pooler sits between")
    with suppress(DatabaseError):
        # Not on every system can the server tell that its client is gone; there the lock lives as long as a statement.
        migrate_queries().session_follow_client(session)
    deadline = time.monotonic() + wait
    while not migrate_queries().lock_acquire(session):
        if time.monotonic() >= deadline:
            holder = migrate_queries().lock_holder(session)
            raise MigrationError(f"another run holds the migration lock of this database (backend {holder})")
        time.sleep(_INTERVAL)
    yield
    if not migrate_queries().lock_release(session):
        raise MigrationError("the migration lock was lost during the run, so another run may have interfered")


@contextmanager
def run_alone(
    connection: psycopg.Connection[Any], session: Session, wait: float, *, dry_run: bool
) -> Iterator[tuple[psycopg.Connection[Any], Session]]:
    """Return both for a run that holds the lock, or for a dry one, which only reads and waits for no other run.

    Arguments and errors: as of `exclusive`.
    """
    if dry_run:
        connection.read_only = True
        with session.transaction():
            yield connection, session
        return
    with exclusive(connection, session, wait):
        yield connection, session
