"""``surf-data screenshot``: the scripts of the application: its database, cache, storage, audit log and sessions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import click

from surf_data import migrate, screenshot
from surf_data.cli import output, tables
from surf_data.cli.screenshot_database import create_database
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.kernel import resources
from surf_data.kernel.postgres import DatabaseManager
from surf_data.screenshot import DOMAIN

_FOLDER = resources.migrations_folder(DOMAIN)


@contextmanager
def _database(target: Target) -> Iterator[DatabaseManager]:
    # Where the application's own variables (DB_HOST, ...) say it is.
    with target.open(screenshot.open, pool_min_size=0) as data:
        yield data.database


@click.group(name="screenshot")
def group() -> None:
    """Look after the database, cache, storage and audit log of the screenshot application."""


@group.group
def database() -> None:
    """Create, migrate, seed and reset the database."""


@database.command
@click.argument("name")
@pass_target
def create(target: Target, *, name: str) -> None:
    """Create the database NAME on the server, if it is missing. No extension is needed."""
    with _database(target) as opened:
        made = create_database(opened, name)
    output.console().print(output.printable(f"{'Created' if made else 'There is already'} the database {name}."))


@database.command(name="migrate")
@pass_target
def migrate_up(target: Target) -> None:
    """Apply the migrations that are missing, as ``surf-data migrate up --domain screenshot``."""
    with _database(target) as opened:
        applied = migrate.Runner(opened.connect, _FOLDER, DOMAIN.name).up()
    _print_applied(applied)


@database.command
@pass_target
def seed(target: Target) -> None:
    """Add sample data, as ``surf-data seed --domain screenshot``."""
    with _database(target) as opened:
        files = migrate.seed(opened.connect, _FOLDER, DOMAIN.name)
    for file in files:
        output.console().print(output.printable(f"ran {file.name}"))


@database.command
@click.option("--yes", metavar="NAME", required=True, help="The name of the database.")
@click.option("--seed", "seeds", is_flag=True, help="Add sample data.")
@pass_target
def reset(target: Target, *, yes: str, seeds: bool) -> None:
    """Delete all that the application has in the database, and apply the migrations anew."""
    with _database(target) as opened:
        if opened.connection_info()["database"] != yes:
            raise click.UsageError("--yes: that is not the name of the database; nothing was done")
        applied = migrate.reset(opened.connect, _FOLDER, DOMAIN.name, DOMAIN.schemas, seeds=seeds)
    _print_applied(applied)


@group.group
def cache() -> None:
    """Empty the cache."""


@cache.command
@pass_target
def flush(target: Target) -> None:
    """Delete all keys of the application, sessions included, and no others."""
    with target.open_for_bulk(screenshot.open) as data:
        deleted = data.cache.flush()
        answered = data.cache.health()
    output.console().print(f"Deleted {deleted:,} keys." if answered else "Redis does not answer.")
    if not answered:
        raise click.exceptions.Exit(1)


@group.group
def storage() -> None:
    """Initialize, check and clean object storage."""


@storage.command
@pass_target
def init(target: Target) -> None:
    """Create the folder, bucket or container if it is missing, and try it out."""
    with target.open(screenshot.open, pool_min_size=0) as data:
        made = data.storage.initialize()
        data.storage.check()
        place = data.storage.stats()["place"]
    output.console().print(output.printable(f"{'Created' if made else 'There is already'} {place}; it works."))


@storage.command
@pass_target
def check(target: Target) -> None:
    """Write, read and delete an object."""
    with target.open(screenshot.open, pool_min_size=0) as data:
        data.storage.check()
        place = data.storage.stats()["place"]
    output.console().print(output.printable(f"{place} works."))


@storage.command
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--force", is_flag=True, help="Go on where most objects have no row.")
@json_option
@pass_target
def clean(target: Target, *, dry_run: bool, force: bool, as_json: bool) -> None:
    """Remove what was released, has expired or was never finished, and objects without a row."""
    with target.open(screenshot.open, pool_min_size=1) as data:
        found = data.storage.cleanup(dry_run=dry_run, force=force)
    _print("what", "how many", attrs.asdict(found), as_json=as_json)


@storage.command
@click.argument("prefix", default="")
@pass_target
def adopt(target: Target, *, prefix: str) -> None:
    """Note objects below PREFIX that another program has stored, each under its key as its path."""
    with target.open(screenshot.open, pool_min_size=1) as data:
        adopted = data.storage.adopt(prefix)
    output.console().print(f"Adopted {adopted:,} objects.")


@storage.command
@json_option
@pass_target
def usage(target: Target, *, as_json: bool) -> None:
    """Show how many objects are stored, and of how many bytes."""
    with target.open(screenshot.open, pool_min_size=1) as data:
        used = data.storage.usage()
    _print("what", "how much", attrs.asdict(used), as_json=as_json)


@group.group
def audit() -> None:
    """Seal the audit log, and compare it with its seals."""


@audit.command
@click.option("--days", type=click.IntRange(1, 36_500), default=7, show_default=True, help="How far back to look.")
@pass_target
def seal(target: Target, *, days: int) -> None:
    """Seal the hours that have ended. Nightly maintenance does it, too."""
    with target.open(screenshot.open, pool_min_size=1) as data:
        sealed = data.audit.seal(days)
    output.console().print(f"Sealed {sealed:,} entries.")


@audit.command
@click.option("--days", type=click.IntRange(1, 36_500), default=730, show_default=True, help="How far back to look.")
@json_option
@pass_target
def verify(target: Target, *, days: int, as_json: bool) -> None:
    """Compare the log with its seals; exits with 1 and names the first entry if one was changed or removed."""
    with target.open(screenshot.open, pool_min_size=1) as data:
        found = data.audit.verify(days)
    shown = {
        "seals": found.seals,
        "entries": found.entries,
        "unsealed": found.unsealed,
        "first": None if found.first is None else str(found.first),
        "anchor": found.anchor,
    }
    _print("what", "found", shown, as_json=as_json)
    if not found.ok:
        raise click.exceptions.Exit(1)


@group.group
def sessions() -> None:
    """Tidy up sessions."""


@sessions.command
@click.option("--days", type=click.IntRange(0, 36_500), default=30, show_default=True, help="How long ago they ended.")
@pass_target
def purge(target: Target, *, days: int) -> None:
    """Mark sessions whose time is up as expired, and delete those that ended long ago."""
    expired = purged = 0
    with target.open(screenshot.open, pool_min_size=1) as data:
        while count := data.sessions.expire():
            expired += count
        while count := data.sessions.purge(days):
            purged += count
    output.console().print(f"Marked {expired:,} sessions as expired, deleted {purged:,}.")


@group.command
@click.option("--days", type=click.IntRange(0, 36_500), default=30, show_default=True, help="How long ago.")
@pass_target
def purge_projects(target: Target, *, days: int) -> None:
    """Remove projects that were deleted long ago, with their codes and images."""
    purged = 0
    with target.open(screenshot.open, pool_min_size=1) as data:
        while count := data.projects.purge_deleted(days):
            purged += count
    output.console().print(f"Removed {purged:,} projects.")


def _print_applied(applied: Sequence[Any]) -> None:
    console = output.console()
    for each in applied:
        console.print(f"applied {each.label} in {tables.duration(each.duration)}")
    if not applied:
        console.print("Nothing to apply.")


def _print(name: str, value: str, shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.write_json(shown)
        return
    rows = [(key, _text(each)) for key, each in shown.items()]
    output.console().print(tables.table(name, value, rows=rows, right=set(), whole={name}))


def _text(value: object) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
