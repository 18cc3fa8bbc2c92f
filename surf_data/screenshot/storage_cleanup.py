"""Brings rows and objects together again: what was released, has expired, was cut off, or has no row."""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import attrs

from surf_data.errors import StorageError, SurfDataError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.identifiers import new_id
from surf_data.kernel.postgres import Executor
from surf_data.kernel.storage import LocalStore, ObjectStore
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.uploads import checked_path, checked_type

#: Seconds after which an upload that was not finished is taken for cut off; what takes longer is refused at its end.
PENDING_SECONDS = 3_600
#: Seconds after which an object without a row is an orphan.
ORPHAN_SECONDS = 86_400
_PORTION = 500
_PAGE = 1_000
# What `StorageManager.store` makes; nothing else is ever removed for having no row.
_OWN_KEY = re.compile(r"\d{4}/\d{2}/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\.[a-z0-9]+", re.ASCII)
# A few unknown objects in an almost empty store are no sign of a wrong database.
_FEW = 10


@attrs.frozen(kw_only=True)
class Cleanup:
    """What a clean-up of storage has removed, or would remove."""

    #: Objects that were released, expired or never finished.
    released: int
    #: Objects without a row.
    orphans: int
    #: Temporary files of a local store.
    left_overs: int


class Cleaner:
    """Cleans up a store.

    Arguments:
        store: keeps the objects.
        database: runs the statements.
    """

    def __init__(self, store: ObjectStore, database: Executor) -> None:
        self._store = store
        self._database = database

    def remove(self, rows: Sequence[Any]) -> None:
        """Delete released objects, then their rows. What fails is left to the next `run`.

        Arguments:
            rows: the id and the key of each.
        """
        with suppress(SurfDataError):
            self._removed(rows)

    def run(self, *, dry_run: bool, force: bool) -> Cleanup:
        """Clean up, see `StorageManager.cleanup`."""
        dry_run, force = validation.boolean("dry_run", dry_run), validation.boolean("force", force)
        queries, released = screenshot_queries(), 0
        if dry_run:
            released = queries.object_usage(self._database).unfinished
        else:
            database = self._database
            while rows := [
                *queries.object_unfinished(database, pending_seconds=PENDING_SECONDS, row_limit=_PORTION),
                *queries.object_expire(database, row_limit=_PORTION),
            ]:
                self._removed(rows)
                released += len(rows)
        orphans = left_overs = 0
        for keys in self._orphans(force=force):
            orphans += len(keys)
            if keys and not dry_run:
                self._store.delete_many(keys)
        if isinstance(self._store, LocalStore) and not dry_run:
            left_overs = self._store.remove_left_overs()
        return Cleanup(released=released, orphans=orphans, left_overs=left_overs)

    def adopt(self, prefix: str, allowed: tuple[str, ...]) -> int:
        """Make rows for objects without one, see `StorageManager.adopt`."""
        adopted = 0
        for found in self._store.list(prefix):
            with suppress(ValidationError):
                path = checked_path(found.key)
                kind = checked_type(None, path, allowed)
                # Where the spelling changes, the object has another key.
                if path == found.key:
                    adopted += screenshot_queries().object_adopt(
                        self._database,
                        id=new_id(),
                        object_key=path,
                        content_type=kind,
                        size_bytes=found.size,
                        etag=found.etag,
                    )
        return adopted

    def _removed(self, rows: Sequence[Any]) -> None:
        self._store.delete_many([key for _, key in rows])
        screenshot_queries().object_forget(self._database, ids=[object_id for object_id, _ in rows])

    def _orphans(self, *, force: bool) -> Iterator[list[str]]:
        oldest = datetime.now(UTC) - timedelta(seconds=ORPHAN_SECONDS)
        listed = (each for each in self._store.list() if _OWN_KEY.fullmatch(each.key))
        while page := list(islice(listed, _PAGE)):
            keys = [each.key for each in page]
            known = {key for (key,) in screenshot_queries().object_known(self._database, object_keys=keys)}
            unknown = [each for each in page if each.key not in known]
            if len(unknown) > max(len(page) // 2, _FEW) and not force:
                raise StorageError(
                    "most objects have no row: is this the right database? No orphan was removed", operation="delete"
                )
            yield [each.key for each in unknown if each.last_modified is not None and each.last_modified < oldest]


class StorageCounts:
    """Counts what happens to a store. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter(
            dict.fromkeys(("uploads", "downloads", "deletes", "errors", "bytes_in", "bytes_out"), 0)
        )

    def add(self, **counts: int) -> None:
        """Add to counts."""
        with self._lock:
            self._counts.update(counts)

    def snapshot(self) -> dict[str, int]:
        """Return the counts."""
        with self._lock:
            return dict(self._counts)
