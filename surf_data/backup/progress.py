"""What is told while a backup is made or restored."""

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
    #: How many steps there are; ``None`` when nobody knows.
    total: int | None


class Progress:
    """Counts steps, and tells of each.

    Arguments:
        tables: how many tables there are, each of them with two steps; ``None`` when nobody knows.
        tell: is told; ``None`` when nobody wants to know.
    """

    def __init__(self, tables: int | None, tell: Callable[[Step], object] | None) -> None:
        self._total = None if tables is None else 2 * tables
        self._tell = tell
        self._done = 0

    def step(self, what: Literal["counting", "dumping", "restoring"], table: str) -> None:
        """Tell that the work on a table begins."""
        if self._tell is not None:
            self._tell(Step(what=what, table=table, done=self._done, total=self._total))
        self._done += 1
