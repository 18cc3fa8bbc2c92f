"""The file of a backup: it appears under its name only when it is complete."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from surf_data.backup.manifest import Manifest, manifest_path
from surf_data.errors import BackupError
from surf_data.kernel import validation

# A backup holds what the database keeps from most who may log in to the machine.
_MODE = 0o600


def check_free(file: Path, *, overwrite: bool) -> None:
    """Check that a backup may be written to ``file``, and touch nothing.

    Raises:
        BackupError: something is there, or its folder is not, or nothing can be written to that.
    """
    file = validation.path("file", file)
    if not file.name:
        raise BackupError("is no ordinary file, and is left alone", file=str(file))
    for path in (file, manifest_path(file)):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise BackupError("is no ordinary file, and is left alone", file=str(path))
        if path.exists() and not overwrite:
            raise BackupError("exists already, and is left alone", file=str(path))
    folder = file.absolute().parent
    if not folder.is_dir():
        raise BackupError("there is no such folder", file=str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BackupError("cannot be written to", file=str(folder))


class Draft:
    """A backup that is being written, as ``FILE.partial``."""

    def __init__(self, file: Path, opened: FileIO, *, overwrite: bool) -> None:
        #: Where the backup is written.
        self.opened: FileIO = opened
        #: Whether it has its name.
        self.published: bool = False
        self._file = file
        self._overwrite = overwrite

    def publish(self, manifest: Manifest) -> None:
        """Give the file and its manifest their names, when all of both is on the disk."""
        os.fsync(self.opened.fileno())
        partial = partial_path(manifest_path(self._file))
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="utf-8") as written:
            json.dump(manifest.to_dict(), written, indent=2)
            written.write("\n")
            written.flush()
            os.fsync(written.fileno())
        check_free(self._file, overwrite=self._overwrite)
        # The manifest first: a backup that can be seen can be checked.
        partial.rename(manifest_path(self._file))
        partial_path(self._file).rename(self._file)
        self.published = True
        folder = os.open(self._file.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def partial_path(path: Path) -> Path:
    """Return what a file is called before it is whole."""
    return path.with_name(f"{path.name}.partial")


@contextmanager
def draft(file: Path, *, overwrite: bool) -> Iterator[Draft]:
    """Yield what is to become ``file``; unless it is published in the block, nothing of it is left.

    Raises:
        BackupError: as `check_free`, or another process writes a backup there.
        OSError: it cannot be written.
    """
    partial = partial_path(file)
    # A run that was killed may have left one.
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _MODE)
    with os.fdopen(descriptor, "r+b", buffering=0) as opened:
        _take(opened, partial)
        begun = Draft(file, opened, overwrite=overwrite)
        try:
            os.fchmod(descriptor, _MODE)
            opened.truncate()
            check_free(file, overwrite=overwrite)
            yield begun
        finally:
            if not begun.published:
                partial.unlink()
                partial_path(manifest_path(file)).unlink(missing_ok=True)


def _take(opened: FileIO, partial: Path) -> None:
    try:
        # The pg_dump of a run that was killed has the lock, too, for as long as it writes.
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Meanwhile its owner may have given it its name, or deleted it.
        taken = os.path.samestat(os.fstat(opened.fileno()), partial.stat())
    except OSError:
        taken = False
    # Outside the handler, so that it carries no other error.
    if not taken:
        raise BackupError("another process writes a backup there", file=str(partial))
