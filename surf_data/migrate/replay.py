"""Applies migrations to a scratch database, without a history."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import psycopg

from surf_data.errors import MigrationError
from surf_data.kernel.postgres.translation import translated
from surf_data.migrate.files import Migration, Part
from surf_data.migrate.scratch import Connect
from surf_data.migrate.statements import split

# The function of the server that creates a role, and what it says where there is one of that name.
_CREATING_ROLE, _DUPLICATE = "CreateRole", "42710"

#: Called with each migration before it is replayed.
OnProgress = Callable[[Migration], object]


def replay(connect: Connect, migrations: Iterable[Migration], on_start: OnProgress | None = None) -> None:
    """Apply migrations to a scratch database as a run would: each in a transaction, or one statement after another.

    Arguments:
        connect: connects to the scratch database.
        migrations: the files, in order.
        on_start: called with each.

    Raises:
        MigrationError: one of them fails there; with file and line.
    """
    for migration in migrations:
        if on_start is not None:
            on_start(migration)
        # Whatever a file sets for its session ends with it.
        with closing(connect()) as connection:
            for part in migration.up.parts:
                error = _failure(connection, part, transactional=migration.up.transactional)
                if error is not None:
                    raise described(error, migration, part, _start(connect, migration, part, error))


def described(error: psycopg.Error, migration: Migration, part: Part, start: int) -> MigrationError:
    """Return what to raise when SQL of a file fails in a scratch database.

    The server's own words are passed on: all that is in that database came from the files.

    Arguments:
        error: what the driver raised.
        migration: the file.
        part: what of it was to be run.
        start: where in the part the SQL begins that was sent, or the statement in it that failed.
    """
    ours = translated(error, None)
    message = f"fails in an empty database: {error.diag.message_primary or ours}"
    if error.diag.source_function == _CREATING_ROLE and error.sqlstate == _DUPLICATE:
        message += "; a role is the whole server's: create it where it is missing, or replay on a server of its own"
    offset = start + int(error.diag.statement_position or 1) - 1
    return MigrationError(message, file=str(migration.path), line=line_at(part, offset), sqlstate=ours.sqlstate)


def line_at(part: Part, offset: int) -> int:
    """Return the line of the file that is ``offset`` characters into ``part``."""
    return part.line + part.sql.count("\n", 0, offset)


def _failure(connection: psycopg.Connection[Any], part: Part, *, transactional: bool) -> psycopg.Error | None:
    # Returned rather than raised, so that what is raised in the end has no driver error hanging on it.
    try:
        if transactional:
            with connection.transaction():
                connection.execute(part.sql.encode(), prepare=False)
        else:
            connection.execute(part.sql.encode(), prepare=False)
    except psycopg.Error as error:
        return error
    return None


def _start(connect: Connect, migration: Migration, part: Part, error: psycopg.Error) -> int:
    """Return where the statement begins that fails, for which the server often does not say where it is."""
    if error.diag.statement_position:
        return 0
    if migration.up.transactional:
        with closing(connect()) as connection:
            connection.autocommit = False
            for statement in split(part.sql):
                try:
                    connection.execute(statement.sql.encode(), prepare=False)
                except psycopg.Error:
                    return statement.start
    # There is only one; or what fails is the commit.
    return next(split(part.sql)).start
