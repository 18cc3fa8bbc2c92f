"""The progress of a backup while it is made or restored."""

from collections.abc import Callable
from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Step:
    """The work on one table begins."""

    #: What is done with its rows.
    what: Literal["counting", "dumping", "restoring"]
    #: The table, with its schema.
    table: str
    #: How many steps came before.
    done: int
    #: How many steps there are; ``None`` when it is not known.
    total: int | None


class Progress:
    """Counts steps, and reports each.

    Arguments:
        tables: how many tables there are, each of them with two steps; ``None`` when it is not known.
        on_step: called with each step; ``None`` when there is no listener.
    """

    def __init__(self, tables: int | None, on_step: Callable[[Step], object] | None) -> None:
        self._total = None if tables is None else 2 * tables
        self._on_step = on_step
        self._done = 0

    def step(self, what: Literal["counting", "dumping", "restoring"], table: str) -> None:
        """Report that the work on a table begins."""
        if self._on_step is not None:
            self._on_step(Step(what=what, table=table, done=self._done, total=self._total))
        self._done += 1
