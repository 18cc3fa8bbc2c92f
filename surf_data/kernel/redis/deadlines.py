"""Until when the commands of this thread may take, whatever a server does with each of its bytes."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import redis


class _Deadline(threading.local):
    moment = math.inf


_deadline = _Deadline()


@contextmanager
def within(moment: float) -> Iterator[None]:
    """Have the commands of the block, in this thread, end by then, by ``time.monotonic()``."""
    before = _deadline.moment
    _deadline.moment = min(before, moment)
    try:
        yield
    finally:
        _deadline.moment = before


def is_set() -> bool:
    """Whether this thread is in a block with a deadline."""
    return _deadline.moment != math.inf


def seconds_left(timeout: float) -> float:
    """Return ``timeout``, or what is left until the deadline if that is less.

    Raises:
        redis.TimeoutError: nothing is left.
    """
    left = min(timeout, _deadline.moment - monotonic())
    if left <= 0:
        raise redis.TimeoutError
    return left
