"""Where migrations are tried: a server that is thrown away, or one that was named."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

import click

from surf_data import embedded
from surf_data.cli import output, signals
from surf_data.embedded.postgres import installations
from surf_data.errors import EmbeddedServerError
from surf_data.kernel.postgres import Connector, DatabaseManager
from surf_data.kernel.settings import load
from surf_data.migrate import Migration, ScratchServer
from surf_data.migrate.scratch import create_roles, created_roles, roles

P = ParamSpec("P")
R = TypeVar("R")


def scratch_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that tries migrations the option ``--scratch``."""
    return click.option(
        "--scratch",
        metavar="URL",
        help="A PostgreSQL server to create a database on, which is dropped at the end.  [default: an embedded one]",
    )(command)


@contextmanager
def scratch_server(
    url: str | None,
    database: DatabaseManager,
    migrations: Iterable[Migration],
    on_progress: Callable[[str], object],
) -> Iterator[ScratchServer]:
    """Return, for a block, a server that is like that of ``database``.

    Without a URL it is an embedded one of the same major version, or the nearest, with the same roles.

    Arguments:
        url: which server to take, if one was named.
        database: whose migrations are to be tried.
        migrations: those that will be replayed; roles that they create are not there before.
        on_progress: called with a line on what takes time.

    Raises:
        ConfigurationError: the URL is malformed.
        EmbeddedServerError: there is no embedded server to be had.
    """
    if url is not None:
        yield Connector(load(database_url=url)).connect
        return
    with closing(database.connect()) as connection:
        version = connection.info.server_version // 10_000
        names = {*roles(connection)} - created_roles(migrations)
    nearest = _nearest(version)
    if nearest != version:
        output.console(stderr=True).print(
            f"The database is on PostgreSQL {version}. Its migrations are tried on {nearest}, the nearest there is."
        )
    on_progress(f"starting PostgreSQL {nearest}")
    with embedded_postgres(nearest) as servers:
        server = Connector(load(database_url=servers.database_url)).connect
        create_roles(server, names)
        yield server


def embedded_postgres(version: int) -> AbstractContextManager[embedded.EmbeddedServers]:
    """Start an embedded server for a block. No signal interrupts its beginning or its end, so it outlives no command.

    Arguments:
        version: its major version.

    Raises:
        EmbeddedServerError: it cannot be started.
    """
    start = partial(embedded.start, postgres_version=version, redis=False)
    return signals.undisturbed(start, embedded.EmbeddedServers.stop)


def _nearest(version: int) -> int:
    try:
        available = installations()
    except EmbeddedServerError as error:
        problem = f'{error}, or name a server: --scratch "postgresql://..."'
    else:
        return min((each for each in available if each >= version), default=max(available))
    # Outside the handler, so that it carries no other error.
    raise EmbeddedServerError(problem)
