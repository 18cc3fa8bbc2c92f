"""``surf-data stubs`` as a developer and CI use it."""

import ast
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surf_data import domain

Cli = Callable[..., Any]

ROOT = Path(__file__).parents[2]

MIGRATION = """\
-- Boards.

-- migrate:up
CREATE TABLE board (id int4 PRIMARY KEY, label text);

-- migrate:down
DROP TABLE board;
"""
QUERIES = """\
-- name: board_find(id)^
-- One board.
SELECT b.id, b.label FROM board AS b WHERE b.id = :id::int4;
"""
MODULE = """
from pathlib import Path

import attrs
import surf_data
from shop_rows import Board

queries = surf_data.load_queries(Path("sql"), rows={"board_find": Board})
"""
ROWS = """
import attrs

@attrs.frozen
class Board:
    id: int
    label: str | None
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a small program in it."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "migrations/0001_board.sql": MIGRATION,
        "sql/board.sql": QUERIES,
        "shop.py": MODULE,
        "shop_rows.py": ROWS,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    """Replace some text of a file."""
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_stubs(cli: Cli, shop: Path, database_url: str) -> None:
    """A stub is written, found up to date, and found out of date after a change of the schema that its query feels."""
    command = ("stubs", "shop:queries", "--migrations", "migrations", "--scratch", database_url)
    assert "shop.pyi is out of date" in cli(*command, "--check").error(1)
    assert not (shop / "shop.pyi").exists()
    assert cli(*command).out == "shop.pyi written\n"
    assert "def board_find(" in (shop / "shop.pyi").read_text("utf-8")
    assert cli(*command, "--check").out == "shop.pyi is up to date\n"
    edit(shop / "migrations" / "0001_board.sql", "id int4", "id uuid")
    edit(shop / "sql" / "board.sql", "::int4", "::uuid")
    edit(shop / "shop_rows.py", "id: int", "id: object")
    assert cli(*command, "--check").error(1) == "shop.pyi is out of date: run surf-data stubs again, without --check"


def test_problems(cli: Cli, shop: Path, database_url: str) -> None:
    """What does not fit is reported with file and line, one line each, and the stub is written all the same."""
    edit(shop / "shop_rows.py", "str | None", "str")
    with (shop / "sql" / "board.sql").open("a", encoding="utf-8") as file:
        file.write("-- name: board_feel(days)$\n-- In days.\nSELECT make_interval(days => :days) AS feeling;\n")
        file.write("-- name: board_nothing()\n-- Nothing.\nSELECT\n    b.nothing FROM board AS b;\n")
        file.write("-- name: board_vacuum()#\n-- A script.\nVACUUM board;\n")
    done = cli("stubs", "shop:queries", "--migrations", "migrations", "--scratch", database_url)
    assert done.code == 1
    assert done.out == "shop.pyi written\n"
    file = Path("sql") / "board.sql"
    assert done.err.splitlines() == [
        (
            f"surf-data: {file}:1: board_find: Board.label is not optional, but the column may be null: "
            "board.label may be null"
        ),
        (
            f"surf-data: {file}:4: board_feel: function make_interval(days => bigint) does not exist: "
            ":days comes as bigint, write :days::integer"
        ),
        f"surf-data: {file}:10: board_nothing: column b.nothing does not exist",
    ]


def test_no_schema(cli: Cli, shop: Path, database_url: str) -> None:
    """A migration that the server refuses ends the command with file and line."""
    edit(shop / "migrations" / "0001_board.sql", "int4", "nope")
    error = cli("stubs", "shop:queries", "--migrations", "migrations", "--scratch", database_url).error(1)
    assert "0001_board.sql:4" in error
    assert not (shop / "shop.pyi").exists()


def test_server_of_its_own(cli: Cli, shop: Path, scratch: Path) -> None:
    """Without a server one is started for the command, of the version that was asked for, and nothing is left of it."""
    variables = {"TMPDIR": str(scratch)}
    done = cli("stubs", "shop:queries", "--migrations", "migrations", "--postgres-version", "16", variables=variables)
    assert (done.code, done.out) == (0, "shop.pyi written\n")
    assert list(scratch.iterdir()) == []


def test_elsewhere(cli: Cli, shop: Path, database_url: str) -> None:
    """A stub beside a module that is not below the current folder is shown with its whole path."""
    elsewhere = shop / "elsewhere"
    elsewhere.mkdir()
    (shop / "sql").rename(elsewhere / "sql")
    os.chdir(elsewhere)
    done = cli(
        *("stubs", "shop:queries", "--migrations", str(shop / "migrations"), "--scratch", database_url),
        variables={"PYTHONPATH": str(shop)},
    )
    assert done.out == f"{shop / 'shop.pyi'} written\n"


def test_own_stubs(cli: Cli, database_url: str) -> None:
    """The stubs of this library's own queries are what PostgreSQL says today, and none of its modules lacks one."""
    sessions = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    [references] = [
        ast.literal_eval(each.value)
        for each in sessions.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "QUERIES"
    ]
    loading = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "surf_data").rglob("*.py")
        if "return packaged_queries(" in path.read_text("utf-8")
    }
    of_domains = [domain.find(name).queries for name in domain.NAMES]
    assert {reference.partition(":")[0] for reference in (*references, *of_domains)} == loading
    rig = ROOT / "tests" / "rig"
    schema = (ROOT / "migrations" / "lamps", rig / "pg_stat_statements.sql", rig / "citus.sql")
    sources = [argument for path in schema for argument in ("--migrations", str(path))]
    done = cli("stubs", *references, *sources, "--scratch", database_url, "--check")
    assert (done.code, done.err) == (0, "")


# The session `review` checks each.
@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", domain.NAMES)
def test_stubs_of_a_domain(cli: Cli, database_url: str, name: str) -> None:
    """The stubs of a domain are current; its name is enough to check that."""
    done = cli("stubs", "--domain", name, "--scratch", database_url, "--check")
    assert (done.code, done.err) == (0, "")


def test_progress(terminal: Callable[..., str], shop: Path, database_url: str) -> None:
    """On a terminal one sees what is going on."""
    shown = terminal("stubs", "shop:queries", "--migrations", "migrations", "--scratch", database_url)
    assert "creating the schema" in shown
