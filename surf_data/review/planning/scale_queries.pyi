"""The queries of surf_data.review.planning.scale_queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from surf_data.kernel.postgres import Executor, Stream
from surf_data.review.planning.catalog_rows import ExportedColumn, ExportedTable, Layout, PlannerSetting, StoredColumn, StoredIndex, StoredTable

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _ScaleQueries:
    def export_column_list(self, executor: Executor, /) -> list[ExportedColumn]:
        """Columns with what ANALYZE found out about them, where it did and the role may know.
        pg_stats also has the most frequent values and the bounds of histograms; neither is asked for."""

    def export_column_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[ExportedColumn]]:
        """Columns with what ANALYZE found out about them, where it did and the role may know.
        pg_stats also has the most frequent values and the bounds of histograms; neither is asked for."""

    def export_read_only(self, executor: Executor, /) -> str:
        """Lets the session begin no transaction that could change anything."""

    def export_table_list(self, executor: Executor, /) -> list[ExportedTable]:
        """Tables with their size, as VACUUM or ANALYZE last found it; -1 rows where they never looked."""

    def export_table_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[ExportedTable]]:
        """Tables with their size, as VACUUM or ANALYZE last found it; -1 rows where they never looked."""

    def planner_setting_list(self, executor: Executor, /) -> list[PlannerSetting]:
        """The settings that decide which plan is the cheapest, and whether PostgreSQL would have them so by itself."""

    def planner_setting_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[PlannerSetting]]:
        """The settings that decide which plan is the cheapest, and whether PostgreSQL would have them so by itself."""

    def planner_setting_set(
        self,
        executor: Executor,
        /,
        *,
        name: str | None,
        value: str | None,
    ) -> str:
        """Changes a setting for the session."""

    def storage_column_list(self, executor: Executor, /) -> list[StoredColumn]:
        """Columns of tables, with what their values are stored as.
        The smaller-than operator is the one that ANALYZE would note with the order of the values: that of the type, or of
        the type that it is stored as."""

    def storage_column_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[StoredColumn]]:
        """Columns of tables, with what their values are stored as.
        The smaller-than operator is the one that ANALYZE would note with the order of the values: that of the type, or of
        the type that it is stored as."""

    def storage_forget(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> int:
        """Removes what is known of the values in tables."""

    def storage_index_list(self, executor: Executor, /) -> list[StoredIndex]:
        """Indexes, with what decides how large they are."""

    def storage_index_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[StoredIndex]]:
        """Indexes, with what decides how large they are."""

    def storage_layout(self, executor: Executor, /) -> Layout:
        """How files are cut, in bytes, and the database that is asked."""

    def storage_note(
        self,
        executor: Executor,
        /,
        *,
        statistics: str | None,
    ) -> int:
        """Notes what ANALYZE would have found in columns. Kind 1 of a statistic are frequent values, here those of a boolean;
        kind 2 is a histogram, kind 3 a correlation."""

    def storage_resize(
        self,
        executor: Executor,
        /,
        *,
        sizes: str | None,
    ) -> int:
        """Notes how large tables and indexes are, and keeps autovacuum from reading what is not there."""

    def storage_sees(
        self,
        executor: Executor,
        /,
        *,
        file: str | None,
    ) -> bool:
        """Whether the folder of the server's data has a file of that name."""

    def storage_table_list(self, executor: Executor, /) -> list[StoredTable]:
        """Tables with what decides how large they are."""

    def storage_table_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[StoredTable]]:
        """Tables with what decides how large they are."""

def scale_queries() -> _ScaleQueries: ...
