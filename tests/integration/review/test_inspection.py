"""A whole review, as a program has it."""

import functools
from collections.abc import Callable
from pathlib import Path

import psycopg

from surf_data.review import ReviewRequest, Workbench, inspect

SqlFolder = Callable[..., Path]

QUERY = "-- name: shop_find(id)^\n-- One.\nSELECT name FROM shop WHERE id = :id;\n"
SCHEMA = "CREATE TABLE shop (id bigint PRIMARY KEY, name text NOT NULL);\n"


def test_a_program_reviews_queries(sql_folder: SqlFolder, tmp_path: Path, server: str) -> None:
    """A program that has a server gets all that there is to know, and is told of each step if it wants to be."""
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
