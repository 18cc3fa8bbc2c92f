"""Commands: what was run, by whom, where, and how it went."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, Json, bulk
from surf_data.specify import fields
from surf_data.specify.base import BaseRepository
from surf_data.specify.command_queries import MAX_OUTPUT, OUTPUT, TABLE, CommandQueries
from surf_data.specify.heartbeat import heartbeats
from surf_data.specify.models import Command, ExecutionStatus
from surf_data.specify.statements import specify_queries


class CommandRepository(BaseRepository[Command]):
    """Records commands while they run.

    Secrets that arguments and environment give away by their names, such as ``--password`` or ``API_TOKEN``, are
    replaced by ``***`` before anything is stored.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads commands.
        self.queries: CommandQueries = CommandQueries(executor)
        super().__init__(executor, self.queries)

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
        return self._end(
            command_id, ExecutionStatus.FAILED, stderr=validation.text("error", error, maximum=MAX_OUTPUT, minimum=0)
        )

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
            stdout=OUTPUT("stdout", stdout),
            stderr=OUTPUT("stderr", stderr),
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
        more.setdefault("host", socket.gethostname())
        command = self.start_command(name, args, lease_seconds=lease_seconds, **more)
        try:
            with heartbeats(self.heartbeat, command.id, lease_seconds):
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
        return bulk.in_batches(
            lambda rows: specify_queries().command_expire(self._executor, days=kept, batch=rows),
            fields.limit("batch", batch),
        )
