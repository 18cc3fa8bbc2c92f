"""What ``surf-data specify`` shows, as tables."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from surf_data.cli import tables
from surf_data.specify import Command, ExecutionStatus
from surf_data.specify.importing import ImportResult

_STYLES = {
    ExecutionStatus.SUCCESS: "green",
    ExecutionStatus.FAILED: "bold red",
    ExecutionStatus.TIMEOUT: "red",
    ExecutionStatus.CANCELLED: "yellow",
    ExecutionStatus.RUNNING: "cyan",
}
# What a search shows of a row, beside its id.
_SHOWN = {
    "projects": ("slug", "name", "description"),
    "specifications": ("file_path", "format", "content_hash"),
    "users": ("username", "email", "full_name"),
}
_WIDTH = 60


def milliseconds(taken: float | None) -> str:
    """Return a duration in the unit that suits it; nothing for ``None``."""
    return "" if taken is None else tables.duration(timedelta(milliseconds=taken))


def commands(found: Sequence[Command]) -> Table:
    """Return commands, one a line."""
    rows = [
        (
            f"{command.id}",
            tables.moment(command.started_at),
            Text(command.status.value, style=_STYLES.get(command.status, "dim")),
            milliseconds(command.duration_ms),
            "" if command.exit_code is None else f"{command.exit_code}",
            " ".join(f"{command.name} {command.args or ''}".split())[:_WIDTH],
        )
        for command in found
    ]
    heads = ("id", "started", "status", "took", "exit", "command")
    return tables.table(*heads, rows=rows, right={"id", "took", "exit"}, whole={"started", "status"})


def statistics(found: Mapping[str, Any], days: Sequence[Mapping[str, Any]], time_zone: str) -> Iterator[RenderableType]:
    """Yield the sums, the names that occur most, and the days."""
    rate, took = found["success_rate"], found["duration"]
    facts = [f"{found['total']:,} commands", *([] if rate is None else [f"{rate:.1%} successful"])]
    if took["p50_ms"] is not None:
        facts.append(f"half within {milliseconds(took['p50_ms'])}, 95 % within {milliseconds(took['p95_ms'])}")
    yield Text(", ".join(facts), style="bold")
    for kind in ("status", "name"):
        counts: Mapping[str, int] = found[f"by_{kind}"]
        largest = max(counts.values(), default=0)
        rows = [(name, f"{count:,}", tables.bar(count, largest)) for name, count in counts.items()]
        if rows:
            yield tables.table(kind, "count", "", rows=rows, right={"count"})
    busiest = max((day["total"] for day in days), default=0)
    daily = [
        (
            f"{day['day']}",
            f"{day['total']:,}",
            f"{day['failures']:,}",
            milliseconds(day["avg_ms"]),
            tables.bar(day["total"], busiest),
        )
        for day in days
    ]
    heads = (f"day ({time_zone})", "count", "failed", "mean", "")
    yield tables.table(*heads, rows=daily, right={"count", "failed", "mean"}, whole={heads[0]})


def found(rows: Mapping[str, Sequence[Any]]) -> Iterator[RenderableType]:
    """Yield what a search has found, by kind."""
    for kind, each in rows.items():
        yield Text(f"{kind}: {len(each)}", style="bold")
        if not each:
            continue
        if kind == "commands":
            yield commands(each)
        else:
            columns = _SHOWN[kind]
            cells = [(f"{row.id}", *(f"{getattr(row, name) or ''}"[:_WIDTH] for name in columns)) for row in each]
            yield tables.table("id", *columns, rows=cells, right={"id"}, whole={columns[0]})


def document(row: Any) -> dict[str, Any]:
    """Return a row as JSON has it, without what is internal."""
    return {
        field.name: getattr(row, field.name)
        for field in attrs.fields(type(row))
        if field.repr and field.name != "api_key"
    }


def imported(results: Mapping[str, tuple[str, ImportResult]], *, dry_run: bool) -> Iterator[RenderableType]:
    """Yield what became of each file, and why something was refused."""
    stored = "would be stored" if dry_run else "stored"
    rows = [
        (path, kind, f"{result.created:,}", f"{result.known:,}", f"{sum(result.refused.values()):,}")
        for path, (kind, result) in results.items()
    ]
    heads = ("file", "format", stored, "known", "refused")
    yield tables.table(*heads, rows=rows, right={stored, "known", "refused"})
    refused = [
        (path, reason, f"{count:,}")
        for path, (_, result) in results.items()
        for reason, count in result.refused.items()
    ]
    if refused:
        yield tables.table("file", "refused because", "count", rows=refused, right={"count"})
        examples = [(path, example) for path, (_, result) in results.items() for example in result.examples]
        yield tables.table("file", "for example", rows=examples)
