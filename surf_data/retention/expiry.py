"""Removes the expired rows of a table without partitions, a batch at a time."""

from surf_data.domain import Retention
from surf_data.errors import MigrationError
from surf_data.retention.commands import Commands
from surf_data.retention.queries import retention_queries
from surf_data.retention.results import TableMaintenance

#: Rows that are deleted at a time.
BATCH = 10_000


def delete_expired(commands: Commands, policy: Retention) -> TableMaintenance:
    """Delete the rows of a table that have expired.

    Arguments:
        commands: sends the commands.
        policy: the table, and for how long its rows are kept; it has no partitions.

    Raises:
        MigrationError: there is no such table with such a column.
        LockTimeout: a lock could not be had in all attempts.
        DatabaseError: the server refuses.
    """
    found = retention_queries().row_expired(
        commands.session,
        table_name=policy.table,
        time_column=policy.by,
        before=retention_queries().days_ago(commands.session, days=policy.keep_days or 0),
        batch=BATCH,
    )
    if found is None:
        raise MigrationError(f"there is no table {policy.table} with a time {policy.by}; are all migrations applied?")
    count, delete = found
    if policy.keep_days is None or policy.archive:
        return TableMaintenance(table=policy.table)
    if commands.dry_run:
        return TableMaintenance(table=policy.table, deleted=commands.rows(count)[0][0])
    return TableMaintenance(table=policy.table, deleted=commands.send_batches(delete, BATCH, policy.table))
