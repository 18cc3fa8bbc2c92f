"""Single flight: of the threads that want the same value at the same time, one computes it and the others wait."""

import copy
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

from surf_data.kernel import forking

T = TypeVar("T")


class Flight(Generic[T]):
    """One computation that is under way. Made by `SingleFlight`."""

    def __init__(self) -> None:
        #: Whether what is being computed is already known to be out of date.
        self.outdated: bool = False
        self._landed = threading.Event()
        self._outcome: list[T] = []
        self._error: Exception | None = None

    def land(self, outcome: T) -> None:
        """Hand the outcome to all who wait."""
        self._outcome.append(outcome)
        self._landed.set()

    def fail(self, error: Exception | None) -> None:
        """Hand an error to all who wait; ``None`` leaves the computation to one of them."""
        self._error = _copy_error(error) if error else None
        self._landed.set()

    def join(self, seconds: float) -> tuple[T] | None:
        """Wait for the outcome; ``None`` if there is none in time, or the computation was abandoned.

        Raises:
            Exception: what the computation raised.
        """
        self._landed.wait(seconds)
        if self._error is not None:
            raise _copy_error(self._error)
        return (self._outcome[0],) if self._outcome else None


def _copy_error(error: Exception) -> Exception:
    """Return the same error for another thread, which adds to it where it is raised and what it was handling then."""
    # there are errors that cannot be copied.
    with suppress(Exception):
        copied = copy.copy(error)
        if type(copied) is type(error):
            return copied
    return error


class SingleFlight(Generic[T]):
    """The computations that are under way in this process, by key. Thread-safe.

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
        #: How many computations have ended: while it does not change, what was looked up before is still so.
        self.completed: int = 0

    def begin(self, key: str) -> tuple[Flight[T], bool]:
        """Return the computation of ``key``, and whether it is new; then the caller must `complete` it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def complete(self, key: str, flight: Flight[T], compute: Callable[[Flight[T]], T]) -> T:
        """Compute, hand the outcome or the error to all who wait, and return or raise it.

        What concerns this thread alone is not handed on, and one of the others computes: an error after its
        deadline, or an interrupt.
        """
        failure: Exception | None = None
        landed = False
        try:
            outcome = compute(flight)
            landed = True
        except Exception as error:
            failure = error if time.monotonic() < self._current_deadline() else None
            raise
        finally:
            # First, so that whoever is woken up and tries again does not find it.
            with self._lock:
                self.completed += 1
                if self._flights.get(key) is flight:
                    del self._flights[key]
            if not landed:
                flight.fail(failure)
        flight.land(outcome)
        return outcome

    def forget(self, keys: Iterable[str]) -> None:
        """Note that what is being computed for ``keys`` is out of date: nobody else joins it."""
        # Usually there is none, and reading a dictionary takes no lock.
        for key in keys if self._flights else ():
            with self._lock:
                flight = self._flights.pop(key, None)
            if flight is not None:
                flight.outdated = True
