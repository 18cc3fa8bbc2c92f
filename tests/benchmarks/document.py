"""Writes docs/benchmarks.md and its charts from the file of measurements; ``python -m benchmarks.document`` anew.

The page is made of docs/benchmarks/measured.json alone, so that its look can change without measuring, and a test can
say whether it is current.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.plot import Bar, bars, curves
from benchmarks.results import Question, Row, number
from rig.machine import machine

PAGE = Path("docs", "benchmarks.md")
_PACKAGES = ("psycopg", "psycopg-pool", "aiosql", "redis", "asyncpg", "uvloop", "SQLAlchemy")
# Where the two generated parts of the page are.
_CHARTS = "<!-- charts: written by `nox -s bench` -->\n", "<!-- end of charts -->\n"
_TABLES = "<!-- tables: written by `nox -s bench` -->\n", "<!-- end of tables -->\n"


@attrs.frozen
class _Chart:
    heading: str
    #: What the length of a bar is.
    scale: str
    #: Whether it is a share, 0 to 1, and not a factor.
    shares: bool = False


_CHART_OF = {
    Question.HAND: _Chart("What does it cost beside the driver by hand?", "times as fast as by hand; mark: the goal"),
    Question.OTHERS: _Chart("How fast is it beside other libraries?", "times as fast as the other; mark: the goal"),
    Question.WAYS: _Chart(
        "What do its own ways save?", "times as fast as the same one by one, or uncached; mark: the goal"
    ),
    Question.GROWTH: _Chart(
        "Does it stay as fast when tables grow?", "speed with many rows, of that with few; mark: the goal", shares=True
    ),
    Question.LIMIT: _Chart(
        "How near is it to what the machine allows?", "speed, of what nothing gets beyond; mark: the goal", shares=True
    ),
}

#: By domain: ``circumstances``, a sentence, and ``rows``, each as `Row.stored`.
Measured = dict[str, dict[str, Any]]


def write(page: Path, measured: Mapping[str, tuple[str, Sequence[Row]]]) -> None:
    """Put the rows of some domains in the place of what was measured before, and write the page and its charts.

    Arguments:
        page: docs/benchmarks.md; the measurements and charts are in the folder of the same name beside it.
        measured: by domain: how large the data was, and the rows.
    """
    file = page.with_suffix("") / "measured.json"
    known: Measured = json.loads(file.read_text("utf-8"))
    for domain, (data, rows) in measured.items():
        load = ", ".join(number(value) for value in os.getloadavg())
        known[domain] = {
            "circumstances": f"{machine(*_PACKAGES)} {data} In the end the load was {load} (1, 5 and 15 minutes).",
            "rows": [row.stored() for row in rows],
        }
    file.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for path, text in rendered(page).items():
        path.write_text(text, "utf-8")


def rendered(page: Path) -> dict[Path, str]:
    """Return what the page and its charts are by the measurements."""
    folder = page.with_suffix("")
    measured: Measured = json.loads((folder / "measured.json").read_text("utf-8"))
    files = {folder / f"{asked.value}.svg": _chart(asked, measured) for asked in Question}
    for domain, row in _rows(measured):
        if row["growth"]:
            files[folder / _curves(domain, row)] = curves(row["title"], "rows", "time, µs", row["growth"])
    text = _replaced(page.read_text("utf-8"), _CHARTS, _charts(measured))
    return {**files, page: _replaced(text, _TABLES, _tables(measured))}


def lines(row: Row) -> list[str]:
    """Return the results of a row for a terminal."""
    stored = row.stored()
    shown = [f"  {each['work']}: {each['goal'] or 'no goal'}; {_found(each)}" for each in stored["results"]]
    for side in stored["sides"]:
        shown += [f"    {side['unit']}: {name} {_took(times)}" for name, times in side["times"].items()]
    return shown


def _found(result: Mapping[str, Any]) -> str:
    reached = {None: "", True: ", reached", False: ", MISSED"}[result["reached"]]
    return f"{result['value']}{reached}"


def _took(times: Sequence[float | None]) -> str:
    wall, cpu = times
    return f"{number(wall or 0.0)} us" + ("" if cpu is None else f", CPU {number(cpu)} us")


def _rows(measured: Measured) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((domain, row) for domain, found in measured.items() for row in found["rows"])


def _replaced(text: str, markers: tuple[str, str], lines_: Iterator[str]) -> str:
    begin, end = markers
    before, rest = text.split(begin)
    return before + begin + "\n".join(["", *lines_, ""]) + end + rest.split(end)[1]


def _chart(asked: Question, measured: Measured) -> str:
    chart = _CHART_OF[asked]
    drawn = [
        _bar(f"{row['short']}, {result['work']}".replace("`", ""), result, shares=chart.shares)
        for _, row in _rows(measured)
        for result in row["results"]
        if result["asks"] == asked.value and result["times"]
    ]
    return bars(chart.heading, chart.scale, drawn, shares=chart.shares)


def _bar(label: str, result: Mapping[str, Any], *, shares: bool) -> Bar:
    # A bar to the right is always good.
    value, goal = (
        1 / part if part and result["less_is_better"] else part for part in (result["times"], result["goal_times"])
    )
    shown = f"{100 * value:.0f} %" if shares else f"{number(value)} ×"
    return Bar(label, value, shown, goal, result["reached"])


def _charts(measured: Measured) -> Iterator[str]:
    goals = [result for _, row in _rows(measured) for result in row["results"] if result["reached"] is not None]
    reached = sum(result["reached"] for result in goals)
    yield f"{reached} of {len(goals)} goals are reached; orange bars are of those that are not."
    yield ""
    for asked, chart in _CHART_OF.items():
        yield from (f"## {chart.heading}", "", f"![{chart.heading}](benchmarks/{asked.value}.svg)", "")


def _tables(measured: Measured) -> Iterator[str]:
    for domain, found in measured.items():
        yield from (f"### {domain}: results", "")
        yield "| # | Work | Compared | Goal | Measured | Reached |"
        yield "|---|---|---|---|---|---|"
        for row in found["rows"]:
            for each in row["results"]:
                verdict = "not measured" if each["times"] is None else {True: "yes", False: "**no**", None: ""}
                said = verdict if isinstance(verdict, str) else verdict[each["reached"]]
                cells = [
                    str(row["number"]),
                    f"{row['title']}, {each['work']}",
                    each["quantity"],
                    each["goal"] or "none",
                    each["value"],
                    said,
                ]
                yield f"| {' | '.join(cells)} |"
        yield from ("", found["circumstances"], "")
        for row in found["rows"]:
            yield from _sides(domain, row)


def _sides(domain: str, row: Mapping[str, Any]) -> Iterator[str]:
    if not row["note"] and not row["sides"]:
        return
    yield from (f"#### {domain} {row['number']}. {row['title']}", "")
    if row["note"]:
        yield from (row["note"], "")
    if row["growth"]:
        yield from (f"![{row['title']}](benchmarks/{_curves(domain, row)})", "")
    for side in row["sides"]:
        yield f"| {side['unit']} | time, µs | CPU time, µs |"
        yield "|---|---|---|"
        for name, (wall, cpu) in side["times"].items():
            yield f"| {name} | {number(wall)} | {'not measured' if cpu is None else number(cpu)} |"
        yield ""


def _curves(domain: str, row: Mapping[str, Any]) -> str:
    return f"{domain}-{row['number']}.svg"


if __name__ == "__main__":
    for written, content in rendered(PAGE).items():
        written.write_text(content, "utf-8")
        sys.stdout.write(f"{written}\n")
