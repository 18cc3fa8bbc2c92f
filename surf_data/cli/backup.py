"""``surf-data backup`` and ``surf-data restore``: the database in a file, and back."""

from pathlib import Path
from typing import Any

import attrs
import click
from rich.filesize import decimal

from surf_data import backup as backups
from surf_data.cli import output
from surf_data.cli.options import PathType
from surf_data.cli.programs import program_folders
from surf_data.cli.target import Target, json_option, pass_target

_file = click.argument("file", type=PathType(dir_okay=False))
_dry_run = click.option("--dry-run", is_flag=True, help="Check everything, say what would be done, and change nothing.")


@click.command
@_file
@click.option("--overwrite", is_flag=True, help="Replace FILE and FILE.json if they exist.")
@_dry_run
@json_option
@pass_target
def backup(target: Target, file: Path, *, overwrite: bool, dry_run: bool, as_json: bool) -> None:
    """Copy the database into FILE, with pg_dump.

    Everything is as at one moment, while others go on reading and writing. FILE is what pg_dump --format=custom makes,
    so pg_restore takes it, too; FILE.json beside it holds a checksum and the number of rows in each table, for
    "surf-data restore" to compare. Only their owner can read the two. They appear when they are complete.

    Settings and privileges of the database itself, and roles, are not in it. pg_dump is taken from PATH or from the
    embedded servers: the one of the server's version, else a newer one.
    """
    with target.database() as database:
        if dry_run:
            plan = backups.prepare_backup(database, file, folders=program_folders(), overwrite=overwrite)
            document = {"file": str(file), **attrs.asdict(plan), "pg_dump": str(plan.pg_dump)}
            sentence = (
                f"Would copy {plan.tables:,} tables of {plan.database} ({decimal(plan.size)} on the server) to {file} "
                f"with {plan.pg_dump}."
            )
        else:
            with output.steps() as on_step:
                made = backups.backup(database, file, folders=program_folders(), overwrite=overwrite, on_step=on_step)
            document = {"file": str(file), **made.to_dict()}
            sentence = f"Copied {_contents(made)} of {made.database} to {file} ({decimal(made.size)})."
    _answer(document, sentence, as_json=as_json)


@click.command
@_file
@click.option("--unverified", is_flag=True, help="Do without FILE.json: compare neither checksum nor numbers of rows.")
@click.option("--no-owner", is_flag=True, help="Let everything belong to the role that restores.")
@click.option("--no-privileges", is_flag=True, help="Grant nothing.")
@_dry_run
@json_option
@pass_target
def restore(
    target: Target,
    file: Path,
    *,
    unverified: bool,
    no_owner: bool,
    no_privileges: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Copy FILE into an empty database, with pg_restore.

    Nothing is done in a database that holds anything, nor with a FILE that is not as it was when it was made. All of
    it is restored in one transaction, or nothing. Then the rows of each table are counted, and a difference is an
    error that names the tables.

    Owners and privileges are restored, so the roles must exist.
    """
    with target.database() as database:
        if dry_run:
            done = backups.prepare_restore(database, file, folders=program_folders(), unverified=unverified)
        else:
            with output.steps() as on_step:
                done = backups.restore(
                    database,
                    file,
                    folders=program_folders(),
                    unverified=unverified,
                    owners=not no_owner,
                    privileges=not no_privileges,
                    on_step=on_step,
                )
    manifest = done.manifest
    document = {
        "file": str(file),
        "database": done.database,
        "server_version": done.server_version,
        "pg_restore": str(done.pg_restore),
        "manifest": None if manifest is None else manifest.to_dict(),
    }
    verb = "Would restore" if dry_run else "Restored"
    contents = f"{file}, unverified," if manifest is None else f"{_contents(manifest)} from {file}"
    _answer(document, f"{verb} {contents} into {done.database} with {done.pg_restore}.", as_json=as_json)


def _contents(manifest: backups.Manifest) -> str:
    return f"{len(manifest.rows):,} tables with {sum(manifest.rows.values()):,} rows"


def _answer(document: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        output.write_json(document)
    else:
        output.console().print(output.printable(sentence), soft_wrap=True)
