"""Advisory locks on files, dropped by the kernel when the last process that holds them is gone, however it went."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class Lock:
    """A ``flock`` on a file that is created when it is missing.

    It belongs to the open file, so a forked child holds it as well, and a program started by ``exec`` does not.
    Used as a context manager it is released at the end, even where a forked child has inherited it.

    Arguments:
        path: the file. Its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def take(self, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the lock, and say whether it was had.

        Arguments:
            shared: share it with others that share it; otherwise have it alone.
            wait: wait for those who have it; otherwise return ``False`` when one does.
        """
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._descriptor, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_current(self) -> bool:
        """Return whether the path still leads to this file: after a wait the lock may be that of a removed one."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.lstat())
        except FileNotFoundError:
            return False

    def fileno(self) -> int:
        """Return the descriptor of the open file."""
        return self._descriptor

    def release(self) -> None:
        """Release the lock, for forked children that inherited it as well."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file. Forked children that inherited it keep the lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self.close()
