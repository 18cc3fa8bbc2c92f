"""How far a review has come, for a caller that shows it."""

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

#: Called with what is done next, in words.
OnStep = Callable[[str], object]


def silent(_step: str) -> None:
    """Show nothing."""


def counted(on_step: OnStep, what: str, items: Collection[T]) -> Iterator[T]:
    """Yield ``items``, and report before each how many there are and which this is.

    Arguments:
        on_step: called before each.
        what: what is done with them.
        items: the items.
    """
    for number, item in enumerate(items, 1):
        on_step(f"{what}: {number} of {len(items)}")
        yield item
