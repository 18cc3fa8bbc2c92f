"""The correlation id: what everything that is done for one request has in common, in its thread or context."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

_log = logging.getLogger("surf_data.kernel.correlation")  # noqa: TID251 - there are no facts

_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
# W3C Trace Context: version, trace id, span id, flags. A trace id of zeros is none.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("surf_data.kernel.correlation", default=None)

#: Returns the id of the innermost `correlation` block around the caller; ``None`` outside of all.
correlation_id: Callable[[], str | None] = _current.get


def new_correlation_id() -> str:
    """Return a new random id: 32 hexadecimal digits, as W3C Trace Context has them."""
    return uuid4().hex


@contextmanager
def correlation(identifier: object = None) -> Iterator[str]:
    """Give what is done in the block a correlation id; `surf_data.kernel.logs.JsonFormatter` writes it.

    A thread that is started in the block has none, unless it runs in a copy of the context:
    ``executor.submit(contextvars.copy_context().run, work)``.

    Arguments:
        identifier: what came with the request: 1 to 128 of the characters A to Z, a to z, 0 to 9 and ``. _ -``, or a
            ``traceparent`` header, of which the trace id counts. ``None`` for a new id. Since headers are input, what
            is neither is replaced by a new id, and a warning is logged without it.

    Returns:
        The id.
    """
    token = _current.set(chosen := _chosen(identifier))
    try:
        yield chosen
    finally:
        _current.reset(token)


def _chosen(identifier: object) -> str:
    if isinstance(identifier, str):
        if trace := _TRACEPARENT.fullmatch(identifier):
            return trace[1]
        if _IDENTIFIER.fullmatch(identifier):
            return identifier
    if identifier is not None:
        _log.warning("correlation id replaced")
    return new_correlation_id()
