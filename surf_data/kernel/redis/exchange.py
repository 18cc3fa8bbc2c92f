"""What this thread exchanges with a server: until when, and whether anything has arrived."""

import math
import threading
from time import monotonic

import redis


class _Exchange(threading.local):
    deadline = math.inf
    has_arrived = False


_exchange = _Exchange()


def begin(deadline: float = math.inf) -> None:
    """Begin an exchange that ends by ``deadline``, by ``time.monotonic()``, whatever a server does.

    It has no end that could be missed: the next one replaces it.
    """
    _exchange.deadline = deadline
    _exchange.has_arrived = False


def note_connected() -> None:
    """Note that a connection is ready: from now on it is asked what the caller wants to know."""
    _exchange.has_arrived = False


def note_arrival() -> None:
    """Note that a part of a reply has arrived."""
    _exchange.has_arrived = True


def has_arrived() -> bool:
    """Whether a part of a reply has arrived."""
    return _exchange.has_arrived


def has_deadline() -> bool:
    """Whether the exchange has a deadline."""
    return _exchange.deadline != math.inf


def seconds_left(timeout: float) -> float:
    """Return ``timeout``, or what is left until the deadline if that is less.

    Raises:
        redis.TimeoutError: nothing is left.
    """
    left = min(timeout, _exchange.deadline - monotonic())
    if left <= 0:
        raise redis.TimeoutError
    return left
