"""Takes a domain back to its beginning: all that it has is dropped, and its migrations are applied anew."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from surf_data.errors import MigrationError
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.kernel.validation import identifier
from surf_data.migrate import history
from surf_data.migrate.connecting import connected
from surf_data.migrate.lock import exclusive
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.runner import OnProgress, Runner
from surf_data.migrate.seed import seed
from surf_data.migrate.status import MigrationStatus

# While it waits for a lock others queue behind it.
_LOCK_TIMEOUT = "3s"
# Seconds to wait for another run to end.
_LOCK_WAIT = 60.0

_RESET = Translation("reset")

Connect = Callable[[], psycopg.Connection[Any]]


def reset(
    connect: Connect,
    folder: Path,
    domain: str,
    schemas: Sequence[str] = (),
    *,
    seeds: bool = False,
    on_applied: OnProgress | None = None,
) -> list[MigrationStatus]:
    """Delete all that a domain has in a database, and apply its migrations anew.

    Where it has schemas of its own they are dropped, in one transaction with its history. Else its migrations are
    reverted, each in a transaction, the last one first. What other domains have is not touched, and roles stay.

    Arguments:
        connect: returns connections; directly to the server. The role must own the domain's objects.
        folder: the folder of the migrations.
        domain: the name of their history.
        schemas: the schemas that it owns alone.
        seeds: whether to run the seed files, too.
        on_applied: called with each migration after it was applied.

    Returns:
        The migrations that were applied.

    Raises:
        ValidationError: ``domain`` cannot name a history.
        MigrationError: something outside depends on the schemas, or a migration or seed file failed.
        DatabaseError: the server cannot be reached, or refuses.
    """
    domain = identifier("domain", domain, marks="_-")
    runner = Runner(connect, folder, domain)
    if schemas:
        _drop(connect, schemas, domain)
    else:
        runner.down(0)
    applied = runner.up(on_applied=on_applied)
    if seeds:
        seed(connect, folder, domain)
    return applied


def check_reset(connect: Connect, schemas: Sequence[str]) -> None:
    """Check that the schemas can be dropped without touching anything else; nothing is changed.

    Arguments:
        connect: returns connections; directly to the server.
        schemas: the schemas that a domain owns alone.

    Raises:
        MigrationError: something outside depends on them.
        DatabaseError: the server cannot be reached, or refuses.
    """
    _drop(connect, schemas, None)


def _drop(connect: Connect, schemas: Sequence[str], domain: str | None) -> None:
    """Drop the schemas and forget the history of ``domain``; when that is ``None``, only try it."""
    with closing(connected(connect, "reset")) as connection, _RESET:
        session = Session(connection)
        with exclusive(connection, session, _LOCK_WAIT), session.transaction():
            migrate_queries().reset_configure(session, lock_timeout=_LOCK_TIMEOUT)
            before = _outside(session, schemas)
            for schema in schemas:
                # The names are the domain's declaration.
                connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
            if lost := sorted(filter(None, before - _outside(session, schemas))):
                raise MigrationError(f"nothing is dropped: {', '.join(lost[:5])} would go, too")
            _finish(session, domain)


def _finish(session: Session, domain: str | None) -> None:
    if domain is None:
        raise psycopg.Rollback
    history.forget(session, domain)


def _outside(session: Session, schemas: Sequence[str]) -> set[str | None]:
    return {description for (description,) in migrate_queries().reset_outside(session, schemas=list(schemas))}
