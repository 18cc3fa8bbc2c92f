"""``surf-data specify``: what a command-line tool has run, how it went, and what other tools have recorded."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Literal

import attrs
import click
from rich.text import Text

from surf_data import specify
from surf_data.cli import output, specify_tables, tables
from surf_data.cli.options import PathType
from surf_data.cli.specify_plot import svg
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.errors import SurfDataError
from surf_data.specify import CommandFilter, ExecutionStatus, SpecifyDataLayer, SpecifyTransaction
from surf_data.specify.importing import ImportResult, import_history, import_otlp
from surf_data.specify.shell_history import guess

_HEAD = 4096
Format = Literal["otlp", "bash", "zsh", "fish"]


@click.group(name="specify")
def group() -> None:
    """Look into the history of a command-line tool, and bring others' histories into it."""


@group.command
@click.option("--days", type=click.IntRange(1, 3660), default=14, show_default=True, help="How far to look back.")
@click.option("--time-zone", metavar="NAME", default="UTC", show_default=True, help="Whose days they are.")
@click.option("--user", "user_id", type=click.IntRange(1), metavar="ID", help="Of this user alone, but for the days.")
@click.option("--project", "project_id", type=click.IntRange(1), metavar="ID", help="Of this project alone, likewise.")
@click.option("--plot", type=PathType(dir_okay=False), metavar="FILE.svg", help="Draw the days, too.")
@json_option
@pass_target
def stats(
    target: Target,
    *,
    days: int,
    time_zone: str,
    user_id: int | None,
    project_id: int | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Show how many commands there were, how they went, and how long they took."""
    until = datetime.now(UTC)
    since = until - timedelta(days=days)
    with target.open(specify.open, pool_min_size=1) as data:
        queries = data.commands.queries
        statistics = queries.get_command_statistics(since, until, user_id=user_id, project_id=project_id)
        by_day = queries.get_days(since, until, time_zone)
    if plot is not None:
        plot.write_text(svg(f"Commands by day ({time_zone})", by_day), encoding="utf-8")
    if as_json:
        output.write_json({"days": days, **statistics, "by_day": [{**day, "day": f"{day['day']}"} for day in by_day]})
    else:
        output.console().print(tables.stacked(specify_tables.statistics(statistics, by_day, time_zone)))


@group.command(name="commands")
@click.option("--name", metavar="NAME", help="Called so.")
@click.option("--prefix", metavar="TEXT", help="Whose name begins so.")
@click.option("--status", type=click.Choice([status.value for status in ExecutionStatus]), multiple=True)
@click.option("--user", "user_id", type=click.IntRange(1), metavar="ID", help="Of this user.")
@click.option("--project", "project_id", type=click.IntRange(1), metavar="ID", help="Of this project.")
@click.option("--contains", metavar="TEXT", help="With this text in name or arguments.")
@click.option("--hours", type=click.IntRange(1, 87_840), help="Of the last hours.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@json_option
@pass_target
def list_commands(
    target: Target,
    *,
    name: str | None,
    prefix: str | None,
    status: Sequence[str],
    user_id: int | None,
    project_id: int | None,
    contains: str | None,
    hours: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List commands, the newest first."""
    matching = CommandFilter(
        name=name,
        name_prefix=prefix,
        status=list(status) or None,
        user_id=user_id,
        project_id=project_id,
        text=contains,
        hours=hours,
    )
    with target.open(specify.open, pool_min_size=1) as data:
        found = data.commands.queries.list_commands_after(matching, limit=limit)
    if as_json:
        output.write_json([attrs.asdict(command) for command in found])
    else:
        output.console().print(specify_tables.commands(found))


@group.command
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Of each kind.")
@click.option(
    "--hours", type=click.IntRange(1, 87_840), default=720, show_default=True, help="How old a command may be."
)
@json_option
@pass_target
def search(target: Target, text: str, *, limit: int, hours: int, as_json: bool) -> None:
    """Look for TEXT in projects and specifications by its words, in commands and users verbatim."""
    with target.open(specify.open, pool_min_size=1) as data:
        found: dict[str, Sequence[Any]] = {
            "commands": data.commands.queries.list_commands_after(CommandFilter(text=text, hours=hours), limit=limit),
            "projects": data.projects.queries.find_projects(text, limit),
            "specifications": data.specifications.queries.find_specifications(text, limit=limit),
            "users": data.users.queries.search_users(text, limit),
        }
    if as_json:
        output.write_json({kind: [specify_tables.document(row) for row in rows] for kind, rows in found.items()})
    else:
        output.console().print(tables.stacked(specify_tables.found(found)))


@group.command(name="import")
@click.argument("files", type=PathType(exists=True, dir_okay=False), nargs=-1, required=True)
@click.option("--format", "kind", type=click.Choice(["otlp", "bash", "zsh", "fish"]), help="Else guessed.")
@click.option("--host", metavar="NAME", default=socket.gethostname, help="Where a history was kept.  [default: here]")
@click.option("--user", "user_id", type=click.IntRange(1), metavar="ID", help="Who ran the commands.")
@click.option("--project", "project_id", type=click.IntRange(1), metavar="ID", help="To which project they belong.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored, and store nothing.")
@json_option
@pass_target
@click.pass_context
def import_files(
    context: click.Context,
    target: Target,
    files: Sequence[Path],
    *,
    kind: Format | None,
    host: str,
    user_id: int | None,
    project_id: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring FILES into the history: shells' histories (bash, zsh, fish), or OpenTelemetry's traces as JSON lines.

    All files are stored, or none; what cannot be stored of a file is counted by its reason. Importing a file again
    stores what is new in it. Where a shell keeps no times, commands get the time of the file. Exits with 1 when
    something was refused.
    """
    shared: dict[str, Any] = {"host": host, "user_id": user_id, "project_id": project_id}
    with target.open(specify.open, pool_min_size=1) as data, _transaction(data, dry_run=dry_run) as transaction:
        results = {str(path): _imported(transaction, path, kind, shared) for path in files}
    if as_json:
        documents = {path: {"format": form, **attrs.asdict(result)} for path, (form, result) in results.items()}
        output.write_json({"files": documents, "dry_run": dry_run})
    else:
        output.console().print(tables.stacked(specify_tables.imported(results, dry_run=dry_run)))
    context.exit(1 if any(result.refused for _, result in results.values()) else 0)


class _DryRun(Exception):
    """The transaction is to be rolled back."""


@contextmanager
def _transaction(data: SpecifyDataLayer, *, dry_run: bool) -> Iterator[SpecifyTransaction]:
    """Begin a transaction, which a dry run rolls back in the end."""
    with suppress(_DryRun), data.transaction() as transaction:
        yield transaction
        if dry_run:
            raise _DryRun


def _imported(
    transaction: SpecifyTransaction, path: Path, kind: Format | None, shared: dict[str, Any]
) -> tuple[Format, ImportResult]:
    problem = None
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            found = kind or _kind(head)
            with output.progress(path.name, file) as advance:
                lines = _lines(file, advance)
                if found == "otlp":
                    return found, import_otlp(transaction.session, lines)
                read_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                return found, import_history(transaction.session, found, lines, read_at=read_at, **shared)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    raise SurfDataError(f"{path}: {problem}")


def _kind(head: bytes) -> Format:
    return "otlp" if head.lstrip().startswith(b"{") else guess(head)


def _lines(file: BinaryIO, advance: Any) -> Iterator[bytes]:
    for line in file:
        advance(len(line))
        yield line


@group.command
@click.option("--keep-commands", type=click.IntRange(1, 36_500), metavar="DAYS", help="Delete older commands, too.")
@click.option("--orphans", "hours", type=click.IntRange(1, 87_840), default=24, show_default=True, metavar="HOURS",
              help="When a command without a lease counts as dead.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@json_option
@pass_target
def prune(target: Target, *, keep_commands: int | None, hours: int, dry_run: bool, as_json: bool) -> None:
    """Delete what has expired: cache entries, session tokens, contents that no specification has; end dead commands.

    Metrics, spans and audit rows lie in partitions by month, which surf-data maintain --domain specify drops.
    """

    def work(data: SpecifyDataLayer | SpecifyTransaction) -> dict[str, int]:
        return {
            "orphans ended": len(data.commands.reap_orphans(older_than_hours=hours, limit=10_000)),
            "cache entries": data.cache.cleanup_expired(),
            "session tokens": data.tokens.cleanup_expired(),
            "contents": data.specifications.cleanup_contents(),
            **({} if keep_commands is None else {"commands": data.commands.expire(keep_commands)}),
        }

    with target.open(specify.open, pool_min_size=1) as data:
        if dry_run:
            with _transaction(data, dry_run=True) as transaction:
                done = work(transaction)
        else:
            # In portions, each a transaction by itself.
            done = work(data)
    if as_json:
        output.write_json({**{name.replace(" ", "_"): count for name, count in done.items()}, "dry_run": dry_run})
        return
    title = Text("Would be pruned" if dry_run else "Pruned", style="bold")
    rows = [(name, f"{count:,}") for name, count in done.items()]
    output.console().print(tables.stacked([title, tables.table("what", "count", rows=rows, right={"count"})]))
