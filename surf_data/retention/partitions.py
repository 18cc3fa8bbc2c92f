"""Keeps a table in partitions: creates those to come, empties the default one, removes what has expired."""

import attrs

from surf_data.domain import Retention
from surf_data.errors import MigrationError
from surf_data.retention.commands import Commands
from surf_data.retention.queries import retention_queries
from surf_data.retention.results import BeforeDrop, Partition, TableMaintenance
from surf_data.retention.rows import ExpiredPartition

#: Rows that are deleted at a time.
BATCH = 10_000
#: How many partitions after the present one there are, unless the caller says otherwise: as many weeks or days as a
#: nightly job may be missed, and no more, since each takes its part in planning a query.
AHEAD: dict[str | None, int] = {"day": 14, "week": 6, "month": 3}


def maintain_partitions(
    commands: Commands, policy: Retention, *, ahead: int | None = None, before_drop: BeforeDrop | None = None
) -> TableMaintenance:
    """Do all there is to do for a table in partitions.

    Arguments:
        commands: sends the commands.
        policy: the table, and for how long its rows are kept; it has partitions.
        ahead: for how many periods after the present one there are to be partitions; `AHEAD` when not given.
        before_drop: archives a partition, and says whether it may be dropped.

    Raises:
        MigrationError: the table is not there, or has not such partitions.
        LockTimeout: a lock could not be had in all attempts.
        DatabaseError: the server refuses.
    """
    count = retention_queries().partition_default(
        commands.session, table_name=policy.table, time_column=policy.by, unit=policy.partition
    )
    if count is None:
        problem = f"is no table in partitions by {policy.by} with a default one; are all migrations applied?"
        raise MigrationError(f"{policy.table} {problem}")
    if before_drop is None:
        return _created(commands, policy, _removed(commands, policy), count, ahead)
    # First, so that expired rows of the default partition get one of their own, to be archived like the others.
    done = _created(commands, policy, TableMaintenance(table=policy.table), count, ahead)
    return _archived(commands, policy, done, before_drop)


def _created(
    commands: Commands, policy: Retention, done: TableMaintenance, count: str, ahead: int | None
) -> TableMaintenance:
    """Create the partitions that are missing, and move the rows of the default one."""
    [(there, periods)] = commands.rows(count)
    missing = retention_queries().partition_missing(
        commands.session,
        table_name=policy.table,
        unit=policy.partition,
        ahead=AHEAD[policy.partition] if ahead is None else ahead,
        periods=periods or [],
    )
    moved = 0
    for partition in missing:
        commands.on_step(f"creating {partition.name}")
        moved += commands.send(partition.commands)
    created = tuple(partition.name for partition in missing)
    return attrs.evolve(done, created=created, moved=there if commands.dry_run else moved)


def _removed(commands: Commands, policy: Retention) -> TableMaintenance:
    """Drop the partitions that have expired, and delete expired rows where there are younger ones, too."""
    dropped: list[str] = []
    deleted = 0
    for partition in [] if policy.archive else _expired(commands, policy):
        if partition.is_over:
            commands.on_step(f"dropping {partition.name}")
            commands.send(partition.drop_commands)
            dropped.append(partition.name)
        elif commands.dry_run:
            deleted += commands.rows(partition.count_command)[0][0]
        else:
            deleted += commands.send_batches(partition.delete_command, BATCH, partition.name)
    return TableMaintenance(table=policy.table, dropped=tuple(dropped), deleted=deleted)


def _archived(
    commands: Commands, policy: Retention, done: TableMaintenance, before_drop: BeforeDrop
) -> TableMaintenance:
    """Detach the partitions that have expired, and drop each that the caller releases; stop at one that it retains.

    A detached partition does not change any more, so what was archived of it is all there was. Rows that come later are
    in the default partition, and get another one of that period.
    """
    expired = [partition for partition in _expired(commands, policy) if partition.is_over]
    done = _offered(commands, policy, done, before_drop)
    for partition in expired:
        if done.retained:
            break
        if commands.dry_run:
            done = attrs.evolve(done, dropped=(*done.dropped, partition.name))
        else:
            commands.on_step(f"detaching {partition.name}")
            commands.send(partition.detach_commands)
            done = _offered(commands, policy, done, before_drop)
    return done


def _offered(
    commands: Commands, policy: Retention, done: TableMaintenance, before_drop: BeforeDrop
) -> TableMaintenance:
    """Drop each detached partition that the caller releases."""
    for found in retention_queries().partition_detached(commands.session, table_name=policy.table):
        partition = Partition(table=policy.table, name=found.name, begins_at=found.begins_at, ends_at=found.ends_at)
        commands.on_step(f"archiving {found.name}")
        if not commands.dry_run and not before_drop(partition):
            done = attrs.evolve(done, retained=(*done.retained, found.name))
            continue
        commands.send([found.drop_command])
        done = attrs.evolve(done, dropped=(*done.dropped, found.name))
    return done


def _expired(commands: Commands, policy: Retention) -> list[ExpiredPartition]:
    if policy.keep_days is None:
        return []
    queries = retention_queries()
    return queries.partition_expired(
        commands.session,
        table_name=policy.table,
        before=queries.days_ago(commands.session, days=policy.keep_days),
        batch=BATCH,
        on_drop=policy.on_drop,
    )
