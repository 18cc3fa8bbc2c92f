"""What the commands show, as tables."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from rich import box
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from surf_data.cli.output import printable
from surf_data.kernel.health import Check, Health
from surf_data.migrate import MigrationStatus

_BAR_WIDTH = 30

_STATE_STYLES = {"applied": "green", "pending": "yellow"}


# Between two columns.
_GAP = 3


class _Table(Table):
    """A table in which no word is broken: where there is no room for it, each row is shown as a list."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        texts = [[_text(cell) for cell in (column.header, *column.cells)] for column in self.columns]
        whole = [column.no_wrap for column in self.columns]
        least = [max(_least(text, whole=whole[at]) for text in of) for at, of in enumerate(texts)]
        most = [max(text.cell_len for text in of) for of in texts]
        room = options.max_width - _GAP * (len(texts) - 1)
        if sum(least) > room:
            headings, *rows = zip(*texts, strict=True)
            for row in rows:
                yield _list(headings, row)
            return
        if sum(most) > room:
            spare = room - sum(least)
            # Those that need little get it, and the others share what is left.
            order = sorted(range(len(texts)), key=lambda at: most[at] - least[at])
            for left, at in zip(range(len(texts), 0, -1), order, strict=True):
                more = min(most[at] - least[at], spare // left)
                self.columns[at].width = least[at] + more
                spare -= more
        yield from super().__rich_console__(console, options)


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


def _least(text: Text, *, whole: bool) -> int:
    return text.cell_len if whole else max((Text(word).cell_len for word in text.plain.split()), default=0)


def _list(headings: Sequence[Text], row: Sequence[Text]) -> RenderableType:
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="cyan", no_wrap=True)
    drawn.add_column(overflow="fold")
    for heading, cell in zip(headings[1:], row[1:], strict=True):
        if cell.plain:
            drawn.add_row(Text(f"  {heading}"), cell)
    return Group(Text.assemble(row[0], style="bold"), drawn)


def table(
    *columns: str,
    rows: Iterable[Sequence[str | Text]],
    right: Collection[str] = (),
    whole: Collection[str] = (),
) -> Table:
    """Return a table. No word in it is broken, however little room there is.

    Arguments:
        columns: the headings.
        rows: the cells of each row.
        right: the headings of the columns whose cells end at the right, such as numbers.
        whole: the headings of the columns whose cells are not broken between words either, such as names.
    """
    drawn = _Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold cyan")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=column in whole)
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    return drawn


def duration(taken: timedelta | None) -> str:
    """Return ``taken`` in the unit that suits it; nothing for ``None``."""
    if taken is None:
        return ""
    seconds = taken.total_seconds()
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def moment(when: datetime | None) -> str:
    """Return ``when`` in its own time zone, to the second; nothing for ``None``."""
    return "" if when is None else f"{when:%Y-%m-%d %H:%M:%S %Z}"


def bar(value: float, largest: float, width: int = _BAR_WIDTH) -> Text:
    """Return a bar whose length is to ``width`` as ``value`` is to ``largest``; what is not nothing can be seen."""
    length = round(width * value / largest) if largest else 0
    return Text("█" * max(length, value > 0), style="cyan")


def health(state: Health, title: str | None = None) -> Table:
    """Return how each part of a data layer is."""
    parts = {"database": state.database, "cache": state.cache, "overall": state.overall}
    rows = [(name, _state(check), f"{check.latency_ms:.1f} ms", check.reason or "") for name, check in parts.items()]
    if state.schema_version is not None:
        rows.insert(1, ("schema", Text(f"{state.schema_version}"), "", "the last migration that is applied"))
    return table(
        title or "part",
        "state",
        "latency",
        "reason",
        rows=rows,
        right={"latency"},
    )


def _state(check: Check) -> Text:
    if check.ok:
        return Text("ok", style="green")
    # Without a Redis URL there is nothing to fail.
    return Text("off", style="dim") if check.reason == "not configured" else Text("failed", style="bold red")


def migrations(statuses: Iterable[MigrationStatus], title: str | None = None) -> Table:
    """Return how each migration stands."""
    return table(
        title or "migration",
        "state",
        "applied at",
        "took",
        rows=[
            (
                status.label,
                Text(_migration_state(status), style=_STATE_STYLES.get(status.state, "bold red")),
                moment(status.applied_at),
                duration(status.duration),
            )
            for status in statuses
        ],
        right={"took"},
    )


def _migration_state(status: MigrationStatus) -> str:
    if status.unfinished is None:
        return status.state
    return f"{status.state}: {status.unfinished}, {status.statements_done} statements done"


def queries(statistics: Mapping[str, Mapping[str, Any]], *, most: int | None = None) -> Table:
    """Return the figures of the queries that a process ran, the slowest first.

    Arguments:
        statistics: ``queries`` of `surf_data.DataLayer.stats`.
        most: how many queries to show; all when ``None``.
    """
    slowest = sorted(statistics.items(), key=lambda item: (-item[1]["p95_ms"], item[0]))[:most]
    figures = ("p50_ms", "p95_ms", "p99_ms")
    return table(
        "query",
        "count",
        "errors",
        "rows",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        rows=[
            (
                name,
                *(f"{record[figure]:,}" for figure in ("count", "errors", "rows")),
                *(f"{record[figure]:,.2f}" for figure in figures),
            )
            for name, record in slowest
        ],
        right={"count", "errors", "rows", "p50 ms", "p95 ms", "p99 ms"},
    )


def facts(heading: str, values: Mapping[str, Any]) -> Table:
    """Return names and values; what is not text or a number is shown as JSON."""
    rows = [(name, _fact(value)) for name, value in values.items()]
    figures = any(isinstance(value, (int, float)) for value in values.values())
    return table(heading, "value", rows=rows, right={"value"} if figures else ())


def _fact(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value)


def process(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield what `surf_data.DataLayer.stats` returned: what the process itself did."""
    yield queries(found["queries"])
    yield beside(facts("pool of this process", found["pool"]), facts("cache calls of this process", found["cache"]))


def beside(*drawn: Table) -> RenderableType:
    """Return tables side by side."""
    return Columns(drawn, padding=(0, 4))


def stacked(drawn: Iterable[RenderableType]) -> RenderableType:
    """Return what is drawn one below the other, with lines between."""
    lines = [part for each in drawn for part in (each, "")]
    return Group(*lines[:-1])


def section(console: Console, title: str, sentence: str, results: Sequence[RenderableType]) -> None:
    """Print a section of a demo: a title, a sentence, and what was found, one below the other."""
    console.print()
    console.print(Rule(Text(title, style="bold"), align="left", style="dim"))
    console.print(sentence)
    console.print()
    console.print(Padding(stacked(results), (0, 0, 0, 2), expand=False))
