"""Threads that are started in one step."""

import queue
import sys
import threading
from typing import Any

from surf_data.kernel import threads


def test_it_runs_elsewhere() -> None:
    """The target is called in another thread, with its arguments."""
    heard: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
    threads.start(lambda word: heard.put((threading.get_ident(), word)), "word")
    ident, word = heard.get(timeout=30)
    assert word == "word"
    assert ident != threading.get_ident()


def test_what_traces_other_threads_traces_it() -> None:
    """A debugger that traces new threads traces this one, too."""
    seen: queue.SimpleQueue[str] = queue.SimpleQueue()
    ended = threading.Event()
    before = threading.gettrace()

    def trace(frame: Any, event: str, _: Any) -> None:
        seen.put(f"{event} {frame.f_code.co_name}")

    def traced() -> None:
        ended.set()

    threading.settrace(trace)
    try:
        threads.start(traced)
    finally:
        threading.settrace(before)  # type: ignore[arg-type]
    assert ended.wait(30)
    assert seen.get(timeout=30) == "call traced"


def test_the_thread_itself() -> None:
    """It traces and profiles from its beginning, then calls the target."""
    called: list[int] = []
    threads._run(sys.gettrace(), sys.getprofile(), called.append, (1,))
    assert called == [1]
