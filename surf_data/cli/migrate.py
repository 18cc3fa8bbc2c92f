"""``surf-data migrate``: bring the database's schema up to date or back, and see where it stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import click

from surf_data.cli import output, tables
from surf_data.cli.folder import Choice, Folder, choice_options, folder_options
from surf_data.cli.options import PathType, with_options
from surf_data.cli.target import Target, all_option, json_option
from surf_data.migrate import MigrationStatus, new_file

P = ParamSpec("P")
R = TypeVar("R")

_VERBS = {"applied": "apply", "reverted": "revert", "recorded": "record"}


def limit_options(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that runs migrations the options of how long it may wait and work."""
    return with_options(
        command,
        json_option,
        dry_run_option,
        lock_options,
        click.option(
            "--statement-timeout",
            type=click.FloatRange(0),
            default=0.0,
            metavar="SECONDS",
            help="How long a statement may work.  [default: without limit]",
        ),
        click.option(
            "--attempts",
            type=click.IntRange(1, 100),
            default=5,
            show_default=True,
            help="How many times to try a migration that cannot have a lock, or loses a deadlock.",
        ),
    )


def lock_options(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that runs alone the options of how long it waits for locks."""
    return with_options(
        command,
        click.option(
            "--lock-wait",
            type=click.FloatRange(0),
            default=60.0,
            show_default=True,
            metavar="SECONDS",
            help="How long to wait for another run to end.",
        ),
        click.option(
            "--lock-timeout",
            type=click.FloatRange(0.001),
            default=3.0,
            show_default=True,
            metavar="SECONDS",
            help="How long to wait for a lock on a table while others queue behind.",
        ),
    )


def dry_run_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that changes something the option ``--dry-run``."""
    return click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")(command)


@click.group(name="migrate")
@choice_options
def migrate_group(_target: Target, choice: Choice, /) -> None:
    """Bring the schema up to date or back, and see where it stands."""
    click.get_current_context().obj = choice


@migrate_group.command
@click.option("--to", type=int, metavar="N", help="The number of the last one to apply.  [default: the last]")
@limit_options
@all_option
@choice_options
def up(
    target: Target, choice: Choice, /, *, to: int | None, every: bool, as_json: bool, dry_run: bool, **limits: Any
) -> None:
    """Apply the pending migrations, in order.

    Each is applied in one transaction with its record, or, where it is marked transaction:false, one statement after
    another. When one fails, the ones before it stay applied; the next run goes on where this one stopped.
    """
    for folder in choice.folders(target, every=every):
        report = _Report("applied", as_json=as_json, dry_run=dry_run, domain=folder.domain if every else None)
        with folder.runner(**limits) as runner, report:
            report.finish(runner.up(to, report.add, dry_run=dry_run))


@migrate_group.command
@click.option("--to", type=int, required=True, metavar="N", help="The last one that stays applied; 0 reverts all.")
@limit_options
@folder_options
def down(folder: Folder, /, *, to: int, as_json: bool, dry_run: bool, **limits: Any) -> None:
    """Revert the applied migrations above a number, the last one first."""
    with folder.runner(**limits) as runner, _Report("reverted", as_json=as_json, dry_run=dry_run) as report:
        report.finish(runner.down(to, report.add, dry_run=dry_run))


@migrate_group.command
@click.argument("number", type=int)
@dry_run_option
@json_option
@folder_options
def baseline(folder: Folder, *, number: int, as_json: bool, dry_run: bool) -> None:
    """Record the migrations up to NUMBER as applied without running them.

    For a database that has what they make, but no history. "migrate verify --to NUMBER" shows whether it has.
    """
    with folder.runner() as runner, _Report("recorded", as_json=as_json, dry_run=dry_run) as report:
        recorded = runner.baseline(number, dry_run=dry_run)
        for status in [] if dry_run else recorded:
            report.add(status)
        report.finish(recorded)


@migrate_group.command
@click.argument("file", type=PathType())
@dry_run_option
@json_option
@folder_options
def repair(folder: Folder, *, file: Path, as_json: bool, dry_run: bool) -> None:
    """Accept FILE as it is now, after it was edited or renamed. Nothing of it is run."""
    with folder.runner() as runner:
        before = runner.repair(file, dry_run=dry_run)
    differs = before.state in {"edited", "renamed"}
    if as_json:
        output.write_json({"accepted": [document(before)] if differs else [], "dry_run": dry_run})
    elif not differs:
        output.console().print(f"{before.label} is as it was applied. There is nothing to accept.")
    else:
        output.console().print(f"{'would accept' if dry_run else 'accepted'} {before.label}, which was {before.state}")


@migrate_group.command
@click.option("--check", is_flag=True, help="Exit with 1 unless every migration is applied as its file is.")
@all_option
@json_option
@choice_options
def status(target: Target, choice: Choice, /, *, check: bool, every: bool, as_json: bool) -> None:
    """Show every migration and whether it is applied."""
    found: dict[str, list[MigrationStatus]] = {}
    for folder in choice.folders(target, every=every):
        with folder.runner() as runner:
            found[folder.domain] = runner.status()
    if as_json:
        documents = {name: [document(status) for status in statuses] for name, statuses in found.items()}
        output.write_json(documents if every else next(iter(documents.values())))
    else:
        shown = [tables.migrations(statuses, name if every else None) for name, statuses in found.items()]
        output.console().print(tables.stacked(shown))
    states = {status.state for statuses in found.values() for status in statuses}
    click.get_current_context().exit(1 if check and states != {"applied"} else 0)


@migrate_group.command
@click.argument("name")
@dry_run_option
@folder_options
def new(folder: Folder, *, name: str, dry_run: bool) -> None:
    """Write the next file, NNNN_NAME.sql, for you to fill in.

    NAME says what it changes, in the letters a to z, digits and underscores; it begins with pre_ when running code must
    go on working with it, with post_ when the code before it need not.
    """
    path = new_file(folder.path, name, dry_run=dry_run)
    output.console().print(f"{'would write' if dry_run else 'wrote'} {path}")


class _Report:
    """Reports each migration when it is done, and all of them at the end, also after a failure."""

    def __init__(self, done: str, *, as_json: bool, dry_run: bool, domain: str | None = None) -> None:
        self._done = done
        self._domain = domain
        self._as_json = as_json
        self._dry_run = dry_run
        self._statuses: list[MigrationStatus] = []
        self._label = f"{domain}: " if domain else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._as_json:
            documents = [document(status) for status in self._statuses]
            named = {} if self._domain is None else {"domain": self._domain}
            output.write_json({**named, self._done: documents, "dry_run": self._dry_run})

    def add(self, status: MigrationStatus) -> None:
        """Report one."""
        self._statuses.append(status)
        if not self._as_json:
            took = f" in {tables.duration(status.duration)}" if self._done == "applied" else ""
            output.console().print(f"{self._label}{self._done} {status.label}{took}")

    def finish(self, statuses: list[MigrationStatus]) -> None:
        """Report what a dry run has found, or that there was nothing."""
        if self._dry_run:
            self._statuses = statuses
        if self._as_json:
            return
        for status in statuses if self._dry_run else []:
            output.console().print(f"{self._label}would be {self._done}: {status.label}")
        if not statuses:
            output.console().print(f"{self._label}There is nothing to {_VERBS[self._done]}.")


def document(status: MigrationStatus) -> dict[str, Any]:
    """Return ``status`` for JSON."""
    return {
        "number": status.number,
        "name": status.name,
        "state": status.state,
        "applied_at": status.applied_at,
        "duration_ms": None if status.duration is None else status.duration.total_seconds() * 1000,
        "unfinished": status.unfinished,
        "statements_done": status.statements_done,
    }
