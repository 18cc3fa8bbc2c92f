"""What an operator is told when a migration fails.

The server's own words help most, but they may quote a value from a row: "syntax error in tsquery: "..."" has the same
error class as a misspelt keyword. So they are passed on only where they can be shown to quote nothing but the file.
"""

import re

import psycopg

from surf_data.errors import DatabaseError, MigrationError
from surf_data.migrate.files import Migration
from surf_data.postgres.translation import translated

# Classes and codes of errors in what a migration asks for, as opposed to the data it meets: 0A feature not supported,
# 25 transaction state, 2B dependent objects, 3F schema name, 42 syntax and access rules, 55 object state.
# Source: PostgreSQL's manual, appendix A.
_MISTAKES = ("0A", "25", "2B", "3F", "42", "55")
_LOCK_NOT_AVAILABLE = "55P03"
_RAISED = "P0001"


def described(error: psycopg.Error | DatabaseError, migration: Migration, *, lost: bool) -> MigrationError:
    """Return what to raise for ``error``, with the file and, where the server knows it, the line.

    Arguments:
        error: what ended the migration.
        migration: the file that was being applied.
        lost: whether the connection was lost, perhaps after the server had committed.
    """
    told = error if isinstance(error, DatabaseError) else translated(error, None)
    message, line = str(told), None
    if isinstance(error, psycopg.Error):
        if position := error.diag.statement_position:
            line = migration.up.line + migration.up.sql.count("\n", 0, int(position) - 1)
        if said := _said(error, migration.up.sql):
            message = f"{message}: {said}"
    outcome = "the status tells whether it was applied" if lost else "nothing of this file was applied"
    return MigrationError(f"{message}; {outcome}", file=str(migration.path), line=line, sqlstate=told.sqlstate)


def _said(error: psycopg.Error, sql: str) -> str | None:
    """Return the server's words if they hold no row data."""
    said = error.diag.message_primary or ""
    sqlstate = error.sqlstate or ""
    if sqlstate == _LOCK_NOT_AVAILABLE:
        return "another session holds a lock that it needs"
    if sqlstate == _RAISED and _in_block_of_file(error):
        # The author of the migration chose these words.
        return ". ".join(filter(None, (said, error.diag.message_hint)))
    if sqlstate.startswith(_MISTAKES) and all(quoted in sql for quoted in re.findall(r'"(.*?)"', said, re.DOTALL)):
        return said
    return None


def _in_block_of_file(error: psycopg.Error) -> bool:
    # A function or trigger that the file sets off has a name of its own here.
    innermost = (error.diag.context or "").partition("\n")[0]
    return "inline_code_block" in innermost
