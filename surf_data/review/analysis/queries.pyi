"""The queries of surf_data.review.analysis.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from surf_data.kernel.postgres import Executor, Stream
from surf_data.review.analysis.rows import Column, ForeignKey, Function, Index, Key, Operator, Relation, Trigger, Type, View

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _ReviewQueries:
    def analysis_tree(
        self,
        executor: Executor,
        /,
        *,
        name: str,
    ) -> str | None:
        """The tree that the server made of the function's body: names resolved, types decided, nothing planned yet."""

    def column_list(self, executor: Executor, /) -> list[Column]:
        """Columns of all relations, and whether each is sure to hold no null.
        A constraint that is not validated yet (PostgreSQL 18) says nothing about the rows that are there; and a table that
        is read together with those that inherit from it is only as sure as they are."""

    def column_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Column]]:
        """Columns of all relations, and whether each is sure to hold no null.
        A constraint that is not validated yet (PostgreSQL 18) says nothing about the rows that are there; and a table that
        is read together with those that inherit from it is only as sure as they are."""

    def foreign_key_list(self, executor: Executor, /) -> list[ForeignKey]:
        """Foreign keys, and what deleting or changing the row that is referred to does.
        Those of partitions repeat their table's."""

    def foreign_key_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[ForeignKey]]:
        """Foreign keys, and what deleting or changing the row that is referred to does.
        Those of partitions repeat their table's."""

    def function_list(self, executor: Executor, /) -> list[Function]:
        """Functions, and what of them matters to a caller."""

    def function_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Function]]:
        """Functions, and what of them matters to a caller."""

    def index_list(self, executor: Executor, /) -> list[Index]:
        """Indexes of tables, but for those that repeat their partitioned table's.
        An index without a constraint depends on each column that it mentions, in expressions and conditions, too."""

    def index_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Index]]:
        """Indexes of tables, but for those that repeat their partitioned table's.
        An index without a constraint depends on each column that it mentions, in expressions and conditions, too."""

    def key_list(self, executor: Executor, /) -> list[Key]:
        """Unique keys that hold at every moment, over columns, for all rows."""

    def key_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Key]]:
        """Unique keys that hold at every moment, over columns, for all rows."""

    def operator_list(self, executor: Executor, /) -> list[Operator]:
        """The operators that a B-tree or hash index searches by, with the family that they belong to."""

    def operator_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Operator]]:
        """The operators that a B-tree or hash index searches by, with the family that they belong to."""

    def relation_list(self, executor: Executor, /) -> list[Relation]:
        """Tables, views and their like."""

    def relation_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Relation]]:
        """Tables, views and their like."""

    def sort_memory(self, executor: Executor, /) -> int | None:
        """How many bytes are sorted in memory, by this session's settings."""

    def trigger_list(self, executor: Executor, /) -> list[Trigger]:
        """Triggers of the schema's own that fire; those of a table's partitions count as its own.
        The type is a set of bits: 1 for each row, 2 before, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE, 64 instead."""

    def trigger_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Trigger]]:
        """Triggers of the schema's own that fire; those of a table's partitions count as its own.
        The type is a set of bits: 1 for each row, 2 before, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE, 64 instead."""

    def type_list(self, executor: Executor, /) -> list[Type]:
        """Types, with what a domain and an array are made of; int2vector and oidvector are no arrays to a client."""

    def type_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Type]]:
        """Types, with what a domain and an array are made of; int2vector and oidvector are no arrays to a client."""

    def view_list(self, executor: Executor, /) -> list[View]:
        """What each view is a name for, as the server keeps it."""

    def view_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[View]]:
        """What each view is a name for, as the server keeps it."""

def review_queries() -> _ReviewQueries: ...
