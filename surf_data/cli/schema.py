"""Which schema the commands that analyse queries create, and on which server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import attrs
import click

from surf_data import domain
from surf_data.cli import output
from surf_data.cli.options import PathType, with_options
from surf_data.cli.scratch_server import embedded_postgres, scratch_option
from surf_data.cli.target import DOMAIN_VARIABLE, default_domain
from surf_data.domain import Domain
from surf_data.kernel import resources
from surf_data.kernel.postgres import Connector
from surf_data.kernel.settings import load
from surf_data.review import ScratchSchema, Workbench

P = ParamSpec("P")
R = TypeVar("R")


@attrs.frozen(kw_only=True)
class Schema:
    """The schema that queries are for, and the server to make it on."""

    #: Folders of migrations and files with schemas, in the order in which they are applied.
    sources: tuple[Path, ...]
    #: The domain that was named; ``None`` for none.
    domain_name: str | None = None
    #: The URL of a server; ``None`` for one that is started for the command.
    scratch: str | None = attrs.field(repr=False)
    #: The version of the server that is started.
    postgres_version: int = attrs.field(converter=int)

    def of_domain(self, *, default: bool) -> "tuple[Domain | None, Schema]":
        """Return the domain that it is about, and the schema with its migrations unless others were named.

        Arguments:
            default: whether it is about a domain also when none was named.

        Raises:
            ConfigurationError: there is no domain of that name.
        """
        if not default and self.domain_name is None:
            return None, self
        declared = domain.find(self.domain_name or default_domain())
        return declared, attrs.evolve(self, sources=self.sources or (resources.migrations_folder(declared),))

    @contextmanager
    def workbench(self) -> Iterator[Workbench]:
        """Open the server for a block.

        Raises:
            ConfigurationError: the URL is malformed.
            EmbeddedServerError: the server cannot be started.
        """
        if self.scratch is not None:
            yield Workbench(connect=Connector(load(database_url=self.scratch)).connect)
            return
        with ExitStack() as stack:
            with output.working("starting PostgreSQL"):
                servers = stack.enter_context(embedded_postgres(self.postgres_version))
            connect = Connector(load(database_url=servers.database_url)).connect
            yield Workbench(connect=connect, data=servers.postgres_data)

    @contextmanager
    def open(self) -> Iterator[ScratchSchema]:
        """Create the schema for a block; it is dropped when the block exits.

        Raises:
            ConfigurationError: the URL is malformed.
            DatabaseError: the server cannot be reached, or its role may not create databases.
            EmbeddedServerError: the server cannot be started.
            MigrationError: the schema cannot be created.
        """
        with self.workbench() as workbench, ExitStack() as stack:
            with output.working("creating the schema"):
                schema = stack.enter_context(workbench.create(self.sources))
            yield schema


def schema_options(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the options that a `Schema` is made of."""
    return with_options(
        command,
        click.option(
            "--domain",
            "domain_name",
            metavar="NAME",
            help=f"Take the queries and migrations of this domain.  [default: {DOMAIN_VARIABLE}, else lamps, where no "
            "queries are named]",
        ),
        click.option(
            "--migrations",
            "sources",
            multiple=True,
            metavar="PATH",
            type=PathType(exists=True),
            help="A folder of migrations, or a file with a schema as pg_dump --schema-only writes it. May be there "
            "several times.",
        ),
        scratch_option,
        click.option(
            "--postgres-version",
            type=click.Choice(["16", "18"]),
            default="18",
            show_default=True,
            help="Which embedded server to start.",
        ),
    )
