"""Where the commands that look at queries look at them: a database made from files, for the time of the command."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import attrs
import click
import psycopg

from surf_data.cli import output
from surf_data.cli.options import with_options
from surf_data.cli.scratch_server import embedded_postgres, scratch_option
from surf_data.kernel.postgres import Connector
from surf_data.kernel.settings import load
from surf_data.migrate import ScratchServer
from surf_data.review import scratch

P = ParamSpec("P")
R = TypeVar("R")


@attrs.frozen(kw_only=True)
class Made:
    """A schema that was made."""

    #: A connection to its database.
    connection: psycopg.Connection[Any]
    #: The folder of the server's data; ``None`` when it is somebody's server.
    data: Path | None


@attrs.frozen(kw_only=True)
class Server:
    """A server to make schemas on."""

    #: Connects to it.
    connect: ScratchServer
    #: The folder of its data; ``None`` when it is somebody's server, and not started for the command.
    data: Path | None

    @contextmanager
    def make(self, sources: Iterable[Path]) -> Iterator[Made]:
        """Make a schema for a block, in a database of its own. Nothing is left of it in the end.

        Arguments:
            sources: folders of migrations and files with schemas, in the order in which they are applied.

        Raises:
            DatabaseError: the server cannot be reached, or its role may not create databases.
            MigrationError: the schema cannot be made.
        """
        with ExitStack() as stack:
            with output.working("making the schema"):
                database = stack.enter_context(scratch(self.connect, private=self.data is not None))
                for source in sources:
                    database.apply(source)
            connection = stack.enter_context(closing(database.connect()))
            yield Made(connection=connection, data=self.data)


@attrs.frozen(kw_only=True)
class Schema:
    """The schema that queries are for, and the server to make it on."""

    #: Folders of migrations and files with schemas, in the order in which they are applied.
    sources: tuple[Path, ...]
    #: The URL of a server; ``None`` for one that is started for the command.
    scratch: str | None = attrs.field(repr=False)
    #: The version of the server that is started.
    postgres_version: int = attrs.field(converter=int)

    @contextmanager
    def server(self) -> Iterator[Server]:
        """Have the server for a block.

        Raises:
            ConfigurationError: the URL is malformed.
            EmbeddedServerError: the server cannot be started.
        """
        if self.scratch is not None:
            yield Server(connect=Connector(load(database_url=self.scratch)).connect, data=None)
            return
        with ExitStack() as stack:
            with output.working("starting PostgreSQL"):
                servers = stack.enter_context(embedded_postgres(self.postgres_version))
            connect = Connector(load(database_url=servers.database_url)).connect
            yield Server(connect=connect, data=servers.postgres_data)

    @contextmanager
    def open(self) -> Iterator[Made]:
        """Make the schema for a block. Nothing is left of it in the end.

        Raises:
            ConfigurationError: the URL is malformed.
            DatabaseError: the server cannot be reached, or its role may not create databases.
            EmbeddedServerError: the server cannot be started.
            MigrationError: the schema cannot be made.
        """
        with self.server() as server, server.make(self.sources) as made:
            yield made


def schema_options(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the options that a `Schema` is made of."""
    return with_options(
        command,
        click.option(
            "--migrations",
            "sources",
            multiple=True,
            metavar="PATH",
            type=click.Path(exists=True, path_type=Path),
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
