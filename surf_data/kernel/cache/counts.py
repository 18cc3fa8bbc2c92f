"""What a cache has found, stored and computed, in figures."""

import threading

from surf_data.kernel import forking
from surf_data.kernel.observation import Observation

#: What is counted.
COUNTED = ("corrupt", "hits", "loads", "misses", "shared", "stale", "writes")


class CacheCounts:
    """Counts since the start of the process. Thread-safe; a child process of ``fork`` starts at zero.

    Arguments:
        observation: whose observer receives what is counted.
    """

    def __init__(self, observation: Observation) -> None:
        self._observation = observation
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        self._lock = threading.Lock()
        self._counts: dict[str, int] = dict.fromkeys(COUNTED, 0)

    def add(self, **amounts: int) -> None:
        """Add to the counts; the names are those of `COUNTED`."""
        with self._lock:
            for name, amount in amounts.items():
                self._counts[name] += amount
        for name, amount in amounts.items():
            if amount:
                self._observation.tell("cache", name, 0, amount)

    def snapshot(self) -> dict[str, int]:
        """Return all counts, of one moment."""
        with self._lock:
            return dict(self._counts)
