"""The queries of surf_data.review.statistics_queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from surf_data.kernel.postgres import Executor, Stream

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _StatisticsQueries:
    def statement_list(self, executor: Executor, /) -> list[tuple[int | None, str | None, int, int, float, float, float]]:
        """The statements of this database, the ones that took most time in all first. Times are in milliseconds.
        Of others' statements only those see the text who have the rights of pg_read_all_stats."""

    def statement_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[int | None, str | None, int, int, float, float, float]]]:
        """The statements of this database, the ones that took most time in all first. Times are in milliseconds.
        Of others' statements only those see the text who have the rights of pg_read_all_stats."""

def statistics_queries() -> _StatisticsQueries: ...
