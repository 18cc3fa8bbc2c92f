"""Files of other projects, and the headers that they need."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosql
import pytest

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres import load_queries
from surf_data.review.adoption import UNDESCRIBED, adopt

SqlFolder = Callable[..., Path]

#: What stands in a file, and what the header and the description become.
HEADERS = {
    "no list": ("-- name: user_find^\n-- One.\nselect :b, :a, :b;", "-- name: user_find(b, a)^\n-- One.\n"),
    "a hyphen": ("-- name: get-user\n-- One.\nselect 1;", "-- name: get_user()\n-- One.\n"),
    "three dashes": ("--- name: a!\n--- One.\ndelete from t;", "-- name: a()!\n--- One.\n"),
    "four dashes and no space": ("----name:a$\n-- One.\nselect 1;", "-- name: a()$\n-- One.\n"),
    "no description": ("-- name: a!\ndelete from t;", "-- name: a()!\n-- To be described.\n"),
    "a record class": (
        "-- name: a\n-- record_class: A\nselect 1;",
        "-- name: a()\n-- To be described.\n-- record_class: A\n",
    ),
    "a script": ("-- name: a#\n-- One.\nvacuum;", "-- name: a()#\n-- One.\n"),
    "a list in another order": ("-- name: a(y,x)\n-- One.\nselect :x, :y;", "-- name: a(y, x)\n-- One.\n"),
    "a colon in a string": ("-- name: a\n-- One.\nselect ':no', :yes, 'x'::text;", "-- name: a(yes)\n-- One.\n"),
    "a form of ours": ("-- name: a(x)^\n-- One.\nselect :x;", "-- name: a(x)^\n-- One.\n"),
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("case", HEADERS)
def test_headers(sql_folder: SqlFolder, case: str, ends: str) -> None:
    """A header gets its parameters in their order and a description; the SQL stays byte for byte, and then it loads."""
    before, header = HEADERS[case]
    folder = sql_folder()
    (folder / "a.sql").write_bytes(f"\ufeff-- A file.\n\n{before}\n".replace("\n", ends).encode())
    adopted = adopt(folder)
    for file in adopted.files:
        file.write()
    written = (folder / "a.sql").read_bytes().decode()
    sql = before[before.index(before.rpartition("--")[2].partition("\n")[2]) :]
    assert written == f"\ufeff-- A file.\n\n{header}{sql}\n".replace("\n", ends)
    assert adopted.decisions == ()
    load_queries(folder)
    again = adopt(folder)
    assert again.files == ()
    assert len(again.undescribed) == (UNDESCRIBED in header)


#: What a person must decide, and on which line.
DECISIONS = {
    "several statements": ("-- name: a#\n-- One.\nselect 1; select 2;", 3, "one statement"),
    "no semicolon": ("-- name: a\n-- One.\nselect 1", 3, "ends in ';'"),
    "many": ("-- name: a*!\n-- One.\ninsert into t values (:x);", 1, "COPY, or unnest()"),
    "capitals": ("-- name: getUser\n-- One.\nselect 1;", 1, "write '-- name:"),
    "a slice": ("-- name: a\n-- One.\nselect x[1:2] from t;", 3, "an array slice"),
    "two of a name": ("-- name: a\n-- One.\nselect 1;\n-- name: a\n-- Two.\nselect 2;", 4, "is taken by"),
    "words behind": ("-- name: a :one\n-- One.\nselect 1;", 1, "write '-- name:"),
    "no name": ("-- name: \n-- One.\nselect 1;", 1, "write '-- name:"),
    "SQL that is sent otherwise": ("-- name: a\n-- One.\nselect 'x\n--y';", 3, "not be sent as it is written"),
}


@pytest.mark.parametrize("case", DECISIONS)
def test_what_a_person_must_decide(sql_folder: SqlFolder, case: str) -> None:
    """What no header mends is listed with the file and its line, and nothing of it is changed."""
    text, line, problem = DECISIONS[case]
    folder = sql_folder(shop__a=text)
    decision, *_ = adopt(folder).decisions
    assert (decision.file, decision.line) == (str(folder / "shop" / "a.sql"), line)
    assert problem in str(decision)


def test_descriptions_are_asked_for(sql_folder: SqlFolder, refused: Callable[..., Any]) -> None:
    """Descriptions come from whom they are asked of, in one line; none that would mean something else is taken."""
    folder = sql_folder(a="-- name: a\nselect 1;\n-- name: b\nselect 2;\n")
    [file] = adopt(folder, lambda query: "The\nfirst." if query.name == "a" else " ").files
    assert file.now == f"-- name: a()\n-- The first.\nselect 1;\n-- name: b()\n-- {UNDESCRIBED}\nselect 2;\n"
    for said in ("retry: idempotent", "name: c()"):
        error = refused(lambda said=said: adopt(folder, lambda _query: said), QueryFileError)
        assert "see the descriptions" in str(error)


def test_aiosql_finds_what_it_found(sql_folder: SqlFolder) -> None:
    """The functions that callers use are the same, whatever form they were written in."""
    texts = [re.sub("(name: *)[a-z]+", rf"\g<1>q{number}", text) for number, (text, _) in enumerate(HEADERS.values())]
    folder = sql_folder(a="\n".join(texts) + "\n")
    before = aiosql.from_path(folder, "psycopg", mandatory_parameters=False).available_queries
    for file in adopt(folder).files:
        file.write()
    assert aiosql.from_path(folder, "psycopg").available_queries == before


def test_folders_that_cannot_be_adopted(sql_folder: SqlFolder, tmp_path: Path, refused: Callable[..., Any]) -> None:
    """A folder without queries, and a file that cannot be read, are refused."""
    assert "there are no queries here" in str(refused(lambda: adopt(sql_folder(a="-- no\n")), QueryFileError))
    assert "cannot be read" in str(refused(lambda: adopt(tmp_path / "nowhere"), QueryFileError))
    (tmp_path / "a.sql").write_bytes(b"\xff")
    assert "cannot be read" in str(refused(lambda: adopt(tmp_path), QueryFileError))
