"""Keys whose stored values are known to be outdated, because a change did not reach Redis."""

import threading
from collections.abc import Iterable

from surf_data.kernel import forking

# Keys that are remembered; when there are more, whatever was stored before is outdated.
_MAX_KEYS = 10_000


class OutdatedKeys:
    """The keys that this process could not change, and when it tried. Thread-safe.

    A Redis that is full, read-only or unreachable keeps the value of before, and would answer with it as if it were
    new. Times are seconds since 1970-01-01 UTC by the clock of this process.
    """

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._before = 0.0
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """Begin with a lock of its own; `surf_data.kernel.forking` calls this in a forked child."""
        self._lock = threading.Lock()

    def add(self, names: Iterable[str], now: float) -> None:
        """Note that what was stored before ``now`` under these keys is outdated."""
        with self._lock:
            self._since.update(dict.fromkeys(names, now))
            if len(self._since) > _MAX_KEYS:
                self._before = now
                self._since.clear()

    def discard(self, names: Iterable[str]) -> None:
        """Note that Redis has what it should have under these keys."""
        # Usually there is none, and that takes no lock.
        if self._since:
            with self._lock:
                for name in names:
                    self._since.pop(name, None)

    def covers(self, name: str, stored_at: float) -> bool:
        """Whether what was stored then under a key is outdated."""
        return stored_at < self._before or (bool(self._since) and stored_at < self._since.get(name, stored_at))
