"""Waiting for what servers do in their own time."""

import time
from collections.abc import Callable

#: Seconds after which something that should have happened by now is a failure.
DEADLINE = 30.0


def eventually(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Wait until ``condition`` holds; it is a failure when it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.005)
