"""Interrupts calls of a cache where a signal handler may raise, and checks that the next calls are as ever.

``python -m rig.interruption URL steps EVERY``: at each EVERYth step of the interpreter after which it looks for
signals, from a random one on. ``python -m rig.interruption URL signals TIMES``: so often by a timer.
It prints how often it interrupted each operation; what is wrong ends it.
"""

import dis
import itertools
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from rig.caching import manager_of, value_of
from rig.waiting import eventually
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.redis import RedisManager

#: After these the interpreter looks for signals, and for exceptions that another thread has set.
_STEPS = {
    dis.opmap[name] for name in ("CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD", "RESUME") if name in dis.opmap
}
# What is raised here, the interpreter prints and drops.
_DEAF = {"__del__", "<genexpr>"}
_CONNECTIONS = 3


class Interruption(BaseException):
    """What a signal handler raises."""


class Stage:
    """A cache with something in it."""

    def __init__(self, url: str, **keywords: Any) -> None:
        self.manager: RedisManager = manager_of(
            url, cache_max_connections=_CONNECTIONS, cache_breaker_failures=1, cache_breaker_seconds=3600, **keywords
        )
        self.cache = JsonCache(self.manager)
        self.numbers = itertools.count()
        for number in range(10):
            assert self.cache.set(f"k{number}", {"n": number}, 600)

    def fresh(self) -> str:
        """Return a key that nothing is stored under."""
        return f"new {next(self.numbers)}"

    def check(self) -> None:
        """Raise unless every call gets its own answer, and nothing is busy."""
        number = random.randrange(10)  # noqa: S311 - no secret
        assert self.cache.get(f"k{number}", value_of) == {"n": number}
        pair = [f"k{number}", f"k{(number + 1) % 10}"]
        assert self.cache.get_many(pair, value_of) == {key: {"n": int(key[1:])} for key in pair}
        assert self.cache.get_or_load("shared", value_of, lambda: {"n": -1}, 600, wait_seconds=3600) == {"n": -1}
        eventually(lambda: self.manager._slots._value == _CONNECTIONS, 5)
        eventually(lambda: self.cache._loader._refreshes._value == 4, 5)
        assert self.manager.stats()["breaker"] == "closed"
        self.cache.delete("shared")


def operations(stage: Stage) -> dict[str, Callable[[], object]]:
    """Return the calls that are interrupted."""
    cache, manager = stage.cache, stage.manager

    def connect() -> object:
        assert manager._lines is not None
        manager._lines.replace()
        return cache.get("k1", value_of)

    return {
        "get": lambda: cache.get("k1", value_of),
        "get_many": lambda: cache.get_many(["k1", "k2", "none"], value_of),
        "set": lambda: cache.set("k1", {"n": 1}, 600),
        "set_many": lambda: cache.set_many({"k1": {"n": 1}, "k2": {"n": 2}}, 600),
        "delete": lambda: cache.delete("none"),
        "connect": connect,
        "load": lambda: cache.get_or_load("shared", value_of, lambda: {"n": -1}, 600),
        "load_across_processes": lambda: cache.get_or_load(
            stage.fresh(), value_of, lambda: {"n": 1}, 600, across_processes=True
        ),
        "refresh": lambda: cache.get_or_load("k1", value_of, lambda: {"n": 1}, 600, refresh_seconds=0),
        "demand": lambda: manager.demand(lambda client: client.get("k1"), read=True),
        "call": lambda: manager.call(lambda client: client.pipeline().get("k1").execute(), read=True, otherwise=None),
    }


@contextmanager
def _interrupted_at(step: int | None) -> Iterator[list[int]]:
    """Interrupt the block after so many steps, ``None`` for never; yield a list with how many there were."""
    passed, last = [0], dict[int, int]()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_name in _DEAF or frame.f_code.co_filename.endswith(("interruption.py", "threading.py")):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            before = last.get(id(frame))
            last[id(frame)] = frame.f_code.co_code[frame.f_lasti]
            if before in _STEPS:
                passed[0] += 1
                if passed[0] == step:
                    raise Interruption
        elif event == "return":
            last.pop(id(frame), None)
        return trace

    sys.settrace(trace)
    try:
        yield passed
    finally:
        sys.settrace(None)


def by_steps(stage: Stage, operation: Callable[[], object], every: int) -> int:
    """Interrupt an operation at each so many steps, from a random one on; return how often."""
    with _interrupted_at(None) as passed:
        operation()
    times = 0
    for step in range(random.randint(1, every), passed[0] + 1, every):  # noqa: S311 - no secret
        with suppress(Interruption), _interrupted_at(step):
            operation()
        times += 1
        stage.check()
    return times


def by_signals(stage: Stage, operation: Callable[[], object], times: int) -> int:
    """Interrupt an operation at random moments until it was interrupted so often."""
    is_armed = False

    def raise_it(*_: object) -> None:
        if is_armed:
            raise Interruption

    signal.signal(signal.SIGALRM, raise_it)
    began = time.perf_counter()
    for _ in range(20):
        operation()
    longest = (time.perf_counter() - began) / 20
    done = 0
    while done < times:
        try:
            is_armed = True
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, longest))  # noqa: S311 - no secret
            operation()
            is_armed = False
        except Interruption:
            is_armed = False
            done += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        stage.check()
    return done


def main() -> None:
    """Do what the command line says."""
    url, how, number = sys.argv[1:]
    # What an interruption leaves to the collector is closed with a warning, and what is raised in it is dropped.
    sys.unraisablehook = lambda _: None
    stage = Stage(url)
    others = [threading.Thread(target=_others, args=(stage,), daemon=True) for _ in range(2)]
    for other in others:
        other.start()
    work = by_steps if how == "steps" else by_signals
    for name, operation in operations(stage).items():
        sys.stdout.write(f"{name} {work(stage, operation, int(number))}\n")
        sys.stdout.flush()


def _others(stage: Stage) -> None:
    """Use the same connections all the while."""
    while True:
        assert stage.cache.get("k3", value_of) == {"n": 3}
        time.sleep(0.01)


if __name__ == "__main__":
    main()
