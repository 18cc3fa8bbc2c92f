"""The queries of surf_data.backup.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from surf_data.backup.manifest import Table
from surf_data.backup.rows import State
from surf_data.kernel.postgres import Executor, Stream

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _BackupQueries:
    def database_state(self, executor: Executor, /) -> State:
        """The database of this session: its name, its server's version, its size on the server's disk in bytes."""

    def message_language_choice(self, executor: Executor, /) -> bool | None:
        """Whether the server speaks another language than English, and this role may choose which one."""

    def object_list(
        self,
        executor: Executor,
        /,
        *,
        at_most: int | None,
    ) -> list[tuple[str | None]]:
        """What was made in this database since it was created, described in words; temporary objects do not count.
        PostgreSQL gives its own objects oids below 16384. The schema public and the language plpgsql are there from the
        beginning, but they may have been dropped and created again. Members of an extension go with it, and partitions
        with their table; that its key's columns go with it, too, makes it no part of anything."""

    def object_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        at_most: int | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None]]]:
        """What was made in this database since it was created, described in words; temporary objects do not count.
        PostgreSQL gives its own objects oids below 16384. The schema public and the language plpgsql are there from the
        beginning, but they may have been dropped and created again. Members of an extension go with it, and partitions
        with their table; that its key's columns go with it, too, makes it no part of anything."""

    def snapshot_export(self, executor: Executor, /) -> str | None:
        """The name under which pg_dump can look at the database as this transaction does, for as long as it is open."""

    def table_list(self, executor: Executor, /) -> list[Table]:
        """Every table that holds rows of its own, partitions included. What an extension brings is dumped by the extension."""

    def table_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Table]]:
        """Every table that holds rows of its own, partitions included. What an extension brings is dumped by the extension."""

    def transaction_configure(
        self,
        executor: Executor,
        /,
        *,
        lock_timeout: str | None,
    ) -> int:
        """The transaction lasts as long as the copy does, idle or not; a lock is not waited for, because others would queue
        behind. Rows that a policy would hide are an error instead of a smaller count. Older servers lack some settings."""

def backup_queries() -> _BackupQueries: ...
