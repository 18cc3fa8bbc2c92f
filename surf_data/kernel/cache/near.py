"""Values kept in this process, in front of Redis, for as long as it is known that Redis has no others."""

import itertools
import threading
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import attrs

from surf_data.kernel import forking
from surf_data.kernel.cache.json_values import Entry

_NEVER = float("-inf")


@attrs.frozen(kw_only=True, eq=False)
class NearEntry:
    """A value that is kept."""

    #: The value as it was decoded; nobody gets it.
    value: Any
    #: Makes of it what somebody gets.
    copy: Callable[[Any], Any]
    #: What made the value of the entry.
    decode: Callable[[Entry], Any]
    #: When it was stored in Redis, seconds since 1970-01-01 UTC.
    stored_at: float
    #: When its time to live ends, by ``time.monotonic()``.
    expires_at: float
    #: Bytes of JSON.
    size: int
    #: Tells it from other values under the same key.
    version: int


class PendingRead:
    """That a key is being read from Redis, by one thread or several at the same time."""

    __slots__ = ("readers", "seen")

    def __init__(self) -> None:
        #: How many have begun, and have not finished.
        self.readers: int = 0
        #: What those got who have finished; nothing as long as none has.
        self.seen: set[int | None] = set()


class NearCache:
    """Keeps values up to a size, the last ones read. Thread-safe.

    It is used only while trusted, which somebody has to renew who would know if a value changed. A value that is being
    read when it changes, or when trust ends, is not kept: the reader may have got the old one. Nor is one of which
    readers at the same time got different versions, since nobody who got the later one may see the earlier again.

    Arguments:
        limit: bytes of JSON, keys included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        self._lock = threading.Lock()
        # Looked into without the lock.
        self._kept: dict[str, NearEntry] = {}
        self._readings: dict[str, PendingRead] = {}
        self._size = 0
        self._trusted_until = _NEVER
        self._hits = itertools.count()
        self._looks = 0

    @property
    def hits(self) -> int:
        """How often something was found."""
        with self._lock:
            self._looks += 1
            # To look is to count.
            return next(self._hits) - self._looks + 1

    @property
    def is_trusted(self) -> bool:
        """Whether what is kept is used."""
        return monotonic() < self._trusted_until

    def find(self, name: str, decode: Callable[[Entry], Any]) -> NearEntry | None:
        """Return what is kept under a key, if it may be used and was decoded in this way."""
        kept = self._kept.get(name)
        if kept is None or kept.decode is not decode:
            return None
        now = monotonic()
        if now < kept.expires_at and now < self._trusted_until:
            # One step of the interpreter, and so without the lock.
            next(self._hits)
            return kept
        return None

    def begin(self, name: str) -> PendingRead | None:
        """Note that the caller is about to read a key, and will call `finish`; ``None`` if it need not."""
        with self._lock:
            # With the lock: whoever begins before trust ends must not keep anything after it.
            if not self.is_trusted:
                return None
            reading = self._readings.get(name)
            if reading is None:
                reading = self._readings[name] = PendingRead()
            reading.readers += 1
            return reading

    def finish(self, name: str, reading: PendingRead, kept: NearEntry | None) -> None:
        """Keep what was read, ``None`` for nothing, if it is sure to be the last version."""
        version = None if kept is None else kept.version
        with self._lock:
            before = self._kept.get(name)
            if before is not None and before.version != version:
                self._remove(name)
            current = self._readings.get(name)
            if current is not None:
                current.seen.add(version)
            if current is not reading:
                return
            reading.readers -= 1
            if not reading.readers:
                del self._readings[name]
            if kept is not None and len(reading.seen) == 1 and name not in self._kept:
                self._insert(name, kept)

    def _insert(self, name: str, kept: NearEntry) -> None:
        size = len(name) + kept.size
        if size <= self._limit:
            self._kept[name] = kept
            self._size += size
            while self._size > self._limit:
                self._remove(next(iter(self._kept)))

    def forget(self, names: Iterable[str]) -> None:
        """Forget keys that have changed, or may have."""
        with self._lock:
            for name in names:
                self._readings.pop(name, None)
                self._remove(name)

    def trust(self, until: float) -> None:
        """Use what is kept until then, by ``time.monotonic()``."""
        self._trusted_until = until

    def distrust(self) -> None:
        """Forget everything, and use nothing until there is trust again."""
        with self._lock:
            self._trusted_until = _NEVER
            self._clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self._readings.clear()
        self._kept.clear()
        self._size = 0

    def _remove(self, name: str) -> None:
        if kept := self._kept.pop(name, None):
            self._size -= len(name) + kept.size
