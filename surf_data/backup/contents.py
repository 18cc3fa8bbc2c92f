"""What is in a database: its tables, how many rows they have, whether there is anything at all."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from surf_data.backup.manifest import Table
from surf_data.backup.progress import Progress
from surf_data.backup.queries import backup_queries
from surf_data.kernel.postgres import DatabaseManager, Session
from surf_data.kernel.postgres.translation import Translation

#: Seconds to wait for a lock, while other sessions queue behind ours.
LOCK_SECONDS = 10

_CONTENTS = Translation("the look at the tables")


@contextmanager
def snapshot(database: DatabaseManager) -> Iterator[tuple[psycopg.Connection[Any], Session]]:
    """Look at one state of the database for a block, on a connection of its own that cannot write."""
    connection = database.connect()
    try:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with Session(connection).transaction() as session:
            backup_queries().transaction_configure(session, lock_timeout=f"{LOCK_SECONDS}s")
            yield connection, session
    finally:
        connection.close()


def lock(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> None:
    """Keep the tables from being dropped, altered or truncated until the transaction ends."""
    # The names of the tables are known only at run time, so the statement is composed.
    if names := [_identifier(table) for table in tables]:
        statement = sql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE").format(sql.SQL(", ONLY ").join(names))
        with _CONTENTS:
            connection.execute(statement)


def count_rows(connection: psycopg.Connection[Any], tables: Iterable[Table], progress: Progress) -> Mapping[Table, int]:
    """Return how many rows each table has."""
    counts: dict[Table, int] = {}
    for table in tables:
        progress.step("counting", str(table))
        with _CONTENTS:
            # As above: the name is part of the statement.
            cursor = connection.execute(sql.SQL("SELECT count(*) FROM ONLY {}").format(_identifier(table)))
            [(counts[table],)] = cursor.fetchall()
    return counts


def _identifier(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)
