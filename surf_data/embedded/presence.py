"""Who uses a folder's servers: every user holds two locks for as long as it lives, and joins or leaves in its turn."""

from collections.abc import Iterator
from contextlib import contextmanager

from surf_data.embedded.folder import Folder
from surf_data.embedded.lock import Lock


class FolderGone(Exception):
    """The folder was temporary, and its last user has left."""


class ServerLease:
    """A process's use of the servers: two locks, shared with all other users, which the kernel drops when it ends.

    Two, because the supervisor waits for ``alive`` until no process holds it, while a process that leaves has to learn
    from ``users`` whether others remain, without a supervisor in the way.

    Arguments:
        folder: the folder, in which it is this process's turn to join.

    Raises:
        FileNotFoundError: the folder was temporary and is gone.
    """

    def __init__(self, folder: Folder) -> None:
        self._locks: list[Lock] = []
        try:
            for name in ("users", "alive"):
                self._locks.append(folder.lock(name))
            users, alive = self._locks
            users.take(shared=True)
            #: Whether the supervisor, if there is one, has not yet found itself without users.
            self.in_time: bool = alive.take(shared=True, wait=False)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Let go of the locks, which forked children keep. Idempotent."""
        while self._locks:
            self._locks.pop().close()


@contextmanager
def exclusive_turn(folder: Folder) -> Iterator[Lock]:
    """Be the only one who joins or leaves, and yield the lock ``start``.

    Raises:
        FolderGone: the folder was temporary, and was removed in the meantime.
    """
    try:
        with folder.lock("start") as lock:
            lock.take()
            if not lock.is_current():
                raise FolderGone
            yield lock
    except FileNotFoundError:
        raise FolderGone from None
