"""A group of commands of which some are imported when they are needed."""

from importlib import import_module
from importlib.util import find_spec

import click

from surf_data import domain

# The lamps' commands, which came before the other domains' and need no name of a domain.
_COMMANDS = {
    "cache": "surf_data.cli.lamps.cache:cache_group",
    "keys": "surf_data.cli.lamps.keys:keys_group",
}


class LazyGroup(click.Group):
    """The commands that it has been given, those of the lamps, and a group for each domain that has commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in order."""
        return sorted({*super().list_commands(ctx), *_lazy()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now if it has not been; ``None`` when there is none of that name."""
        if found := super().get_command(ctx, cmd_name):
            return found
        reference = _lazy().get(cmd_name)
        if reference is None:
            return None
        module, _, name = reference.partition(":")
        command = getattr(import_module(module), name)
        return command if isinstance(command, click.Command) else None


def _lazy() -> dict[str, str]:
    modules = {name: f"surf_data.cli.{name}" for name in domain.NAMES if name != "lamps"}
    return {**_COMMANDS, **{name: f"{module}:group" for name, module in modules.items() if find_spec(module)}}
