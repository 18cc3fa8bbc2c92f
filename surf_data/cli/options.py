"""Options that several commands have in common."""

from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")

Command = Callable[..., R]


def with_options(command: Command[R], *options: Callable[[Command[R]], Command[R]]) -> Command[R]:
    """Give a command options, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command
