"""Writes docs/benchmarks.md."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.ground import Sizes
from benchmarks.measuring import Measurement
from benchmarks.plot import svg
from benchmarks.results import Result, Row, number
from rig.machine import machine

BEGIN, END = "<!-- measured: written by `nox -s bench` -->\n", "<!-- end of measured -->\n"
_PACKAGES = ("psycopg", "psycopg-pool", "aiosql", "redis", "asyncpg", "uvloop", "SQLAlchemy")


def write(document: Path, rows: Sequence[Row], sizes: Sizes, rounds: int) -> None:
    """Replace what is between the two markers in the document, and draw the curves beside it."""
    for row in rows:
        if row.growth:
            drawing = svg(row.title, "entries", "time, µs", row.growth)
            document.with_name(_drawing(row)).write_text(drawing, "utf-8")
    before, rest = document.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    parts = ["", *_table(rows), "", _circumstances(sizes, rounds), "", *_details(rows)]
    document.write_text(before + BEGIN + "\n".join(parts) + END + after, "utf-8")


def lines(row: Row) -> list[str]:
    """Return the results of a row for a terminal."""
    shown = [f"  {result.work}: {_target(result)} {result.value} {result.verdict}" for result in row.results]
    for unit, measurement in row.measurements:
        shown += [f"    {unit}: {name} {_times(measurement, name)}" for name in measurement.names]
    return shown


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| # | Work | Compared | Target | Measured | Reached |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        for result in row.results:
            work = f"{row.title}, {result.work}"
            cells = [str(row.number), work, result.quantity, _target(result), result.value, result.verdict]
            yield f"| {' | '.join(cells)} |"


def _target(result: Result) -> str:
    return str(result.target) if result.target else "none"


def _details(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if not row.note and not row.measurements:
            continue
        yield f"### {row.number}. {row.title}"
        yield ""
        if row.note:
            yield from (row.note, "")
        if row.growth:
            yield from (f"![{row.title}]({_drawing(row)})", "")
        for unit, measurement in row.measurements:
            yield f"| {unit} | time, µs | CPU time, µs |"
            yield "|---|---|---|"
            for name in measurement.names:
                timing = measurement.median(name)
                cpu = "not measured" if timing.cpu is None else number(timing.cpu)
                yield f"| {name} | {number(timing.wall)} | {cpu} |"
            yield ""


def _drawing(row: Row) -> str:
    return f"benchmarks-{row.number}.svg"


def _times(measurement: Measurement, name: str) -> str:
    timing = measurement.median(name)
    cpu = "" if timing.cpu is None else f", CPU {number(timing.cpu)} us"
    return f"{number(timing.wall)} us{cpu}"


def _circumstances(sizes: Sizes, rounds: int) -> str:
    load = ", ".join(number(value) for value in os.getloadavg())
    data = f"{sizes.lamps:,} lamps, 20 API configurations, {sizes.activity:,} entries of activity over 90 days"
    return (
        f"{machine(*_PACKAGES)} {data}; {rounds} rounds, fewer where a single call takes long. "
        f"In the end the load was {load} (1, 5 and 15 minutes)."
    )
