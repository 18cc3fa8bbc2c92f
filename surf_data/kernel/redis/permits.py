"""Permits for so many holders at a time, none of which an interruption can lose."""

import queue
import threading
import weakref
from contextlib import suppress
from time import monotonic

# Seconds after which a waiting thread looks for permits that were not given back, but dropped.
_POLL_INTERVAL = 0.05


class Permit:
    """What a holder has until it is given back, or nothing refers to it any more."""

    __slots__ = ("__weakref__", "is_over", "reference")

    def __init__(self) -> None:
        #: Whether the holder has done with it. To set this is one step, and the first of a ``finally``.
        self.is_over: bool = False
        #: What stands for it among those that are held.
        self.reference: weakref.ref[Permit] | None = None


class Permits:
    """A semaphore whose permits cannot be lost. Thread-safe.

    A signal handler may raise between any two calls of Python: after a semaphore was acquired, and before the ``try``
    whose ``finally`` would release it; in the ``finally``; in the semaphore. So nothing is counted here: what is held
    is what still exists and is not over. CPython drops the frames of an interrupted call, with them the permit, and
    calls ``set.discard``, which is one step. As long as a traceback is kept, so are its frames; then `Permit.is_over`
    counts.

    Arguments:
        limit: how many may be held at a time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: set[weakref.ref[Permit]] = set()
        # Woken up by one of these, a waiting thread looks for itself, so it does not matter if some are lost.
        self._returned: queue.SimpleQueue[None] = queue.SimpleQueue()

    @property
    def _value(self) -> int:
        """How many are free; the name is that of ``threading.Semaphore``."""
        with self._lock:
            self._sweep()
            return self._limit - len(self._held)

    def take(self, timeout: float = 0.0) -> Permit | None:
        """Return a permit, or ``None`` when none became free within ``timeout`` seconds."""
        permit = self._take()
        if permit is not None or timeout <= 0:
            return permit
        deadline = monotonic() + timeout
        while permit is None and (left := deadline - monotonic()) > 0:
            with suppress(queue.Empty):
                self._returned.get(timeout=min(left, _POLL_INTERVAL))
            permit = self._take()
        return permit

    def give_back(self, permit: Permit) -> None:
        """Let another holder have the permit. Idempotent."""
        permit.is_over = True
        reference, permit.reference = permit.reference, None
        if reference is not None:
            self._held.discard(reference)
        # More than there are permits would tell a waiting thread nothing.
        if self._returned.qsize() < self._limit:
            self._returned.put(None)

    def _take(self) -> Permit | None:
        permit = Permit()
        try:
            permit.reference = weakref.ref(permit, self._held.discard)
            # Unlike acquire(), `with` is one step that no interruption divides.
            with self._lock:
                if len(self._held) >= self._limit:
                    self._sweep()
                if len(self._held) >= self._limit:
                    permit.reference = None
                    return None
                self._held.add(permit.reference)
        except BaseException:
            permit.is_over = True
            raise
        return permit

    def _sweep(self) -> None:
        """Forget permits that are over, but were not given back."""
        for reference in list(self._held):
            permit = reference()
            if permit is None or permit.is_over:
                self._held.discard(reference)
