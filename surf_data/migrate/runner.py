"""Brings a database to a folder of migrations, and keeps the history of it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from surf_data.errors import MigrationError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.migrate import history
from surf_data.migrate.connecting import connected
from surf_data.migrate.execution import Execution, Limits, seconds
from surf_data.migrate.files import Migration, read_folder
from surf_data.migrate.history import Entry
from surf_data.migrate.lock import run_alone
from surf_data.migrate.rows import Direction, Record
from surf_data.migrate.status import MigrationStatus, compare

_log = get_logger("surf_data.migrate.runner")

_RECORDING = Translation("recording the baseline")

_PROBLEMS = {
    "edited": "was edited after it was applied",
    "renamed": "was applied under another name",
    "vanished": "was applied and its file is gone",
    "skipped": "is not applied although a later one is",
}

#: Called with each migration of a run after its record was committed. What it raises ends the run.
OnProgress = Callable[[MigrationStatus], object]


class Runner:
    """Applies one folder of migrations to one database.

    Every call opens a connection of its own and closes it. Calls that change something exclude one another, whatever
    their folders. Before anything is changed, all files are read and compared with the history: one that was edited,
    renamed or deleted after it was applied, or left out, stops the call. With ``dry_run`` a call says what it would do,
    in a transaction that can only read, and waits for no lock.

    Arguments:
        connect: returns a new connection; directly to the server, because a pooler cannot hold the lock.
        folder: where the files are.
        domain: the name of their history, 1 to 63 of the characters a to z, 0 to 9, _ and -. Histories share a table
            and nothing else.
        lock_wait: for how many seconds a run waits for another run to end; 0 or more.
        lock_timeout: for how many seconds a migration waits for a lock on a table while others queue behind it;
            0.001 or more. What is done ``CONCURRENTLY`` blocks no other session, and waits as long as it takes.
        statement_timeout: for how many seconds a statement of a migration may work; 0 or more, 0 is without limit.
        attempts: how many times a migration is tried, 1 to 100, while it cannot have a lock in time or loses a deadlock
            (SQLSTATE 55P03 and 40P01). In between it leaves the tables to the others: at least for as long as it had
            made them wait, twice as long the next time, and so on, up to a minute.

    Raises:
        ValidationError: an argument is out of its range.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        folder: Path,
        domain: str,
        *,
        lock_wait: float = 60.0,
        lock_timeout: float = 3.0,
        statement_timeout: float = 0.0,
        attempts: int = 5,
    ) -> None:
        self._connect = validation.function("connect", connect)
        self._folder = validation.path("folder", folder)
        self._domain = validation.identifier("domain", domain, marks="_-")
        self._lock_wait = seconds("lock_wait", lock_wait, minimum=0)
        self._limits = Limits(
            lock_timeout=seconds("lock_timeout", lock_timeout, minimum=0.001),
            statement_timeout=seconds("statement_timeout", statement_timeout, minimum=0),
            attempts=validation.integer("attempts", attempts, minimum=1, maximum=100),
        )

    def status(self) -> list[MigrationStatus]:
        """Return how each migration stands, in the order of their numbers. Nothing is changed or locked.

        Raises:
            MigrationError: the folder holds something that cannot be applied.
            DatabaseError: the server cannot be reached, or refuses to show the history.
        """
        migrations = read_folder(self._folder)
        with self._working(dry_run=True) as (_, session):
            return compare(migrations, history.read(session, self._domain))

    def up(
        self, to: int | None = None, on_applied: OnProgress | None = None, *, dry_run: bool = False
    ) -> list[MigrationStatus]:
        """Apply the pending migrations in order, beginning with the rest of one that was interrupted.

        Arguments:
            to: the number of the last one to apply; all when ``None``.
            on_applied: called with each migration.
            dry_run: say what would be applied, and change nothing.

        Returns:
            The migrations that this run has applied, in order; empty when there was nothing to do.

        Raises:
            ValidationError: ``to`` is not a whole number from 0.
            MigrationError: before anything runs, when a file cannot be applied, an applied one was changed, or another
                run does not end; else because a migration failed. It leaves nothing of itself; or, when it has no
                transaction, what came before the statement that failed. Those before it stay applied.
            DatabaseError: the server cannot be reached, or refuses to keep the history.
        """
        if to is not None:
            validation.integer("to", to, minimum=0)
        return self._run("up", to, on_applied, dry_run=dry_run)

    def down(self, to: int, on_reverted: OnProgress | None = None, *, dry_run: bool = False) -> list[MigrationStatus]:
        """Revert the applied migrations above a number, the last one first.

        Arguments:
            to: the number of the last one that stays applied; 0 reverts all.
            on_reverted: called with each migration as it was before.
            dry_run: say what would be reverted, and change nothing.

        Returns:
            The migrations that this run has reverted, in the order in which it did, as they were before.

        Raises:
            ValidationError: ``to`` is not a whole number from 0.
            MigrationError: as `up`; and before anything runs, when one of them does not say how it is reverted.
            DatabaseError: the server cannot be reached, or refuses to keep the history.
        """
        validation.integer("to", to, minimum=0)
        return self._run("down", to, on_reverted, dry_run=dry_run)

    def baseline(self, to: int, *, dry_run: bool = False) -> list[MigrationStatus]:
        """Record migrations as applied without running them, for a database that has what they make.

        Arguments:
            to: the number of the last one to record.
            dry_run: say what would be recorded, and change nothing.

        Returns:
            The migrations that are recorded, in order; with ``dry_run``, those that would be.

        Raises:
            ValidationError: ``to`` is not a whole number from 0.
            MigrationError: the history has begun already, there is no such migration, or another run does not end.
            DatabaseError: the server cannot be reached, or refuses to keep the history.
        """
        validation.integer("to", to, minimum=0)
        migrations = [migration for migration in self._read(to) if migration.number <= to]
        with self._working(dry_run=dry_run) as (connection, session):
            if history.read(session, self._domain):
                raise MigrationError(f"the history of {self._domain} has begun, and a baseline is its beginning")
            if not dry_run:
                with _RECORDING, connection.transaction():
                    history.create(session)
                    for migration in migrations:
                        Entry(session, self._domain, migration).baseline()
            return compare(migrations, history.read(session, self._domain))

    def repair(self, file: str | Path, *, dry_run: bool = False) -> MigrationStatus:
        """Accept one file as it is now, after it was edited or renamed. Nothing of it is run.

        Arguments:
            file: the file, or its name.
            dry_run: say how it stands, and change nothing.

        Returns:
            How the migration stood before.

        Raises:
            MigrationError: it is not one of the folder's, was not applied, or is unfinished and lacks statements that
                were done; or another run does not end.
            DatabaseError: the server cannot be reached, or refuses to keep the history.
        """
        path = validation.path("file", file)
        found = {migration.path.name: migration for migration in read_folder(self._folder)}
        # A path leads somewhere; a file of the same name in another folder is another file.
        elsewhere = str(path) != path.name and path.parent.resolve() != self._folder.resolve()
        if elsewhere or path.name not in found:
            raise MigrationError(f"there is no migration {path if elsewhere else path.name}", file=str(self._folder))
        migration = found[path.name]
        with self._working(dry_run=dry_run) as (_, session):
            record = self._records(session).get(migration.number)
            if record is None:
                raise MigrationError("was not applied, so there is nothing to accept", file=str(migration.path))
            _check_rest(migration, record)
            if not dry_run:
                Entry(session, self._domain, migration).repair()
        [status] = compare([migration], [record])
        return status

    def _run(
        self, direction: Direction, to: int | None, on_progress: OnProgress | None, *, dry_run: bool
    ) -> list[MigrationStatus]:
        migrations = self._read(to)
        done: list[MigrationStatus] = []
        with self._working(dry_run=dry_run) as (connection, session):
            # Read after the lock was taken.
            records = self._records(session)
            statuses = compare(migrations, list(records.values()))
            chosen = self._chosen(direction, migrations, statuses, to)
            if dry_run:
                return [status for _, status in chosen]
            if chosen:
                history.create(session)
            execution = Execution(connection, session, self._domain, self._limits)
            for migration, before in chosen:
                started = perf_counter()
                execution.run(migration, direction, records.get(migration.number))
                milliseconds = (perf_counter() - started) * 1000
                facts = {"domain": self._domain, "migration": migration.label, "duration_ms": milliseconds}
                _log.info("migration applied" if direction == "up" else "migration reverted", extra=facts)
                status = before
                if direction == "up":
                    [status] = compare([migration], [self._records(session)[migration.number]])
                done.append(status)
                # What a listener raises comes out after the record.
                if on_progress is not None:
                    on_progress(status)
        return done

    def _chosen(
        self, direction: Direction, migrations: list[Migration], statuses: list[MigrationStatus], to: int | None
    ) -> list[tuple[Migration, MigrationStatus]]:
        """Return what the run has to do, in its order, after checking that nothing stands in its way."""
        problems = [f"{status.label} {_PROBLEMS[status.state]}" for status in statuses if status.state in _PROBLEMS]
        if problems:
            raise MigrationError("; ".join(problems), file=str(self._folder))
        pairs = list(zip(migrations, statuses, strict=True))
        if direction == "down":
            chosen = [(file, status) for file, status in pairs if file.number > (to or 0) and status.state != "pending"]
            for file, _ in chosen:
                file.section("down")
            return chosen[::-1]
        for file, status in pairs:
            if status.unfinished == "down":
                raise MigrationError(f"is half reverted: go down to {file.number - 1} first", file=str(file.path))
        return [
            (file, status) for file, status in pairs if status.state != "applied" and (to is None or file.number <= to)
        ]

    def _records(self, session: Session) -> dict[int, Record]:
        return {record.number: record for record in history.read(session, self._domain)}

    def _read(self, to: int | None) -> list[Migration]:
        migrations = read_folder(self._folder)
        if to is not None and to > len(migrations):
            raise MigrationError(f"there is no migration {to:04d}", file=str(self._folder))
        return migrations

    @contextmanager
    def _working(self, *, dry_run: bool) -> Iterator[tuple[psycopg.Connection[Any], Session]]:
        with closing(connected(self._connect, "connecting for migrations")) as connection:
            session = Session(connection)
            with run_alone(connection, session, self._lock_wait, dry_run=dry_run) as working:
                yield working


def _check_rest(migration: Migration, record: Record) -> None:
    """Refuse a file that cannot be gone on with where the record says."""
    if record.unfinished is None:
        return
    section = migration.section(record.unfinished)
    if section.transactional or len(section.parts) <= record.statements_done:
        problem = f"is unfinished: the {record.statements_done} statements that are done must stay, and one after them"
        raise MigrationError(problem, file=str(migration.path))
