"""The table of applied migrations, one for all domains."""

from datetime import timedelta
from typing import TypedDict

from surf_data.errors import MigrationError
from surf_data.kernel.postgres import Session
from surf_data.migrate.files import Migration
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.rows import Direction, Record

_COLUMNS = [
    "domain",
    "number",
    "name",
    "checksum",
    "started_at",
    "applied_at",
    "duration",
    "unfinished",
    "statements_done",
    "begun_at",
]


def read(session: Session, domain: str) -> list[Record]:
    """Return what was applied of ``domain``, in order; nothing while there is no table. Changes nothing.

    Raises:
        MigrationError: there is a table of that name with other columns.
    """
    return migrate_queries().history_list(session, domain=domain) if _exists(session) else []


def create(session: Session) -> None:
    """Create the table if there is none. The caller holds the lock."""
    if not _exists(session):
        migrate_queries().history_create(session)


def forget(session: Session, domain: str) -> None:
    """Delete what was recorded of ``domain``, after what its migrations created was dropped."""
    if _exists(session):
        migrate_queries().history_forget(session, domain=domain)


class _Key(TypedDict):
    domain: str
    number: int


class _File(TypedDict):
    name: str
    checksum: str


class Entry:
    """The row of one migration, written while it runs.

    Arguments:
        session: the run's session.
        domain: the name of the history.
        migration: the file.
    """

    def __init__(self, session: Session, domain: str, migration: Migration) -> None:
        self._session = session
        self._key: _Key = {"domain": domain, "number": migration.number}
        self._file: _File = {"name": migration.name, "checksum": migration.checksum}

    def start(self, direction: Direction) -> None:
        """Record that a section without a transaction begins."""
        migrate_queries().history_start(self._session, **self._key, **self._file, direction=direction)

    def advance(self, duration: timedelta) -> None:
        """Record that the next statement of the section is done."""
        migrate_queries().history_advance(self._session, **self._key, duration=duration)

    def mark(self, *, begun: bool) -> None:
        """Record that the next statement begins outside a transaction, or that it failed and left nothing."""
        migrate_queries().history_mark(self._session, **self._key, begun=begun)

    def finish(self, direction: Direction, duration: timedelta) -> None:
        """Record that the migration was applied, or strike it out when it was reverted."""
        if direction == "down":
            migrate_queries().history_delete(self._session, **self._key)
        else:
            migrate_queries().history_finish(self._session, **self._key, **self._file, duration=duration)

    def baseline(self) -> None:
        """Record as applied what was not run."""
        migrate_queries().history_baseline(self._session, **self._key, **self._file)

    def repair(self) -> None:
        """Accept the file as it is now."""
        migrate_queries().history_repair(self._session, **self._key, **self._file)


def _exists(session: Session) -> bool:
    columns = migrate_queries().history_columns(session)
    if columns is not None and columns != _COLUMNS:
        raise MigrationError("the table schema_migrations belongs to another tool; it is left alone")
    return columns is not None
