"""How a command ends on a signal: as by an exception, so that servers are stopped and work is rolled back."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

_Handler = Callable[[int, FrameType | None], object]

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal asks the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        #: What the process exits with, as a shell has it: 130 for Ctrl-C.
        self.exit_code: int = 128 + number


@contextmanager
def raised() -> Iterator[None]:
    """While the block runs, let the first signal that would end the process raise `Stopped` in it.

    Later ones do nothing: they must not interrupt the cleaning up.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, _ignored)
        raise Stopped(number)

    before = _ending()
    _install(before, stop)
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def deferred() -> Iterator[None]:
    """While the block runs, let a signal wait for its end, so that what it makes is not lost; a second one does not."""
    came: list[int] = []

    def wait(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        _restore(before)

    before = _ending()
    _install(before, wait)
    try:
        yield
    finally:
        _restore(before)
    if came:
        signal.raise_signal(came[0])


@contextmanager
def undisturbed(begin: Callable[[], T], end: Callable[[T], object]) -> Iterator[T]:
    """Have something for a block that no signal interrupts at its beginning or its end, such as a server.

    Arguments:
        begin: returns it.
        end: undoes that.
    """

    def ending(begun: T) -> None:
        with held_off():
            end(begun)

    with ExitStack() as stack:
        with deferred():
            begun = begin()
            stack.callback(ending, begun)
        yield begun


@contextmanager
def held_off(*numbers: signal.Signals) -> Iterator[None]:
    """While the block runs, let signals do nothing: those given, or all that would end the process."""
    before = _ending(numbers or _SIGNALS)
    _install(before, _ignored)
    try:
        yield
    finally:
        _restore(before)


def _ending(numbers: tuple[signal.Signals, ...] = _SIGNALS) -> dict[signal.Signals, Any]:
    """Return the handlers that are replaced. Known before they are: a signal may come while the next one is."""
    known = {number: signal.getsignal(number) for number in numbers}
    # What is ignored stays ignored: nohup, and a shell's background jobs.
    return {number: handler for number, handler in known.items() if handler != signal.SIG_IGN}


def _install(numbers: Iterable[signal.Signals], handler: _Handler) -> None:
    for number in numbers:
        signal.signal(number, handler)


def _restore(before: dict[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)


def _ignored(_number: int, _frame: FrameType | None) -> None:
    # A handler of Python's own, and not SIG_IGN, because child processes would inherit that.
    pass
