"""Stubs of query objects."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import QueryFileError, SurfDataError
from surf_data.review import analyse, find_queries, stub

Database = Callable[[str], psycopg.Connection[Any]]
SqlFolder = Callable[..., Path]
Refused = Callable[[Callable[[], Any], type[SurfDataError]], SurfDataError]

SCHEMA = "CREATE TABLE board (id int4 PRIMARY KEY, label text NOT NULL, made date)"
BOARDS = """\
-- name: board_copy()#
-- Takes many.
COPY board FROM STDIN;

-- name: board_count()$
-- How many there are.
SELECT count(*) FROM board;

-- name: board_csv()#
-- All, as a file.
COPY (SELECT id, label FROM board) TO STDOUT (FORMAT csv);

-- name: board_delete(id)!
-- Deletes one.
DELETE FROM board WHERE id = :id::int4;

-- name: board_find(id)^
-- One, "by" its id; \\o/
-- or none.
SELECT b.id, b.label, b.made FROM board AS b WHERE b.id = :id::int4;

-- name: board_insert(label, id)<!
-- Makes one.
INSERT INTO board (id, label) VALUES (:id::int4, :label::text) RETURNING id;

-- name: board_label(id)$
-- A label.
SELECT b.label FROM board AS b WHERE b.id = :id::int4;

-- name: board_list()
-- All of them.
SELECT b.id, b.label FROM board AS b;

-- name: board_made(id)$
-- When it was made.
SELECT max(b.made) AS made FROM board AS b WHERE b.id <> :id::int4;

-- name: board_vacuum()#
-- Tidies up.
VACUUM board;

-- name: board_vanished(id)
-- Nothing that there is.
SELECT b.nothing FROM board AS b WHERE b.id = :id::int4;

-- name: count(ids)
-- Rows without columns.
SELECT FROM board AS b WHERE b.id = ANY(:ids::int4 []);
"""
SHOP = """\
-- name: config_find()^
-- JSON is anything.
SELECT '{}'::jsonb AS config;
"""
MODULE = """
from pathlib import Path

import attrs

from surf_data import load_queries
from {name}_rows import Board

_FOLDER = Path(__file__).parent / "sql"


def boards():
    return load_queries(_FOLDER, namespace="shop", rows={{"board_list": Board}})
"""
ROWS = """
import attrs


@attrs.frozen
class Board:
    id: int
    label: str
"""
EXPECTED = '''\
"""The queries of {name}, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Generic, TypeVar

from {name}_rows import Board
from surf_data.kernel.postgres import CopyReader, CopyWriter, Executor, Stream

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _Boards:
    class _Inner:
        def config_find(self, executor: Executor, /) -> tuple[Any]:
            """JSON is anything."""

    inner: _Inner

    def board_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many."""

    def board_count(self, executor: Executor, /) -> int:
        """How many there are."""

    def board_csv(self, executor: Executor, /) -> AbstractContextManager[CopyReader]:
        """All, as a file."""

    def board_delete(
        self,
        executor: Executor,
        /,
        *,
        id: int,
    ) -> int:
        """Deletes one."""

    def board_find(
        self,
        executor: Executor,
        /,
        *,
        id: int,
    ) -> tuple[int, str, date | None] | None:
        """One, "by" its id; \\\\o/
        or none."""

    def board_insert(
        self,
        executor: Executor,
        /,
        *,
        label: str,
        id: int,
    ) -> tuple[int]:
        """Makes one."""

    def board_label(
        self,
        executor: Executor,
        /,
        *,
        id: int,
    ) -> str | None:
        """A label."""

    def board_list(self, executor: Executor, /) -> list[Board]:
        """All of them."""

    def board_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Board]]:
        """All of them."""

    def board_made(
        self,
        executor: Executor,
        /,
        *,
        id: int,
    ) -> date | None:
        """When it was made."""

    def board_vacuum(self, executor: Executor, /) -> str | None:
        """Tidies up."""

    def board_vanished(
        self,
        executor: Executor,
        /,
        *,
        id: Any,
    ) -> Any:
        """Nothing that there is."""

    def board_vanished_cursor(
        self,
        executor: Executor,
        /,
        *,
        id: Any,
    ) -> AbstractContextManager[_Rows[Any]]:
        """Nothing that there is."""

    def count(
        self,
        executor: Executor,
        /,
        *,
        ids: list[int] | list[int | None],
    ) -> list[tuple[()]]:
        """Rows without columns."""

    def count_cursor(
        self,
        executor: Executor,
        /,
        *,
        ids: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[()]]]:
        """Rows without columns."""

def boards() -> _Boards: ...
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Return a function that makes an importable module of a text, and returns its name."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def make(text: str) -> str:
        name = f"shop_{tmp_path.name}_{len(made)}"
        (tmp_path / f"{name}_rows.py").write_text(ROWS, "utf-8")
        (tmp_path / f"{name}.py").write_text(text.format(name=name), "utf-8")
        made.append(name)
        return name

    yield make
    for name in made:
        sys.modules.pop(name, None)
        sys.modules.pop(f"{name}_rows", None)


def written(connection: psycopg.Connection[Any], *references: str) -> str:
    """Return the stub for some references."""
    objects = find_queries(references)
    queries = [loaded.query for each in objects for loaded in each.queries]
    return stub(objects, dict(zip(queries, analyse(connection, queries), strict=True)))


def test_stub(database: Database, module: Callable[[str], str], sql_folder: SqlFolder) -> None:
    """Parameters and rows have their types, and None is where it can be and nowhere else."""
    sql_folder(sql__boards=BOARDS, sql__inner__shop=SHOP)
    name = module(MODULE)
    text = written(database(SCHEMA), f"{name}:boards")
    assert text == EXPECTED.format(name=name)
    ast.parse(text)


def test_names_of_types(database: Database, module: Callable[[str], str], sql_folder: SqlFolder) -> None:
    """A query that is called like a type does not hide the type."""
    sql_folder(sql__a="-- name: list()\n-- All.\nSELECT 1 AS a;\n-- name: int()$\n-- One.\nSELECT 1 AS a;\n")
    name = module(MODULE.replace(', rows={{"board_list": Board}}', ""))
    text = written(database(""), f"{name}:boards")
    assert "from builtins import int as _int, list as _list" in text
    assert "def int(self, executor: Executor, /) -> _int:" in text
    assert "def list(self, executor: Executor, /) -> _list[tuple[_int]]:" in text


def test_several_objects(database: Database, module: Callable[[str], str], sql_folder: SqlFolder) -> None:
    """A module may hold several query objects, made at once."""
    sql_folder(sql__inner__shop=SHOP)
    name = module(
        "from pathlib import Path\nimport surf_data\n_here = Path(__file__).parent / 'sql'\n"
        "shop_queries: object = surf_data.load_queries(_here / 'inner')\n"
        "if True:\n    other = _all = surf_data.load_queries(_here)\n"
    )
    text = written(database(""), f"{name}:shop_queries", f"{name}:other")
    assert "\nshop_queries: _ShopQueries\n" in text
    assert text.endswith("\nother: _Other\n")
    assert "_Rows" not in text


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("queries = 1", "queries", "queries is not what load_queries returns"),
        ("def queries():\n    return 1", "queries", "queries is not what load_queries returns"),
        ("", "queries", "cannot be imported (AttributeError); write package.module:name"),
        ("1 / 0", "queries", "cannot be imported (ZeroDivisionError)"),
        ("raise SystemExit(3)", "queries", "cannot be imported (SystemExit)"),
        ("raise KeyboardInterrupt", "queries", "cannot be imported (KeyboardInterrupt)"),
        ("def queries():\n    raise KeyError", "queries", "cannot be imported (KeyError)"),
        ("def queries(folder):\n    return folder", "queries", "cannot be imported (TypeError)"),
        ("import surf_data\ndef queries():\n    return surf_data.load_queries('nowhere')", "queries", "cannot be read"),
        ("import aiosql\nqueries = aiosql.from_str('', 'sqlite3')", "queries", "is not what load_queries returns"),
        ("", "", "cannot be imported"),
        (
            MODULE + "\n\nclass Row: ...\n\n\nLIMIT = WIDTH = 3\nheight: int = 4\nboards.x = 1\n",
            "boards",
            "type checkers would not see LIMIT, Row, WIDTH, height beside a stub",
        ),
    ],
)
def test_no_object(
    text: str, name: str, problem: str, module: Callable[[str], str], sql_folder: SqlFolder, refused: Refused
) -> None:
    """What is no query object, or not alone in its module, is refused."""
    sql_folder(sql__a="-- name: board_list()\n-- All.\nSELECT 1 AS id, 'a' AS label;\n")
    place = module(text)
    assert problem in str(refused(lambda: find_queries([f"{place}:{name}"]), QueryFileError))
