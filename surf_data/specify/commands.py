"""Commands: what was run, by whom, where, and how it went."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.paging import Page, keyset
from surf_data.kernel.postgres import Executor, Json
from surf_data.specify import fields, filters
from surf_data.specify.base import BaseQueries, BaseRepository, Document, Table
from surf_data.specify.copying import Copied
from surf_data.specify.filters import CommandFilter
from surf_data.specify.heartbeat import heartbeats
from surf_data.specify.models import Command, ExecutionStatus
from surf_data.specify.redaction import redacted, redacted_text
from surf_data.specify.statements import specify_queries

#: From how many matches on a page says no more than that there are as many.
CAP = 10_001
# Names that statistics list.
_NAMES = 20
_MAX_OUTPUT = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


def _status(field: str, value: object) -> str:
    return str(fields.choice(ExecutionStatus)(field, value))


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
    return ((document["completed_at"] - document["started_at"]) // _MICROSECOND) / 1000


_OUTPUT = fields.optional(fields.text(_MAX_OUTPUT, 0))

_OPTIONAL = {
    "args": fields.optional(fields.text(100_000, 0)),
    "user_id": fields.optional(fields.row_id),
    "project_id": fields.optional(fields.row_id),
    "completed_at": fields.optional(fields.moment),
    "exit_code": fields.optional(fields.integer(-validation.INT4_MAX)),
    "stdout": _OUTPUT,
    "stderr": _OUTPUT,
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
        "status": _status,
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
            "command_id": "uuid",
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
        return self._latest(CommandFilter(status=_status("status", status)), limit)

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
        self, filter: CommandFilter | None = None, page: int = 1, per_page: int = 20, *, capped: bool = False  # noqa: A002 - what it is
    ) -> Page[Command]:
        """Return a page of the commands that match, newest first, and how many match, in one statement.

        Arguments:
            filter: the conditions; ``None``: none.
            page: its number, counted from 1.
            per_page: 1 to 1,000.
            capped: whether a total of 10,001 may stand for any that is larger, which saves counting them.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        conditions = filters.parameters(CommandFilter, filter)
        return self._page("filtered", page, per_page, **conditions, cap=CAP if capped else None)

    def list_commands_after(
        self, filter: CommandFilter | None = None, after: Command | None = None, limit: int = 100  # noqa: A002 - what it is
    ) -> list[Command]:
        """Return the next commands that match, newest first, however far down the list.

        No page repeats or skips one when others are recorded meanwhile, as numbered pages do.

        Arguments:
            filter: the conditions; ``None``: none.
            after: the last command of the page before; ``None`` for the first page.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        before_time, before_id = keyset("after", after, by="started_at")
        return self._listed(
            "list",
            **filters.parameters(CommandFilter, filter),
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
        since = fields.optional(fields.moment)("start_date", start_date)
        until = fields.optional(fields.moment)("end_date", end_date)
        if since is not None and until is not None and since > until:
            raise validation.invalid("start_date", "must not be after end_date")
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


class CommandRepository(BaseRepository[Command]):
    """Records commands while they run.

    Secrets that arguments and environment give away by their names, such as ``--password`` or ``API_TOKEN``, are
    replaced by ``***`` before anything is stored.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    queries_class = CommandQueries

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor)
        #: Reads commands.
        self.queries: CommandQueries = CommandQueries(executor)

    def create_command(
        self, name: str, user_id: int | None = None, project_id: int | None = None, **more: Any
    ) -> Command:
        """Record a command that does not run yet, or one that is over.

        Arguments:
            name: 1 to 200 characters.
            user_id: who runs it.
            project_id: the project it belongs to.
            more: ``args``, ``status`` (``pending`` when left out), ``started_at``, ``completed_at``, ``exit_code``,
                ``stdout``, ``stderr`` (at most 1,000,000 characters each), ``environment``, ``meta``, ``parent_id``,
                ``host``, ``pid``, ``command_id`` (a UUID).

        Raises:
            ValidationError: an argument is refused, or ``command_id is taken``.
            ConstraintViolation: there is no such user, project or parent.
            DatabaseError: it could not be stored.
        """
        return self.create({"name": name, "user_id": user_id, "project_id": project_id, **more})

    def start_command(
        self,
        name: str,
        args: str | None = None,
        user_id: int | None = None,
        project_id: int | None = None,
        *,
        lease_seconds: float | None = None,
        **more: Any,
    ) -> Command:
        """Record that a command runs from now on.

        Arguments:
            name: 1 to 200 characters.
            args: its arguments.
            user_id: who runs it.
            project_id: the project it belongs to.
            lease_seconds: for how long it counts as alive without a `heartbeat`, above 0 to a year.
            more: ``environment``, ``meta``, ``parent_id``, ``host``, ``pid``.

        Raises:
            ValidationError: an argument is refused.
            ConstraintViolation: there is no such user, project or parent.
            DatabaseError: it could not be stored.
        """
        given = {"name": name, "args": args, "user_id": user_id, "project_id": project_id, **more}
        for key in ("status", "started_at", "completed_at", "exit_code", "stdout", "stderr", "command_id"):
            if key in more:
                raise validation.invalid(key, "is not known when a command starts")
        document = TABLE.checked(given, creating=True)
        lease = None if lease_seconds is None else fields.seconds("lease_seconds", lease_seconds)
        started: Command = specify_queries().command_start(
            self._executor,
            command_name=document["name"],
            lease_seconds=lease,
            environment=Json(validation.jsonb_text("environment", document["environment"])),
            meta=Json(validation.jsonb_text("meta", document["meta"])),
            **{key: document[key] for key in ("args", "user_id", "project_id", "parent_id", "host", "pid")},
        )
        return started

    def complete_command(
        self,
        command_id: int,
        exit_code: int,
        stdout: str | None = None,
        stderr: str | None = None,
        *,
        force: bool = False,
    ) -> Command | None:
        """Record that a command has ended: with success if its exit code is 0, else it has failed.

        Who ends a command first decides: one that has ended is returned unchanged, so that this may be repeated.

        Arguments:
            command_id: the id of its row.
            exit_code: -2,147,483,647 to 2,147,483,647.
            stdout: what it wrote, at most 1,000,000 characters; ``None`` replaces what was stored before.
            stderr: likewise.
            force: whether to change also a command that has ended.

        Returns:
            The command; ``None`` when there is none.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        code = fields.integer(-validation.INT4_MAX)("exit_code", exit_code)
        status = ExecutionStatus.FAILED if code else ExecutionStatus.SUCCESS
        return self._end(
            command_id, status, exit_code=code, stdout=stdout, stderr=stderr, keeps_output=False, force=force
        )

    def fail_command(self, command_id: int, error: str) -> Command | None:
        """Record that a command has failed, without an exit code; see `complete_command`.

        Arguments:
            command_id: the id of its row.
            error: becomes ``stderr``, at most 1,000,000 characters.
        """
        return self._end(command_id, ExecutionStatus.FAILED, stderr=validation.text("error", error, maximum=_MAX_OUTPUT, minimum=0))

    def cancel_command(self, command_id: int) -> Command | None:
        """Record that a command was cancelled; see `complete_command`."""
        return self._end(command_id, ExecutionStatus.CANCELLED)

    def time_out_command(self, command_id: int) -> Command | None:
        """Record that a command took too long; see `complete_command`."""
        return self._end(command_id, ExecutionStatus.TIMEOUT)

    def _end(
        self,
        command_id: int,
        status: ExecutionStatus,
        *,
        exit_code: int | None = None,
        stdout: str | None = None,
        stderr: str | None = None,
        keeps_output: bool = True,
        force: bool = False,
    ) -> Command | None:
        row_id = fields.row_id("command_id", command_id)
        ended: Command | None = specify_queries().command_end(
            self._executor,
            row_id=row_id,
            status=status.value,
            exit_code=exit_code,
            stdout=_OUTPUT("stdout", stdout),
            stderr=_OUTPUT("stderr", stderr),
            keeps_output=keeps_output,
            force=fields.boolean("force", force),
        )
        # A second statement, so that it sees what another one has just done to the row.
        return self.get(row_id) if ended is None else ended

    def heartbeat(self, command_id: int, lease_seconds: float) -> bool:
        """Say that a command is alive.

        Arguments:
            command_id: the id of its row.
            lease_seconds: for how long that may be believed, above 0 to a year.

        Returns:
            ``False`` when it runs no more: it was ended by another caller, and should stop.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        return bool(
            specify_queries().command_heartbeat(
                self._executor,
                row_id=fields.row_id("command_id", command_id),
                lease_seconds=fields.seconds("lease_seconds", lease_seconds),
            )
        )

    def reap_orphans(self, *, older_than_hours: int = 24, limit: int = 1000) -> list[Command]:
        """End commands whose process has died: their lease has passed, or they have none and began long ago.

        They become ``timeout``, completed when they were last heard of. One that lives after all may still complete.
        Any number of callers share the work.

        Arguments:
            older_than_hours: when one without a lease counts as dead, 1 to 87,840.
            limit: how many at the most, 1 to 10,000.

        Returns:
            The commands that were ended.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they could not be stored.
        """
        return list(
            specify_queries().command_reap(
                self._executor,
                older_than_hours=fields.hours("older_than_hours", older_than_hours),
                row_limit=fields.limit("limit", limit),
            )
        )

    @contextmanager
    def running(
        self, name: str, args: str | None = None, *, lease_seconds: float | None = None, **more: Any
    ) -> Iterator[Command]:
        """Record a command that is what the block does: completed at its end, failed if it raises, or cancelled.

        Arguments:
            name: 1 to 200 characters.
            args: its arguments.
            lease_seconds: with it a thread sends heartbeats while the block runs, so that a crash is found; not on a
                session, whose connection is the block's own.
            more: as for `start_command`.

        Returns:
            The command as it was started.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        command = self.start_command(name, args, lease_seconds=lease_seconds, **{"host": socket.gethostname(), **more})
        try:
            with heartbeats(self, command.id, lease_seconds):
                yield command
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                self.cancel_command(command.id)
            else:
                # The message may hold anything.
                self.fail_command(command.id, type(error).__name__)
            raise
        self.complete_command(command.id, 0)

    def expire(self, days: int, *, batch: int = 1000) -> int:
        """Delete commands that began longer ago, with their metrics and spans, in portions.

        Arguments:
            days: 1 to 36,500.
            batch: how many at a time, 1 to 10,000.

        Returns:
            How many were deleted.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they could not be deleted, or not all.
        """
        kept = validation.integer("days", days, minimum=1, maximum=36_500)
        size = fields.limit("batch", batch)
        deleted = count = size
        deleted = 0
        while count == size:
            count = specify_queries().command_expire(self._executor, days=kept, batch=size)
            deleted += count
        return deleted
