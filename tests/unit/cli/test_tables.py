"""Tables break no word, however little room there is."""

import io

import pytest
from rich.console import Console

from surf_data.cli import tables

ROWS = [
    ("activity_statistics", "SELECT", "many", "activity_log, activity_rollup_count", "locks a row of lamp_registry"),
    ("lamp_insert", "INSERT", "at most one", "lamp_registry", ""),
    ("a" * 40, "UPDATE", "at most one", "public.a_table_with_a_long_name", "x" * 30),
]
HEADINGS = ("query", "does", "rows", "tables", "also")
WORDS = {word for row in ROWS for cell in row for word in cell.split()}


def shown(width: int, whole: tuple[str, ...] = ()) -> str:
    """Return the table as a terminal of this width shows it."""
    stream = io.StringIO()
    Console(file=stream, width=width).print(tables.table(*HEADINGS, rows=ROWS, whole=whole))
    return stream.getvalue()


@pytest.mark.parametrize("width", [200, 160, 140, 120, 100, 80, 60, 50])
@pytest.mark.parametrize("whole", [(), ("query", "does"), ("tables",)])
def test_no_word_is_broken(width: int, whole: tuple[str, ...]) -> None:
    """Each name can be copied from what is shown, and nothing is beyond the edge."""
    text = shown(width, whole)
    assert set(text.split()) >= WORDS
    assert max(map(len, text.splitlines())) <= width


def test_a_table_with_room_is_one_line_a_row() -> None:
    """Where there is room for everything, each row is a line."""
    assert len(shown(200).splitlines()) == 2 + len(ROWS)


def test_without_room_each_row_is_a_list() -> None:
    """Where the longest words do not fit beside each other, each row has its name above what is known of it."""
    lines = [line.rstrip() for line in shown(60).splitlines()]
    assert lines[:4] == [
        "activity_statistics",
        "  does    SELECT",
        "  rows    many",
        "  tables  activity_log, activity_rollup_count",
    ]
    # What is empty is left out.
    assert not [line for line in lines if line == "  also"]


def test_what_needs_little_room_gets_it() -> None:
    """Of too little room the columns with short texts get what they need, and the long ones share the rest."""
    [line] = [line for line in shown(150).splitlines() if line.startswith("lamp_insert")]
    assert line.split("  ")[0].strip() == "lamp_insert"
    assert "at most one" in line
