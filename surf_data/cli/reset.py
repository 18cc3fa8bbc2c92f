"""``surf-data seed`` and ``surf-data reset``: a domain's tables to try things with."""

import sys

import click

from surf_data import migrate
from surf_data.cli import output, tables
from surf_data.cli.folder import Choice, Folder, choice_options, folder_options
from surf_data.cli.target import Target, all_option, json_option
from surf_data.migrate import MigrationStatus


@click.command
@choice_options
@click.option("--dry-run", is_flag=True, help="Only check, and say which files would be run.")
@all_option
@json_option
def seed(target: Target, choice: Choice, /, *, every: bool, dry_run: bool, as_json: bool) -> None:
    """Fill the database with sample data.

    Runs the .sql files in the subfolder "seed" of the migrations in the order of their names, all of them in one
    transaction, after the migrations are applied. The files leave alone what they find, so a second time changes
    nothing.
    """
    names: list[str] = []
    for folder in choice.folders(target, every=every):
        if every and not (folder.path / "seed").is_dir():
            # Not every domain has sample data.
            continue
        with folder.open() as database:
            files = migrate.seed(database.connect, folder.path, folder.domain, dry_run=dry_run)
        names += [f"{folder.domain}/{file.name}" if every else file.name for file in files]
    if as_json:
        output.write_json({"files": names, "dry_run": dry_run})
        return
    for name in names:
        output.console().print(output.printable(f"{'would run' if dry_run else 'ran'} {name}"))


@click.command
@folder_options
@click.option("--yes", metavar="NAME", help="The name of the database, instead of typing it on the terminal.")
@click.option("--seed", "seeds", is_flag=True, help="Fill it with sample data, as surf-data seed.")
@click.option("--dry-run", is_flag=True, help="Only check, and say what would be done.")
@json_option
def reset(folder: Folder, /, *, yes: str | None, seeds: bool, dry_run: bool, as_json: bool) -> None:
    """Delete all that a domain has in the database, and apply its migrations anew.

    Asks for the name of the database; where there is no terminal, --yes has to give it. A domain with schemas of its
    own has them dropped, in one transaction with its history; of one in the schema public the migrations are reverted,
    the last one first. Nothing else in the database is touched: where something of another schema depends on what is to
    be dropped, nothing is done. Roles and privileges of the database stay.
    """
    applied: list[MigrationStatus] = []
    pending = migrate.read_folder(folder.path)
    with folder.open() as database:
        name = str(database.connection_info()["database"])
        if dry_run:
            migrate.check_reset(database.connect, folder.schemas)
        else:
            if (_asked(folder.domain, name) if yes is None else yes) != name:
                option = "" if yes is None else "--yes: "
                raise click.UsageError(f"{option}that is not the name of the database; nothing was done")
            applied = migrate.reset(database.connect, folder.path, folder.domain, folder.schemas, seeds=seeds)
    if as_json:
        shown = [{"number": each.number, "name": each.name} for each in pending]
        output.write_json({"database": name, "domain": folder.domain, "dry_run": dry_run, "migrations": shown})
        return
    console = output.console()
    for each in applied:
        console.print(f"applied {each.label} in {tables.duration(each.duration)}")
    planned = f"Would reset {folder.domain} in the database {name}, with {len(pending):,} migrations."
    console.print(output.printable(planned if dry_run else f"Reset {folder.domain} in the database {name}."))


def _asked(domain: str, name: str) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("--yes NAME is needed where there is no terminal to ask on")
    question = output.printable(f"This deletes all that {domain} has in {name}. Type the database's name")
    try:
        return str(click.prompt(question, default="", show_default=False, err=True))
    except click.Abort:
        # The end of the input.
        return ""
