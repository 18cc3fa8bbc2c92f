"""Writes the table in docs/reliability.md from what the fault tests measured: ``report.py MEASUREMENTS DOCUMENT``."""

import json
import sys
from pathlib import Path
from typing import Any

from rig.machine import machine

#: Cell 28, Citus, is not supported yet. 29 is the stampede on a cached value, 30 the storm of
#: faults, 31 the spool.
CELLS = frozenset({*range(1, 28), 29, 30, 31})
BEGIN, END = "<!-- measured: written by `nox -s faults` -->\n", "<!-- end of measured -->\n"


def main(measurements: str, document: str) -> None:
    """Check that every cell was tested, and replace what is between the two markers in the document."""
    rows = json.loads(Path(measurements).read_text("utf-8"))
    found = {row["cell"] for row in rows if row["measured"] or row.get("skipped")}
    if wrong := sorted(found ^ CELLS):
        sys.exit(f"cells that lack a measurement, or are not in the matrix of {__file__}: {wrong}")
    path = Path(document)
    before, rest = path.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(before + BEGIN + table(rows) + END + after, "utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """Return the table, and where it was measured."""
    lines = ["", "| Cell | Fault | Promise | Measured |", "|---|---|---|---|"]
    told = ((row, measured(row)) for row in rows)
    # What only asserts its promise has nothing to show here.
    lines += [f"| {row['cell']} | {row['fault']} | {row['promise']} | {said} |" for row, said in told if said]
    return "\n".join([*lines, "", machine("psycopg", "psycopg-pool", "redis"), "", ""])


def measured(row: dict[str, Any]) -> str:
    """Return what was measured in a cell of the table, or why nothing was."""
    if reason := row.get("skipped"):
        return f"not run: {reason}"
    return "; ".join(f"{name} {quantity(value, unit)}" for name, value, unit in row["measured"])


def quantity(value: float, unit: str) -> str:
    """Return a number with its unit; seconds as milliseconds where they are few."""
    if unit == "s" and value < 1:
        value, unit = value * 1000, "ms"
    number = f"{value:,}" if isinstance(value, int) else f"{value:.2g}" if value < 10 else f"{value:,.0f}"
    return f"{number} {unit}".strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
