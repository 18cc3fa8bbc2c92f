"""``surf-data demo``: the library at work, on servers of its own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from time import perf_counter
from typing import Any

import attrs
import click
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from surf_data.cli import output, tables
from surf_data.cli.lamps.demo_sections import SECTIONS, Section
from surf_data.cli.target import Target, domain_option, opened, pass_target
from surf_data.data_layer import DataLayer
from surf_data.domain import Domain
from surf_data.kernel import resources
from surf_data.kernel.settings import ENVIRONMENT_PREFIX
from surf_data.lamps import LampsDataLayer
from surf_data.migrate import seed

# On a busy machine the demo shall show what the cache does, not what it does when Redis is late.
_CACHE_TIMEOUT = 10.0
# What stands below a section's sentence is moved to the right.
_INDENT = (0, 0, 0, 2)


@click.command
@domain_option
@pass_target
def demo(target: Target, *, domain: Domain) -> None:
    """Start PostgreSQL and Redis, show what a domain does, and leave nothing behind.

    The servers come from Python wheels (the extra "embedded") and run in a temporary folder. No other database and
    no Redis is touched: the demo takes no notice of the environment variables that name them.
    """
    if target != Target():
        raise click.UsageError("the demo has servers of its own: --database-url and --redis-url do not go with it")
    console = output.console()
    begun = perf_counter()
    with _open(console, domain) as data:
        if isinstance(data, LampsDataLayer):
            for number, show in enumerate(SECTIONS, start=1):
                _print(console, number, show(data))
        else:
            data.migrations.up()
            seed(data.database.connect, resources.migrations_folder(domain), domain.name)
            # The other domains have demos of their own.
            import_module(f"surf_data.cli.{domain.name}_demo").story(data, console)
    console.print()
    console.print(Rule(style="dim"))
    console.print(f"Both servers are stopped and their folder is deleted. {perf_counter() - begun:.1f} s in all.")


@contextmanager
def _open(console: Console, domain: Domain) -> Iterator[DataLayer[Any]]:
    """Open the data layer on embedded servers, whatever the environment says."""
    foreign = {alias for aliases in domain.variables.values() for alias in aliases}
    foreign |= {alias for field in attrs.fields(domain.settings) for alias in field.metadata["variables"]}
    for variable in [name for name in os.environ if name.startswith(("PG", ENVIRONMENT_PREFIX)) or name in foreign]:
        del os.environ[variable]
    message = "Starting PostgreSQL and Redis ..."
    with ExitStack() as starting:
        if console.is_terminal:
            starting.enter_context(console.status(message))
        else:
            console.print(message)
        with opened(lambda: domain.open("embedded:", cache_timeout=_CACHE_TIMEOUT)) as data:
            starting.close()
            yield data


def _print(console: Console, number: int, section: Section) -> None:
    console.print()
    console.print(Rule(Text(f"{number}  {section.title}", style="bold"), align="left", style="dim"))
    console.print(section.sentence)
    console.print()
    call = Syntax(section.call, "python", theme="ansi_dark").highlight(section.call)
    call.rstrip()
    console.print(Padding(call, _INDENT, expand=False))
    console.print()
    console.print(Padding(tables.stacked(section.results), _INDENT, expand=False))
