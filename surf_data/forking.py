"""What a forked child must not share with its parent: sockets, and locks that another thread held at the fork."""

import os
import weakref
from typing import Protocol


class Inheritable(Protocol):
    """A handle that knows what to leave behind in a forked child."""

    def forget_parent(self) -> None:
        """Drop, without closing, whatever belongs to the parent process."""


_handles: "weakref.WeakSet[Inheritable]" = weakref.WeakSet()


def register(handle: Inheritable) -> None:
    """Have ``handle.forget_parent()`` called in each child that is forked while ``handle`` lives."""
    _handles.add(handle)


def _in_child() -> None:
    for handle in list(_handles):
        handle.forget_parent()


os.register_at_fork(after_in_child=_in_child)
