"""``surf-data statements``: what production spent on each query."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import click
from rich.console import RenderableType
from rich.text import Text

from surf_data.cli import output, tables
from surf_data.cli.options import PathType
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.review import QueryStats, Statistics, UntrackedStatement, read_queries, read_statistics

#: Statements of no file that are shown; ``--json`` has all.
_OTHERS = 20


@click.command
@click.argument("folder", type=PathType(exists=True))
@click.argument("url", required=False)
@json_option
@pass_target
def statements(target: Target, folder: Path, url: str | None, *, as_json: bool) -> None:
    """Show what a database spent on every query below FOLDER, by pg_stat_statements.

    It is the database at URL, or the one that --database-url or the environment names. What this library counts by
    itself, within one process, is shown by surf-data stats.

    Queries are found by the tags in their statements, else by the server's own numbers for them, which do not depend
    on layout. Those that were never run are listed, and statements that are in no file. Nothing of FOLDER is run.

    The role needs the rights of pg_read_all_stats, or sees the statements of its own alone.
    """
    if url is not None:
        target = attrs.evolve(target, database_url=url)
    queries = read_queries(folder)
    with target.database() as database, closing(database.connect()) as connection:
        found = read_statistics(connection, queries)
    if as_json:
        output.write_json(
            {
                "queries": [_document(spent) for spent in found.queries],
                "never_run": [query.name for query in found.never_run],
                "others": [{"text": each.text, "calls": each.calls, "total_ms": each.total} for each in found.others],
            }
        )
        return
    output.console().print(tables.stacked(_parts(found)))


def _document(spent: QueryStats) -> dict[str, Any]:
    return {
        "name": spent.query.name,
        "calls": spent.calls,
        "rows": spent.rows,
        "total_ms": spent.total,
        "mean_ms": spent.mean,
        "deviation_ms": spent.deviation,
        "longest_ms": spent.longest,
        "share": spent.share,
        "found_by": spent.found_by,
    }


def _parts(found: Statistics) -> Iterator[RenderableType]:
    largest = max((spent.share for spent in found.queries), default=0.0)
    yield tables.table(
        "query",
        "calls",
        "rows",
        "mean ms",
        "± ms",
        "longest ms",
        "of all time",
        "",
        rows=[_row(spent, largest) for spent in found.queries],
        right={"calls", "rows", "mean ms", "± ms", "longest ms", "of all time"},
    )
    if found.never_run:
        yield Text(f"Never run: {', '.join(query.name for query in found.never_run)}")
    if found.others:
        yield tables.table(
            "in no file",
            "calls",
            "of all time",
            rows=[_other(each) for each in found.others[:_OTHERS]],
            right={"calls", "of all time"},
        )


def _row(spent: QueryStats, largest: float) -> tuple[str | Text, ...]:
    times = (f"{each:,.2f}" for each in (spent.mean, spent.deviation, spent.longest))
    # What is not tagged comes from another program, or from psql.
    name = spent.query.name if spent.found_by == "tag" else f"{spent.query.name} (untagged)"
    return (
        name,
        f"{spent.calls:,}",
        f"{spent.rows:,}",
        *times,
        f"{spent.share:.1%}",
        tables.bar(spent.share, largest, 12),
    )


def _other(other: UntrackedStatement) -> tuple[str, str, str]:
    return other.text, f"{other.calls:,}", f"{other.share:.1%}"
