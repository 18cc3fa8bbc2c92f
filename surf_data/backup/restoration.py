"""Restores a backup: all of it into an empty database, or nothing."""

from collections.abc import Callable, Iterable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

import attrs

from surf_data.backup.contents import count_rows, snapshot
from surf_data.backup.manifest import Manifest, Table, digest, read_manifest
from surf_data.backup.program import Place, Program, find_program
from surf_data.backup.progress import Progress, Step
from surf_data.backup.queries import backup_queries
from surf_data.errors import BackupError
from surf_data.kernel import validation
from surf_data.kernel.postgres import DatabaseManager

# How many of the differences or obstacles a message names.
_NAMED = 5


@attrs.frozen(kw_only=True)
class Restore:
    """What a restore has done, or would do."""

    #: The name of the database.
    database: str
    #: Its server's version, as ``server_version_num`` has it: 180004 is 18.4.
    server_version: int
    #: The pg_restore that fits both.
    pg_restore: Path
    #: What is known of the backup; ``None`` when nothing is verified.
    manifest: Manifest | None


def prepare_restore(
    database: DatabaseManager, file: Path, *, folders: Iterable[Path] = (), unverified: bool = False
) -> Restore:
    """Return what `restore` would do, after the same checks; nothing is changed.

    Raises:
        BackupError: `restore` would refuse.
        DatabaseError: the server cannot be reached or refuses.
    """
    with _opened(file) as opened:
        return _prepare(database, file, opened, folders, unverified=unverified)[0]


def restore(
    database: DatabaseManager,
    file: Path,
    *,
    folders: Iterable[Path] = (),
    unverified: bool = False,
    owners: bool = True,
    privileges: bool = True,
    on_step: Callable[[Step], object] | None = None,
) -> Restore:
    """Copy a backup into an empty database in one transaction, then count the rows of every table.

    Arguments:
        database: where to. Its role has to be allowed to make all that the backup holds.
        file: a file that `backup` has made, or ``pg_dump --format=custom``.
        folders: where to look for a pg_restore of the right version after ``PATH``.
        unverified: whether to do without the manifest, and so without the checksum before and the counts after.
        owners: whether objects go to the roles that owned them, which must exist; else all go to this role.
        privileges: whether to grant what was granted, to roles which must exist.
        on_step: called when the work on a table begins. What it raises ends the work.

    Returns:
        What was done.

    Raises:
        BackupError: the database is not empty, the file is not the one of the manifest or there is none, pg_restore is
            missing or failed; the database is as it was. Or the tables have other numbers of rows than they had; then
            it is restored, and the message names the tables.
        DatabaseError: the server cannot be reached or refuses.
    """
    with _opened(file) as opened:
        prepared, program, place = _prepare(database, file, opened, folders, unverified=unverified)
        rows = None if prepared.manifest is None else prepared.manifest.rows
        progress = Progress(None if rows is None else len(rows), on_step)
        arguments = ["--exit-on-error", "--single-transaction"]
        arguments += [] if owners else ["--no-owner"]
        arguments += [] if privileges else ["--no-privileges"]
        program.run(place, arguments, lambda table: progress.step("restoring", table), stdin=opened)
    if rows is not None:
        _verify(database, rows, progress)
    return prepared


def _opened(file: Path) -> FileIO:
    try:
        return validation.path("file", file).open("rb", buffering=0)
    except OSError as error:
        problem = BackupError(f"cannot be read: {error.strerror}", file=str(file))
    # Outside the handler, so that it carries no other error.
    raise problem


def _prepare(
    database: DatabaseManager, file: Path, opened: FileIO, folders: Iterable[Path], *, unverified: bool
) -> tuple[Restore, Program, Place]:
    manifest = None if unverified else read_manifest(file)
    with snapshot(database) as (connection, session):
        state = backup_queries().database_state(session)
        objects = backup_queries().object_list(session, at_most=_NAMED)
        place = Place.of(database, connection)
    if objects:
        named = ", ".join(description or "what is just being dropped" for (description,) in objects)
        raise BackupError(f"the database {state.name} is not empty: it has {named}")
    if manifest is not None and (manifest.size, manifest.sha256) != _digest(file, opened):
        raise BackupError("is not as it was when the backup was made", file=str(file))
    # Whatever wrote the file, an older program cannot read it.
    version = state.major if manifest is None else max(state.major, manifest.pg_dump_version)
    program = find_program("pg_restore", version, folders)
    prepared = Restore(database=state.name, server_version=state.version, pg_restore=program.path, manifest=manifest)
    return prepared, program, place


def _digest(file: Path, opened: FileIO) -> tuple[int, str]:
    try:
        return digest(opened)
    except OSError as error:
        problem = BackupError(f"cannot be read: {error.strerror}", file=str(file))
    raise problem


def _verify(database: DatabaseManager, expected: Mapping[Table, int], progress: Progress) -> None:
    with snapshot(database) as (connection, session):
        tables: list[Table] = backup_queries().table_list(session)
        found: dict[Table, Any] = dict.fromkeys(expected, "missing")
        found |= count_rows(connection, tables, progress)
    differences = [
        f"{table} ({found[table]} instead of {expected.get(table, 'no table')})"
        for table in sorted(found)
        if found[table] != expected.get(table)
    ]
    if differences:
        more = f" and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
        raise BackupError(
            "the backup is restored, but these tables have other numbers of rows than when it was made: "
            f"{', '.join(differences[:_NAMED])}{more}"
        )
