"""Reading commands: lists, pages, statistics, trees."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.paging import Page, keyset
from surf_data.specify import fields, filters
from surf_data.specify.base import BaseQueries
from surf_data.specify.copying import Copied
from surf_data.specify.filters import CommandFilter
from surf_data.specify.models import Command, ExecutionStatus
from surf_data.specify.redaction import redacted, redacted_text
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, Table

#: From how many matches on a page says no more than that there are as many.
CAP = 10_001
# Names that statistics list.
_NAMES = 20
#: The most characters of an output that are stored.
MAX_OUTPUT = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


def _complete(document: Document) -> None:
    started, completed = document.get("started_at"), document.get("completed_at")
    if started is not None and completed is not None and completed < started:
        raise validation.invalid("completed_at", "must not be before started_at")
    if document.get("args"):
        document["args"] = redacted_text(document["args"])
    if document.get("environment"):
        document["environment"] = redacted(document["environment"])


def _duration(document: Mapping[str, Any]) -> float | None:
    """Return what the server computes of the same times."""
    if document["completed_at"] is None:
        return None
    taken: timedelta = document["completed_at"] - document["started_at"]
    return taken // _MICROSECOND / 1000


_STATUS = fields.choice(ExecutionStatus)
OUTPUT = fields.optional(fields.text(MAX_OUTPUT, 0))

_OPTIONAL = {
    "args": fields.optional(fields.text(100_000, 0)),
    "user_id": fields.optional(fields.row_id),
    "project_id": fields.optional(fields.row_id),
    "completed_at": fields.optional(fields.moment),
    "exit_code": fields.optional(fields.integer(-validation.INT4_MAX)),
    "stdout": OUTPUT,
    "stderr": OUTPUT,
    "parent_id": fields.optional(fields.row_id),
    "host": fields.optional(fields.text(255, 0)),
    "pid": fields.optional(fields.integer(0)),
}

TABLE: Table[Command] = Table(
    noun="a command",
    stem="command",
    row=Command,
    checks={
        "name": fields.text(200),
        "command_id": validation.uuid,
        "status": _STATUS,
        "started_at": fields.moment,
        "environment": fields.document,
        "meta": fields.document,
        **_OPTIONAL,
    },
    required=("name",),
    defaults={
        **dict.fromkeys(_OPTIONAL),
        "command_id": None,
        "status": "pending",
        "started_at": None,
        "environment": {},
        "meta": {},
    },
    unique={"commands_command_id_key": "command_id"},
    complete=_complete,
    newest=("-started_at", filters.parameters(CommandFilter, None)),
    copied=Copied(
        stem="command",
        columns={
            "command_id": "bytea",
            "name": "text",
            "args": "text",
            "user_id": "int8",
            "project_id": "int8",
            "status": "text",
            "started_at": "timestamptz",
            "completed_at": "timestamptz",
            "exit_code": "int4",
            "stdout": "text",
            "stderr": "text",
            "environment": "jsonb",
            "meta": "jsonb",
            "parent_id": "int8",
            "host": "text",
            "pid": "int4",
        },
        uuid="command_id",
        time="started_at",
        documents=("environment", "meta"),
        computed={"duration_ms": _duration, "heartbeat_at": lambda _: None, "lease_until": lambda _: None},
    ),
)


class CommandQueries(BaseQueries[Command]):
    """Reads commands."""

    table = TABLE

    def find_by_command_id(self, command_id: str) -> Command | None:
        """Return the command with this UUID; ``None`` when there is none.

        Raises:
            ValidationError: ``command_id`` is no UUID.
            DatabaseError: it cannot be read.
        """
        found: Command | None = specify_queries().command_by_uuid(
            self._executor, command_id=validation.uuid("command_id", command_id)
        )
        return found

    def _latest(self, conditions: CommandFilter, limit: int | None) -> list[Command]:
        return self._listed(
            "list",
            **filters.parameters(CommandFilter, conditions),
            before_time=None,
            before_id=None,
            row_limit=fields.limit("limit", limit),
        )

    def find_by_status(self, status: ExecutionStatus | str, limit: int | None = None) -> list[Command]:
        """Return the latest commands with a status, newest first.

        Arguments:
            status: a member or its value.
            limit: how many, 1 to 10,000; ``None`` means 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._latest(CommandFilter(status=_STATUS("status", status)), limit)

    def find_by_user(self, user_id: int, limit: int | None = None) -> list[Command]:
        """Return the latest commands of a user, newest first; see `find_by_status`."""
        return self._latest(CommandFilter(user_id=fields.row_id("user_id", user_id)), limit)

    def find_by_project(self, project_id: int, limit: int | None = None) -> list[Command]:
        """Return the latest commands of a project, newest first; see `find_by_status`."""
        return self._latest(CommandFilter(project_id=fields.row_id("project_id", project_id)), limit)

    def get_recent_commands(self, hours: int = 24, limit: int = 100) -> list[Command]:
        """Return the commands of the last hours, newest first.

        Arguments:
            hours: 1 to 87,840.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._latest(CommandFilter(hours=fields.hours("hours", hours)), limit)

    def get_failed_commands(self, hours: int = 24, limit: int = 50) -> list[Command]:
        """Return the commands of the last hours that have failed, newest first; see `get_recent_commands`."""
        recent = fields.hours("hours", hours)
        return self._latest(CommandFilter(hours=recent, status=ExecutionStatus.FAILED), limit)

    def list_commands(
        self,
        matching: CommandFilter | None = None,
        page: int = 1,
        per_page: int = 20,
        *,
        capped: bool = False,
    ) -> Page[Command]:
        """Return a page of the commands that match, newest first, and how many match, in one statement.

        Arguments:
            matching: the conditions; ``None``: none.
            page: its number, counted from 1.
            per_page: 1 to 1,000.
            capped: whether a total of 10,001 may stand for any that is larger, which saves counting them.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        conditions = filters.parameters(CommandFilter, matching)
        return self._page("filtered", page, per_page, **conditions, cap=CAP if capped else None)

    def list_commands_after(
        self,
        matching: CommandFilter | None = None,
        after: Command | None = None,
        limit: int = 100,
    ) -> list[Command]:
        """Return the next commands that match, newest first, however far down the list.

        No page repeats or skips one when others are recorded meanwhile, as numbered pages do.

        Arguments:
            matching: the conditions; ``None``: none.
            after: the last command of the page before; ``None`` for the first page.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        before_time, before_id = keyset("after", after, by="started_at")
        return self._listed(
            "list",
            **filters.parameters(CommandFilter, matching),
            before_time=before_time,
            before_id=before_id,
            row_limit=fields.limit("limit", limit),
        )

    def get_command_statistics(
        self,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        *,
        user_id: int | None = None,
        project_id: int | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Return how many commands there were and how they went, of one moment: it is one statement.

        Arguments:
            start_date: when they began at the earliest.
            end_date: when they began at the latest.
            user_id: whose they are.
            project_id: to which project they belong.
            name: what they are called.

        Returns:
            ``total``; ``by_status``: the number for each status that occurs, by its value; ``duration``: ``avg_ms``,
            ``min_ms``, ``max_ms``, ``p50_ms``, ``p95_ms``, each ``None`` where nothing has a duration;
            ``success_rate``: 0 to 1, of those that ended and told how, ``None`` without any; ``by_name``: the 20 names
            that occur most, with their numbers.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        since, until = fields.interval(start_date, end_date)
        rows = specify_queries().command_statistics(
            self._executor,
            since=since,
            until=until,
            user_id=fields.optional(fields.row_id)("user_id", user_id),
            project_id=fields.optional(fields.row_id)("project_id", project_id),
            command_name=fields.optional(fields.text(200))("name", name),
        )
        [(_, _, total, successes, judged, *durations)] = [row for row in rows if row[0] is None and row[1] is None]
        return {
            "total": total,
            "by_status": {row[0]: row[2] for row in rows if row[0] is not None},
            "duration": dict(zip(("avg_ms", "min_ms", "max_ms", "p50_ms", "p95_ms"), durations, strict=True)),
            "success_rate": successes / judged if judged else None,
            "by_name": {row[1]: row[2] for row in [row for row in rows if row[1] is not None][:_NAMES]},
        }

    def get_days(self, since: datetime, until: datetime, time_zone: str = "UTC") -> list[dict[str, Any]]:
        """Return the commands of each day, also of days without any.

        Arguments:
            since: the first day holds it.
            until: the last day holds it; at most 3,660 days later.
            time_zone: whose days they are: ``Europe/Berlin``.

        Returns:
            By day: ``day`` (a date), ``total``, ``failures`` (failed, or timed out), ``avg_ms``, ``p95_ms``.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        begins, ends = fields.period(since, until, maximum=timedelta(days=3660))
        rows = specify_queries().command_days(
            self._executor, since=begins, until=ends, time_zone=fields.time_zone("time_zone", time_zone)
        )
        return [dict(zip(("day", "total", "failures", "avg_ms", "p95_ms"), row, strict=True)) for row in rows]

    def get_command_tree(self, id_: int) -> list[Command]:
        """Return a command and all that it has started, directly or not, the oldest first.

        16 levels and 10,000 commands at the most; an empty list when there is no such command.

        Raises:
            ValidationError: ``id_`` cannot be an id.
            DatabaseError: they cannot be read.
        """
        return self._listed("tree", row_id=fields.row_id("id", id_))
