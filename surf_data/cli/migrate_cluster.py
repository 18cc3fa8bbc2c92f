"""``surf-data migrate distribute`` and ``undistribute``: spread tables over a cluster, and take them back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from surf_data.cli import output
from surf_data.cli.folder import Folder, folder_options
from surf_data.cli.migrate import dry_run_option, lock_options
from surf_data.cli.options import PathType, with_options
from surf_data.cli.target import json_option
from surf_data.errors import MigrationError
from surf_data.kernel.postgres import DatabaseManager
from surf_data.migrate import Distribution, Placement, Runner, TablePlacement
from surf_data.review import read_scale
from surf_data.review.planning.scale import FILE_NAME


def _options(command: Callable[..., None]) -> Callable[..., None]:
    return with_options(
        command,
        click.option(
            "--scale",
            "scale_file",
            metavar="FILE",
            type=PathType(exists=True, dir_okay=False),
            help=f"Where the tables belong.  [default: {FILE_NAME} in the folder of migrations]",
        ),
        lock_options,
        dry_run_option,
        json_option,
        folder_options,
    )


@click.command
@_options
def distribute(folder: Folder, *, scale_file: Path | None, dry_run: bool, as_json: bool, **limits: Any) -> None:
    """Spread the tables over the nodes of a Citus cluster, as scale.toml declares.

    The database is on the coordinator, has the extension, and every migration is applied. What stands in the way is
    said before anything is done. Each table is spread in one transaction with its record: those that all need first,
    then the others, parents before those that refer to them. The next run goes on where one was interrupted.

    While a table is spread, writes to it wait. Nothing is spread that is spread already.
    """
    placements = _placements(folder, scale_file)
    with folder.open() as database:
        _check_applied(folder, database)
        spread = Distribution(database.connect, placements, folder.domain, **limits)
        done = spread.distribute(_told("spread", quiet=as_json), dry_run=dry_run)
    _finish("spread", done, dry_run=dry_run, as_json=as_json)


@click.command
@_options
def undistribute(folder: Folder, *, scale_file: Path | None, dry_run: bool, as_json: bool, **limits: Any) -> None:
    """Take the tables back from a Citus cluster to its coordinator, in one transaction.

    While that is done, reads and writes of the tables wait. The coordinator needs the room for all rows.
    """
    placements = _placements(folder, scale_file)
    with folder.open() as database:
        spread = Distribution(database.connect, placements, folder.domain, **limits)
        done = spread.undistribute(_told("taken back", quiet=as_json), dry_run=dry_run)
    _finish("taken back", done, dry_run=dry_run, as_json=as_json)


def _placements(folder: Folder, scale_file: Path | None) -> dict[str, Placement]:
    path = scale_file or folder.path / FILE_NAME
    placements = read_scale(path).placements()
    if not any(each.column or each.is_reference for each in placements.values()):
        raise click.UsageError(f"{path} declares no table that is to be spread: distribute or reference")
    return placements


def _check_applied(folder: Folder, database: DatabaseManager) -> None:
    statuses = Runner(database.connect, folder.path, folder.domain).status()
    if waiting := [status.label for status in statuses if status.state != "applied"]:
        raise MigrationError(f"{waiting[0]} is not applied as its file is: surf-data migrate status")


def _told(done: str, *, quiet: bool) -> Callable[[TablePlacement], None]:
    def told(each: TablePlacement) -> None:
        if not quiet:
            output.console().print(f"{done}: {each.label}")

    return told


def _finish(done: str, tables: list[TablePlacement], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        key = "undistributed" if done == "taken back" else "distributed"
        documents = [
            {
                "table": each.table,
                "column": each.placement.column,
                "beside": each.placement.beside,
                "reference": each.placement.is_reference,
            }
            for each in tables
        ]
        output.write_json({key: documents, "dry_run": dry_run})
        return
    for each in tables if dry_run else ():
        output.console().print(f"would be {done}: {each.label}")
    if not tables:
        output.console().print(f"There is no table to be {done}.")
