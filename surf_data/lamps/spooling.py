"""Logs through a spool: what PostgreSQL cannot take now it takes later, once and in order."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from surf_data.errors import (
    ConstraintViolation,
    DatabaseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    LockTimeout,
    StatementTimeout,
)
from surf_data.kernel import forking
from surf_data.kernel.postgres import Executor, Json
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.spool import Entry, Spool

_log = logging.getLogger("surf_data.lamps.spooling")

#: Ids that are reserved at a time.
_RESERVED = 100
_PASSING = (DatabaseUnavailable, DeadlineExceeded, LockTimeout, StatementTimeout)


class SpoolingLogger:
    """Inserts entries under ids that were reserved before, so that doing it twice is as good as doing it once.

    Arguments:
        database: runs the statements.
        spool: keeps what cannot be written.
    """

    def __init__(self, database: Executor, spool: Spool) -> None:
        self._database = database
        self._spool = spool
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """In a forked child: reserve ids of its own."""
        self._lock = threading.Lock()
        self._ids: list[int] = []

    def log(self, values: dict[str, Any]) -> None:
        """Write an entry, or keep it for later.

        Raises:
            DatabaseError: the server will never take it.
            OSError: it cannot be kept either.
        """
        entry: Entry = {**values, "id": None, "created_at": datetime.now(UTC)}
        try:
            entry["id"] = self._next_id()
            lamp_queries().activity_insert_once(self._database, **entry)
        except DatabaseError as error:
            if not will_pass(error):
                raise
            if self.keep([entry], error):
                raise OSError("the spool is full") from None
            return
        self.catch_up()

    def keep(self, entries: Sequence[Entry], error: Exception) -> int:
        """Keep entries for later, because of an error; return how many there was no room for, from the end.

        Raises:
            OSError: they cannot be kept.
        """
        lost = self._spool.append([to_json(entry) for entry in entries])
        if kept := len(entries) - lost:
            facts = {"error": type(error).__name__, "sqlstate": getattr(error, "sqlstate", None)}
            _log.warning("activity spooled", extra={**facts, "entries": kept})
        return lost

    def catch_up(self) -> None:
        """Write what was kept, if there is anything, and it can be."""
        if not self._spool.is_empty:
            try:
                self.replay()
            except Exception as error:  # noqa: BLE001 - a file may hold anything
                _log.warning("activity not replayed yet", extra={"error": type(error).__name__})

    def replay(self) -> int:
        """Write what was kept, in order; return how many entries that were.

        Raises:
            DatabaseError: the server cannot take them now. They are kept.
            OSError: the folder cannot be read or written to.
        """
        with self._spool.taken() as entries:
            if entries:
                new = [entry for entry in entries if entry["id"] is None]
                for entry, reserved in zip(new, reserve(self._database, len(new)), strict=True):
                    entry["id"] = reserved
                # From here on it can be interrupted at any place, and done again.
                self._spool.save(entries)
                with self._database.transaction() as transaction:
                    for entry in entries:
                        _insert(transaction, _from_json(entry))
            return len(entries)

    def _next_id(self) -> int:
        with self._lock:
            if self._ids:
                return self._ids.pop(0)
        # Without the lock: the server may take its time.
        first, *others = reserve(self._database, _RESERVED)
        with self._lock:
            self._ids += others
        return first


def reserve(executor: Executor, number: int) -> list[int]:
    """Return ids for so many entries, in ascending order."""
    return cast("list[int]", lamp_queries().activity_ids(executor, number=number) or [])


def will_pass(error: Exception) -> bool:
    """Tell whether the server may well take later what it refused with ``error``."""
    # Class 53: the server's disk or memory is full, or its connections are.
    return isinstance(error, DatabaseError) and (
        error.retryable or isinstance(error, _PASSING) or (error.sqlstate or "").startswith("53")
    )


def to_json(entry: Entry) -> Entry:
    """Return an entry as the spool has it, and as an array of texts can."""
    details, address = entry["details"], entry["ip_address"]
    return {
        **entry,
        "lamp_id": None if entry["lamp_id"] is None else str(entry["lamp_id"]),
        "details": None if details is None else details.text,
        "ip_address": None if address is None else str(address),
        "created_at": entry["created_at"].isoformat(),
    }


def _insert(executor: Executor, entry: Entry) -> None:
    anonymous: Entry = {**entry, "lamp_id": None}
    for values in (entry, anonymous):
        try:
            with executor.savepoint() as savepoint:
                lamp_queries().activity_insert_once(savepoint, **values)
        except ConstraintViolation:
            # The lamp was deleted meanwhile; the entries that it had then have lost it, too.
            continue
        return
    _log.warning("spooled activity refused")


def _from_json(entry: Entry) -> Entry:
    return {
        **entry,
        "lamp_id": None if entry["lamp_id"] is None else UUID(entry["lamp_id"]),
        "details": None if entry["details"] is None else Json(entry["details"]),
        "created_at": datetime.fromisoformat(entry["created_at"]),
    }
