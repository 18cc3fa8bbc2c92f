"""Objects on a local disk: written to a temporary file, synchronised, and moved to their place in one step."""

import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from errno import ENOENT
from typing import BinaryIO, Self
from urllib.parse import quote

from surf_data.errors import ObjectNotFound, StorageError
from surf_data.kernel.storage.objects import (
    CHUNK,
    NO_ATTRIBUTES,
    Attributes,
    CountedSource,
    ObjectInfo,
    Source,
    checked_attributes,
    checked_key,
    checked_keys,
)
from surf_data.kernel.storage.signing import UrlSigner
from surf_data.kernel.storage.translation import Translation
from surf_data.kernel.storage.trial import trial
from surf_data.kernel.validation import integer, number, path

_TEMPORARY = ".tmp"
#: Seconds after which a temporary file is a left-over of a process that was killed.
LEFT_OVER_SECONDS = 86_400
_FOLDER_MODE, _FILE_MODE = 0o750, 0o640
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# How often a folder may be removed by another process between its creation and its use.
_ATTEMPTS = 10


class LocalStore:
    """Keeps objects as files below a folder. Symbolic links are neither followed nor shown; a fork does no harm.

    Arguments:
        folder: the folder. `initialize` creates it.
        signer: signs URLs; without one `sign` is refused, and `url` returns ``file://`` URLs.
        fsync: whether `put` waits until the disk has the object. Without it a power cut may take what was stored.
    """

    backend = "local"

    def __init__(self, folder: str | os.PathLike[str], *, signer: UrlSigner | None = None, fsync: bool = True) -> None:
        self._folder = path("folder", os.fspath(folder) if isinstance(folder, os.PathLike) else folder).absolute()
        self._signer = signer
        self._fsync = os.fsync if fsync else _no_fsync

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    def initialize(self) -> bool:
        """Create the folder if it is missing; return whether it was. Idempotent."""
        with Translation("initialize"):
            missing = not self._folder.is_dir()
            (self._folder / _TEMPORARY).mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        return missing

    def check(self) -> None:
        """Write, read and delete a trial object."""
        trial(self)

    def put(
        self, key: str, source: Source, attributes: Attributes = NO_ATTRIBUTES, *, create: bool = True
    ) -> ObjectInfo:
        """Store an object: see `ObjectStore.put`. What is stored survives a power cut."""
        *parents, name = checked_key(key).split("/")
        checked_attributes(attributes)
        temporary = secrets.token_hex(16)
        counted = CountedSource(source)
        with counted, Translation("put", key), self._open_folder([_TEMPORARY]) as written:
            try:
                status = self._write(written, temporary, counted)
                self._publish(written, temporary, parents, name, create=create)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=written)
        return _info(key, status)

    def get(self, key: str) -> "LocalBody":
        """Open an object."""
        with Translation("get", key), self._parent(key) as (parent, name):
            # Checked before it is opened: to open a pipe would wait for a writer.
            status = _regular(name, parent)
            return LocalBody(_info(key, status), os.fdopen(os.open(name, _READING, dir_fd=parent), "rb"))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, or as many as there are."""
        integer("start", start, minimum=0, maximum=2**53)
        integer("length", length, minimum=1, maximum=2**31 - 1)
        with self.get(key) as body, Translation("get", key):
            return os.pread(body.fileno(), length, start)

    def head(self, key: str) -> ObjectInfo:
        """Return what the file system knows of an object."""
        with Translation("head", key), self._parent(key) as (parent, name):
            status = _regular(name, parent)
        return _info(key, status)

    def delete_many(self, keys: Sequence[str]) -> None:
        """Delete objects and the folders that are empty afterwards; keys that are missing are fine."""
        for key in checked_keys(keys):
            *parents, name = key.split("/")
            with suppress(ObjectNotFound), Translation("delete", key):
                with self._open_folder(parents) as parent:
                    os.unlink(name, dir_fd=parent)
                    self._fsync(parent)
                with suppress(OSError):
                    # The first one that is not empty ends it.
                    for depth in range(len(parents), 0, -1):
                        with self._open_folder(parents[: depth - 1]) as parent:
                            os.rmdir(parents[depth - 1], dir_fd=parent)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with the whole segments of ``prefix``, in the order of their names."""
        segments = checked_key(prefix).split("/") if prefix else []
        yield from self._walk(segments)

    def remove_left_overs(self, seconds: float = LEFT_OVER_SECONDS) -> int:
        """Remove temporary files of processes that were killed, if older than ``seconds``; return how many."""
        oldest, removed = time.time() - number("seconds", seconds), 0
        with Translation("delete"), self._open_folder([_TEMPORARY]) as folder, os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        os.unlink(entry.name, dir_fd=folder)
                        removed += 1
        return removed

    def sign(self, key: str, seconds: int, *, method: str = "GET") -> str:
        """Return a URL that may be used for ``seconds``, 1 to 604,800, at the service that verifies it.

        Raises:
            StorageError: there are no keys to sign with.
        """
        if self._signer is None:
            raise StorageError("URLs of local objects are signed with storage_signing_keys", operation="sign", key=key)
        return self._signer.sign(key, seconds, method=method)

    def url(self, key: str) -> str:
        """Return the URL of an object without a signature: the public one, or ``file://`` where there is none."""
        if self._signer is None:
            return f"file://{quote(str(self._folder))}/{quote(checked_key(key))}"
        return self._signer.url(key)

    def free_bytes(self) -> int:
        """Return how many bytes the file system has room for."""
        with Translation("check"):
            return shutil.disk_usage(self._folder).free

    def _write(self, folder: int, name: str, source: CountedSource) -> os.stat_result:
        file = os.open(name, _WRITING, _FILE_MODE, dir_fd=folder)
        try:
            for piece in source:
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(file, rest) :]
            self._fsync(file)
            return os.fstat(file)
        finally:
            os.close(file)

    def _publish(self, written: int, temporary: str, parents: Sequence[str], name: str, *, create: bool) -> None:
        attempts = 0
        while True:
            try:
                with self._open_folder(parents, make=True) as folder:
                    # A link decides between two that create the same; a rename replaces.
                    if create:
                        os.link(temporary, name, src_dir_fd=written, dst_dir_fd=folder, follow_symlinks=False)
                    else:
                        os.replace(temporary, name, src_dir_fd=written, dst_dir_fd=folder)
                    self._fsync(folder)
            except FileNotFoundError:
                # The folder was empty until now, and has just been removed by `delete_many`.
                attempts += 1
                if attempts == _ATTEMPTS:
                    raise
            else:
                return

    @contextmanager
    def _parent(self, key: str) -> Iterator[tuple[int, str]]:
        *parents, name = checked_key(key).split("/")
        with self._open_folder(parents) as folder:
            yield folder, name

    @contextmanager
    def _open_folder(self, segments: Sequence[str], *, make: bool = False) -> Iterator[int]:
        """Open a folder, one segment after the other, so that a link in its way is met and refused."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for segment in segments:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(segment, _FOLDER_MODE, dir_fd=folder)
                        self._fsync(folder)
                inner = os.open(segment, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)

    def _walk(self, segments: Sequence[str]) -> Iterator[ObjectInfo]:
        # Read whole before anything is yielded, so that no folder stays open while the caller works.
        entries = []
        with suppress(ObjectNotFound), Translation("list"), self._open_folder(segments) as folder:
            for name in sorted(os.listdir(folder)):  # noqa: PTH208 - by descriptor
                with suppress(FileNotFoundError):
                    entries.append((name, os.stat(name, dir_fd=folder, follow_symlinks=False)))
        for name, status in entries:
            # What begins with a dot is not an object: temporary files, for one.
            if name.startswith("."):
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from self._walk([*segments, name])
            elif stat.S_ISREG(status.st_mode):
                yield _info("/".join([*segments, name]), status)


class LocalBody:
    """The bytes of an object on local disk; they stay readable after the object was deleted."""

    def __init__(self, info: ObjectInfo, file: BinaryIO) -> None:
        self.info = info
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        with self:
            while not self._file.closed and (piece := self._file.read(CHUNK)):
                yield piece

    def read(self) -> bytes:
        """Return all of it, or what has not been iterated over yet."""
        with self:
            return b"" if self._file.closed else self._file.read()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()

    def fileno(self) -> int:
        """Return the descriptor of the file, for ``os.sendfile`` and the like."""
        return self._file.fileno()


def _regular(name: str, folder: int) -> os.stat_result:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(ENOENT, "")
    return status


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key=key, size=status.st_size, last_modified=datetime.fromtimestamp(status.st_mtime, UTC))


def _no_fsync(_file: int) -> None:
    pass
