"""The part of ``surf-data demo`` that shows the history of a command-line tool."""

from collections.abc import Sequence
from datetime import timedelta
from time import sleep
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from surf_data.cli import specify_tables, tables
from surf_data.errors import ValidationError
from surf_data.specify import Command, SpecifyDataLayer
from surf_data.specify.importing import import_history

_HISTORY = [b": 1764400000:3;git push https://me:hunter2@example.com/surf.git\n", b": 1764400010:0;make test\n"]


def story(data: SpecifyDataLayer, console: Console) -> None:
    """Show what is recorded, found and refused, on a migrated database with sample data.

    Arguments:
        data: the data layer, on servers that may be written to.
        console: where it is shown.
    """
    command = _run(data, console)
    _find(data, console)
    _import(data, console, command)
    _measure(data, console, command)
    _refuse(data, console)


def _run(data: SpecifyDataLayer, console: Console) -> Command:
    with data.commands.running("specify init", "--here --token hunter2", lease_seconds=60) as command:
        pass
    dead = data.commands.start_command("specify watch", lease_seconds=0.01)
    sleep(0.02)
    data.commands.reap_orphans()
    ended = [each for each in (data.commands.get(command.id), data.commands.get(dead.id)) if each]
    tables.section(
        console,
        "Commands, while they run",
        "Secrets are replaced before anything is stored; a command whose process died is found by its lease.",
        [specify_tables.commands(ended)],
    )
    return command


def _find(data: SpecifyDataLayer, console: Console) -> None:
    found: dict[str, Sequence[Any]] = {
        "projects": data.projects.queries.find_projects("surfer wave"),
        "specifications": data.specifications.queries.find_specifications("ocean"),
    }
    tables.section(
        console,
        "Search",
        "By words in any of their forms, in projects and in the stored contents of specifications.",
        list(specify_tables.found(found)),
    )


def _import(data: SpecifyDataLayer, console: Console, command: Command) -> None:
    results = [
        import_history(data.database, "zsh", _HISTORY, host="laptop", read_at=command.started_at) for _ in range(2)
    ]
    shown = {f"history, {turn}": ("zsh", result) for turn, result in zip(("once", "again"), results, strict=True)}
    page = data.commands.queries.list_commands(per_page=10)
    tables.section(
        console,
        f"A shell's history beside it: {page.total} commands",
        "All of a file is stored or none, and an entry once, however often the file is imported.",
        [*specify_tables.imported(shown, dry_run=False), specify_tables.commands(page.items)],
    )


def _measure(data: SpecifyDataLayer, console: Console, command: Command) -> None:
    queries = data.commands.queries
    until = command.started_at + timedelta(days=1)
    statistics = queries.get_command_statistics(command.started_at - timedelta(days=7), until)
    days = queries.get_days(command.started_at - timedelta(days=3), command.started_at, "Europe/Berlin")
    tables.section(
        console,
        "Statistics",
        "One statement, one moment; days are those of a time zone, and as long as they are.",
        list(specify_tables.statistics(statistics, days, "Europe/Berlin")),
    )


def _refuse(data: SpecifyDataLayer, console: Console) -> None:
    answers: list[RenderableType] = []
    for rows in ([{"name": "m", "value": 1}, {"name": "m", "value": float("nan")}], [{"name": "m"}]):
        try:
            data.metrics.record_metrics(rows)
        except ValidationError as error:
            answers.append(Text(str(error)))
    tables.section(
        console, "What is refused", "It says which row and which field; nothing of the rest is stored.", answers
    )
