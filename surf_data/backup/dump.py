"""Makes a backup: one snapshot of the database, dumped by pg_dump and counted by us."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import psycopg

from surf_data.backup.contents import LOCK_SECONDS, count_rows, lock, snapshot
from surf_data.backup.file import check_free, draft
from surf_data.backup.manifest import Manifest, Table, digest
from surf_data.backup.program import Place, Program, find_program
from surf_data.backup.progress import Progress, Step
from surf_data.backup.queries import backup_queries
from surf_data.backup.rows import State
from surf_data.errors import BackupError
from surf_data.kernel.postgres import DatabaseManager, Session


@attrs.frozen(kw_only=True)
class Backup:
    """What a backup would do."""

    #: The name of the database.
    database: str
    #: The server's version, as ``server_version_num`` has it: 180004 is 18.4.
    server_version: int
    #: The size of the database on the server's disk in bytes; a backup is mostly much smaller.
    size: int
    #: The pg_dump that would be run.
    pg_dump: Path
    #: How many tables there are.
    tables: int


def prepare_backup(
    database: DatabaseManager, file: Path, *, folders: Iterable[Path] = (), overwrite: bool = False
) -> Backup:
    """Return what `backup` would do, after the same checks; nothing is changed.

    Raises:
        BackupError: `backup` would refuse.
        DatabaseError: the server cannot be reached or refuses.
    """
    check_free(file, overwrite=overwrite)
    with snapshot(database) as (connection, session):
        state, tables, pg_dump = _begin(connection, session, folders)
    return Backup(
        database=state.name,
        server_version=state.version,
        size=state.size,
        pg_dump=pg_dump.path,
        tables=len(tables),
    )


def backup(
    database: DatabaseManager,
    file: Path,
    *,
    folders: Iterable[Path] = (),
    overwrite: bool = False,
    on_step: Callable[[Step], object] | None = None,
) -> Manifest:
    """Copy the database into a file, which pg_restore reads, too, and put its manifest beside it as ``FILE.json``.

    Both are for the eyes of their owner alone. They get their names when all is on the disk; whatever ends the work
    before leaves nothing under these names.

    Arguments:
        database: what to copy. Every row must be visible to its role.
        file: where to.
        folders: where to look for a pg_dump of the server's version, or else a newer one, after ``PATH``.
        overwrite: whether files of these names may be replaced.
        on_step: called when the work on a table begins. What it raises ends the work.

    Returns:
        The manifest.

    Raises:
        BackupError: the files exist, they cannot be written, or pg_dump is missing or failed.
        DatabaseError: the server cannot be reached, refuses, or another session holds a lock on a table.
    """
    check_free(file, overwrite=overwrite)
    try:
        with draft(file, overwrite=overwrite) as begun, snapshot(database) as (connection, session):
            state, tables, pg_dump = _begin(connection, session, folders)
            progress = Progress(len(tables), on_step)
            created_at = datetime.now(UTC)
            pg_dump.run(
                Place.of(database, connection),
                [
                    "--format=custom",
                    f"--snapshot={backup_queries().snapshot_export(session)}",
                    # A session that waits for a stronger lock than ours stands between us and pg_dump's.
                    f"--lock-wait-timeout={LOCK_SECONDS * 1000}",
                ],
                lambda table: progress.step("dumping", table),
                stdout=begun.opened,
            )
            rows = count_rows(connection, tables, progress)
            size, sha256 = digest(begun.opened)
            manifest = Manifest(
                created_at=created_at,
                database=state.name,
                server_version=state.version,
                pg_dump_version=pg_dump.version,
                size=size,
                sha256=sha256,
                rows=rows,
            )
            begun.publish(manifest)
            return manifest
    except OSError as error:
        problem = BackupError(f"cannot be written: {error.strerror}", file=str(file))
    # Outside the handler, so that it carries no other error.
    raise problem


def _begin(
    connection: psycopg.Connection[Any], session: Session, folders: Iterable[Path]
) -> tuple[State, list[Table], Program]:
    """Return what there is and what dumps it; the tables stay as they are until the transaction ends."""
    state = backup_queries().database_state(session)
    tables = backup_queries().table_list(session)
    lock(connection, tables)
    return state, tables, find_program("pg_dump", state.major, folders)
