"""The circuit breaker: a server that fails several times in a row is left alone, then tried by one call."""

import random
import threading
import time
from collections.abc import Callable
from typing import Literal

#: ``closed``: every call is made. ``open``: none is. ``half-open``: one has been made, and its outcome decides.
State = Literal["closed", "half-open", "open"]


class CircuitBreaker:
    """Decides before each call whether it is made, and learns from each outcome. Thread-safe.

    The lock is held for the bookkeeping alone, never during a call. A ticket belongs to the state in which it was
    issued: the outcome of a call that began before the state changed says nothing of the server now, and is ignored.

    Arguments:
        failures: how many consecutive failures open the breaker, 1 or more.
        seconds: how long it stays open, give or take a fifth, so that many processes do not come back as one.
        clock: gives seconds that never run backwards.
        jitter: gives numbers from 0 to 1.
    """

    def __init__(
        self,
        failures: int,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._state: State = "closed"
        self._ticket = 0
        self._failures = 0
        self._until = 0.0
        #: How often the breaker opened; a half-open breaker whose one call fails does not count again.
        self.opened: int = 0
        #: How many calls were not made.
        self.rejected: int = 0

    @property
    def state(self) -> State:
        """``closed``, ``open`` or ``half-open``; an open breaker stays so until the next call asks."""
        return self._state

    def admit(self) -> int | None:
        """Return a ticket for one call, or ``None`` when the call must not be made.

        The caller hands the ticket to `succeeded`, `failed` or `abandoned`. If it does not, because it was interrupted,
        another call is let through when the breaker would have been open for as long again.
        """
        with self._lock:
            if self._state == "closed":
                return self._ticket
            now = self._clock()
            if now >= self._until:
                self._until = now + self._seconds
                self._change("half-open")
                return self._ticket
            self.rejected += 1
            return None

    def succeeded(self, ticket: int) -> bool:
        """Note that the server answered; return whether that closed the breaker."""
        with self._lock:
            if ticket != self._ticket:
                return False
            self._failures = 0
            if self._state == "closed":
                return False
            self._change("closed")
            return True

    def failed(self, ticket: int) -> bool:
        """Note that the server did not answer; return whether that opened the breaker after it had been closed."""
        with self._lock:
            if ticket != self._ticket:
                return False
            was_closed = self._state == "closed"
            if was_closed:
                self._failures += 1
                if self._failures < self._limit:
                    return False
                self.opened += 1
            self._until = self._clock() + self._seconds * (0.8 + 0.4 * self._jitter())
            self._change("open")
            return was_closed

    def abandoned(self, ticket: int) -> None:
        """Note that the call said nothing of the server: another one may be made."""
        with self._lock:
            if ticket == self._ticket and self._state == "half-open":
                self._until = self._clock()

    def _change(self, state: State) -> None:
        self._state = state
        self._ticket += 1
