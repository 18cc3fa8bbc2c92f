"""What a run does for a table: what has expired of it is set aside, archived, proved and dropped."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from surf_data.daylight.operation_records import RetentionJob, RetentionPolicy
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.retention.aside import Aside, Runner
from surf_data.daylight.retention.tables import TABLES
from surf_data.errors import SurfDataError

#: Maintains the partitions of a table, as `surf_data.DataLayer.maintain` does.
Maintain = Callable[..., Any]


def run_job(runner: Runner, policy: RetentionPolicy, maintain: Maintain, *, dry_run: bool) -> RetentionJob:
    """Remove what has expired of a table; a failure is in the job that is returned.

    Arguments:
        runner: the run.
        policy: of the table.
        maintain: maintains the partitions of a table.
        dry_run: only count.
    """
    started = datetime.now(UTC)
    runner.archived = runner.released = 0
    error: str | None = None
    expired = deleted = 0
    try:
        before = daylight_queries().retention_days_ago(runner.session, days=policy.keep_days)
        expired = int(runner.row(runner.commands(policy.table_name, before).count)[0])
        if not dry_run:
            deleted = _expire(runner, policy, maintain, before)
    except SurfDataError as failure:
        error = str(failure)
    return RetentionJob(
        table_name=policy.table_name,
        keep_days=policy.keep_days,
        start_time=started,
        end_time=datetime.now(UTC),
        status="failed" if error else "planned" if dry_run else "completed",
        records_processed=expired,
        records_archived=runner.archived,
        records_deleted=deleted + runner.released,
        error=error,
    )


def _expire(runner: Runner, policy: RetentionPolicy, maintain: Maintain, before: datetime) -> int:
    """Remove what has expired of a table; return how many rows were deleted without being set aside."""
    table = policy.table_name
    if TABLES[table].partitioned:
        _partitions(runner, policy, maintain)
        return 0
    for aside in runner.aside(table):
        if runner.release(aside, archived=policy.archive):
            runner.drop(aside)
    commands = runner.commands(table, before)
    if not policy.archive:
        deleted = 0
        while portion := runner.send(commands.delete):
            deleted += portion
        return deleted
    while runner.set_aside(commands):
        [*_, aside] = runner.aside(table)
        if runner.release(aside, archived=True):
            runner.drop(aside)
        commands = runner.commands(table, before)
    return 0


def _partitions(runner: Runner, policy: RetentionPolicy, maintain: Maintain) -> None:
    waiting = False

    def before_drop(partition: Any) -> bool:
        nonlocal waiting
        if waiting:
            runner.dropped()
        aside = Aside(policy.table_name, partition.name, partition.begins_at, partition.ends_at)
        waiting = runner.release(aside, archived=policy.archive)
        return waiting

    try:
        maintain(f"daylight.{policy.table_name}", keep_days=policy.keep_days, before_drop=before_drop)
    finally:
        if waiting:
            runner.dropped()
