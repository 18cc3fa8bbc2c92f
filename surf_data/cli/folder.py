"""Which migrations a command is about."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import attrs
import click

from surf_data import domain
from surf_data.cli.options import PathType, with_options
from surf_data.cli.target import DOMAIN_VARIABLE, Target, default_domain, pass_target
from surf_data.domain import Domain
from surf_data.kernel import resources
from surf_data.kernel.postgres import DatabaseManager
from surf_data.migrate import Runner

P = ParamSpec("P")
R = TypeVar("R")


@attrs.frozen(kw_only=True)
class Folder:
    """Which migrations a command is about, and where they are applied."""

    #: The servers.
    target: Target
    #: Where the files are.
    path: Path
    #: The name of their history.
    domain: str
    #: The PostgreSQL schemas that they alone create; none where that is not declared.
    schemas: tuple[str, ...] = ()
    #: The domain, if they are one's own.
    declared: Domain | None = None

    @classmethod
    def of(cls, target: Target, declared: Domain) -> "Folder":
        """Return the migrations of a domain."""
        schemas = tuple(schema for schema in declared.schemas if schema != "public")
        path = resources.migrations_folder(declared)
        return cls(target=target, path=path, domain=declared.name, schemas=schemas, declared=declared)

    def open(self) -> AbstractContextManager[DatabaseManager]:
        """Open the database for a block."""
        return self.target.database(self.declared)

    @contextmanager
    def runner(self, **limits: Any) -> Iterator[Runner]:
        """Open the database for a block, and return what migrates it.

        Arguments:
            limits: as for `surf_data.migrate.Runner`.
        """
        with self.open() as database:
            yield Runner(database.connect, self.path, self.domain, **limits)


@attrs.frozen
class Choice:
    """What was given on the command line: of a group for its commands."""

    #: ``--folder``.
    path: Path | None = None
    #: ``--domain``.
    domain: str | None = None

    def folder(self, target: Target) -> Folder:
        """Return what it leads to."""
        if self.path is None:
            return Folder.of(target, domain.find(self.domain or default_domain()))
        # Verbatim: a link that leads to another release with each deploy is still the same history.
        name = self.domain or Path(os.path.abspath(self.path)).name  # noqa: PTH100 - keeps links
        return Folder(target=target, path=self.path, domain=name)

    def folders(self, target: Target, *, every: bool) -> list[Folder]:
        """Return what it leads to, or the folders of all domains.

        Raises:
            UsageError: one was chosen, and all were asked for.
        """
        if not every:
            return [self.folder(target)]
        if self != Choice():
            raise click.UsageError("--all does not go with --folder and --domain")
        return [Folder.of(target, domain.find(name)) for name in domain.names()]


def choice_options(command: Callable[Concatenate[Target, Choice, P], R]) -> Callable[..., R]:
    """Give a command the options ``--folder`` and ``--domain``, and what they say as an argument after the target.

    What a command of a group does not say is what its group says.
    """

    @pass_target
    def with_choice(target: Target, /, *args: Any, path: Path | None, domain: str | None, **options: Any) -> R:
        above = click.get_current_context().find_object(Choice) or Choice()
        choice = Choice(path, domain) if path or domain else above
        if path and not domain:
            choice = attrs.evolve(choice, domain=above.domain)
        if domain and not path:
            choice = attrs.evolve(choice, path=above.path)
        return command(target, choice, *args, **options)

    # Before the options, which it would replace by those of the command.
    wrapped = update_wrapper(with_choice, command)
    return with_options(
        wrapped,
        click.option(
            "--folder",
            "path",
            metavar="DIR",
            type=PathType(exists=True, file_okay=False),
            help="A folder of migrations.  [default: the domain's]",
        ),
        click.option(
            "--domain",
            metavar="NAME",
            help="The domain, or the name of the folder's history.  "
            f"[default: {DOMAIN_VARIABLE}, else lamps; with --folder its name]",
        ),
    )


def folder_options(command: Callable[Concatenate[Folder, P], R]) -> Callable[..., R]:
    """Give a command the options ``--folder`` and ``--domain``, and the `Folder` that they say as first argument."""

    def with_folder(target: Target, choice: Choice, /, *args: Any, **options: Any) -> R:
        return command(choice.folder(target), *args, **options)

    return choice_options(update_wrapper(with_folder, command))
