"""Applies pending migrations in order, each in one transaction with its record."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from surf_data.errors import DatabaseError, MigrationError
from surf_data.migrate import history
from surf_data.migrate.failure import described
from surf_data.migrate.files import Migration, read_folder
from surf_data.migrate.history import queries
from surf_data.migrate.lock import exclusive
from surf_data.migrate.status import MigrationStatus, compare
from surf_data.postgres import Session
from surf_data.postgres.translation import Translation

_log = logging.getLogger("surf_data.migrate.runner")

_CONNECTING = Translation("connecting for migrations")

_PROBLEMS = {
    "edited": "was edited after it was applied",
    "renamed": "was applied under another name",
    "vanished": "was applied and its file is gone",
    "skipped": "is not applied although a later one is",
}


class Runner:
    """Applies one folder of migrations to one database.

    Every call opens a connection of its own and closes it. Runs exclude one another, whatever their folders.

    Arguments:
        connect: returns a new connection; directly to the server, because a pooler cannot hold the lock.
        folder: where the files are.
        domain: the name of their history. Histories share a table and nothing else.
        lock_wait: for how many seconds a run waits for another run to end; 0 or more.
        lock_timeout: for how many seconds a migration waits for a lock on a table while others queue behind it;
            0.001 or more.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        folder: Path,
        domain: str,
        *,
        lock_wait: float = 60.0,
        lock_timeout: float = 3.0,
    ) -> None:
        self._connect = connect
        self._folder = folder
        self._domain = domain
        self._lock_wait = lock_wait
        self._lock_timeout = f"{max(round(lock_timeout * 1000), 1)}ms"

    def status(self) -> list[MigrationStatus]:
        """Return how each migration stands, in the order of their numbers. Nothing is changed or locked.

        Raises:
            MigrationError: the folder holds something that cannot be applied.
            DatabaseError: the server cannot be reached, or refuses to show the history.
        """
        migrations = read_folder(self._folder)
        with self._connection() as connection:
            connection.read_only = True
            with Session(connection).transaction() as session:
                return compare(migrations, history.read(session, self._domain))

    def up(self, to: int | None = None, on_applied: Callable[[Migration], object] | None = None) -> list[Migration]:
        """Apply the pending migrations.

        Arguments:
            to: the number of the last one to apply; all when ``None``.
            on_applied: is called with each migration after its commit. What it raises ends the run.

        Returns:
            The migrations that this run has applied, in order; empty when there was nothing to do.

        Raises:
            MigrationError: before anything runs, when a file cannot be applied, an applied one was changed, or another
                run does not end; else because a migration failed, which leaves nothing of itself. Those before it
                stay applied and recorded.
            DatabaseError: the server cannot be reached, or refuses to keep the history.
        """
        migrations = read_folder(self._folder)
        if to is not None and to not in {migration.number for migration in migrations}:
            raise MigrationError(f"there is no migration {to:04d}", file=str(self._folder))
        applied: list[Migration] = []
        with self._connection() as connection:
            session = Session(connection)
            with exclusive(connection, session, self._lock_wait):
                for migration in self._pending(session, migrations, to):
                    self._apply(connection, session, migration)
                    applied.append(migration)
                    if on_applied is not None:
                        on_applied(migration)
        return applied

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        with _CONNECTING:
            connection = self._connect()
        try:
            with _CONNECTING:
                connection.autocommit = True
            # A migration may forget all prepared statements, and the driver would not know.
            connection.prepare_threshold = None
            yield connection
        finally:
            connection.close()

    def _pending(self, session: Session, migrations: list[Migration], to: int | None) -> list[Migration]:
        """Return what is to be applied, read after the lock was taken; creates the history if need be."""
        statuses = compare(migrations, history.read(session, self._domain))
        problems = [f"{status.label} {_PROBLEMS[status.state]}" for status in statuses if status.state in _PROBLEMS]
        if problems:
            raise MigrationError("; ".join(problems), file=str(self._folder))
        numbers = {status.number for status in statuses if status.state == "pending"}
        pending = [file for file in migrations if file.number in numbers and (to is None or file.number <= to)]
        for migration in pending:
            if not migration.up.transactional:
                raise MigrationError("'transaction:false' cannot be applied yet", file=str(migration.path))
        if pending:
            history.create(session)
        return pending

    def _apply(self, connection: psycopg.Connection[Any], session: Session, migration: Migration) -> None:
        started = perf_counter()
        try:
            with connection.transaction():
                self._run(connection, session, migration)
                duration = timedelta(seconds=perf_counter() - started)
                history.record(session, self._domain, migration, duration)
        except (psycopg.Error, DatabaseError) as error:
            failure = described(error, migration, lost=connection.closed)
        else:
            milliseconds = duration / timedelta(milliseconds=1)
            facts = {"domain": self._domain, "migration": migration.label, "duration_ms": milliseconds}
            _log.info("migration applied", extra=facts)
            return
        # Outside the handler: the driver's error may quote a row.
        raise failure

    def _run(self, connection: psycopg.Connection[Any], session: Session, migration: Migration) -> None:
        role, search_path = queries().session_state(session)
        queries().transaction_configure(session, lock_timeout=self._lock_timeout)
        # As it stands: without parameters there are no placeholders, unprepared it may be any number of statements.
        connection.execute(migration.up.sql.encode(), prepare=False)
        if connection.info.transaction_status is not TransactionStatus.INTRANS:
            raise MigrationError(
                "it ended its own transaction, so what it did is not recorded", file=str(migration.path)
            )
        # The record belongs where the history is, whatever the migration set for itself.
        queries().session_restore(session, role=role, search_path=search_path)
