"""Options that several commands have in common."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

R = TypeVar("R")

Command = Callable[..., R]


def with_options(command: Command[R], *options: Callable[[Command[R]], Command[R]]) -> Command[R]:
    """Give a command options, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


class PathType(click.Path):
    """A path that comes as a `Path`. An empty one, of a variable that is not set, is not the current folder."""

    def __init__(self, **keywords: bool) -> None:
        super().__init__(path_type=Path, **keywords)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if not os.fspath(value):
            self.fail("must not be empty", param, ctx)
        return super().convert(value, param, ctx)
