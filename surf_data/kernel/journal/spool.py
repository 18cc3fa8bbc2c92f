"""Entries that PostgreSQL could not accept, kept in a folder until it does."""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

from surf_data.kernel.journal.table import Entry


class Spool:
    """A file of one table that is only appended to, and one that is being replayed. Processes may share it.

    Arguments:
        folder: created if it is not there; only its owner can read what is kept.
        table: the table's name: the first part of the names of its files.
        maximum: bytes that are kept at the most.
    """

    def __init__(self, folder: Path, table: str, maximum: int) -> None:
        self._folder = folder
        self._table = table
        self._maximum = maximum
        self._appended = folder / f"{table}.jsonl"
        self._replayed = folder / f"{table}.replay.jsonl"

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        return not (self._appended.exists() or self._replayed.exists())

    def append(self, entries: Sequence[Entry]) -> int:
        """Keep entries; they are on the disk when this returns.

        Arguments:
            entries: of what JSON knows.

        Returns:
            How many there was no room for, from the end.

        Raises:
            OSError: the folder cannot be written to.
        """
        lines = [json.dumps(entry).encode() + b"\n" for entry in entries]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked("append", fcntl.LOCK_EX):
            kept = sum(path.stat().st_size for path in (self._appended, self._replayed) if path.exists())
            sizes = accumulate(map(len, lines), initial=kept)
            fitting = sum(size <= self._maximum for size in sizes) - 1
            if fitting > 0:
                with _private(self._appended, os.O_APPEND) as file:
                    # A line that was cut off by a crash was never acknowledged; it must not spoil these.
                    file.write(b"\n" + b"".join(lines[:fitting]))
                    file.flush()
                    os.fsync(file.fileno())
                self._sync_folder()
        return len(lines) - max(fitting, 0)

    @contextmanager
    def claim(self) -> Iterator[list[Any]]:
        """Yield the lines that are kept, in order, and delete them if the block succeeds.

        There are none while another process has claimed them.

        Raises:
            OSError: the folder cannot be read or written to.
        """
        with ExitStack() as locks:
            free = not self.is_empty
            if free:
                try:
                    locks.enter_context(self._locked("replay", fcntl.LOCK_EX | fcntl.LOCK_NB))
                except BlockingIOError:
                    free = False
            if not free:
                yield []
                return
            with self._locked("append", fcntl.LOCK_EX):
                if not self._replayed.exists() and self._appended.exists():
                    self._appended.rename(self._replayed)
            yield self._read()
            self._replayed.unlink(missing_ok=True)
            self._sync_folder()

    def save(self, entries: Sequence[Entry]) -> None:
        """In the block of `claim`: put these entries in the place of those that are being replayed."""
        fresh = self._replayed.with_suffix(".new")
        with _private(fresh, os.O_TRUNC) as file:
            file.write(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(self._replayed)
        self._sync_folder()

    def _read(self) -> list[Any]:
        kept = b""
        entries: list[Any] = []
        # Another process may have been quicker.
        with suppress(FileNotFoundError):
            kept = self._replayed.read_bytes()
        for line in kept.split(b"\n"):
            with suppress(ValueError):
                entries.append(json.loads(line))
        return entries

    @contextmanager
    def _locked(self, what: str, how: int) -> Iterator[None]:
        # The lock goes with the file descriptor, also when the process is killed.
        with _private(self._folder / f"{self._table}.{what}.lock", 0) as file:
            fcntl.flock(file, how)
            try:
                yield
            finally:
                # A child that was forked meanwhile has the file descriptor, too.
                fcntl.flock(file, fcntl.LOCK_UN)

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _private(path: Path, flags: int) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600), "wb")
