"""A declared scale is read, or refused with table, column and key."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from surf_data.errors import ConfigurationError
from surf_data.kernel import resources
from surf_data.migrate import Placement
from surf_data.review import ColumnScale, Scale, TableScale, read_scale
from surf_data.review.planning.scale import at

Refused = Callable[..., Any]

SCALE = """
[settings]
random_page_cost = 1.1
enable_hashjoin = false
work_mem = "64MB"

[tables.board]
rows = 1_000
pages = 50
visible = 0.25

[tables.board.columns]
shop = { distinct = 10, nulls = 0.5, width = 4, correlation = -1, range = [1, 9.5] }
made = { range = [2024-01-31, 2024-02-01T12:00:00] }
seen = { range = ["now - 30 days", "now"] }
open = { true = 1 }

[tables."other.shop"]
rows = 0
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Scale]:
    """Return a function that reads a text as a file with a scale."""

    def read(text: str) -> Scale:
        (tmp_path / "scale.toml").write_text(text, "utf-8")
        return read_scale(tmp_path / "scale.toml")

    return read


def test_all_keys(read: Callable[[str], Scale], tmp_path: Path) -> None:
    """Everything that can be said of tables, columns and settings is there afterwards."""
    assert read(SCALE) == Scale(
        file=str(tmp_path / "scale.toml"),
        settings={"random_page_cost": "1.1", "enable_hashjoin": "false", "work_mem": "64MB"},
        tables={
            "board": TableScale(
                rows=1000,
                pages=50,
                visible=0.25,
                columns={
                    "shop": ColumnScale(distinct=10, nulls=0.5, width=4, correlation=-1, range=(1, 9.5)),
                    "made": ColumnScale(range=(date(2024, 1, 31), datetime(2024, 2, 1, 12))),  # noqa: DTZ001 - TOML's
                    "seen": ColumnScale(range=(timedelta(days=-30), timedelta(0))),
                    "open": ColumnScale(true=1),
                },
            ),
            "other.shop": TableScale(rows=0),
        },
    )


def test_places(read: Callable[[str], Scale]) -> None:
    """A table says where its rows are on a cluster: in shards by a column, on every node, or on one alone."""
    declared = """
    tables.beside = { rows = 1, distribute = "lamp", with = "lamp" }
    tables.lamp = { rows = 1, distribute = "id" }
    tables.city = { rows = 1, reference = true }
    tables.note = { rows = 1, local = true }
    tables.rest = { rows = 1 }
    """
    assert read(declared).placements() == {
        "beside": Placement(column="lamp", beside="lamp"),
        "lamp": Placement(column="id"),
        "city": Placement(is_reference=True),
        "note": Placement(),
    }


def test_moments() -> None:
    """A time without a zone is UTC, a day is its first moment, and what is relative is so to the review."""
    now = datetime(2024, 3, 1, tzinfo=UTC)
    assert at(timedelta(days=-1), now) == datetime(2024, 2, 29, tzinfo=UTC)
    assert at(date(2024, 1, 1), now) == datetime(2024, 1, 1, tzinfo=UTC)
    assert at(datetime(2024, 1, 1, 7), now) == datetime(2024, 1, 1, 7, tzinfo=UTC)  # noqa: DTZ001 - TOML's
    assert at(now, datetime.now(UTC)) == now
    assert at(7, now) == 7


BESIDES = "[tables.t]\nrows = 1\ndistribute = 'c'\nwith = '{}'\n[tables.o]\nrows = 1\n{}"
COLUMN = "[tables.t]\nrows = 10\n[tables.t.columns]\nc = {{ {} }}\n"
TABLE_KEYS = "columns, distribute, local, pages, reference, rows, visible, with"
BESIDE = "must be the name of another table here that is distributed"
RANGE = 'must be two numbers, or two times such as 2024-01-31 or "now - 90 days"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("accept = 1", "accept: must be tables of TOML, each under [[accept]]"),
        ("accept = [1]", "accept: must be tables of TOML, each under [[accept]]"),
        ("[[accept]]\ncod = 1", "accept 1.cod: is unknown; there are code, reason, subject"),
        ("[[accept]]\ncode = 'LOCK'\nsubject = 'a'", "accept 1: say why LOCK may stay"),
        ("[[accept]]\ncode = 'LOCK'\nreason = 'a'", "accept 1: the subject is missing: the name that the finding has"),
        ("rows = 1", "rows: is unknown; there are accept, settings, tables"),
        ("tables = 1", "tables: must be a table of TOML"),
        ("[tables]\nt = 1", "tables.t: must be a table of TOML"),
        ("[tables.t]", "tables.t.rows: is missing"),
        ("[tables.t]\nrows = 1.5", "tables.t.rows: must be a whole number from 0 to 10,000,000,000,000"),
        ("[tables.t]\nrows = true", "tables.t.rows: must be a whole number from 0 to 10,000,000,000,000"),
        ("[tables.t]\nrows = 1\npages = -1", "tables.t.pages: must be a whole number from 0 to 2,147,483,647"),
        ("[tables.t]\nrows = 1\nvisible = 2", "tables.t.visible: must be a number from 0 to 1"),
        ("[tables.t]\nrow = 1", f"tables.t.row: is unknown; there are {TABLE_KEYS}"),
        ("[tables.t]\nrows = 1\ndistribute = ''", "tables.t.distribute: must be a name"),
        ("[tables.t]\nrows = 1\ndistribute = 7", "tables.t.distribute: must be a name"),
        ("[tables.t]\nrows = 1\nreference = false", "tables.t.reference: must be true, or left out"),
        ("[tables.t]\nrows = 1\nlocal = 'yes'", "tables.t.local: must be true, or left out"),
        (
            "[tables.t]\nrows = 1\nlocal = true\nreference = true",
            "tables.t.local: does not go with reference: its rows are in one place",
        ),
        (
            "[tables.t]\nrows = 1\nwith = 'o'",
            "tables.t.with: is for a table that is distributed: add distribute",
        ),
        (BESIDES.format("t", ""), f"tables.t.with: {BESIDE}"),
        (BESIDES.format("u", ""), f"tables.t.with: {BESIDE}"),
        (BESIDES.format("o", ""), f"tables.t.with: {BESIDE}"),
        (BESIDES.format("o", "reference = true"), f"tables.t.with: {BESIDE}"),
        (
            BESIDES.format("o", "distribute = 'c'\nwith = 'p'\n[tables.p]\nrows = 1\ndistribute = 'd'"),
            "tables.t.with: names a table that is itself with another: write p",
        ),
        ("[tables.t]\nrows = 1\ncolumns = 1", "tables.t.columns: must be a table of TOML"),
        ("[tables.t]\nrows = 1\ncolumns.c = 1", "tables.t.columns.c: must be a table of TOML"),
        (
            COLUMN.format("null = 0"),
            "tables.t.columns.c.null: is unknown; there are correlation, distinct, nulls, range, true, width",
        ),
        (COLUMN.format("distinct = 11"), "tables.t.columns.c.distinct: must be a whole number from 0 to 10"),
        (COLUMN.format("nulls = nan"), "tables.t.columns.c.nulls: must be a number from 0 to 1"),
        (COLUMN.format("nulls = '0'"), "tables.t.columns.c.nulls: must be a number from 0 to 1"),
        (COLUMN.format("width = 0"), "tables.t.columns.c.width: must be a number from 1 to 1,073,741,824"),
        (COLUMN.format("correlation = 1.1"), "tables.t.columns.c.correlation: must be a number from -1 to 1"),
        (COLUMN.format("range = 1"), f"tables.t.columns.c.range: {RANGE}"),
        (COLUMN.format("range = [1]"), f"tables.t.columns.c.range: {RANGE}"),
        (COLUMN.format("range = [0, inf]"), f"tables.t.columns.c.range: {RANGE}"),
        (COLUMN.format("range = ['now', 'then']"), f"tables.t.columns.c.range: {RANGE}"),
        (
            COLUMN.format("range = [1, 2024-01-01]"),
            "tables.t.columns.c.range: must be two numbers or two times, not one of each",
        ),
        (COLUMN.format("range = [2, 2]"), "tables.t.columns.c.range: must begin with the smaller one"),
        ("[settings]\nwork_mem = []", "settings.work_mem: must be a text, a number, true or false"),
        ("rows = = 1", "Invalid value (at line 1, column 8)"),
    ],
)
def test_mistakes(read: Callable[[str], Scale], refused: Refused, tmp_path: Path, text: str, problem: str) -> None:
    """A mistake is refused with file, table, column and key."""
    assert str(refused(lambda: read(text), ConfigurationError)) == f"{tmp_path / 'scale.toml'}: {problem}"


def test_no_file(refused: Refused, tmp_path: Path) -> None:
    """A file that is not there is refused by name."""
    missing = tmp_path / "scale.toml"
    assert str(refused(lambda: read_scale(missing), ConfigurationError)) == (
        f"{missing}: cannot be read: FileNotFoundError"
    )


def test_the_projects_own_scale() -> None:
    """The Surf Lamp is declared for a million lamps and a billion entries of the log."""
    scale = read_scale(resources.directory("migrations") / "lamps" / "scale.toml")
    assert scale.tables["lamp_registry"].rows == 1_000_000
    assert scale.tables["activity_log"].rows == 1_000_000_000
