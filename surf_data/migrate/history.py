"""The table of applied migrations, one for all domains."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

import attrs

from surf_data import resources
from surf_data.errors import MigrationError
from surf_data.migrate.files import Migration
from surf_data.postgres import Session, load_queries

#: Which section of a file: ``up`` applies it, ``down`` reverts it.
Direction = Literal["up", "down"]


@attrs.frozen
class Record:
    """One row: a migration that was applied, or begun. Fields are in the order of the query's columns."""

    #: The number in the file's name.
    number: int
    #: The name in the file's name.
    name: str
    #: SHA-256 of the file as it was applied.
    checksum: str
    #: When it was applied; ``None`` while it is on its way up.
    applied_at: datetime | None
    #: How long it took.
    duration: timedelta
    #: Which section has begun and not ended; only one without a transaction can.
    unfinished: Direction | None
    #: How many statements of the unfinished section are done.
    statements_done: int
    #: When the next statement began, if that is one that could not run in a transaction together with its record.
    begun_at: datetime | None


@attrs.frozen
class IndexState:
    """One row: how an index stands. Fields are in the order of the query's columns."""

    #: Its schema.
    schema_name: str
    #: Its name, as it is stored.
    index_name: str
    #: The backend that is building it; ``None`` when none is.
    builder: int | None
    #: Whether it is complete, and so in use.
    valid: bool


@attrs.frozen
class SessionState:
    """One row: what a migration may set for itself. Fields are in the order of the query's columns."""

    #: Who the session belongs to.
    session_authorization: str
    #: Whose rights it has; ``none`` for its owner's.
    role: str
    #: What is set in it, by name, as JSON.
    settings: str

    def restore(self, session: Session) -> None:
        """Put the session back into this state."""
        queries().session_identify(session, session_authorization=self.session_authorization, role=self.role)
        queries().session_reset(session)
        queries().session_configure(session, settings=self.settings)


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


@cache
def queries() -> Any:
    """Return what the runner asks of the server: ``sql/migrate``."""
    rows = {"history_list": Record, "index_state": IndexState, "session_state": SessionState}
    return load_queries(resources.directory("sql") / "migrate", namespace="migrate", rows=rows)


def read(session: Session, domain: str) -> list[Record]:
    """Return what was applied of ``domain``, in order; nothing while there is no table. Changes nothing.

    Raises:
        MigrationError: there is a table of that name with other columns.
    """
    return queries().history_list(session, domain=domain) if _exists(session) else []


def create(session: Session) -> None:
    """Create the table if there is none. The caller holds the lock."""
    if not _exists(session):
        queries().history_create(session)


class Entry:
    """The row of one migration, written while it runs.

    Arguments:
        session: the run's session.
        domain: the name of the history.
        migration: the file.
    """

    def __init__(self, session: Session, domain: str, migration: Migration) -> None:
        self._session = session
        self._key = {"domain": domain, "number": migration.number}
        self._file = {"name": migration.name, "checksum": migration.checksum}

    def start(self, direction: Direction) -> None:
        """Record that a section without a transaction begins."""
        queries().history_start(self._session, **self._key, **self._file, direction=direction)

    def advance(self, duration: timedelta) -> None:
        """Record that the next statement of the section is done."""
        queries().history_advance(self._session, **self._key, duration=duration)

    def mark(self, *, begun: bool) -> None:
        """Record that the next statement begins outside a transaction, or that it failed and left nothing."""
        queries().history_mark(self._session, **self._key, begun=begun)

    def finish(self, direction: Direction, duration: timedelta) -> None:
        """Record that the migration was applied, or strike it out when it was reverted."""
        if direction == "down":
            queries().history_delete(self._session, **self._key)
        else:
            queries().history_finish(self._session, **self._key, **self._file, duration=duration)

    def baseline(self) -> None:
        """Record as applied what was not run."""
        queries().history_baseline(self._session, **self._key, **self._file)

    def repair(self) -> None:
        """Accept the file as it is now."""
        queries().history_repair(self._session, **self._key, **self._file)


def _exists(session: Session) -> bool:
    columns = queries().history_columns(session)
    if columns is not None and columns != _COLUMNS:
        raise MigrationError("the table schema_migrations belongs to another tool; it is left alone")
    return columns is not None
