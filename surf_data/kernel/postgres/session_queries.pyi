"""The queries of surf_data.kernel.postgres.session_queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from surf_data.kernel.postgres import Executor, Stream

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _SessionQueries:
    def function_is_volatile(
        self,
        executor: Executor,
        /,
        *,
        names: list[str] | list[str | None],
    ) -> bool:
        """Whether any of these functions is volatile, so that a query calling it is not read-only."""

    def prepared_remaining(
        self,
        executor: Executor,
        /,
        *,
        seconds: int,
    ) -> tuple[int, bool]:
        """How many transactions of this database were prepared so many seconds ago and have not ended since; and whether it is on
        a Citus cluster, whose other nodes may have some, too."""

    def primary_position(self, executor: Executor, /) -> int:
        """How far the primary's log is, in bytes: behind every transaction that has been committed.
        A COMMIT waits until it is flushed, unless that is switched off. What comes after may not be sent for a while."""

    def replica_state(self, executor: Executor, /) -> tuple[int | None, float | None]:
        """How much of the primary's log a replica has replayed, in bytes, and by how many seconds it lags; no lag when it is no
        replica. One that has replayed all that it has received lags only if no primary sends."""

    def schema_version(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
    ) -> int | None:
        """The number of the last migration of a domain that is applied; null without any."""

    def session_changes(
        self,
        executor: Executor,
        /,
        *,
        names: list[str] | list[str | None] | None,
        texts: list[str] | list[str | None] | None,
        identity: str | None,
        jit: str | None,
        statement_timeout: str | None,
    ) -> tuple[bool, bool | None]:
        """Whether functions and blocks have changed the session that ran them, and whether they could: by the words of their
        source, and of what that names. Without such a word the rest is not asked for. A setting that an application has
        invented is in no view, so it counts where a source sets one for longer than its transaction, or may do so."""

    def session_configure(
        self,
        executor: Executor,
        /,
        *,
        backend_pid: int | None,
        jit: str | None,
        statement_timeout: str | None,
    ) -> tuple[bool | None, str | None, str | None, str, str | None, str | None, str | None]:
        """Sets up a new connection, and returns whether a pooler sits between: then another backend answers than the one that
        greeted us. Settings would leak to the pooler's other clients, so behind one they are left to ALTER ROLE ... SET.
        Times are read in UTC, where each one that we accept is within Python's range.
        A server is known by its identifier and its timeline: a standby that is promoted begins another one. Statistics begin
        anew when a server recovers from a crash."""

    def session_ping(self, executor: Executor, /) -> int:
        """Answers when the server does; for health checks."""

    def transaction_id(self, executor: Executor, /) -> tuple[str | None, bool]:
        """The id of this transaction if it has changed anything, for transaction_status; and whether the server is of a Citus
        cluster. What a transaction changes there, it may change on workers alone: then it gets an id here, to be asked for."""

    def transaction_status(
        self,
        executor: Executor,
        /,
        *,
        transaction: str | None,
    ) -> str | None:
        """What has become of a transaction: committed, aborted, in progress, or null when that was long ago."""

    def type_elements(
        self,
        executor: Executor,
        /,
        *,
        types: list[int] | list[int | None],
    ) -> list[tuple[int, int, str]]:
        """Of types that are arrays: what the driver needs to read them element by element. As a text int2vector and oidvector are
        none."""

    def type_elements_cursor(
        self,
        executor: Executor,
        /,
        *,
        types: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[int, int, str]]]:
        """Of types that are arrays: what the driver needs to read them element by element. As a text int2vector and oidvector are
        none."""

def session_queries() -> _SessionQueries: ...
