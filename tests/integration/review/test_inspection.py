"""A whole review, as a program has it."""

import functools
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from surf_data import load_queries
from surf_data.review import Facts, ReviewRequest, RuleOptions, Workbench, inspect

SqlFolder = Callable[..., Path]

QUERY = "-- name: shop_find(id)^\n-- One.\nSELECT name FROM shop WHERE id = :id;\n"
SCHEMA = "CREATE TABLE shop (id bigint PRIMARY KEY, name text NOT NULL);\n"


def test_a_program_reviews_queries(sql_folder: SqlFolder, tmp_path: Path, server: str) -> None:
    """A program that has a server gets all that there is to know, and each step if it wants to."""
    schema = tmp_path / "schema.sql"
    schema.write_text(SCHEMA, "utf-8")
    workbench = Workbench(connect=functools.partial(psycopg.connect, server))
    request = ReviewRequest(folder=sql_folder(shop=QUERY), sources=(schema,))
    steps: list[str] = []
    review = inspect(request, workbench, on_step=steps.append)
    assert steps == ["creating the schema", "analysing the queries: 1 of 1"]
    assert (review.ok, review.before, review.report.verdict()) == (True, None, "No findings")
    [outcome] = review.now.outcomes
    assert outcome.query.name == "shop_find"
    assert inspect(request, workbench).ok


def test_a_review_that_is_not_fine(sql_folder: SqlFolder, tmp_path: Path, server: str) -> None:
    """With a problem or a finding a review is not ok."""
    schema = tmp_path / "schema.sql"
    schema.write_text(SCHEMA, "utf-8")
    folder = sql_folder(shop=QUERY.replace("name FROM", "town FROM"))
    review = inspect(
        ReviewRequest(folder=folder, sources=(schema,)), Workbench(connect=functools.partial(psycopg.connect, server))
    )
    assert not review.ok
    assert [problem.text for problem in review.report.problems] == ['column "town" does not exist']


NOTHING = {
    "an empty folder": {"notes": ""},
    "a file without queries": {"q/find": "--- :name find :one\nselect 1 where :x\n"},
    "headers without SQL": {"q": "-- name: find()\n-- One.\n-- name: other()\n"},
    "queries of tables that are not there": {"q": "-- name: find()\n-- One.\nSELECT a FROM nowhere;\n"},
    "no statement that is analysed": {"q": "-- name: find()!\n-- One.\nVACUUM;\n"},
}


@pytest.mark.parametrize("case", NOTHING)
def test_a_review_of_nothing_is_not_ok(sql_folder: SqlFolder, tmp_path: Path, server: str, case: str) -> None:
    """Where nothing was reviewed nothing is known to be fine."""
    folder = sql_folder(**{name.replace("/", "__"): text for name, text in NOTHING[case].items()})
    review = inspect(ReviewRequest(folder=folder), Workbench(connect=functools.partial(psycopg.connect, server)))
    assert (review.ok, review.report.verdict()) == (False, "Nothing was reviewed")
    if "tables" in case:
        assert "No schema was named: --migrations" in review.report.notes[0]


def test_scripts_are_reviewed(sql_folder: SqlFolder, server: str) -> None:
    """Of scripts nothing is to be known, and so a folder of them is fine."""
    folder = sql_folder(q="-- name: clean()#\n-- Cleans.\nVACUUM;\n")
    workbench = Workbench(connect=functools.partial(psycopg.connect, server))
    assert inspect(ReviewRequest(folder=folder), workbench).ok


@pytest.mark.parametrize("header", ["-- One.", "-- One.\n-- accept: UNREAD-TYPE the other driver reads it"])
def test_a_kind_of_findings_is_ignored(sql_folder: SqlFolder, tmp_path: Path, server: str, header: str) -> None:
    """What another driver reads is accepted in a header, or left out for the whole folder."""
    folder = sql_folder(shop=f"-- name: shop_place(id)^\n{header}\nSELECT place FROM shop WHERE id = :id;\n")
    schema = tmp_path / "schema.sql"
    schema.write_text("CREATE TABLE shop (id bigint PRIMARY KEY, place point);\n", "utf-8")
    workbench = Workbench(connect=functools.partial(psycopg.connect, server))
    request = ReviewRequest(folder=folder, sources=(schema,))
    assert inspect(request, workbench).ok is ("accept" in header)
    ignoring = ReviewRequest(folder=folder, sources=(schema,), options=RuleOptions(ignored=frozenset({"UNREAD-TYPE"})))
    review = inspect(ignoring, workbench)
    assert (review.ok, review.now.state.findings) == (True, ())


RARE_NAMES = ['"a=b"', '"t ""u"', '"c:d"', 'U&"d\\0061t"', '"%s"', '"select"', '"$1"', '"Größe"', '"x;y"', '"--"']


@pytest.mark.parametrize("name", RARE_NAMES)
def test_names_that_need_quotes(sql_folder: SqlFolder, tmp_path: Path, server: str, name: str) -> None:
    """A schema, a table, a column, an index or a constraint may be called whatever SQL allows."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "0001_rare.sql").write_text(
        f"-- migrate:up\nCREATE SCHEMA {name};\nCREATE TABLE {name}.{name} ({name} int8 PRIMARY KEY, other int8 "
        f"CONSTRAINT {name} REFERENCES {name}.{name});\n-- migrate:down\nDROP SCHEMA {name} CASCADE;\n",
        "utf-8",
    )
    text = f"SELECT t.{name}, t.other FROM {name}.{name} AS t WHERE t.{name} = :id::int8 AND t.other % 7 = 0"
    folder = sql_folder(q__rare=f"-- name: rare_find(id)^\n-- One.\n{text};\n") / "q"
    workbench = Workbench(connect=functools.partial(psycopg.connect, server))
    review = inspect(ReviewRequest(folder=folder, sources=(tmp_path / "m",)), workbench)
    assert review.report.problems == []
    [outcome] = review.now.outcomes
    assert isinstance(outcome, Facts)
    assert str(outcome.rows) == "at most one"
    assert {finding.code for finding in review.now.state.findings} <= {"FK-INDEX", "SQUAWK"}
    load_queries(folder)
