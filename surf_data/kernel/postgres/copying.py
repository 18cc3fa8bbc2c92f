"""COPY: many rows in, as a transaction of their own; and many rows out, as a stream of bytes."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from time import perf_counter_ns
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.generators import copy_from as copy_from_server
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from surf_data.errors import CommitUnknown, DatabaseError, DatabaseUnavailable
from surf_data.kernel import validation
from surf_data.kernel.observation import Observation
from surf_data.kernel.postgres.statement import Statement

#: Bytes that a reader gets at a time, at least, but for the last: the server sends each row by itself, and a compressor
#: or a hash costs more for many small pieces.
BLOCK = 65_536


class CopyWriter:
    """Takes the rows of a COPY ... FROM STDIN."""

    def __init__(self, copy: psycopg.Copy, statement: Statement) -> None:
        self._copy = copy
        self._statement = statement
        self._written = 0

    def set_types(self, types: Sequence[str]) -> None:
        """Say what the columns are, which the binary format needs where Python's type does not tell.

        Arguments:
            types: PostgreSQL's names for the types, in the order of the columns: ``int4``, ``varchar``, ``int8[]``.

        Raises:
            ValidationError: the driver knows no type of this name.
        """
        given: object = types
        if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
            raise validation.invalid("types", "must be a list of names")
        known = self._copy.connection.adapters.types
        for position, name in enumerate(given):
            if not isinstance(name, (str, int)) or known.get(name) is None:
                raise validation.invalid(f"types[{position}]", "must be the name of a type that the driver knows")
        self._copy.set_types(types)

    def write(self, block: bytes) -> None:
        """Send a piece of a file that is in the format of the COPY already.

        Arguments:
            block: bytes; rows may begin in one and end in another.

        Raises:
            DatabaseError: the connection was lost.
        """
        with self._statement.translation:
            self._copy.write(block)

    def write_row(self, row: Sequence[Any]) -> None:
        """Send one row.

        Arguments:
            row: its values in the order of the columns.

        Raises:
            DatabaseError: a value cannot be sent, and `row` says in which row; or the connection was lost.
        """
        self.write_rows((row,))

    def write_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Send several rows, which takes less time than one by one.

        Arguments:
            rows: the values of each in the order of the columns.

        Raises:
            DatabaseError: a value cannot be sent, and `row` says in which row of the COPY; or the connection was lost.
        """
        if self._statement.copy_option:
            said = f"rows are not written with {self._statement.copy_option}; send the file itself, with write()"
            raise DatabaseError(f"{self._statement.name}: {said}", query=self._statement.name)
        write_row = self._copy.write_row
        position = self._written - 1
        try:
            with self._statement.translation:
                for position, row in enumerate(rows, self._written):  # noqa: B007 - for the error
                    write_row(row)
        except DatabaseError as error:
            if error.sqlstate is None and not isinstance(error, DatabaseUnavailable):
                error.row = position
            raise
        self._written = position + 1


class CopyReader:
    """Yields what a COPY ... TO STDOUT sends: blocks of bytes, which together are the file."""

    def __init__(self, copy: psycopg.Copy, statement: Statement) -> None:
        self._copy: psycopg.Copy | None = copy
        self._statement = statement
        #: How many rows they were; ``None`` until all are read.
        self.rows: int | None = None
        #: Nanoseconds spent waiting for the server, so far.
        self.waited: int = 0
        #: What ended it, if the server or the driver did.
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read():
            yield block

    def read(self) -> bytes:
        """Return the next block, of 64 KiB or a little more; the last one may be shorter; then nothing.

        Raises:
            DatabaseError: the server failed, or the connection was lost; or the COPY has ended.
        """
        if self._copy is None:
            raise DatabaseError(f"{self._statement.name}: this COPY has ended", query=self._statement.name)
        if self.rows is not None:
            return b""
        started = perf_counter_ns()
        try:
            with self._statement.translation:
                pieces, result = self._copy.connection.wait(_block(self._copy.connection.pgconn))
        except Exception as error:
            self.error = error
            raise
        finally:
            self.waited += perf_counter_ns() - started
        if result is not None:
            self.rows = result.command_tuples
        return b"".join(pieces)

    def end(self) -> None:
        """Read no more: the connection may serve another caller from now on."""
        self._copy = None


def _block(server: PGconn) -> PQGen[tuple[list[memoryview], PGresult | None]]:
    # psycopg waits for each row by itself, which takes two thirds longer.
    pieces: list[memoryview] = []
    size = 0
    while size < BLOCK:
        found = yield from copy_from_server(server)
        if not isinstance(found, memoryview):
            return pieces, found
        pieces.append(found)
        size += len(found)
    return pieces, None


class _Abandoned(Exception):
    """The client gave up."""


def unknown(error: DatabaseError) -> CommitUnknown:
    """Return what the caller gets when it is unknown after ``error`` whether a statement was applied."""
    return CommitUnknown(f"{error}; it may have been applied", query=error.query, sqlstate=error.sqlstate)


@contextmanager
def copy_from(
    connection: psycopg.Connection[Any], statement: Statement, observation: Observation, *, alone: bool
) -> Iterator[CopyWriter]:
    """Run a COPY ... FROM STDIN, a transaction by itself if ``alone``; rolled back if the block raises."""
    started = perf_counter_ns()
    cursor = connection.cursor()
    failure: BaseException | None = None
    try:
        with suppress(_Abandoned), statement.translation, cursor.copy(statement.sql) as writer:
            try:
                yield CopyWriter(writer, statement)
            except BaseException as error:  # noqa: BLE001 - raised below
                failure = error
                # psycopg tells the server, and so its log, what the error says; the caller's may hold anything.
                raise _Abandoned from None
    except DatabaseError as error:
        ambiguous = failure is None and alone and connection.closed and isinstance(error, DatabaseUnavailable)
        failure = unknown(error) if ambiguous else error
    rows = cursor.rowcount if failure is None else 0
    observation.record(statement.name, perf_counter_ns() - started, rows, failure)
    if failure is not None:
        try:
            raise failure
        finally:
            # The error holds this frame; held in turn, both would wait for the garbage collector.
            del failure


@contextmanager
def copy_to(
    connection: psycopg.Connection[Any], statement: Statement, observation: Observation
) -> Iterator[CopyReader]:
    """Run a COPY ... TO STDOUT; what is not read when the block exits is cancelled, and a transaction goes on."""
    process, started = os.getpid(), perf_counter_ns()
    reader: CopyReader | None = None
    failure: BaseException | None = None
    try:
        with (
            suppress(_Abandoned),
            statement.translation,
            _savepoint(connection),
            connection.cursor().copy(statement.sql) as copy,
        ):
            reader = CopyReader(copy, statement)
            try:
                yield reader
            except BaseException as error:  # noqa: BLE001 - raised below
                failure = error
            reader.end()
            if os.getpid() != process:
                # psycopg would have the server cancel it, and it is the parent process that reads.
                connection.close()
            if failure is not None or reader.rows is None:
                raise _Abandoned
    except DatabaseError as error:
        failure = failure or error
    # The caller's own time and errors are none of the query's.
    waited, rows, problem = (
        (perf_counter_ns() - started, 0, failure) if reader is None else (reader.waited, reader.rows or 0, reader.error)
    )
    observation.record(statement.name, waited, rows, problem)
    if failure is not None:
        try:
            raise failure
        finally:
            del failure


def _savepoint(connection: psycopg.Connection[Any]) -> AbstractContextManager[object]:
    """Return a savepoint within a transaction, which cancelling a statement would end, and nothing outside one."""
    within = connection.pgconn.transaction_status == TransactionStatus.INTRANS
    return connection.transaction() if within else nullcontext()
