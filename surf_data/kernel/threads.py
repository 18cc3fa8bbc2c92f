"""Threads in the background that are started in one step."""

import _thread
import sys
import threading
from collections.abc import Callable
from typing import Any


def start(target: Callable[..., None], *arguments: Any) -> None:
    """Call ``target`` with ``arguments`` in a new thread, which keeps no process alive that wants to end.

    ``threading.Thread.start()`` waits until the thread runs; a signal handler that raises meanwhile can leave a lock
    behind for which the thread then waits indefinitely.

    Raises:
        RuntimeError: there are too many threads.
    """
    _thread.start_new_thread(_run, (threading.gettrace(), threading.getprofile(), target, arguments))


def _run(trace: Any, profile: Any, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # As `threading` does, for debuggers and for what measures.
    sys.settrace(trace)
    sys.setprofile(profile)
    target(*arguments)
