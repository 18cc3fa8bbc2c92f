"""The queries of surf_data.kernel.postgres.cluster_queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from surf_data.kernel.postgres import Executor, Stream

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _ClusterQueries:
    def cluster_configure(self, executor: Executor, /) -> tuple[str, str]:
        """Leaves tables as they are that refer to one which becomes whole on each node, until the transaction ends. Else they would
        become the cluster's own local tables, and one with an identity column could not be spread any more. Shards are created
        one after another, as foreign keys to such a table ask for."""

    def cluster_extension(self, executor: Executor, /) -> str | None:
        """The version of the extension; null without it."""

    def cluster_nodes(self, executor: Executor, /) -> tuple[bool, bool, int]:
        """Whether this is the coordinator, whether it is among the nodes itself, and how many workers take shards."""

    def cluster_prepared(
        self,
        executor: Executor,
        /,
        *,
        seconds: int | None,
    ) -> list[tuple[str | None, int | None]]:
        """The transactions that a node has prepared and not ended for so many seconds: how many, on each node; and a node that
        does not answer, without a number."""

    def cluster_prepared_cursor(
        self,
        executor: Executor,
        /,
        *,
        seconds: int | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, int | None]]]:
        """The transactions that a node has prepared and not ended for so many seconds: how many, on each node; and a node that
        does not answer, without a number."""

    def cluster_table_distribute(
        self,
        executor: Executor,
        /,
        *,
        relation: int | None,
        distribution_column: str | None,
        beside: str | None,
    ) -> str | None:
        """Spreads the rows of a table over shards: beside those of another table, or in a group of its own.
        Writes to the table wait meanwhile."""

    def cluster_table_is_known(
        self,
        executor: Executor,
        /,
        *,
        relation: int,
    ) -> bool:
        """Whether the cluster knows of a table, wherever its rows are."""

    def cluster_table_keep(
        self,
        executor: Executor,
        /,
        *,
        relation: int | None,
    ) -> str | None:
        """Lets the cluster know of a table that stays on the coordinator, so that its foreign keys hold."""

    def cluster_table_list(self, executor: Executor, /) -> list[tuple[int, bool, str | None, int]]:
        """The tables that are spread, without partitions: whole on each node, or in shards by a column; those of one group have
        equal values on one node."""

    def cluster_table_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[int, bool, str | None, int]]]:
        """The tables that are spread, without partitions: whole on each node, or in shards by a column; those of one group have
        equal values on one node."""

    def cluster_table_refer(
        self,
        executor: Executor,
        /,
        *,
        relation: int | None,
    ) -> str | None:
        """Gives each node all rows of a table."""

    def cluster_table_truncate(
        self,
        executor: Executor,
        /,
        *,
        relation: int | None,
    ) -> str | None:
        """Frees what the coordinator still holds of rows that are in shards."""

    def cluster_tables_choose(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None] | None,
    ) -> str:
        """Says, until the transaction ends, of which tables cluster_tables_restore is."""

    def cluster_tables_restore(self, executor: Executor, /) -> str | None:
        """Takes the rows of the chosen tables back to the coordinator. No other session reads or writes them meanwhile.
        Citus takes no table back that has an identity column. So the column loses its sequence, on the coordinator alone,
        and has it again in the end as it was: name, state, owner and grants. Views are made anew, and so are granted anew. What
        is tied to a table by foreign keys goes with it: tables that the cluster knows as local."""

    def table_child_list(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[int]]:
        """The tables that refer to one of some tables by a foreign key, themselves no partitions."""

    def table_child_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[int]]]:
        """The tables that refer to one of some tables by a foreign key, themselves no partitions."""

    def table_find(
        self,
        executor: Executor,
        /,
        *,
        name: str,
    ) -> int | None:
        """The table of a name; null where there is none."""

    def table_obstacle_list(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None] | None,
        distribution_columns: list[str] | list[str | None] | None,
    ) -> list[tuple[int, str, str]]:
        """What keeps tables from being spread: unique indexes without the column that decides the shard, and triggers.
        An empty text stands for the column of a table that is to be whole on each node."""

    def table_obstacle_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None] | None,
        distribution_columns: list[str] | list[str | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str, str]]]:
        """What keeps tables from being spread: unique indexes without the column that decides the shard, and triggers.
        An empty text stands for the column of a table that is to be whole on each node."""

    def table_reference_list(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[int, int]]:
        """Which of some tables refer to others of them by foreign keys."""

    def table_reference_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[int, int]]]:
        """Which of some tables refer to others of them by foreign keys."""

def cluster_queries() -> _ClusterQueries: ...
