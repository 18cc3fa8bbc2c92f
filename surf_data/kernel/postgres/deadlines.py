"""Deadlines: until when a caller is ready to wait, for each thread or context."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from surf_data.kernel import validation

_deadline: ContextVar[float] = ContextVar("surf_data.kernel.postgres.deadlines", default=math.inf)

#: Returns when the deadline is, by ``time.monotonic()``; infinity without one. It is asked with every statement.
current_deadline: Callable[[], float] = _deadline.get


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let whatever waits for PostgreSQL in the block end within ``seconds``, or earlier if an outer block says so.

    Arguments:
        seconds: above 0.

    Raises:
        ValidationError: ``seconds`` is no such number.
    """
    if not validation.number("seconds", seconds) > 0:
        raise validation.invalid("seconds", "must be above 0")
    token = _deadline.set(min(_deadline.get(), monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)
