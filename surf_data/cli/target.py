"""Which servers a command talks to, and what several commands have in common."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Concatenate, ParamSpec, TypeVar, Unpack

import attrs
import click

from surf_data.cli import signals
from surf_data.kernel.settings import ENVIRONMENT_PREFIX, SettingsKeywords
from surf_data.lamps import LampsDataLayer, open  # noqa: A004 - as surf_data.open

# An operator's command can wait where a service cannot: a large import takes Redis longer than a lookup.
_PATIENCE = 10.0

P = ParamSpec("P")
R = TypeVar("R")


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that prints data the option ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")(command)


@attrs.frozen
class Target:
    """The servers that were named on the command line, if any were."""

    #: ``--database-url``.
    database_url: str | None = attrs.field(default=None, repr=False)
    #: ``--redis-url``.
    redis_url: str | None = attrs.field(default=None, repr=False)

    @contextmanager
    def open(self, **settings: Unpack[SettingsKeywords]) -> Iterator[LampsDataLayer]:
        """Open the data layer on these servers for a block; what was not named comes from the environment.

        Arguments:
            settings: as for `surf_data.open`.

        Raises:
            ConfigurationError: a setting is unknown or malformed.
            EmbeddedServerError: embedded servers were asked for and cannot be started.
        """
        with opened(lambda: open(self.database_url, self.redis_url, **settings)) as data:
            yield data

    def open_patiently(self) -> AbstractContextManager[LampsDataLayer]:
        """Open the data layer for bulk work in the cache, with time for it unless ``cache_timeout`` is set.

        Raises:
            ConfigurationError: a setting is unknown or malformed.
            EmbeddedServerError: embedded servers were asked for and cannot be started.
        """
        limited = f"{ENVIRONMENT_PREFIX}CACHE_TIMEOUT" in os.environ
        return self.open(cache_timeout=None if limited else _PATIENCE)


def opened(make: Callable[[], LampsDataLayer]) -> AbstractContextManager[LampsDataLayer]:
    """Open the data layer for a block. No signal interrupts its beginning or its end, and so no server outlives it.

    Arguments:
        make: returns the data layer.
    """
    return signals.undisturbed(make, LampsDataLayer.close)


def pass_target(command: Callable[Concatenate[Target, P], R]) -> Callable[P, R]:
    """Give a command its `Target`."""
    return click.make_pass_decorator(Target)(command)
