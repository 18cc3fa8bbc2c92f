"""``surf-data stubs``: tell type checkers what every query takes and returns."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import click

from surf_data.cli import output
from surf_data.cli.schema import Schema, schema_options
from surf_data.domain import Domain
from surf_data.review import Facts, Outcome, QueryObject, QuerySource, analyse, find_queries, row_problems, stub


@click.command
@click.argument("references", nargs=-1, metavar="[MODULE:NAME...]")
@schema_options
@click.option("--check", is_flag=True, help="Write nothing, and exit with 1 when a stub is not what it would be.")
@click.option("--lenient", is_flag=True, help="Take what aiosql.from_path returned, too.")
@click.pass_context
def stubs(context: click.Context, /, references: tuple[str, ...], *, check: bool, lenient: bool, **schema: Any) -> None:
    """Write a stub for every module with query functions, so that type checkers know them.

    NAME in MODULE is what load_queries returned, or a function that returns it, alone in its module; without any it is
    that of the domain. The stub is written beside it: parameters and rows with the types that PostgreSQL gives them,
    None only where there can be none. Classes of rows are compared with the columns.

    With --lenient it may be what aiosql.from_path returned; its functions take a connection of psycopg, and return what
    aiosql does.

    Nothing is run; every query is analysed in an empty database with the schema, which is dropped in the end. Exits
    with 1 when something does not fit; the stubs are written all the same.
    """
    # As with python -m, a program in the current folder is found.
    sys.path.insert(0, str(Path.cwd()))
    declared, made_of = Schema(**schema).of_domain(default=not references)
    if not references:
        references = (cast("Domain", declared).queries,)
    objects = find_queries(references, lenient=lenient)
    queries = [loaded.query for each in objects for loaded in each.queries]
    with made_of.open() as made:
        outcomes = dict(
            zip(queries, analyse(made.connection, output.tracked("analysing the queries", queries)), strict=True)
        )
    problems = list(_problems(objects, outcomes))
    for file in dict.fromkeys(each.file for each in objects):
        path = file.with_suffix(".pyi")
        text = stub([each for each in objects if each.file == file], outcomes)
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        if path.exists() and path.read_text("utf-8") == text:
            output.console().print(f"{shown} is up to date")
        elif check:
            problems.append(f"{shown} is out of date: run surf-data stubs again, without --check")
        else:
            path.write_text(text, "utf-8")
            output.console().print(f"{shown} written")
    for problem in problems:
        output.write_error(problem)
    context.exit(1 if problems else 0)


def _problems(objects: Sequence[QueryObject], outcomes: dict[QuerySource, Outcome]) -> Iterator[str]:
    loaded = [loaded for each in objects for loaded in each.queries]
    for each in sorted(loaded, key=lambda each: (each.query.file, each.query.line)):
        outcome = outcomes[each.query]
        if isinstance(outcome, Facts):
            found = [*outcome.problems, *(row_problems(each.row, outcome) if each.row else ())]
            yield from (f"{each.query.place()}: {problem}" for problem in found)
        elif each.query.operator != "#":
            # Of a script nothing is to be known.
            yield f"{each.query.place(outcome.line)}: {outcome.reason}"
