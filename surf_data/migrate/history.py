"""The table of applied migrations, one for all domains."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import attrs

from surf_data import resources
from surf_data.errors import MigrationError
from surf_data.migrate.files import Migration
from surf_data.postgres import Session, load_queries


@attrs.frozen
class Record:
    """One row: a migration that was applied. Fields are in the order of the query's columns."""

    #: The number in the file's name.
    number: int
    #: The name in the file's name.
    name: str
    #: SHA-256 of the file as it was applied.
    checksum: str
    #: When it was applied.
    applied_at: datetime
    #: How long it took.
    duration: timedelta


_COLUMNS = ["domain", "number", "name", "checksum", "applied_at", "duration"]


@cache
def queries() -> Any:
    """Return what the runner asks of the server: ``sql/migrate``."""
    return load_queries(resources.directory("sql") / "migrate", namespace="migrate", rows={"history_list": Record})


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


def record(session: Session, domain: str, migration: Migration, duration: timedelta) -> None:
    """Record that ``migration`` was applied in ``duration``."""
    queries().history_insert(
        session,
        domain=domain,
        number=migration.number,
        name=migration.name,
        checksum=migration.checksum,
        duration=duration,
    )


def _exists(session: Session) -> bool:
    columns = queries().history_columns(session)
    if columns is not None and columns != _COLUMNS:
        raise MigrationError("the table schema_migrations belongs to another tool; it is left alone")
    return columns is not None
