"""``surf-data migrate plan`` and ``verify``: what migrations would do, and whether a database is what they make."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

import attrs
import click

from surf_data.cli import output
from surf_data.cli.folder import Folder, folder_options
from surf_data.cli.scratch_server import scratch_option, scratch_server
from surf_data.cli.target import json_option
from surf_data.errors import MigrationError, ValidationError
from surf_data.kernel.postgres import DatabaseManager
from surf_data.migrate import (
    Difference,
    Migration,
    MigrationEffect,
    MigrationStatus,
    Runner,
    StatementEffect,
    TableEffect,
    measure_locks,
    read_folder,
)
from surf_data.migrate import verify as verified

_STYLES = {"-": "red", "+": "green"}
# What stands below a statement is moved to the right, beyond its line's number.
_BELOW: Any = {"initial_indent": " " * 7, "subsequent_indent": " " * 7, "break_long_words": False}
# What a database must have been brought to by its file; of one that has changed since, the difference will show.
_RUN = frozenset({"applied", "edited", "renamed"})


@click.command
@click.option(
    "--to",
    type=click.IntRange(0),
    metavar="N",
    help="Compare with the files up to this one, whatever the history says; before a baseline.",
)
@scratch_option
@json_option
@folder_options
@click.pass_context
def verify(context: click.Context, folder: Folder, *, to: int | None, scratch: str | None, as_json: bool) -> None:
    """Compare the database with what its migrations make of an empty one.

    The files that were applied are replayed into a database that is made for it and dropped, and the catalogs of the
    two are compared. The database itself is only read, and any role may ask that can read the history.

    Lines with - are in the database alone, lines with + only in what the migrations make. Exits with 1 when there are
    any, when a migration is not applied, or when a file is not as it was applied.
    """
    with folder.open() as database, output.working("reading the history") as on_progress:
        migrations = read_folder(folder.path)
        if to is not None and to > len(migrations):
            raise MigrationError(f"there is no migration {to:04d}", file=str(folder.path))
        statuses = Runner(database.connect, folder.path, folder.domain).status()
        run = {status.number for status in statuses if status.state in _RUN} if to is None else range(to + 1)
        replayed = [migration for migration in migrations if migration.number in run]
        problems = [status for status in statuses if _is_problem(status, to)]
        if not as_json:
            # At once: what is wrong with a file may also be why it cannot be replayed.
            for status in problems:
                output.console().print(f"{status.label} is {status.state}", style="yellow")
        replayed = [*_in_order(folder, database, replayed)]
        with scratch_server(scratch, database, replayed, on_progress) as server:
            found = verified(
                database.connect,
                server,
                replayed,
                lambda migration: on_progress(f"replaying {migration.label}"),
            )
    if as_json:
        output.write_json(
            {
                "problems": [
                    {"number": status.number, "name": status.name, "state": status.state} for status in problems
                ],
                "differences": [attrs.asdict(difference) for difference in found],
            }
        )
    else:
        _show(found)
    context.exit(1 if problems or found else 0)


@click.command
@click.option("--to", type=int, metavar="N", help="The number of the last one to apply.  [default: the last]")
@click.option("--sql", is_flag=True, help="Show what would be sent.")
@click.option("--locks", is_flag=True, help="Show which locks each statement takes, and what it does to whole tables.")
@scratch_option
@json_option
@folder_options
def plan(folder: Folder, *, to: int | None, sql: bool, locks: bool, scratch: str | None, as_json: bool) -> None:
    """Show what "migrate up" would do, and change nothing.

    With --locks each statement is tried in an empty database with the same schema, which is made for it and dropped.
    What is shown is measured there: which locks a statement takes beyond those that its transaction has, until its
    end; and whether it writes a table anew, reads it from end to end or builds its indexes, which takes the longer
    the larger it is. A statement that cannot run in a transaction has its lock from PostgreSQL's manual.
    """
    with folder.open() as database, output.working("reading the history") as on_progress:
        runner = Runner(database.connect, folder.path, folder.domain)
        statuses = runner.up(to, dry_run=True)
        files = {migration.number: migration for migration in read_folder(folder.path)}
        pending = [(files[status.number], status.statements_done) for status in statuses]
        effects: list[MigrationEffect] = []
        if locks and pending:
            own = [files[status.number] for status in runner.status() if status.state == "applied"]
            applied = [*_in_order(folder, database, own)]
            with scratch_server(scratch, database, applied, on_progress) as server:
                effects = measure_locks(
                    database.connect,
                    server,
                    applied,
                    pending,
                    lambda migration: on_progress(f"trying {migration.label}"),
                )
    statements = {effect.migration.number: effect.statements for effect in effects}
    if as_json:
        documents = [_document(*each, sql=sql, statements=statements.get(each[0].number)) for each in pending]
        output.write_json({"pending": documents})
        return
    console = output.console()
    for migration, done in pending:
        console.print(f"{migration.label}, {_manner(migration, done)}", style="bold")
        if sql:
            for part in migration.up.parts[done:]:
                console.out(
                    *(output.printable(line) for line in part.sql.rstrip().split("\n")), sep="\n", highlight=False
                )
        for statement in statements.get(migration.number, ()):
            _show_statement(statement)
    if not pending:
        console.print("There is nothing to apply.")


def _manner(migration: Migration, done: int) -> str:
    if migration.up.transactional:
        return "in one transaction"
    rest = len(migration.up.parts) - done
    statements = "1 statement" if rest == 1 else f"{rest} statements, one after another"
    return f"{statements}, {done} of {done + rest} done" if done else statements


def _show_statement(statement: StatementEffect) -> None:
    console = output.console()
    text = output.printable(" ".join(statement.sql.split()))
    console.print(f"{statement.line:5}  {text}", style="cyan", no_wrap=True, overflow="ellipsis")
    lines = [f"{table.table}: {'; '.join(_effects(table, statement.source))}" for table in statement.tables]
    if statement.source == "unknown":
        lines.append("cannot be tried in a transaction, and its locks are not known")
    for line in lines:
        console.out(fill(output.printable(line), console.width, **_BELOW), highlight=False)


def _effects(table: TableEffect, source: str) -> Iterator[str]:
    if table.lock is not None:
        yield f"{table.lock}{' (manual)' if source == 'manual' else ''}, {table.waits}"
    if table.rewrites:
        yield "written anew"
    elif table.scans:
        yield "read from end to end"
    if table.builds:
        yield f"builds {', '.join(table.builds)}"


def _document(
    migration: Migration, done: int, *, sql: bool, statements: Sequence[StatementEffect] | None
) -> dict[str, Any]:
    return {
        "number": migration.number,
        "name": migration.name,
        "transactional": migration.up.transactional,
        "statements_done": done,
        **({"sql": [part.sql for part in migration.up.parts[done:]]} if sql else {}),
        **({} if statements is None else {"statements": [_effect_document(statement) for statement in statements]}),
    }


def _effect_document(statement: StatementEffect) -> dict[str, Any]:
    tables = [{**attrs.asdict(table), "waits": table.waits} for table in statement.tables]
    return {"line": statement.line, "sql": statement.sql, "source": statement.source, "tables": tables}


def _is_problem(status: MigrationStatus, to: int | None) -> bool:
    if to is None:
        return status.state != "applied"
    return status.number <= to and status.state not in {"applied", "pending"}


def _in_order(folder: Folder, database: DatabaseManager, own: list[Migration]) -> Iterator[Migration]:
    """Yield ``own`` migrations, and what was applied of the folders beside this one: the database holds that, too.

    Folders come in the order of their names, so that one may build upon another: ``specify_rls`` upon ``specify``.
    """
    for path in sorted(folder.path.resolve().parent.iterdir()):
        if path == folder.path.resolve():
            yield from own
            continue
        if not path.is_dir():
            continue
        try:
            statuses = Runner(database.connect, path, path.name).status()
        except (MigrationError, ValidationError):
            # It is no folder of migrations, or its name cannot be that of a history.
            continue
        run = {status.number for status in statuses if status.state in _RUN}
        yield from (migration for migration in read_folder(path) if migration.number in run)


def _show(found: list[Difference]) -> None:
    console = output.console()
    for difference in found:
        console.print(difference.object, style="bold")
        for line in difference.lines:
            console.out(output.printable(line), style=_STYLES.get(line[0]), highlight=False)
        console.print()
    if found:
        objects = "1 object differs" if len(found) == 1 else f"{len(found)} objects differ"
        console.print(f"{objects}: - is in the database alone, + only in what the migrations make.")
    else:
        console.print("The database is what the migrations make.")
