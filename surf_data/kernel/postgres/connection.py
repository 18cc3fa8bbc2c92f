"""A connection whose waits end, whatever becomes of the server."""

import inspect
import math
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, TypeVar

import psycopg
from psycopg import generators
from psycopg._queries import PostgresQuery
from psycopg.abc import Params, PQGen, PQGenConn, Query
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGcancelConn
from psycopg.waiting import wait, wait_conn

from surf_data.kernel.postgres import deadlines, refusal

if TYPE_CHECKING:
    from surf_data.kernel.postgres.statement import Statement

T = TypeVar("T")

# Seconds after which psycopg checks whether it was interrupted, and for which a cancellation is waited for.
_INTERVAL = 0.1
_CANCELLATION = 5.0

# psycopg has no public name for what `wait` raises.
_WaitTimeout = psycopg.errors._WaitTimeout  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


# What instruments psycopg, as OpenTelemetry does, puts its own in this place. It takes statements for text, while ours
# are bytes, and writes another comment into each, which would be prepared and counted anew; and what it puts back in
# the end ignores on which class it is called.
_connect: Any = inspect.unwrap(psycopg.Connection.connect).__func__


class Expired(psycopg.OperationalError):
    """The deadline passed before the server answered."""


class NoticeFlag:
    """Records that the server sent a notice; the text is dropped because it may contain row data."""

    # An object of its own, since the connection keeps it, and must not be kept by it.
    __slots__ = ("raised",)

    def __init__(self) -> None:
        #: Whether a notice has arrived since this was last set to ``False``.
        self.raised: bool = False

    def __call__(self, _: psycopg.errors.Diagnostic) -> None:
        """Record a notice."""
        self.raised = True


class StatementCursor(psycopg.Cursor[Any]):
    """A cursor that converts the text of a statement once, however often it runs it.

    psycopg does so only for texts of 4 KB and 50 parameters at the most; a longer one costs up to 0.2 ms each time.
    """

    _converted: PostgresQuery | None = None

    def _convert_query(self, query: Query, params: Params | None = None) -> PostgresQuery:
        if self._converted is not None and self._last_query is query:
            self._converted.dump(params)
        else:
            self._converted = super()._convert_query(query, params)
        return self._converted


class Connection(psycopg.Connection[Any]):
    """A connection that is closed when the server has not answered in time: a stopped one never would."""

    #: Seconds that each answer may take where neither `deadline` nor a `deadline` block says otherwise.
    response_timeout: float = math.inf
    #: When the statement under way must have ended, by ``time.monotonic()``.
    deadline: float | None = None
    #: Which server it leads to, and which timeline; ``None`` for a standby.
    server: str | None = None
    #: When the server's statistics began; a recovery after a crash resets them.
    stats_epoch: str | None = None
    #: Whose session it is, and with whose rights.
    identity: str | None = None
    #: Of a replica: how much of the primary's log it had replayed, in bytes, when that was looked at.
    replayed: int = -1
    #: When that was, by ``time.monotonic()``.
    checked: float = -math.inf
    #: When connecting began, by ``time.monotonic()``: the address was resolved no earlier.
    connected_at: float = 0.0

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.cursor_factory: type[psycopg.Cursor[tuple[Any, ...]]] = StatementCursor
        #: Whether the server has sent a notice.
        self.notice: NoticeFlag = NoticeFlag()
        self.add_notice_handler(self.notice)
        #: Cursors that are not in use, by the statement that they have run.
        self.cursors: dict[object, psycopg.Cursor[Any]] = {}
        #: Statements that may have changed the session since it was lent.
        self.doubtful: set[Statement] = set()
        #: Statements of which the server has said that they cannot.
        self.cleared: set[Statement] = set()

    @classmethod
    def connect(cls, conninfo: str = "", **keywords: Any) -> Self:
        """Connect as psycopg does, whatever has been put in the place of its own."""
        connection: Self = _connect(cls, conninfo, **keywords)
        return connection

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        # psycopg's own forgets what the server has said but its text.
        return cls((yield from refusal.connecting(conninfo)))

    def close(self) -> None:
        """Close the connection."""
        # They refer to it, and it to them.
        self.cursors.clear()
        super().close()

    def doubt(self, statement: "Statement") -> None:
        """Note that a statement runs which may change the session, unless it is known that it cannot."""
        if statement not in self.cleared:
            self.doubtful.add(statement)

    def wait(self, gen: PQGen[T], interval: float = _INTERVAL, timeout: float | None = None) -> T:
        """Drive ``gen`` to its end, as psycopg does, but not beyond the deadline."""
        now = monotonic()
        deadline = self.deadline or now + self.response_timeout
        # min() costs more than all of this, and so does psycopg's own method.
        if (limit := deadlines.current_deadline()) < deadline:
            deadline = limit
        if timeout is not None and now + timeout < deadline:
            return super().wait(gen, interval, timeout)
        if deadline > now:
            try:
                return wait(gen, self.pgconn.socket, interval, None if deadline == math.inf else deadline - now)
            except _WaitTimeout:
                pass
            except KeyboardInterrupt:
                self._interrupt(gen)
                raise
        self._abandon()
        raise Expired("deadline")

    def _interrupt(self, gen: PQGen[Any]) -> None:
        """Have the server cancel what it does, so that the connection can be used again, or close it."""
        try:
            self.cancel_safe(timeout=_CANCELLATION)
            wait(gen, self.pgconn.socket, _INTERVAL, _CANCELLATION)
        except psycopg.errors.QueryCanceled:
            return
        except psycopg.Error:
            self.close()

    def _abandon(self) -> None:
        """Close; if a statement is under way, have the server cancel it, without waiting for that."""
        cancellation = None
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            # Older versions of libpq have no safe way.
            with suppress(psycopg.NotSupportedError):
                cancellation = self.pgconn.cancel_conn()
        self.close()
        if cancellation is not None:
            threading.Thread(target=_cancel, args=(cancellation,), name="surf_data cancellation", daemon=True).start()


def _cancel(cancellation: PGcancelConn) -> None:
    # A server that cannot be reached ends the statement when it notices that its client has gone.
    with suppress(psycopg.Error):
        cancellation.start()
        wait_conn(generators.cancel(cancellation), _INTERVAL, _CANCELLATION)
    cancellation.finish()
