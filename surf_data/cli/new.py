"""``surf-data new``: the first files of a domain."""

import keyword
import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import click

from surf_data.cli import output
from surf_data.cli.options import PathType
from surf_data.domain import NAMES

# The names become names of packages, schemas, roles and variables.
_NAME = re.compile(r"[a-z][a-z0-9_]{1,38}")
_RESERVED = frozenset({*NAMES, "surf_data", "public", "tests"})
_SUFFIX = ".txt"
# The last block of imports: those that are not of the standard library.
_IMPORTS = re.compile(r"(?:^from .*\n)+(?=\n_Row)", re.MULTILINE)


@click.group(name="new")
def new_group() -> None:
    """Write the first files of something new."""


@new_group.command
@click.argument("name")
@click.option(
    "--into",
    metavar="DIR",
    type=PathType(file_okay=False),
    help="The folder of the new project.  [default: NAME, in this folder]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def domain(*, name: str, into: Path | None, dry_run: bool) -> None:
    """Write a domain in a package of its own: queries, migrations with roles, types, a repository, a test, a page.

    NAME is that of the package, of its PostgreSQL schema and of its history of migrations: a to z, digits and _. After
    "pip install -e DIR" every command takes it with --domain NAME.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in _RESERVED or name.startswith("pg_"):
        raise click.UsageError("NAME must be 2 to 39 of a to z, 0 to 9 and _, begin with a letter, and not be taken")
    folder = into or Path(name)
    files = {folder / path: text for path, text in _files(name)}
    if taken := next((path for path in files if path.exists()), None):
        raise click.UsageError(f"{taken} exists; nothing was written")
    for path, text in files.items():
        if not dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        output.console().print(output.printable(f"{'would write' if dry_run else 'wrote'} {path}"), soft_wrap=True)


def _files(name: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the path of each file and what is in it."""
    title = "".join(part.capitalize() for part in name.split("_"))
    for path, template in _templates(resources.files("surf_data.cli") / "skeleton", PurePosixPath()):
        parts = [{"package": name, "domain": name, "page.md": f"{name}.md"}.get(part, part) for part in path.parts]
        text = template.read_text("utf-8").replace("@name@", name).replace("@Name@", title)
        yield PurePosixPath(*parts), _IMPORTS.sub(_in_order, text) if path.suffix == ".pyi" else text


def _in_order(imports: re.Match[str]) -> str:
    """Return imports sorted by their modules, as ``surf-data stubs`` writes them whatever the new name is."""
    return "".join(sorted(imports[0].splitlines(keepends=True)))


def _templates(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        else:
            yield path / entry.name.removesuffix(_SUFFIX), entry
