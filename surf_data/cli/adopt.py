"""``surf-data adopt``: bring an aiosql project's files into the form that this library takes."""

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from surf_data.cli import output
from surf_data.cli.options import PathType
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.adoption import UNDESCRIBED, Adoption, adopt
from surf_data.review.report.contents import counted

_STYLES = {"-": "red", "+": "green"}


@click.command("adopt")
@click.argument("folder", type=PathType(exists=True, file_okay=False))
@click.option("--write", is_flag=True, help="Write the files. Without it they are only shown.")
@click.option("--ask", is_flag=True, help=f"Ask for missing descriptions, which otherwise read '{UNDESCRIBED}'")
@click.pass_context
def adopt_files(context: click.Context, folder: Path, *, write: bool, ask: bool) -> None:
    """Give the queries below FOLDER the headers that load_queries wants, and leave their SQL as it is.

    Parameters are listed in the order in which they come, and a line of description is added where there is none. Any
    file that aiosql takes will do. Every query is compared, before and after, token by token.

    What a person must decide is listed with file and line: all that load_queries would still refuse. Exits with 1 while
    there is any.
    """
    adopted = adopt(folder, _asked if ask else None)
    for file in adopted.files:
        if write:
            file.write()
            output.console().print(f"{file.path}: {counted(file.headers, 'header')} written")
        else:
            _show(file)
    headers = sum(file.headers for file in adopted.files)
    done = "written" if write else "to be written, by --write"
    output.console().print(f"{counted(headers, 'header')} of {counted(len(adopted.queries), 'query')} {done}.")
    undescribed = counted(len(adopted.undescribed), "query")
    if adopted.undescribed:
        output.console().print(f"{undescribed} still to be described: look for '{UNDESCRIBED}'")
    for decision in adopted.decisions:
        output.write_error(str(decision))
    context.exit(1 if adopted.decisions else 0)


def _asked(query: QuerySource) -> str:
    text = " ".join(query.sql.split())
    output.console(stderr=True).print(f"{query.place()}: {output.printable(text)}")
    answer: Callable[..., str] = click.prompt
    return answer("What does it answer or do", default="", show_default=False, err=True)


def _show(file: Adoption) -> None:
    console = output.console()
    console.print(str(file.path), style="bold")
    for line in _lines(file):
        console.out(output.printable(line), style=_STYLES.get(line[0]), highlight=False)


def _lines(file: Adoption) -> Iterator[str]:
    lines = difflib.unified_diff(file.before.splitlines(), file.now.splitlines(), n=0, lineterm="")
    # Without the names of files, and where the parts begin.
    return (line for line in list(lines)[2:] if not line.startswith("@@"))
