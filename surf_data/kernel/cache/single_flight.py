"""Single flight: of the threads that want the same value at the same time, one computes it and the others wait."""

import copy
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

from surf_data.kernel import forking, validation

T = TypeVar("T")

# Seconds after which a waiting thread checks whether the computation was abandoned without a word.
_POLL_INTERVAL = 0.1


class Pilot:
    """What the computing thread holds: when it is over, or nothing refers to it any more, so is the computation."""

    __slots__ = ("__weakref__", "is_over")

    def __init__(self) -> None:
        #: Whether the thread has done with it. To set this is one step, and the first of a ``finally``.
        self.is_over: bool = False


class Flight(Generic[T]):
    """One computation that is under way. Made by `SingleFlight`."""

    def __init__(self, pilot: Pilot) -> None:
        #: Whether what is being computed is already known to be out of date.
        self.outdated: bool = False
        #: The thread that computes.
        self.thread: int = threading.get_ident()
        self._pilot = weakref.ref(pilot)
        self._outcome: list[T] = []
        self._error: Exception | None = None
        self._is_over = False
        # No threading.Event: an interruption of one thread that waits could leave its lock held.
        self._waiting: list[queue.SimpleQueue[None]] = []

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to wait for: it has ended, or the computing thread was torn away from it."""
        return self._is_over or (pilot := self._pilot()) is None or pilot.is_over

    def is_of(self, pilot: Pilot) -> bool:
        """Whether this is the pilot's computation."""
        return self._pilot() is pilot

    def land(self, outcome: T) -> None:
        """Hand the outcome to all who wait."""
        self._outcome.append(outcome)
        self._end()

    def fail(self, error: Exception | None) -> None:
        """Hand an error to all who wait; ``None`` leaves the computation to one of them."""
        self._error = _copy_error(error) if error else None
        self._end()

    def join(self, seconds: float) -> tuple[T] | None:
        """Wait for the outcome; ``None`` if there is none in time, or the computation was abandoned.

        Raises:
            Exception: what the computation raised.
        """
        deadline = time.monotonic() + seconds
        woken: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._waiting.append(woken)
        while not self.is_over and (left := deadline - time.monotonic()) > 0:
            with suppress(queue.Empty):
                woken.get(timeout=min(left, _POLL_INTERVAL))
        if self._error is not None:
            raise _copy_error(self._error)
        return (self._outcome[0],) if self._outcome else None

    def _end(self) -> None:
        self._is_over = True
        for woken in self._waiting:
            woken.put(None)


def _copy_error(error: Exception) -> Exception:
    """Return the same error for another thread, which adds to it where it is raised and what it was handling then."""
    # There are errors that cannot be copied.
    with suppress(Exception):
        copied = copy.copy(error)
        if type(copied) is type(error):
            return copied
    return error


class SingleFlight(Generic[T]):
    """The computations that are under way in this process, by key. Thread-safe, and no interruption loses one.

    A child process of ``fork`` starts without any.

    Arguments:
        current_deadline: returns until when the calling thread is ready to wait, by ``time.monotonic()``.
    """

    def __init__(self, current_deadline: Callable[[], float]) -> None:
        self._current_deadline = current_deadline
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        self._lock = threading.Lock()
        self._flights: dict[str, Flight[T]] = {}
        # What each thread waits for.
        self._waits: dict[int, Flight[T]] = {}
        #: How many computations have ended: while it does not change, what was looked up before is still so.
        self.completed: int = 0

    def begin(self, key: str, pilot: Pilot) -> Flight[T]:
        """Return the computation of ``key`` that is under way, or else a new one of the pilot's.

        In that case the caller must `complete` it; and whatever happens set ``pilot.is_over``.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or flight.is_over:
                flight = self._flights[key] = Flight(pilot)
            return flight

    def complete(self, key: str, flight: Flight[T], compute: Callable[[Flight[T]], T]) -> T:
        """Compute, hand the outcome or the error to all who wait, and return or raise it.

        What concerns this thread alone is not handed on, and one of the others computes: an error after its
        deadline, or an interrupt.
        """
        flight.thread = threading.get_ident()
        # If an interruption left it there.
        self._waits.pop(flight.thread, None)
        failure: Exception | None = None
        landed = False
        try:
            outcome = compute(flight)
            landed = True
        except Exception as error:
            failure = error if time.monotonic() < self._current_deadline() else None
            raise
        finally:
            # First, so that a thread that is woken up and tries again does not find it.
            with self._lock:
                self.completed += 1
                if self._flights.get(key) is flight:
                    del self._flights[key]
            if not landed:
                flight.fail(failure)
        flight.land(outcome)
        return outcome

    def join(self, flight: Flight[T], seconds: float) -> tuple[T] | None:
        """Wait for a computation as `Flight.join` does.

        Raises:
            ValidationError: the computation waits for this thread, so that both would wait in vain.
            Exception: what the computation raised.
        """
        thread = threading.get_ident()
        # Before looking: of two threads that do so at the same time, one at least sees the other.
        self._waits[thread] = flight
        try:
            if self._leads_to(flight, thread):
                raise validation.invalid("source", "must not ask for the value that it computes, nor others for it")
            return flight.join(seconds)
        finally:
            self._waits.pop(thread, None)

    def _leads_to(self, flight: Flight[T] | None, thread: int) -> bool:
        """Whether what a computation waits for, directly or through others, is this thread."""
        passed: set[int] = set()
        while flight is not None and not flight.is_over and flight.thread not in passed:
            if flight.thread == thread:
                return True
            passed.add(flight.thread)
            flight = self._waits.get(flight.thread)
        return False

    def forget(self, keys: Iterable[str]) -> None:
        """Note that what is being computed for ``keys`` is out of date: no other thread joins it."""
        # Usually there is none, and reading a dictionary takes no lock.
        for key in keys if self._flights else ():
            with self._lock:
                flight = self._flights.pop(key, None)
            if flight is not None:
                flight.outdated = True
