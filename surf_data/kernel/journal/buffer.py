"""Entries that wait in memory to be written together."""

import atexit
import threading
import weakref
from collections.abc import Callable
from time import monotonic

import attrs

from surf_data.errors import DeadlineExceeded
from surf_data.kernel import forking
from surf_data.kernel.journal.table import Entry
from surf_data.kernel.postgres.deadlines import current_deadline

#: Characters of large columns that a buffer takes, whatever its number of entries: a document may be a megabyte.
MAX_CHARACTERS = 16_000_000

# Seconds between two checks whether the program is about to end.
_POLL_INTERVAL = 0.1


@attrs.frozen(kw_only=True, eq=False)
class BufferLimits:
    """How much may wait, and for how long: it is what a process that is killed loses."""

    #: Entries that have not been written yet, those under way included.
    entries: int
    #: Seconds after which an entry is sent.
    seconds: float


class Buffer:
    """Collects entries, and has them written by one thread at a time, in order. Thread-safe.

    The thread is started when there is something to write, and ends when there is no more. It is no daemon: a program
    that ends waits for it, and what is there is sent at once. A child process of ``fork`` begins with an empty buffer;
    the entries are its parent's.

    Arguments:
        write: writes entries, and handles errors; it must not raise. Its second argument is a function that it may
            call when all that is left to do is to wait for the server.
        limits: how much may wait, and for how long.
        table: the table's name, for the name of the thread.
    """

    def __init__(
        self, write: Callable[[list[Entry], Callable[[], None]], None], limits: BufferLimits, table: str
    ) -> None:
        self._write = write
        self._limits = limits
        self._table = table
        # From half of them on they are sent, and no more than half together, so that there is room while they are.
        self._half = (limits.entries + 1) // 2
        self.reset_after_fork()
        forking.register(self)
        _buffers.add(self)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        # Re-entrant: a signal handler or a finalizer may log while this very thread does.
        self._changed = threading.Condition(threading.RLock())
        # With how long the large columns of each are.
        self._waiting: list[tuple[Entry, int]] = []
        self._characters = 0
        self._oldest = 0.0
        self._added = self._written = self._wanted = 0
        # For how many of those that were written others may have come.
        self._replaced = 0
        self._writer: int | None = None

    def add(self, entry: Entry, characters: int) -> None:
        """Take an entry to be written soon. While there is no room, wait.

        Arguments:
            entry: the columns by name.
            characters: how long its large columns are.

        Raises:
            DeadlineExceeded: there was no room before the caller's deadline.
        """
        with self._changed:
            if self._is_full and not self._wait(lambda: not self._is_full):
                raise DeadlineExceeded(f"the buffer of {self._table} is full")
            if not self._waiting:
                self._oldest = monotonic()
            self._waiting.append((entry, characters))
            self._added += 1
            self._characters += characters
            begins = self._writer is None
            if begins:
                # The id of no thread; the new one stores its own as soon as it runs.
                self._writer = 0
            elif self._is_due:
                self._changed.notify_all()
        if begins:
            self._begin()

    def flush(self) -> bool:
        """Write everything that was added before, and wait for that; return ``False`` if a deadline came first."""
        with self._changed:
            wanted = self._wanted = self._added
            self._changed.notify_all()
            return self._wait(lambda: self._written >= wanted)

    @property
    def _is_full(self) -> bool:
        return self._added - self._replaced >= self._limits.entries or self._characters >= MAX_CHARACTERS

    @property
    def _is_due(self) -> bool:
        return len(self._waiting) >= self._half or self._is_full or self._wanted > self._written

    def _wait(self, done: Callable[[], bool]) -> bool:
        # The writer itself, called by way of an observer or a log handler, would wait indefinitely.
        while not done():
            left = current_deadline() - monotonic()
            if left <= 0 or self._writer == threading.get_ident():
                return False
            self._changed.wait(min(left, threading.TIMEOUT_MAX))
        return True

    def _begin(self) -> None:
        thread = threading.Thread(target=self._work, name=f"surf_data {self._table}", daemon=False)
        try:
            thread.start()
        except RuntimeError:
            # There are too many, or the program is about to end.
            self._work()
        except BaseException:
            # An interrupt, which the program may survive: the next entry starts another thread.
            with self._changed:
                self._writer = None
            raise

    def _work(self) -> None:
        with self._changed:
            self._writer = threading.get_ident()
        while entries := self._take():
            self._write(entries, self._make_room)
            with self._changed:
                # Those that this wakes check the count once the lock is released.
                self._make_room()
                self._written += len(entries)

    def _make_room(self) -> None:
        """Let other entries in for all that was written before.

        A thread that waits for room holds the GIL, once there is room, until the buffer is full again. So there is none
        before the server has something to do meanwhile, which saves a third of the time.
        """
        with self._changed:
            self._replaced = self._written
            self._changed.notify_all()

    def _take(self) -> list[Entry]:
        """Return what is to be written now; nothing, and the thread ends, when there is nothing."""
        with self._changed:
            while self._waiting and not self._is_due:
                left = self._oldest + self._limits.seconds - monotonic()
                if left <= 0 or not threading.main_thread().is_alive():
                    break
                self._changed.wait(min(left, _POLL_INTERVAL))
            if not self._waiting:
                self._make_room()
            taken, self._waiting = self._waiting[: self._half], self._waiting[self._half :]
            self._characters -= sum(characters for _, characters in taken)
            if not taken:
                self._writer = None
            return [entry for entry, _ in taken]


_buffers: "weakref.WeakSet[Buffer]" = weakref.WeakSet()


@atexit.register
def _flush() -> None:
    # What other functions appended that are registered to run at exit; no thread is waited for by now.
    for buffer in list(_buffers):
        buffer.flush()
