"""The audit log: who did what. The application can only add to it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from surf_data.errors import ConstraintViolation, SurfDataError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.correlation import correlation_id
from surf_data.kernel.identifiers import new_id
from surf_data.kernel.journal import Column, Journal, JournalTable
from surf_data.kernel.paging import uuid_keyset
from surf_data.kernel.postgres import Executor
from surf_data.kernel.sealing import SealedLog, SealStatements, Verification
from surf_data.screenshot.audit_log import AuditLog
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.enums import AuditAction, AuditCategory, AuditLevel
from surf_data.screenshot.fields import member
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.saving import checked, columns
from surf_data.screenshot.users import checked_limit

_COLUMNS = (
    "action", "level", "category", "description", "details", "resource_type", "resource_id", "old_values", "new_values",
    "context", "metadata", "ip_address", "user_agent", "session_id", "correlation_id", "source", "is_success",
    "error_message", "duration", "user_id",
)  # fmt: skip
_TYPES = {
    "id": ("ids", "uuid"),
    "action": ("actions", "text"),
    "level": ("levels", "text"),
    "category": ("categories", "text"),
    "description": ("descriptions", "text"),
    "details": ("details_list", "text"),
    "resource_type": ("resource_types", "text"),
    "resource_id": ("resource_ids", "text"),
    "old_values": ("old_values_list", "jsonb"),
    "new_values": ("new_values_list", "jsonb"),
    "context": ("contexts", "jsonb"),
    "metadata": ("metadatas", "jsonb"),
    "ip_address": ("ip_addresses", "inet"),
    "user_agent": ("user_agents", "text"),
    "session_id": ("session_ids", "text"),
    "correlation_id": ("correlation_ids", "text"),
    "source": ("sources", "text"),
    "is_success": ("successes", "bool"),
    "error_message": ("error_messages", "text"),
    "duration": ("durations", "int4"),
    "user_id": ("user_ids", "uuid"),
    "user_digest": ("user_digests", "bytea"),
    "created_at": ("created_ats", "timestamptz"),
}
_MAX_MANY = 100_000
#: For how many days entries are kept, see `surf_data.screenshot.DOMAIN`.
KEEP_DAYS = 730


@cache
def audit_table() -> JournalTable:
    """Return what a journal has to know of the audit log."""
    queries = screenshot_queries()
    return JournalTable(
        name="screenshot.audit_logs",
        columns={name: Column(array, kind) for name, (array, kind) in _TYPES.items()},
        # Each entry has its id before.
        reserve=lambda _executor, *, number: [new_id() for _ in range(number)],
        insert=queries.audit_insert,
        insert_once=queries.audit_insert_once,
        insert_many=queries.audit_insert_many,
        copy_many=queries.audit_copy,
        references=("user_id",),
        large=("description", "details", "old_values", "new_values", "context", "metadata"),
    )


class AuditRepository:
    """Adds to the audit log, reads it, seals it.

    Arguments:
        executor: runs the statements.
        journal: appends entries, buffered and spooled as the settings say.
    """

    def __init__(self, executor: Executor, journal: Journal) -> None:
        self._executor = executor
        self._journal = journal

    def record(self, entry: AuditLog) -> AuditLog:
        """Add an entry. In a transaction it stands or falls with it.

        Without a ``correlation_id`` the entry gets that of the block it is recorded in, if there is one.

        Returns:
            The same entry, with its id and time.

        Raises:
            ValidationError: a field is refused, there is no such user, or the entry was recorded already.
            DatabaseError: it could not be added.
        """
        values = self._values(entry)
        missing = False
        try:
            entry.created_at = screenshot_queries().audit_insert(self._executor, **values)
        except ConstraintViolation as error:
            if error.constraint != "audit_logs_user":
                raise
            missing = True
        if missing:
            raise ValidationError("user_id is not a user's", field="user_id")
        entry.id, entry.correlation_id = values["id"], values["correlation_id"]
        return entry

    save = record

    def record_many(self, entries: Iterable[AuditLog]) -> int:
        """Add entries, all or none, by COPY; return how many. Their time is that of this process.

        Raises:
            ValidationError: an entry is refused, or they are more than 100,000.
            DatabaseError: they could not be added; without a user of one of them, none is.
        """
        table, now = audit_table(), datetime.now(UTC)
        rows = []
        for entry in validation.items("entries", entries, of="AuditLog"):
            rows.append(table.row({**self._values(entry), "created_at": now}))
            if len(rows) > _MAX_MANY:
                raise validation.invalid("entries", f"must be {_MAX_MANY:,} at the most")
        if rows:
            with screenshot_queries().audit_copy(self._executor) as copy:
                copy.write_rows(rows)
        return len(rows)

    def try_record(self, entry: AuditLog) -> bool:
        """Add an entry without ever raising; return whether it was added, or will be.

        With the settings ``journal_buffer`` and ``journal_spool`` it is added soon, together with others, and kept on
        the disk while the server cannot take it. In a transaction it has a savepoint. What is lost is counted in
        `ScreenshotDataLayer.stats`, and a warning is logged.
        """
        try:
            self._journal.append(self._values(entry))
        except (SurfDataError, OSError) as error:
            self._journal.losses.record(error)
            return False
        return True

    def flush(self) -> bool:
        """Write what is buffered; return ``False`` if a deadline came first."""
        return self._journal.flush()

    def history(
        self, user_id: UUID | str, *, after: AuditLog | Mapping[str, Any] | None = None, limit: int = 100
    ) -> Sequence[AuditLog]:
        """Return what a user did, the newest first.

        Arguments:
            user_id: the user.
            after: the last entry of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        moment, last = uuid_keyset("after", after)
        return screenshot_queries().audit_history(
            self._executor,
            user_id=identifier("user_id", user_id),
            after_created_at=moment,
            after_id=last,
            row_limit=checked_limit(limit),
        )

    def by_correlation_id(self, identifier_: str, *, limit: int = 1_000) -> Sequence[AuditLog]:
        """Return what happened in one request, in order."""
        return screenshot_queries().audit_by_correlation_id(
            self._executor,
            correlation_id=validation.text("correlation_id", identifier_, maximum=255),
            row_limit=checked_limit(limit),
        )

    def search(
        self,
        *,
        action: AuditAction | str | None = None,
        level: AuditLevel | str | None = None,
        category: AuditCategory | str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: AuditLog | Mapping[str, Any] | None = None,
        limit: int = 100,
    ) -> Sequence[AuditLog]:
        """Return entries, the newest first; what is not given does not count.

        Arguments:
            action: what was done.
            level: how serious it was.
            category: what it is about.
            resource_type: what kind of thing it was done to.
            resource_id: which.
            since: from this moment on; the last 30 days when not given.
            until: before this moment; now when not given.
            after: the last entry of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        end = datetime.now(UTC) + timedelta(days=1) if until is None else validation.aware_datetime("until", until)
        begin = end - timedelta(days=31) if since is None else validation.aware_datetime("since", since)
        moment, last = uuid_keyset("after", after)
        return screenshot_queries().audit_search(
            self._executor,
            action=None if action is None else str(member("action", action, AuditAction)),
            level=None if level is None else str(member("level", level, AuditLevel)),
            category=None if category is None else str(member("category", category, AuditCategory)),
            resource_type=None
            if resource_type is None
            else validation.text("resource_type", resource_type, maximum=100),
            resource_id=None if resource_id is None else validation.text("resource_id", resource_id, maximum=255),
            since=begin,
            until=end,
            after_created_at=moment,
            after_id=last,
            row_limit=checked_limit(limit),
        )

    def seal(self, days: int = 7) -> int:
        """Seal the hours that have ended; for the owner of the tables, by ``surf-data maintain``.

        Arguments:
            days: how far back to look for entries without a seal, 1 to 36,500.

        Returns:
            How many entries were sealed.
        """
        now = datetime.now(UTC)
        begin = now - timedelta(days=validation.integer("days", days, minimum=1, maximum=36_500))
        screenshot_queries().audit_protect_partitions(self._executor)
        return self._sealed().seal(begin.replace(minute=0, second=0, microsecond=0), now)

    def verify(self, days: int = KEEP_DAYS) -> Verification:
        """Compare the log with its seals, and name the first entry that was changed or removed.

        Arguments:
            days: how far back, 1 to 36,500. Entries that retention has removed are not missed before that.
        """
        kept = timedelta(days=validation.integer("days", days, minimum=1, maximum=36_500))
        return self._sealed().verify(datetime.now(UTC) - kept)

    def _sealed(self) -> SealedLog:
        return SealedLog(self._executor, SealStatements.of(screenshot_queries()))

    def _values(self, entry: AuditLog) -> dict[str, Any]:
        values = columns(checked(entry, AuditLog), _COLUMNS)
        if entry.created_at is not None:
            raise ValidationError("entry is recorded already", field="entry")
        user = values["user_id"]
        return {
            **values,
            "id": entry.id or new_id(),
            "correlation_id": values["correlation_id"] or correlation_id(),
            # Still says which user it was when the user was deleted, to who knows the id.
            "user_digest": None if user is None else hashlib.sha256(str(user).encode()).digest(),
        }
