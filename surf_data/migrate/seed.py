"""Fills a migrated database with what its migrations do not: the plain SQL files in the folder's subfolder ``seed``."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg

from surf_data.errors import MigrationError
from surf_data.kernel import sql_folders
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Session, aftereffects
from surf_data.kernel.postgres.scanner import Token
from surf_data.kernel.postgres.translation import translated
from surf_data.migrate.connecting import connected
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.runner import Runner
from surf_data.migrate.statements import split

_log = get_logger("surf_data.migrate.seed")

# While it waits for a lock others queue behind it.
_LOCK_TIMEOUT = "3s"


def seed(
    connect: Callable[[], psycopg.Connection[Any]], folder: Path, domain: str, *, dry_run: bool = False
) -> list[Path]:
    """Run every ``.sql`` file in ``folder/seed`` in the order of their names, all of them in one transaction.

    A file may run any number of times, so it must leave alone what it finds: ``ON CONFLICT DO NOTHING``.

    Arguments:
        connect: returns a new connection.
        folder: the folder of the migrations.
        domain: the name of their history.
        dry_run: only check, and change nothing.

    Returns:
        The files that were run, or would be.

    Raises:
        MigrationError: a migration is not applied, there are no files, or one of them failed, or would end the
            transaction or change the session for those after it. Nothing is changed.
        DatabaseError: the server cannot be reached.
    """
    runner = Runner(connect, folder, domain)
    texts = _read(Path(folder) / "seed")
    for status in runner.status():
        if status.state != "applied":
            raise MigrationError(f"bring the migrations up to date first: {status.label} is {status.state}")
    if not dry_run:
        with closing(connected(connect, "connecting for seeds")) as connection:
            _run(connection, texts)
        _log.info("seeded", extra={"domain": domain, "files": len(texts)})
    return list(texts)


def _read(folder: Path) -> dict[Path, str]:
    files: list[Path] = []
    with suppress(OSError):
        files = [path for path in sql_folders.entries(folder) if sql_folders.is_sql(path)]
    if not files:
        raise MigrationError("there are no .sql files here", file=str(folder))
    texts: dict[Path, str] = {}
    for file in files:
        problem = "is not UTF-8"
        try:
            texts[file] = file.read_bytes().decode("utf-8-sig")
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            pass
        if file not in texts:
            # Outside the handlers, so that it carries no other error.
            raise MigrationError(problem, file=str(file))
        for problem, token in _lasting(texts[file]):
            raise MigrationError(problem, file=str(file), line=token.line)
    return texts


def _lasting(text: str) -> Iterator[tuple[str, Token]]:
    """Yield what would end the transaction that all files run in, or be felt by those after it."""
    for statement in split(text):
        yield from aftereffects.lasting(statement.tokens)


def _run(connection: psycopg.Connection[Any], texts: dict[Path, str]) -> None:
    with Session(connection).transaction() as session:
        migrate_queries().seed_configure(session, lock_timeout=_LOCK_TIMEOUT)
        for file, text in texts.items():
            failure = None
            try:
                # Unchanged: without parameters there are no placeholders, unprepared it may be several statements.
                connection.execute(text.encode(), prepare=False)
            except psycopg.Error as error:
                failure = _described(error, file, text)
            # Outside the handler: the driver's error may quote a row.
            if failure is not None:
                raise failure


def _described(error: psycopg.Error, file: Path, text: str) -> MigrationError:
    ours = translated(error, None)
    position = error.diag.statement_position
    line = text.count("\n", 0, int(position) - 1) + 1 if position else None
    return MigrationError(f"{ours}; nothing is changed", file=str(file), line=line, sqlstate=ours.sqlstate)
