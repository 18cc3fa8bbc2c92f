"""``surf-data seed`` and ``surf-data reset``: a database to try things with."""

import sys

import click

from surf_data import migrate
from surf_data.cli import output, tables
from surf_data.cli.folder import Folder, folder_options
from surf_data.cli.target import json_option
from surf_data.migrate import MigrationStatus


@click.command
@folder_options
@click.option("--dry-run", is_flag=True, help="Only check, and say which files would be run.")
@json_option
def seed(folder: Folder, /, *, dry_run: bool, as_json: bool) -> None:
    """Fill the database with sample data.

    Runs the .sql files in the subfolder "seed" of the migrations in the order of their names, all of them in one
    transaction, after the migrations are applied. The files leave alone what they find, so a second time changes
    nothing.
    """
    with folder.target.open() as data:
        files = migrate.seed(data.database.connect, folder.path, folder.domain, dry_run=dry_run)
    names = [file.name for file in files]
    if as_json:
        output.write_json({"files": names, "dry_run": dry_run})
        return
    for name in names:
        output.console().print(output.printable(f"{'would run' if dry_run else 'ran'} {name}"))


@click.command
@folder_options
@click.option("--yes", metavar="NAME", help="The name of the database, instead of typing it on the terminal.")
@click.option("--seed", "seeds", is_flag=True, help="Fill it with sample data, as surf-data seed.")
@click.option("--force", is_flag=True, help="End the sessions of others.")
@click.option("--dry-run", is_flag=True, help="Only check, and say what would be done.")
@json_option
def reset(folder: Folder, /, *, yes: str | None, seeds: bool, force: bool, dry_run: bool, as_json: bool) -> None:
    """Delete all that is in the database, and apply the migrations.

    Asks for the name of the database; where there is no terminal, --yes has to give it. The new database is made and
    migrated beside the old one and then takes its place, so whatever fails leaves the old one as it was. Owner,
    encoding, locale, privileges and settings of the database stay.

    Refused while others are connected, and for the databases of the server itself.
    """
    applied: list[MigrationStatus] = []
    pending = migrate.read_folder(folder.path)
    with folder.target.open() as data:
        name = migrate.prepare_reset(data.database.connect, force=force).name
        if not dry_run:
            if (_asked(name) if yes is None else yes) != name:
                raise click.UsageError("that is not the name of the database; nothing was done")
            applied = migrate.reset(
                data.database.connect, folder.path, folder.domain, name=name, seeds=seeds, force=force
            )
    if as_json:
        shown = [{"number": each.number, "name": each.name} for each in pending]
        output.write_json({"database": name, "dry_run": dry_run, "migrations": shown})
        return
    console = output.console()
    for each in applied:
        console.print(f"applied {each.label} in {tables.duration(each.duration)}")
    planned = f"Would reset the database {name}, with {len(pending):,} migrations."
    console.print(output.printable(planned if dry_run else f"Reset the database {name}."))


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("--yes NAME is needed where there is no terminal to ask on")
    question = output.printable(f"This deletes all that is in {name}. Type its name")
    try:
        return str(click.prompt(question, default="", show_default=False, err=True))
    except click.Abort:
        # The end of the input.
        return ""
