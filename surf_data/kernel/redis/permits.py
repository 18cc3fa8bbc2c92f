"""Permits for so many holders at a time, none of which an interruption can lose."""

import queue
import threading
import weakref
from contextlib import suppress
from time import monotonic

# Seconds after which a waiting thread looks for permits that were not given back, but dropped.
_POLL_INTERVAL = 0.05


class Permit:
    """What a holder has. It is given back by `Permits.give_back`, or when nothing refers to it any more."""

    __slots__ = ("__weakref__", "reference")

    #: What stands for it among those that are held.
    reference: "weakref.ref[Permit] | None"


class Permits:
    """A semaphore whose permits cannot be lost. Thread-safe.

    A signal handler may raise between any two steps of Python: after a semaphore was acquired, and before the ``try``
    whose ``finally`` would release it. So nothing is counted here; what is held is what still exists. CPython drops the
    frames of an interrupted call, with them the permit, and calls ``set.discard``, which is one step.

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
        reference, permit.reference = permit.reference, None
        if reference is not None:
            self._held.discard(reference)
        # More than there are permits would tell a waiting thread nothing.
        if self._returned.qsize() < self._limit:
            self._returned.put(None)

    def _take(self) -> Permit | None:
        permit = Permit()
        permit.reference = weakref.ref(permit, self._held.discard)
        # Unlike acquire(), `with` is one step that no interruption divides.
        with self._lock:
            if len(self._held) >= self._limit:
                permit.reference = None
                return None
            self._held.add(permit.reference)
        return permit
