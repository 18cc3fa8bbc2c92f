"""Values kept in this process, in front of Redis, for as long as it is known that Redis has no others."""

import itertools
import threading
import weakref
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

    #: The value as it was decoded; no caller gets it.
    value: Any
    #: Returns the copy that a caller gets.
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


class _Reads:
    """That a key is being read from Redis, by one thread or several at the same time."""

    __slots__ = ("readers", "seen")

    def __init__(self) -> None:
        #: Those that have begun, have not finished and still exist: an interrupted thread does not finish.
        self.readers: set[weakref.ref[PendingRead]] = set()
        #: What those got who have finished; nothing as long as none has.
        self.seen: set[int | None] = set()


class PendingRead:
    """That one thread is reading a key from Redis."""

    __slots__ = ("__weakref__", "_reference", "reads")

    def __init__(self, reads: _Reads) -> None:
        #: All that read the key at the same time.
        self.reads: _Reads = reads
        self._reference: weakref.ref[PendingRead] = weakref.ref(self, reads.readers.discard)
        reads.readers.add(self._reference)

    def end(self) -> None:
        """Be no reader any more."""
        self.reads.readers.discard(self._reference)


class NearCache:
    """Keeps values up to a size, the last ones read. Thread-safe.

    It is used only while trusted, which has to be renewed by what would know if a value changed. A value that is being
    read when it changes, or when trust ends, is not kept: the reader may have got the old one. Nor is one of which
    readers at the same time got different versions, since no reader of the later one may see the earlier again.

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
        self._reads: dict[str, _Reads] = {}
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
            # With the lock: a reader that begins before trust ends must not keep anything after it.
            if not self.is_trusted:
                return None
            reads = self._reads.get(name)
            if reads is None:
                reads = self._reads[name] = _Reads()
            return PendingRead(reads)

    def finish(self, name: str, read: PendingRead, entry: NearEntry | None) -> None:
        """Keep what was read, ``None`` for nothing, if it is sure to be the last version."""
        version = None if entry is None else entry.version
        with self._lock:
            before = self._kept.get(name)
            if before is not None and before.version != version:
                self._remove(name)
            current = self._reads.get(name)
            if current is None:
                return
            current.seen.add(version)
            if current is not read.reads:
                return
            read.end()
            if not current.readers:
                del self._reads[name]
            if entry is not None and len(current.seen) == 1 and name not in self._kept:
                self._insert(name, entry)

    def _insert(self, name: str, entry: NearEntry) -> None:
        size = len(name) + entry.size
        if size <= self._limit:
            self._kept[name] = entry
            self._size += size
            while self._size > self._limit:
                self._remove(next(iter(self._kept)))

    def forget(self, names: Iterable[str]) -> None:
        """Forget keys that have changed, or may have."""
        with self._lock:
            for name in names:
                self._reads.pop(name, None)
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
        self._reads.clear()
        self._kept.clear()
        self._size = 0

    def _remove(self, name: str) -> None:
        entry = self._kept.get(name)
        if entry is not None:
            size = len(name) + entry.size
            # No call between these two, and so no interruption.
            del self._kept[name]
            self._size -= size
