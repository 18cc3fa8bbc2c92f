"""``surf-data format``: lay queries out, without a change of what they mean."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import click

from surf_data.cli import output
from surf_data.cli.options import PathType
from surf_data.cli.schema import Schema, schema_options
from surf_data.domain import Domain
from surf_data.kernel import resources, sql_folders
from surf_data.kernel.executables import find_executable
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.formatting import Layout, Unreadable, laid_out, unproven
from surf_data.review.report.contents import counted


@click.command("format")
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=PathType(exists=True))
@schema_options
@click.option("--check", is_flag=True, help="Write nothing, and exit with 1 when a file is laid out otherwise.")
@click.pass_context
def format_files(context: click.Context, /, paths: tuple[Path, ...], *, check: bool, **schema: Any) -> None:
    """Lay out the files of queries that are named or below a folder, or of a domain, by sqruff and its settings.

    A formatter also mends what it dislikes, and may make another query of it. So a file is only written when nothing
    but spaces, line ends and the case of words has changed, or PostgreSQL makes the same of each query as before; for
    that it needs the schema. Otherwise the file stays as it is, and the query is named. Comments and headers stay, and
    so do line ends of Windows.

    Files without queries, such as migrations, are left alone. Exits with 1 when a file has to stay as it is.
    """
    declared, made_of = Schema(**schema).of_domain(default=not paths)
    if not paths:
        paths = (resources.sql_folder(cast("Domain", declared)),)
    program = find_executable("sqruff")
    if program is None:
        raise click.UsageError('sqruff is not installed: pip install "surf-data[review]"')
    files = list(dict.fromkeys(_files(paths)))
    found = [laid_out(program, path) for path in output.tracked("laying out", files)]
    layouts = [each for each in found if isinstance(each, Layout)]
    unreadable = [each for each in found if isinstance(each, Unreadable)]
    problems = _problems(layouts, made_of)
    for layout in layouts:
        if check and not problems[layout.path]:
            problems[layout.path] = [f"{layout.path}: is laid out otherwise: run surf-data format without --check"]
        elif not problems[layout.path]:
            layout.write()
            output.console().print(f"{layout.path} written")
        for problem in problems[layout.path]:
            output.write_error(problem)
    for each in unreadable:
        output.write_error(str(each))
    # What is laid out otherwise was written, or has a problem.
    fine = len(files) - len(layouts) - len(unreadable)
    output.console().print(f"{counted(fine, 'file')} laid out already.", style="dim")
    context.exit(1 if unreadable or any(problems.values()) else 0)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sql_folders.files(path) if path.is_dir() else [path]


def _problems(layouts: Sequence[Layout], schema: Schema) -> dict[Path, list[str]]:
    problems = {layout.path: list(layout.problems) for layout in layouts}
    # A server is not started without need.
    if any(layout.doubtful for layout in layouts):
        with schema.open() as made:
            analyst = Analyst(made.connection)
            for layout in layouts:
                problems[layout.path] += unproven(analyst, layout)
    return problems
