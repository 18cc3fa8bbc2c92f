"""The table of applied migrations, one for all domains."""

from collections.abc import Iterator
from contextlib import contextmanager
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
        MigrationError: there is a table of that name with other columns, or the only one belongs to another schema.
    """
    _check_place(session)
    with _used(session) as found:
        return migrate_queries().history_list(session, domain=domain) if found else []


def create(session: Session) -> None:
    """Create the table if there is none. The caller holds the lock."""
    _check_place(session)
    if schema(session) is None:
        migrate_queries().history_create(session)


def forget(session: Session, domain: str) -> None:
    """Delete what was recorded of ``domain``, after what its migrations created was dropped."""
    _check_place(session)
    with _used(session) as found:
        if found:
            migrate_queries().history_forget(session, domain=domain)
            migrate_queries().history_forget(session, domain=of_cluster(domain))


def of_cluster(domain: str) -> str:
    """Return the name of the history of where a domain's tables are on a cluster."""
    return f"{domain}-cluster"


def note(session: Session, domain: str, name: str, checksum: str, duration: timedelta) -> None:
    """Record what no file says under the next number; once, however often.

    Raises:
        MigrationError: there is no history yet.
    """
    with _kept(session):
        numbers = {record.name: record.number for record in migrate_queries().history_list(session, domain=domain)}
        number = numbers.get(name, max(numbers.values(), default=0) + 1)
        migrate_queries().history_finish(
            session, domain=domain, number=number, name=name, checksum=checksum, duration=duration
        )


def strike(session: Session, domain: str, name: str) -> None:
    """Strike out what `note` has recorded."""
    with _kept(session):
        for record in migrate_queries().history_list(session, domain=domain):
            if record.name == name:
                migrate_queries().history_delete(session, domain=domain, number=record.number)


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
        with _used(self._session):
            migrate_queries().history_start(self._session, **self._key, **self._file, direction=direction)

    def advance(self, duration: timedelta) -> None:
        """Record that the next statement of the section is done."""
        with _kept(self._session):
            migrate_queries().history_advance(self._session, **self._key, duration=duration)

    def mark(self, *, begun: bool) -> None:
        """Record that the next statement begins outside a transaction, or that it failed and left nothing."""
        with _used(self._session):
            migrate_queries().history_mark(self._session, **self._key, begun=begun)

    def finish(self, direction: Direction, duration: timedelta) -> None:
        """Record that the migration was applied, or strike it out when it was reverted."""
        with _kept(self._session):
            if direction == "down":
                migrate_queries().history_delete(self._session, **self._key)
            else:
                migrate_queries().history_finish(self._session, **self._key, **self._file, duration=duration)

    def baseline(self) -> None:
        """Record as applied what was not run."""
        with _used(self._session):
            migrate_queries().history_baseline(self._session, **self._key, **self._file)

    def repair(self) -> None:
        """Accept the file as it is now."""
        with _used(self._session):
            migrate_queries().history_repair(self._session, **self._key, **self._file)


def schema(session: Session) -> str | None:
    """Return the schema of the table, which may be one to which the search path does not lead; ``None`` without one.

    Raises:
        MigrationError: there is a table of that name with other columns, or several of ours and none on the path.
    """
    return _found(session)[0]


def _found(session: Session) -> tuple[str | None, bool]:
    """Return the schema of the table, and whether the search path leads to it."""
    tables = migrate_queries().history_find(session)
    ours = {name: on_path for name, on_path, columns in tables if columns == _COLUMNS}
    for name, on_path in ours.items():
        if on_path:
            return name, True
    if "public" in ours or len(ours) == 1:
        return "public" if "public" in ours else next(iter(ours)), False
    if ours:
        where = ", ".join(sorted(ours))
        raise MigrationError(
            f"the search path leads to none of the tables schema_migrations in {where}: set one of them"
        )
    if any(on_path for _, on_path, _ in tables):
        raise MigrationError("the table schema_migrations belongs to another tool; it is left alone")
    return None, False


def _check_place(session: Session) -> None:
    """Check before a run that a history off the search path is the one that is meant, and not another tenant's."""
    name, on_path = _found(session)
    if name is None or on_path:
        return
    here, is_own = migrate_queries().history_path(session)
    if here is not None and is_own:
        raise MigrationError(
            f"the search path leads to the schema {here}, and the only history is in {name}: let the path lead to "
            f"{name}, too, if that is the one, or begin one here: "
            f"CREATE TABLE {here}.schema_migrations (LIKE {name}.schema_migrations INCLUDING ALL)"
        )


@contextmanager
def _used(session: Session) -> Iterator[bool]:
    """Have the name of the table lead to it for a block, if there is one, wherever the search path points."""
    name, on_path = _found(session)
    if name is None or on_path:
        yield name is not None
        return
    with session.transaction():
        migrate_queries().history_use(session, schema=name)
        yield True


@contextmanager
def _kept(session: Session) -> Iterator[None]:
    """The same after a part of a migration, which must have left the table where it was, or anywhere."""
    with _used(session) as found:
        if not found:
            raise MigrationError("it drops schema_migrations, the table with the history of all migrations")
        yield
