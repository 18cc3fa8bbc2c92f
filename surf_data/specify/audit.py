"""Audit rows: who did what to what. Appended, and never changed; they outlive their user."""

from collections.abc import Mapping, Sequence
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.paging import Page, keyset
from surf_data.kernel.postgres import Executor, Json
from surf_data.specify import fields, filters
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.copying import Copied
from surf_data.specify.filters import AuditFilter
from surf_data.specify.models import AuditAction, AuditLog
from surf_data.specify.redaction import redacted
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, Table

_OPTIONAL = {
    "resource_id": fields.optional(fields.text(100, 0)),
    "user_id": fields.optional(fields.row_id),
    "user_name": fields.optional(fields.text(100, 0)),
    "ip_address": fields.optional(validation.ip_address),
    "user_agent": fields.optional(fields.text(500, 0)),
}


def _complete(document: Document) -> None:
    if document.get("details"):
        document["details"] = redacted(document["details"])


def _names(executor: Executor, documents: Sequence[Document]) -> None:
    """Give each row the name that its user has now."""
    wanted = {document["user_id"] for document in documents if document["user_name"] is None} - {None}
    names = dict(specify_queries().user_names(executor, ids=sorted(wanted))) if wanted else {}
    for document in documents:
        if document["user_name"] is None:
            document["user_name"] = names.get(document["user_id"])


TABLE: Table[AuditLog] = Table(
    noun="an audit row",
    stem="audit",
    row=AuditLog,
    checks={
        "action": fields.choice(AuditAction),
        "resource_type": fields.text(100),
        "log_id": validation.uuid,
        "timestamp": fields.moment,
        "success": fields.boolean,
        "details": fields.document,
        "meta": fields.document,
        **_OPTIONAL,
    },
    required=("action", "resource_type"),
    defaults={
        **dict.fromkeys(_OPTIONAL),
        "log_id": None,
        "timestamp": None,
        "success": True,
        "details": {},
        "meta": {},
    },
    complete=_complete,
    orders=("-timestamp",),
    changes=False,
    newest=("-timestamp", filters.parameters(AuditFilter, None)),
    copied=Copied(
        stem="audit",
        columns={
            "log_id": "bytea",
            "action": "text",
            "resource_type": "text",
            "resource_id": "text",
            "user_id": "int8",
            "user_name": "text",
            "ip_address": "inet",
            "user_agent": "text",
            "timestamp": "timestamptz",
            "success": "bool",
            "details": "jsonb",
            "meta": "jsonb",
        },
        uuid="log_id",
        time="timestamp",
        documents=("details", "meta"),
        prepare=_names,
    ),
)


class AuditLogQueries(BaseQueries[AuditLog]):
    """Reads audit rows."""

    table = TABLE

    def _latest(self, conditions: AuditFilter | None, after: AuditLog | None, limit: int | None) -> list[AuditLog]:
        before_time, before_id = keyset("after", after, by="timestamp")
        return self._listed(
            "list",
            **filters.parameters(AuditFilter, conditions),
            before_time=before_time,
            before_id=before_id,
            row_limit=fields.limit("limit", limit),
        )

    def find_by_user(self, user_id: int, limit: int = 100) -> list[AuditLog]:
        """Return what a user did last, newest first.

        Arguments:
            user_id: the user.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._latest(AuditFilter(user_id=fields.row_id("user_id", user_id)), None, limit)

    def find_by_resource(self, resource_type: str, resource_id: str | None = None) -> list[AuditLog]:
        """Return what was done to one thing, or to all of its kind, newest first; 10,000 at the most."""
        kind = validation.text("resource_type", resource_type, maximum=100)
        return self._latest(AuditFilter(resource_type=kind, resource_id=resource_id), None, None)

    def get_recent_logs(self, hours: int = 24, limit: int = 100) -> list[AuditLog]:
        """Return what was done in the last hours, newest first.

        Arguments:
            hours: 1 to 87,840.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._latest(AuditFilter(hours=fields.hours("hours", hours)), None, limit)

    def list_logs(self, matching: AuditFilter | None = None, page: int = 1, per_page: int = 20) -> Page[AuditLog]:
        """Return a page of the audit rows that match, newest first, and how many match, in one statement.

        Arguments:
            matching: the conditions; ``None``: none.
            page: its number, counted from 1.
            per_page: 1 to 1,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._page("filtered", page, per_page, **filters.parameters(AuditFilter, matching), cap=None)

    def list_logs_after(
        self,
        matching: AuditFilter | None = None,
        after: AuditLog | None = None,
        limit: int = 100,
    ) -> list[AuditLog]:
        """Return the next audit rows that match, newest first; ``after`` is the last one of the page before."""
        return self._latest(matching, after, limit)


class AuditLogRepository(BaseRepository[AuditLog]):
    """Records actions. A role that services use may append, and nothing else.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads audit rows.
        self.queries: AuditLogQueries = AuditLogQueries(executor)
        super().__init__(executor, self.queries)

    def create(self, data: Mapping[str, Any]) -> AuditLog:
        """Record one action; see `log_action`.

        Arguments:
            data: ``action``, ``resource_type``, and what `log_action` takes.
        """
        document = TABLE.checked(data, creating=True)
        recorded: AuditLog = specify_queries().audit_insert(
            self._executor,
            log_id=document["log_id"],
            recorded_at=document["timestamp"],
            details=Json(validation.jsonb_text("details", document["details"])),
            meta=Json(validation.jsonb_text("meta", document["meta"])),
            **{key: document[key] for key in ("action", "resource_type", "success", *_OPTIONAL)},
        )
        return recorded

    def log_action(
        self,
        action: AuditAction | str,
        resource_type: str,
        resource_id: str | None = None,
        user_id: int | None = None,
        success: bool = True,  # noqa: FBT001, FBT002 - as callers know it
        **more: Any,
    ) -> AuditLog:
        """Record an action, with the name that its user has now.

        It raises where it cannot: an audit row that is lost must be known.

        Arguments:
            action: a member of `AuditAction` or its value.
            resource_type: what kind of thing, 1 to 100 characters.
            resource_id: which of them, at most 100 characters.
            user_id: who did it.
            success: whether it succeeded.
            more: ``ip_address``, ``user_agent``, ``user_name``, ``timestamp`` (now when left out), ``details``,
                ``meta``, ``log_id`` (a UUID).

        Raises:
            ValidationError: an argument is refused.
            ConstraintViolation: there is no such user.
            DatabaseError: it could not be stored.
        """
        given = {"action": action, "resource_type": resource_type, "resource_id": resource_id}
        return self.create({**given, "user_id": user_id, "success": success, **more})
