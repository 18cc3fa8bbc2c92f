"""Which migrations a command is about."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import attrs
import click

from surf_data.cli.options import with_options
from surf_data.cli.target import Target, pass_target
from surf_data.kernel import resources
from surf_data.migrate import Runner

P = ParamSpec("P")
R = TypeVar("R")

_DOMAIN = "lamps"


@attrs.frozen(kw_only=True)
class Folder:
    """Which migrations a command is about, and where they are applied."""

    #: The servers.
    target: Target
    #: Where the files are.
    path: Path
    #: The name of their history.
    domain: str

    @contextmanager
    def runner(self, **limits: Any) -> Iterator[Runner]:
        """Open the database for a block, and return what migrates it.

        Arguments:
            limits: as for `surf_data.migrate.Runner`.
        """
        with self.target.open() as data:
            yield Runner(data.database.connect, self.path, self.domain, **limits)


def folder_options(command: Callable[Concatenate[Folder, P], R]) -> Callable[..., R]:
    """Give a command the options ``--folder`` and ``--domain``, and what they say as its first argument.

    When they say nothing, it is about the Surf Lamp's migrations.
    """

    @pass_target
    def with_folder(target: Target, /, *args: Any, path: Path | None, domain: str | None, **options: Any) -> R:
        return command(_chosen(target, path, domain), *args, **options)

    # Before the options, which it would replace by those of the command.
    wrapped = update_wrapper(with_folder, command)
    return with_options(
        wrapped,
        click.option(
            "--folder",
            "path",
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="A folder of migrations.  [default: the Surf Lamp's]",
        ),
        click.option(
            "--domain", metavar="NAME", help="The name of their history.  [default: lamps, or the name of the folder]"
        ),
    )


def _chosen(target: Target, path: Path | None, domain: str | None) -> Folder:
    if path is None:
        return Folder(target=target, path=resources.directory("migrations") / _DOMAIN, domain=domain or _DOMAIN)
    # As it was typed: a link that leads to another release with each deploy is still the same history.
    return Folder(target=target, path=path, domain=domain or Path(os.path.abspath(path)).name)  # noqa: PTH100 -- keeps links
