"""Which servers and which domain a command is about, and what several commands have in common."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import attrs
import click

from surf_data import domain
from surf_data.cli import signals
from surf_data.cli.options import Command
from surf_data.data_layer import DataLayer
from surf_data.domain import Domain
from surf_data.kernel import settings
from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.servers import with_servers
from surf_data.kernel.settings import ENVIRONMENT_PREFIX, Settings, Source

# A command can wait where a service cannot: a large import takes Redis longer than a lookup.
_CACHE_TIMEOUT = 10.0
#: The variable that names the domain where ``--domain`` does not.
DOMAIN_VARIABLE = f"{ENVIRONMENT_PREFIX}DOMAIN"
_DEFAULT_DOMAIN = "lamps"

D = TypeVar("D", bound=DataLayer[Any])
P = ParamSpec("P")
R = TypeVar("R")


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that prints data the option ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")(command)


def domain_option(command: Command[R]) -> Command[R]:
    """Give a command the option ``--domain``, whose value comes as a `Domain`."""
    return click.option(
        "--domain",
        metavar="NAME",
        default=default_domain,
        callback=lambda _context, _option, value: domain.find(value),
        help=f"Which domain it is about.  [default: {DOMAIN_VARIABLE}, else {_DEFAULT_DOMAIN}]",
    )(command)


def all_option(command: Command[R]) -> Command[R]:
    """Give a command the option ``--all``, for every domain that is installed."""
    return click.option("--all", "every", is_flag=True, help="Do it for every domain.")(command)


def default_domain() -> str:
    """Return the name of the domain that counts where none is given."""
    return os.environ.get(DOMAIN_VARIABLE) or _DEFAULT_DOMAIN


def domains(chosen: Domain, *, every: bool) -> list[Domain]:
    """Return the domain that was chosen, or all of them."""
    return [domain.find(name) for name in domain.names()] if every else [chosen]


@attrs.frozen
class _Opened:
    database: DatabaseManager
    stack: ExitStack


@attrs.frozen
class Target:
    """The servers that were named on the command line, if any were."""

    #: ``--database-url``.
    database_url: str | None = attrs.field(default=None, repr=False)
    #: ``--redis-url``.
    redis_url: str | None = attrs.field(default=None, repr=False)

    @contextmanager
    def open(self, opener: Callable[..., D], **settings: Any) -> Iterator[D]:
        """Open a data layer on these servers for a block; what was not named comes from the environment.

        Arguments:
            opener: a domain's ``open``.
            settings: its keywords.

        Raises:
            ConfigurationError: a setting is unknown or malformed.
            EmbeddedServerError: embedded servers were asked for and cannot be started.
        """
        with opened(lambda: opener(self.database_url, self.redis_url, **settings)) as data:
            yield data

    def open_for_bulk(self, opener: Callable[..., D]) -> AbstractContextManager[D]:
        """Open a data layer for bulk work in the cache, with time for it unless ``cache_timeout`` is set.

        Raises:
            ConfigurationError: a setting is unknown or malformed.
            EmbeddedServerError: embedded servers were asked for and cannot be started.
        """
        limited = f"{ENVIRONMENT_PREFIX}CACHE_TIMEOUT" in os.environ
        return self.open(opener, cache_timeout=None if limited else _CACHE_TIMEOUT)

    @contextmanager
    def database(self, declared: Domain | None = None) -> Iterator[DatabaseManager]:
        """Open the database for a block, for commands that are about no domain's rows.

        Arguments:
            declared: whose environment variables count, too.

        Raises:
            ConfigurationError: a setting is unknown or malformed.
            EmbeddedServerError: embedded servers were asked for and cannot be started.
        """
        with signals.undisturbed(lambda: self._opened(declared), lambda opened: opened.stack.close()) as opened:
            yield opened.database

    def _opened(self, declared: Domain | None) -> _Opened:
        source = Source() if declared is None else Source(name=declared.name, variables=declared.variables)
        keywords = {"database_url": self.database_url, "redis_url": self.redis_url, "pool_min_size": 1}
        loaded = settings.load_as(Settings, source, **keywords)
        with ExitStack() as stack:
            database = DatabaseManager(with_servers(loaded, stack))
            stack.callback(database.close)
            return _Opened(database, stack.pop_all())


def opened(make: Callable[[], D]) -> AbstractContextManager[D]:
    """Open a data layer for a block. No signal interrupts its beginning or its end, and so no server outlives it.

    Arguments:
        make: returns the data layer.
    """
    return signals.undisturbed(make, DataLayer.close)


def pass_target(command: Callable[Concatenate[Target, P], R]) -> Callable[P, R]:
    """Give a command its `Target`."""
    return click.make_pass_decorator(Target)(command)
