"""The queries of surf_data.retention.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Generic, TypeVar

from surf_data.kernel.postgres import Executor, Stream
from surf_data.retention.rows import DetachedPartition, ExpiredPartition, MissingPartition

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _RetentionQueries:
    def days_ago(
        self,
        executor: Executor,
        /,
        *,
        days: int | None,
    ) -> datetime:
        """The moment so many days of 24 hours ago by the server's clock: that of another machine, if it is wrong, would have rows
        expire early."""

    def partition_configure(self, executor: Executor, /) -> str:
        """Has periods begin where those of UTC do, and times in commands and comments mean what they say."""

    def partition_default(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        time_column: str,
        unit: str | None,
    ) -> str | None:
        """The statement that counts the rows of a table's default partition, and lists their periods; null when the table is
        not one that can be maintained."""

    def partition_detached(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
    ) -> list[DetachedPartition]:
        """The partitions that were detached from a table to be archived, and are still there, oldest first. Their comment says
        so: there is nothing else that a later run, or an operator, could know them by."""

    def partition_detached_cursor(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
    ) -> AbstractContextManager[_Rows[DetachedPartition]]:
        """The partitions that were detached from a table to be archived, and are still there, oldest first. Their comment says
        so: there is nothing else that a later run, or an operator, could know them by."""

    def partition_expired(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        before: datetime | None,
        batch: int | None,
        on_drop: str | None,
    ) -> list[ExpiredPartition]:
        """Where a table has rows from before a moment. Partitions that end by then can be dropped, or detached, under another
        name, so that a late row can have a partition again. Those that have no begin, and the default partition, may have
        younger rows, too; there old ones are deleted, so many at a time, or on a Citus cluster at once. Triggers do not fire for what is dropped, so a
        function may be named that is called with the time up to which rows are gone; before they are, because no session can
        read the table from the begin of the drop to the end of the transaction."""

    def partition_expired_cursor(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        before: datetime | None,
        batch: int | None,
        on_drop: str | None,
    ) -> AbstractContextManager[_Rows[ExpiredPartition]]:
        """Where a table has rows from before a moment. Partitions that end by then can be dropped, or detached, under another
        name, so that a late row can have a partition again. Those that have no begin, and the default partition, may have
        younger rows, too; there old ones are deleted, so many at a time, or on a Citus cluster at once. Triggers do not fire for what is dropped, so a
        function may be named that is called with the time up to which rows are gone; before they are, because no session can
        read the table from the begin of the drop to the end of the transaction."""

    def partition_missing(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        unit: str | None,
        ahead: int | None,
        periods: list[str] | list[str | None] | None,
    ) -> list[MissingPartition]:
        """The periods for which a table has no partition: this one and so many to come, and others that are given. Each with
        the commands that create its partition, in one transaction. Rows of the period that are in the default partition
        move; that is no deletion, so no trigger is to take it for one, and no session writes to the default partition
        meanwhile. A partition that is created first and attached then does not keep readers and writers of the others
        waiting. Triggers for each row come with the table; those on TRUNCATE do not, and are copied. On a Citus cluster, whose
        tables have none, a lock does what else the triggers' absence does."""

    def partition_missing_cursor(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        unit: str | None,
        ahead: int | None,
        periods: list[str] | list[str | None] | None,
    ) -> AbstractContextManager[_Rows[MissingPartition]]:
        """The periods for which a table has no partition: this one and so many to come, and others that are given. Each with
        the commands that create its partition, in one transaction. Rows of the period that are in the default partition
        move; that is no deletion, so no trigger is to take it for one, and no session writes to the default partition
        meanwhile. A partition that is created first and attached then does not keep readers and writers of the others
        waiting. Triggers for each row come with the table; those on TRUNCATE do not, and are copied. On a Citus cluster, whose
        tables have none, a lock does what else the triggers' absence does."""

    def row_expired(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        time_column: str,
        before: datetime | None,
        batch: int | None,
    ) -> tuple[str, str] | None:
        """The statements that count the rows of a table from before a moment, and delete a batch of them, oldest first; no row
        when there is no such table with such a column. A row that another transaction holds is left to the next run, so that
        neither waits for the other. Of a table on a Citus cluster, which has a trigger of its own, all go at once: a place in a
        shard is none in the others."""

def retention_queries() -> _RetentionQueries: ...
