"""Query files: what is read from them, and what is refused with file and line."""

import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres import load_queries
from surf_data.kernel.postgres.query_files import read_file

SqlFolder = Callable[..., Path]

GOOD = """\
-- Lamps of the shop.

-- name: lamp_find(lamp_id, kinds)^
-- One lamp.
-- By its id, because names are not unique.
-- accept: SEQ-SCAN there are few
-- example: lamp_id='3f2504e0-4f89-11d3-9a0c-0305e82c3301', kinds='{a}'
SELECT l.id, l.kind::text /* a comment */ -- another one, at half past ten
FROM lamp AS l
-- a line of its own, with :colon
WHERE l.id = :lamp_id::uuid AND l.kind = ANY(:kinds::text []);

-- name: lamp_list()
-- All lamps.
TABLE lamp;
"""

# What is refused: the text after the first line of description, the line at fault, and what the message says.
BODIES = {
    "parameter in a trailing comment": ("SELECT 1 -- or :x\n;", 3, "a colon in a trailing comment"),
    "time in a trailing comment": ("SELECT 1 -- at 10:30\n;", 3, "a colon in a trailing comment"),
    "parameter in a dollar body": ("SELECT\n $$a\n :x$$;", 5, "a colon in a dollar-quoted text"),
    "parameter in a tagged body": ("SELECT $b$ :x $b$;", 3, "a colon in a dollar-quoted text"),
    "escaped quote": ("SELECT E'\\':x';", 3, "write '' instead of \\' in an E'' string"),
    "escape string in two parts": ("SELECT E'a'\n 'b';", 4, "write it as one"),
    "array slice": ("SELECT a[1:2] FROM t;", 3, "an array slice"),
    "array slice of a cast": ("SELECT (a::int[])[1:2] FROM t;", 3, "an array slice"),
    "array slice with a column": ("SELECT\n a[b :c] FROM t;", 4, "an array slice"),
    "array slice of a slice": ("SELECT a[b[1]:2] FROM t;", 3, "an array slice"),
    "array slice of an element": ("SELECT (ARRAY[a[1:2]]);", 3, "an array slice"),
    "undeclared parameter": ("SELECT 1,\n :x;", 4, "parameter :x is not declared"),
    "second statement": ("SELECT 1; SELECT 2;", 3, "one statement that ends in ';'"),
    "second statement behind names with dollars": ("SELECT a$b$; DELETE FROM c$b$;", 3, "one statement"),
    "second semicolon": ("SELECT 1\n;;", 4, "one statement that ends in ';'"),
    "missing semicolon": ("SELECT 1", 3, "one statement that ends in ';'"),
    "semicolon in a comment only": ("SELECT 1 -- ;", 3, "one statement that ends in ';'"),
    "no SQL": ("", 1, "the query has no SQL"),
    "only a semicolon": (";", 1, "the query has no SQL"),
    "only comments": ("/* SELECT 1; */\n-- SELECT 1;", 1, "the query has no SQL"),
    "no keyword": ("'SELECT' a;", 3, "begins with a keyword"),
    "hint comment": ("SELECT /*+ SeqScan(t) */ 1;", 3, "a hint comment"),
    "nested block comment": ("SELECT 1 /* a /* b */ c */;", 3, "must not hold another"),
    "endless block comment": ("SELECT 1; /* a", 3, "must have an end"),
    "endless block of three characters": ("SELECT 1; /*/", 3, "must have an end"),
    "endless string": ("SELECT 1, 'a;", 3, "the quote ' has no end"),
    "endless identifier": ('SELECT 1 AS "a;', 3, 'the quote " has no end'),
    "endless dollar quote": ("SELECT $a$ 1;", 3, "the quote $ has no end"),
    "line in a string that looks like a comment": ("SELECT 'a\n-- b\n';", 3, "not be sent as it is written"),
    "line in a dollar body that looks like a comment": ("SELECT $$a\n -- b\n$$;", 3, "not be sent as it is"),
    "line in an identifier that looks like a comment": ('SELECT 1 AS "a\n--b";', 3, "not be sent as it is"),
    "block comment in a dollar body": ("SELECT 1, $$a /* b */ c$$;", 3, "not be sent as it is written"),
    "spaces at the end of a line of a string": ("SELECT 1,\n'a  \nb';", 4, "not be sent as it is written"),
    "line separator in a string": ("SELECT 'a\x0cb';", 3, "not be sent as it is written"),
    "block comment between two words": ("SELECT 1 AS a/* b */c;", 3, "not be sent as it is written"),
    "block comment within a number": ("SELECT 1/* b */2;", 3, "not be sent as it is written"),
    "comment that aiosql takes for code": ("SELECT $$it's$$, 'x' /* don't :x */;", 1, "aiosql takes other words"),
    "positional parameter": ("SELECT $1;", 3, "a positional parameter"),
    "psql's quoted literal": ("SELECT :'x';", 3, "psql's quoted variable"),
    "psql's quoted identifier": ('SELECT 1 AS :"x";', 3, "psql's quoted variable"),
    "psql's test of a variable": ("SELECT :{?x};", 3, "psql's quoted variable"),
    "name behind SQL": ("SELECT 1; -- name: b()\n", 3, "'-- name:' must begin a line"),
    "name in a string": ("SELECT 1, '\n-- name: b()';", 4, "'-- name:' must begin a line"),
    "name in a block comment": ("SELECT 1; /*\n-- name: b()\n*/", 4, "'-- name:' must begin a line"),
    "name behind more dashes": ("SELECT 1;\n---- name: b()", 4, "'-- name:' must begin a line"),
    "name on the next line": ("SELECT 1;\n--\n name: b()", 3, "'-- name:' must begin a line"),
}

# What is refused: what stands behind "-- name:", the SQL, and what the message says.
HEADERS = {
    "missing parameter list": ("a", "SELECT 1;", "the parameter list is missing"),
    "missing name": ("()", "SELECT 1;", "write '-- name:"),
    "capital letters": ("A()", "SELECT 1;", "write '-- name:"),
    "hyphen": ("lamp-find()", "SELECT 1;", "write '-- name:"),
    "accent": ("été()", "SELECT 1;", "write '-- name:"),
    "digit first": ("1st()", "SELECT 1;", "write '-- name:"),
    "keyword": ("class()", "SELECT 1;", "write '-- name:"),
    "unknown operator": ("a()?", "SELECT 1;", "write '-- name:"),
    "text behind": ("a() finds", "SELECT 1;", "write '-- name:"),
    "many": ("a(x)*!", "INSERT INTO t VALUES (:x);", "use COPY, or unnest() over arrays"),
    "unused parameter": ("a(x)", "SELECT 1;", "parameter x is declared and not used"),
    "doubled parameter": ("a(x, y, x)", "SELECT :x, :y;", "parameter x is declared twice"),
    "parameter that is a keyword": ("a(from)", "SELECT :from;", "from cannot be the name of a parameter"),
    "parameter that begins with a digit": ("a(1)", "SELECT :1;", "1 cannot be the name of a parameter"),
    "parameter in capitals": ("a(Lamp)", "SELECT :Lamp;", "Lamp cannot be the name of a parameter"),
    "parameter that aiosql has": ("a(conn)", "SELECT :conn;", "conn cannot be the name of a parameter"),
    "parameter of a script": ("a(x)#", "VACUUM :x;", "a # query takes no parameters"),
    "plan without values": ("a()", "-- plan: custom\nSELECT 1;", "has no values to be planned with"),
    "name that aiosql has": ("add_query()", "SELECT 1;", "the name add_query is taken by aiosql"),
    "insert without operator": ("a()", "INSERT INTO t VALUES (1);", "without RETURNING, INSERT has no rows to return"),
    "update for one row": ("a()^", "update t set a = 1;", "without RETURNING, UPDATE has no rows to return"),
    "delete for returning": ("a()<!", "DELETE FROM t;", "without RETURNING, DELETE has no rows to return"),
}


OPTIONS = """\
-- name: a(x)
-- Answers.
-- replica: ok
-- plan: custom
-- retry: idempotent
-- example: x=1
SELECT :x::int4;
"""


def write(folder: SqlFolder, body: str, name: str = "a()") -> Path:
    """Write one query, and return the folder."""
    return folder(shop=f"-- name: {name}\n-- Answers.\n{body}")


def check(error: QueryFileError, place: Path, line: int | None, problem: str) -> None:
    """Check that ``error`` names the place, in its message and as facts."""
    assert (str(place), line) == (error.file, error.line)
    assert str(error).startswith(f"{place}:{line}: " if line else f"{place}: ")
    assert problem in str(error)


def test_a_file_is_read(sql_folder: SqlFolder) -> None:
    """A query has its name, parameters, operator, description, place, and the SQL without its comments."""
    path = sql_folder(lamp=GOOD) / "lamp.sql"
    find, listing = read_file(path)
    assert (find.name, find.parameters, find.operator) == ("lamp_find", ("lamp_id", "kinds"), "^")
    assert find.description == ("One lamp.", "By its id, because names are not unique.")
    assert (path, 3) == (find.file, find.line)
    assert "".join(token.text for token in find.code) == (
        "SELECTl.id,l.kind::textFROMlampASlWHEREl.id=:lamp_id::uuidANDl.kind=ANY(:kinds::text[]);"
    )
    assert (listing.name, listing.parameters, listing.operator, listing.line) == ("lamp_list", (), "", 13)
    assert "-- Lamps of the shop.\n\n" + find.source + listing.source == GOOD


def test_options_are_no_description(sql_folder: SqlFolder) -> None:
    """What a line declares is known by name, whatever else the query declares."""
    [query] = read_file(sql_folder(shop=OPTIONS) / "shop.sql")
    assert dict(query.options) == {"example": "x=1", "plan": "custom", "replica": "ok", "retry": "idempotent"}
    assert query.description == ("Answers.",)


@pytest.mark.parametrize("case", BODIES)
def test_what_would_be_misread_is_refused(sql_folder: SqlFolder, refused: Callable[..., Any], case: str) -> None:
    """SQL that aiosql would change, or PostgreSQL would see otherwise, is refused with file and line."""
    body, line, problem = BODIES[case]
    folder = write(sql_folder, body)
    check(refused(lambda: load_queries(folder), QueryFileError), folder / "shop.sql", line, problem)


@pytest.mark.parametrize("case", HEADERS)
def test_a_bad_header_is_refused(sql_folder: SqlFolder, refused: Callable[..., Any], case: str) -> None:
    """A name, an operator or a parameter that cannot be used is refused with file and line."""
    name, body, problem = HEADERS[case]
    folder = write(sql_folder, body, name)
    check(refused(lambda: load_queries(folder), QueryFileError), folder / "shop.sql", 1, problem)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("-- name: a()\nSELECT 1;", 1, "a line of description must follow the name"),
        ("-- name: a()\n--\nSELECT 1;", 1, "a line of description must follow the name"),
        ("-- name: a()", 1, "a line of description must follow the name"),
        ("\nSELECT 1;\n-- name: a()\n-- A.\nSELECT 1;", 2, "SQL before the first '-- name:'"),
        ("SELECT 1;", 1, "SQL before the first '-- name:'"),
        ("-- name: a()\n-- A.\nSELECT 1;\n\n-- name: a()!\n-- B.\nSELECT 2;", 5, "a is taken by shop.sql:1"),
        ("-- name: a()\n-- A.\nSELECT 1;\n-- name: a_cursor()\n-- B.\nSELECT 2;", 4, "a_cursor is taken by shop"),
    ],
    ids=["undescribed", "empty", "only a name", "SQL before a name", "no name", "duplicate", "cursor"],
)
def test_a_bad_file_is_refused(
    sql_folder: SqlFolder, refused: Callable[..., Any], text: str, line: int, problem: str
) -> None:
    """What a file lacks, and what no function can be made of, is refused with file and line."""
    folder = sql_folder(shop=text)
    check(refused(lambda: load_queries(folder), QueryFileError), folder / "shop.sql", line, problem)


def test_a_name_counts_across_the_files_of_a_folder(sql_folder: SqlFolder, refused: Callable[..., Any]) -> None:
    """The second of two queries with one name is refused, and the error says where the first one is."""
    query = "\n-- name: a()\n-- Answers.\nSELECT 1;\n"
    folder = sql_folder(one=query, two="\n" + query)
    error = refused(lambda: load_queries(folder), QueryFileError)
    check(error, folder / "two.sql", 3, "the name a is taken by one.sql:2")


def test_a_name_counts_once_for_a_folder_and_a_query(sql_folder: SqlFolder, refused: Callable[..., Any]) -> None:
    """A folder cannot have the name of a query beside it, whichever comes first."""
    query = "-- name: {}()\n-- Answers.\nSELECT 1;\n"
    folder = sql_folder(shop=query.format("stock"), stock__a=query.format("a"))
    error = refused(lambda: load_queries(folder), QueryFileError)
    check(error, folder / "stock", None, "the name stock is taken by shop.sql:1")
    folder = sql_folder(shop=query.format("other"), stock__a=query.format("a"), yard=query.format("stock"))
    error = refused(lambda: load_queries(folder), QueryFileError)
    check(error, folder / "yard.sql", 1, "the name stock is taken by a folder")


@pytest.mark.parametrize("name", ["my-shop", "Shop", "class", "été"])
def test_a_folder_of_queries_must_be_an_attribute(
    sql_folder: SqlFolder, refused: Callable[..., Any], name: str
) -> None:
    """A folder is a namespace, so its name must be one; folders without queries may be called anything."""
    folder = sql_folder(**{f"{name}__a": "-- nothing yet", "shop": "-- name: a()\n-- Answers.\nSELECT 1;"})
    load_queries(folder)
    folder = sql_folder(**{f"{name}__a": "-- name: a()\n-- Answers.\nSELECT 1;"})
    error = refused(lambda: load_queries(folder), QueryFileError)
    check(error, folder / name, None, "the name of a folder of queries")


def test_a_file_that_cannot_be_read_is_named(
    sql_folder: SqlFolder, refused: Callable[..., Any], tmp_path: Path
) -> None:
    """A link to nowhere, a folder that is not there, bytes that are not UTF-8 and a NUL are errors with their place."""
    folder = sql_folder()
    (folder / "a.sql").symlink_to(folder / "nowhere.sql")
    check(refused(lambda: load_queries(folder), QueryFileError), folder / "a.sql", None, "FileNotFoundError")
    (folder / "a.sql").unlink()
    nowhere = tmp_path / "nowhere"
    check(refused(lambda: load_queries(nowhere), QueryFileError), nowhere, None, "FileNotFoundError")
    (folder / "a.sql").write_bytes(b"-- name: a()\n-- \xff\nSELECT 1;")
    check(refused(lambda: load_queries(folder), QueryFileError), folder / "a.sql", 2, "is not UTF-8")
    (folder / "a.sql").write_bytes(b"-- name: a()!\n-- A.\nDELETE FROM t\0 WHERE false;")
    check(refused(lambda: load_queries(folder), QueryFileError), folder / "a.sql", 3, "a NUL character")


def test_a_folder_without_queries_is_refused(sql_folder: SqlFolder, refused: Callable[..., Any]) -> None:
    """A folder in which there is nothing to load is most likely the wrong one."""
    folder = sql_folder(empty="-- Nothing yet.", below__empty="")
    (folder / "notes.txt").write_text("-- name: a()\n-- Answers.\nSELECT 1;")
    check(refused(lambda: load_queries(folder), QueryFileError), folder, None, "there are no queries here")


@attrs.frozen
class Row:
    """A row with one column."""

    a: int


@attrs.frozen(kw_only=True)
class KeywordRow:
    """A row that cannot be made by position."""

    a: int


@attrs.frozen
class DerivedRow:
    """A row with a field that is no column."""

    a: int
    b: int = attrs.field(init=False, default=1)


def test_row_classes_are_for_queries_that_exist(sql_folder: SqlFolder, refused: Callable[..., Any]) -> None:
    """A class for a query that is not there is refused by the query's name below the folder."""
    folder = sql_folder(shop="-- name: a()\n-- Answers.\nSELECT 1 AS a;", yard__b="-- name: c()\n-- C.\nSELECT 1 AS a;")
    load_queries(folder, rows={"a": Row, "yard.c": Row})
    error = refused(lambda: load_queries(folder, rows={"a": Row, "c": Row}), QueryFileError)
    check(error, folder, None, "there is no query c")


@pytest.mark.parametrize("operator", ["$", "!", "#"])
def test_row_classes_are_for_queries_with_rows(
    sql_folder: SqlFolder, refused: Callable[..., Any], operator: str
) -> None:
    """A class for a query that returns no rows is refused with file and line."""
    folder = write(sql_folder, "SELECT 1 AS a;", f"a(){operator}")
    error = refused(lambda: load_queries(folder, rows={"a": Row}), QueryFileError)
    check(error, folder / "shop.sql", 1, f"the operator {operator} has no rows for a class")


@pytest.mark.parametrize("row", [KeywordRow, DerivedRow])
def test_row_classes_take_their_columns_by_position(
    sql_folder: SqlFolder, refused: Callable[..., Any], row: type
) -> None:
    """A class that cannot be called with positional arguments is refused when the files are loaded."""
    folder = write(sql_folder, "SELECT 1 AS a;")
    error = refused(lambda: load_queries(folder, rows={"a": row}), QueryFileError)
    check(error, folder / "shop.sql", 1, f"{row.__name__} must take each column as a positional argument")


def test_what_is_fine_is_not_refused(sql_folder: SqlFolder, caplog: pytest.LogCaptureFixture) -> None:
    """Colons, quotes, dollars and brackets that cannot be misread are accepted without a word."""
    caplog.set_level(logging.NOTSET)
    queries = load_queries(
        sql_folder(
            shop="\ufeff"
            "-- name: arrays(a, b, i)\n-- A.\n"
            "SELECT ARRAY[:a, :b], ARRAY[[:a], [:b]], (ARRAY[1, 2])[:i], ('{1,2}'::int[])[1 : 2], (:a::text []),\n"
            "f(x => :a), f(x := :b) -- an 'aside'\n"
            "FROM t WHERE b ? 'k' AND c <@ '[1:2]' AND d[f(:i)] AND e['x'] AND g % 2 = 0;\n"
            "-- name: quotes()\n-- Q: with a colon, and isn't it fine?\n"
            "  -- :indented\n"
            "SELECT 'a :b ; -- c /* d */', \"e :f ; -- g\", $$h ; $i$ 'j$$, E'k\\n''l', U&'m\\0041', n$o$p, q::r,\n"
            "/* s :t ; 'u */ 'v' ;\n-- the :end\n"
            "-- name: first()^\n-- F.\n(WITH x AS (SELECT 1) SELECT * FROM x);\n"
            "-- name: returned(a)<!\n-- R.\ninsert into t values (:a) returning b;\n"
            "-- name:changed  ( a )!\n-- C.\nINSERT INTO t VALUES (:a);\n"
            "--  name : run ()#\r\n-- S.\r\nVACUUM t;\r\n"
        )
    )
    names = ["arrays", "arrays_cursor", "changed", "first", "quotes", "quotes_cursor", "returned", "run"]
    assert names == queries.available_queries
    assert queries.quotes.__doc__.startswith("Q: with a colon, and isn't it fine?")
    assert caplog.records == []


FAULTY = {
    "a": "-- name: one()\n-- One.\nSELECT :x;\n\n-- name: two(y)\nSELECT 1;\n",
    "b": "SELECT 1;\n-- name: three\n-- Three.\nSELECT :a, :b, :a;\n-- name: Four()\n-- Four.\nSELECT 4;\n",
    "c__d": "-- name: five()#\n-- Five.\nSELECT 'it\n--s';\n-- name: six()\n-- Six.\nSELECT $1\n",
    "c-d__e": "-- name: seven()\n-- Seven.\nSELECT 7;\n",
    "f": "-- name: one()\n-- One again.\nSELECT 1;\n-- name: eight()!\n-- Rows.\nDELETE FROM t;\n",
}


def test_all_faults_are_told_at_once(sql_folder: SqlFolder, refused: Callable[..., Any]) -> None:
    """All that is wrong with a folder is in one error, by file and line, also in queries beside each other."""
    folder = sql_folder(**FAULTY)
    (folder / "g.sql").write_bytes(b"\n\xff")
    error = refused(lambda: load_queries(folder, rows={"eight": Row, "nine": Row}), QueryFileError)
    assert [(fault.file and Path(fault.file).name, fault.line) for fault in error.faults] == [
        *[("a.sql", 3), ("a.sql", 5), ("a.sql", 5)],
        *[("b.sql", 1), ("b.sql", 2), ("b.sql", 5)],
        ("d.sql", 3),
        ("d.sql", 7),
        ("d.sql", 7),
        ("c-d", None),
        ("f.sql", 1),
        ("f.sql", 4),
        ("g.sql", 2),
    ]
    assert str(error) == "\n".join(map(str, error.faults))
    assert (error.file, error.line) == (str(folder / "a.sql"), 3)
    assert "write three(a, b)" in str(error)
    assert pickle.loads(pickle.dumps(error)).faults[0].line == 3  # noqa: S301 - it was made here


LEFTOVERS = [".#shop.sql", "._shop.sql", ".shop.sql.swp", ".ipynb_checkpoints/shop.sql", ".git/hooks.sql", "shop.sql~"]


@pytest.mark.parametrize("name", LEFTOVERS)
def test_what_editors_leave_is_passed_over(sql_folder: SqlFolder, name: str) -> None:
    """Hidden files and folders, and files with other suffixes, are no queries, whatever is in them."""
    folder = sql_folder(shop="-- name: a()\n-- Answers.\nSELECT 1;")
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x00\x05\x16\x07\xff")
    assert load_queries(folder).available_queries == ["a", "a_cursor"]


@pytest.mark.parametrize("name", ["SHOP.SQL", "shop.Sql", "été.sQL", "shop floor.SQL", "0.SQL"])
def test_a_suffix_counts_in_any_case(sql_folder: SqlFolder, name: str) -> None:
    """A file whose name looks meant is read."""
    folder = sql_folder()
    (folder / name).write_text("-- name: a()\n-- Answers.\nSELECT 1;", "utf-8")
    assert load_queries(folder).available_queries == ["a", "a_cursor"]


def _to_itself(folder: Path) -> None:
    (folder / "a").symlink_to(".")


def _to_itself_twice(folder: Path) -> None:
    (folder / "a").symlink_to(".")
    (folder / "b").symlink_to(folder)


def _from_below(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to("..")


def _to_each_other(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    (folder / "a" / "c").symlink_to("../b")
    (folder / "b" / "c").symlink_to("../a")


def _over_the_folder_above(folder: Path) -> None:
    (folder / "a").symlink_to(folder.parent)


@pytest.mark.parametrize(
    "link",
    [_to_itself, _to_itself_twice, _from_below, _to_each_other, _over_the_folder_above],
    ids=lambda link: link.__name__,
)
def test_links_in_a_circle_are_refused(
    sql_folder: SqlFolder, refused: Callable[..., Any], link: Callable[[Path], None]
) -> None:
    """A link that leads back to a folder above it is an error, and no load without end."""
    folder = sql_folder(shop="-- name: a()\n-- Answers.\nSELECT 1;")
    link(folder)
    assert "a link leads back" in str(refused(lambda: load_queries(folder), QueryFileError))


@pytest.mark.parametrize(
    "text", [r"E'C:\\'", r"e'\\\\'", r"E'a\\b\n\\'", r"E'\\''\\'", r"E'it''s \\'", r"E'\x41\\' || 'b'"]
)
def test_backslashes_at_the_end_of_a_string(sql_folder: SqlFolder, text: str) -> None:
    """A backslash that is itself escaped does not escape the quote behind it."""
    assert load_queries(write(sql_folder, f"SELECT {text};")).available_queries == ["a", "a_cursor"]


@pytest.mark.parametrize("text", [r"E'\''", r"E'a\\\'b'", r"e'\n\''"])
def test_escaped_quotes_are_refused(sql_folder: SqlFolder, refused: Callable[..., Any], text: str) -> None:
    """A quote that is escaped by a backslash ends a string to aiosql."""
    folder = write(sql_folder, f"SELECT {text};")
    check(refused(lambda: load_queries(folder), QueryFileError), folder / "shop.sql", 3, "write '' instead of")
