"""Files are laid out by sqruff, and by no formatter is a query made another one."""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from surf_data.errors import ConfigurationError, QueryFileError, SurfDataError
from surf_data.kernel.executables import find_executable
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.formatting import Layout, Unreadable, laid_out, unproven

Fill = Callable[[str], psycopg.Connection[Any]]
Refused = Callable[[Callable[[], Any], type[SurfDataError]], SurfDataError]

SCHEMA = "CREATE TABLE shop (id int8 PRIMARY KEY, name text); CREATE TABLE board (id int8, shop_id int8, label text);"
Formatter = Callable[[str], Path]
Lay = Callable[[Path, str], Layout]

HEADER = "-- name: q(id)\n-- A query.\n"


@pytest.fixture
def sqruff() -> Path:
    """Return the formatter itself."""
    program = find_executable("sqruff")
    assert program is not None
    return program


@pytest.fixture
def formatter(tmp_path_factory: pytest.TempPathFactory) -> Formatter:
    """Return a function that makes a formatter of a script for sed."""

    def make(script: str) -> Path:
        folder = tmp_path_factory.mktemp("formatter")
        (folder / "script").write_text(script, "utf-8")
        (folder / "formatter").write_text(f"#!/bin/sh\nexec sed -f {folder}/script\n", "utf-8")
        (folder / "formatter").chmod(0o755)
        return folder / "formatter"

    return make


@pytest.fixture
def analyst(database: Fill) -> Analyst:
    """Return what analyses queries for the schema."""
    return Analyst(database(SCHEMA))


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Return a function that has a query laid out by a formatter."""
    (tmp_path / ".sqruff").write_text("[sqruff]\nrules = all\n", "utf-8")

    def out(program: Path, sql: str) -> Layout:
        path = tmp_path / "shop.sql"
        path.write_text(HEADER + sql, "utf-8")
        layout = laid_out(program, path)
        assert isinstance(layout, Layout)
        return layout

    return out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("select name from shop where id=:id;", "select name from shop\nwhere id = :id;"),
        # Neither is it another query with a word that goes without saying.
        (
            "SELECT s.name FROM shop AS s JOIN board AS b ON s.id = b.shop_id AND b.label != 'x';",
            "SELECT s.name\nFROM shop AS s\nINNER JOIN board AS b ON s.id = b.shop_id AND b.label != 'x';",
        ),
        ("COPY shop  TO STDOUT;", "COPY shop TO STDOUT;"),
        ("UPDATE shop SET nothing =1;", "UPDATE shop SET nothing = 1;"),
    ],
)
def test_layout(sqruff: Path, analyst: Analyst, lay: Lay, before: str, after: str) -> None:
    """What sqruff does to the layout is taken, whatever the query is, and done again it does nothing more."""
    layout = lay(sqruff, before)
    assert layout.content.decode() == f"{HEADER}{after}\n"
    assert [*layout.problems, *unproven(analyst, layout)] == []
    layout.write()
    assert laid_out(sqruff, layout.path) is None


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("SELECT id FROM board WHERE label = NULL;", "sqruff would make a query of it that means something else"),
        (
            "SELECT count(1) FROM nothing;",
            'whether it means the same cannot be known: relation "nothing" does not exist',
        ),
    ],
)
def test_another_query(sqruff: Path, analyst: Analyst, lay: Lay, sql: str, problem: str) -> None:
    """A query that sqruff makes another one of, or that cannot be compared, is reported by its place and its name."""
    layout = lay(sqruff, sql)
    [told] = unproven(analyst, layout)
    assert told.startswith(f"{layout.path}:1: q: ")
    assert told.endswith(problem)


@pytest.mark.parametrize(
    ("script", "sql"),
    [
        ("s/ (FORMAT csv)//", "COPY shop TO STDOUT (FORMAT csv);"),
        ("s/bit/varbit/", "SELECT bit '101' AS a;"),
        ("s/(.a/('A/", "SELECT lower('a') AS a;"),
        (r"/a.$/{N;s/\n/ /}", "SELECT 'a'\n'b' AS x;"),
        ("s/> -/>-/", "SELECT 1 @> -1 AS x;"),
    ],
)
def test_tokens(formatter: Formatter, analyst: Analyst, lay: Lay, script: str, sql: str) -> None:
    """What a formatter should never touch is not taken, either."""
    layout = lay(formatter(script), sql)
    assert layout.problems == ()
    assert len(list(unproven(analyst, layout))) == 1


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("s/name: q/name: r/", "change the header of a query"),
        ("s/ A query/ Another query/", "change the header of a query"),
        ("s/ -- why//", "change or drop a comment"),
        (r"/^-- because/{N;s/\(.*\)\n\(.*\)/\2 \1/}", "make a file of it that load_queries refuses"),
    ],
)
def test_around_the_query(formatter: Formatter, lay: Lay, script: str, problem: str) -> None:
    """Headers and comments stay, and a file that can be loaded can be loaded afterwards."""
    layout = lay(formatter(script), "SELECT id -- why\nFROM shop\n-- because: it:is\nWHERE id = :id;\n")
    assert layout.problems == (f"{layout.path}: sqruff would {problem}",)


def test_files_that_load_queries_refuses(formatter: Formatter, lay: Lay) -> None:
    """What was never to be loaded by this library need not be afterwards."""
    assert lay(formatter("s/= :/=:/"), "SELECT id FROM shop WHERE id = :other").problems == ()


def test_line_ends(sqruff: Path, tmp_path: Path) -> None:
    """A file of Windows stays one."""
    path = tmp_path / "shop.sql"
    text = HEADER.replace("\n", "\r\n")
    path.write_bytes(codecs.BOM_UTF8 + f"{text}select name\r\nfrom shop where id=:id;\r\n".encode())
    layout = laid_out(sqruff, path)
    assert isinstance(layout, Layout)
    assert layout.doubtful == ()
    layout.write()
    assert path.read_bytes() == codecs.BOM_UTF8 + f"{text}select name\r\nfrom shop where id = :id;\r\n".encode()
    assert laid_out(sqruff, path) is None


UNREADABLE = {
    "no table": ("SELECT FROM FROM;\n", 3, "q", ""),
    "a misspelt keyword": ("SELECT id\nFORM shop WHERE WHERE;\n", 4, "q", ""),
    "no semicolon": ("SELECT id\nFROM shop\n-- name: b()\n-- B.\nSELECT 1;\n", 4, "q", "a semicolon"),
    "no semicolon behind a parameter": (
        "SELECT id FROM shop LIMIT :limit\n\n-- name: b()\n-- B.\nUPDATE shop SET id = 1;\n",
        3,
        "q",
        "a semicolon",
    ),
    "the second one": ("SELECT id FROM shop;\n-- name: b()\n-- B.\nSELECT (1 FROM shop;\n", 6, "b", ""),
    "the second one of three": (
        "SELECT 1;\n-- name: b()\n-- B.\nSELECT 2\n-- name: c()\n-- C.\nSELECT 3;\n",
        6,
        "b",
        "a semicolon",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_sqruff_cannot_read(sqruff: Path, tmp_path: Path, case: str) -> None:
    """Of a file that sqruff cannot read the line and the query at fault are known."""
    text, line, query, reason = UNREADABLE[case]
    path = tmp_path / "shop.sql"
    path.write_text(f"{HEADER}{text}", "utf-8")
    found = laid_out(sqruff, path)
    assert isinstance(found, Unreadable)
    assert (found.line, found.query) == (line, query)
    assert str(found).startswith(f"{path}:{line}: {query}: sqruff cannot read it")
    assert reason in found.reason


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM shop LIMIT  :limit OFFSET :offset;",
        "SELECT id FROM shop WHERE id = :from  AND id < :to;",
        "SELECT id FROM shop WHERE name = :user OR  name = :order;",
        "INSERT INTO shop (id, name) VALUES  (:select, :where);",
        "SELECT id FROM shop WHERE  id = :limit AND name = :limi_;",
        "SELECT id FROM shop  WHERE id = :a::int8 LIMIT :limit",
    ],
)
def test_parameters_named_like_keywords(sqruff: Path, tmp_path: Path, sql: str) -> None:
    """A parameter may have the name of a keyword, and keeps it."""
    path = tmp_path / "shop.sql"
    path.write_text(f"{HEADER}{sql}\n", "utf-8")
    found = laid_out(sqruff, path)
    assert isinstance(found, Layout)
    assert found.problems == ()
    text = found.content.decode()
    assert "".join(text.split()).lower() == "".join(f"{HEADER}{sql}".split()).lower()


def test_no_queries(sqruff: Path, tmp_path: Path) -> None:
    """A file without queries, such as a migration, is none of this."""
    path = tmp_path / "0001_shop.sql"
    path.write_text("create  table shop (id int8);", "utf-8")
    assert laid_out(sqruff, path) is None


def test_writing(sqruff: Path, lay: Lay, tmp_path: Path) -> None:
    """A file keeps its permissions, also when it is written through a link, and nothing else is left behind."""
    layout = lay(sqruff, "select 1  as a;")
    layout.path.chmod(0o640)
    link = tmp_path / "link.sql"
    link.symlink_to(layout.path)
    attrs.evolve(layout, path=link).write()
    assert layout.path.stat().st_mode & 0o777 == 0o640
    assert layout.path.read_text("utf-8") == f"{HEADER}select 1 as a;\n"
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [tmp_path / ".sqruff", link, layout.path]


def test_what_cannot_be_written(sqruff: Path, lay: Lay, refused: Refused, tmp_path: Path) -> None:
    """Where a file cannot be written, all is as it was."""
    layout = lay(sqruff, "select 1  as a;")
    folder = tmp_path / "folder"
    folder.mkdir()
    error = refused(attrs.evolve(layout, path=folder).write, QueryFileError)
    assert str(error) == f"{folder}: cannot be written: Is a directory"
    assert sorted(tmp_path.iterdir()) == [tmp_path / ".sqruff", folder, layout.path]


def test_failures(sqruff: Path, tmp_path: Path, refused: Refused) -> None:
    """A file that cannot be read, and a formatter that fails, are reported by their names."""
    path = tmp_path / "shop.sql"
    path.write_bytes(b"-- name: a()\n-- \xff\n")
    assert str(refused(lambda: laid_out(sqruff, path), QueryFileError)) == f"{path}: cannot be read: UnicodeDecodeError"
    path.write_text(f"{HEADER}SELECT 1 AS a;\n", "utf-8")
    error = refused(lambda: laid_out(Path("/bin/false"), path), ConfigurationError)
    assert str(error) == f"sqruff fails over {path}: "
    (tmp_path / ".sqruff").write_text("[sqruff]\nmax_line_length = many\n", "utf-8")
    error = refused(lambda: laid_out(sqruff, path), ConfigurationError)
    assert str(error).startswith(f"sqruff fails over {path}: ")
    assert "\n" not in str(error)
