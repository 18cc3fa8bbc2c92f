"""What a forked child must not share with its parent: sockets, and locks that another thread held at the fork."""

import os
import weakref
from typing import Protocol


class ForkAware(Protocol):
    """A handle that knows what to leave behind in a forked child."""

    def reset_after_fork(self) -> None:
        """Drop, without closing, whatever belongs to the parent process."""


_handles: "weakref.WeakSet[ForkAware]" = weakref.WeakSet()


def register(handle: ForkAware) -> None:
    """Have ``handle.reset_after_fork()`` called in each child that is forked while ``handle`` lives."""
    _handles.add(handle)


def _in_child() -> None:
    for handle in list(_handles):
        handle.reset_after_fork()


os.register_at_fork(after_in_child=_in_child)
