"""COPY ... TO STDOUT: a table as a stream of bytes, and what becomes of a reader that leaves early."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseError, DatabaseUnavailable, DeadlineExceeded
from surf_data.kernel.postgres import CopyReader, DatabaseManager, QueryEvent, deadline
from surf_data.kernel.postgres.copying import BLOCK

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]


@pytest.fixture
def queries(load: Callable[..., Any], watcher: Connection) -> Any:
    """Load queries that copy out, and create a table with 20,000 rows."""
    watcher.execute("CREATE TABLE word (id int4, w text)")
    watcher.execute("INSERT INTO word SELECT n, 'word ' || n FROM generate_series(1, 20000) AS n")
    return load(
        {
            "word_out()#": "COPY (SELECT id, w FROM word ORDER BY id) TO STDOUT (FORMAT csv, HEADER);",
            "word_out_binary()#": "copy word to stdin (FORMAT binary);",
            "word_few()#": "COPY (SELECT '50%' FROM word LIMIT 3) TO STDOUT;",
            "word_none()#": "COPY (SELECT FROM word LIMIT 0) TO STDOUT;",
            "word_endless()#": "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT;",
            "word_slow()#": "COPY (SELECT repeat('x', 70000), pg_sleep(n * 3) FROM generate_series(0, 9) n) TO STDOUT;",
            "word_broken()#": "COPY (SELECT 1 / (15000 - id) FROM word ORDER BY id) TO STDOUT;",
            "word_nowhere()#": "COPY nowhere TO STDOUT;",
            "word_taken()#": "COPY (DELETE FROM word RETURNING id) TO STDOUT;",
            "word_file()#": "COPY (SELECT '50%') TO '/dev/null';",
            "word_count()$": "SELECT count(*) FROM word;",
        }
    )


@pytest.mark.parametrize("block", ["database", "connection", "transaction"])
def test_blocks_together_are_the_file(database: DatabaseManager, queries: Any, watcher: Connection, block: str) -> None:
    """Every row is in them, in order; all blocks but the last have 64 KiB."""
    if block == "database":
        with queries.word_out(database) as reader:
            blocks = list(reader)
    else:
        with getattr(database, block)() as session:
            with queries.word_out(session) as reader:
                blocks = list(reader)
            assert queries.word_count(session) == 20_000
    lines = b"".join(blocks).decode().splitlines()
    assert lines == ["id,w", *[f"{number},word {number}" for number in range(1, 20_001)]]
    assert reader.rows == 20_000
    assert all(BLOCK <= len(each) < BLOCK + 100 for each in blocks[:-1])
    assert reader.read.__self__ is reader


def test_any_format_is_read(database: DatabaseManager, queries: Any) -> None:
    """Binary data come as they are, a per cent sign too, and no rows are an empty file."""
    with queries.word_out_binary(database) as reader:
        assert b"".join(reader).startswith(b"PGCOPY\n\xff\r\n\0")
    with queries.word_few(database) as reader:
        assert (reader.rows, reader.read(), reader.rows, reader.read()) == (None, b"50%\n" * 3, 3, b"")
    with queries.word_none(database) as reader:
        assert (list(reader), reader.rows) == ([], 0)


def test_a_file_of_the_server_is_not_read(database: DatabaseManager, queries: Any) -> None:
    """Of a COPY to a file there, the client has the status alone."""
    assert queries.word_file(database) == "COPY 1"


@pytest.mark.parametrize("error", [None, ZeroDivisionError("mine"), KeyboardInterrupt("mine")], ids=repr)
def test_what_is_not_read_is_cancelled(database: DatabaseManager, queries: Any, error: BaseException | None) -> None:
    """Leaving early ends the statement on the server; the caller's error comes out, and the transaction goes on."""

    def leave(executor: Any) -> CopyReader:
        with queries.word_endless(executor) as reader:
            assert len(reader.read()) >= BLOCK
            if error is not None:
                raise error
            left: CopyReader = reader
            return left

    with database.transaction() as session:
        for executor in (session, database):
            if error is None:
                assert leave(executor).rows is None
            else:
                with pytest.raises(type(error)) as caught:
                    leave(executor)
                assert caught.value is error
            assert queries.word_count(executor) == 20_000


def test_a_reader_ends_with_its_block(database: DatabaseManager, queries: Any) -> None:
    """The connection may serve another caller afterwards, so nothing is read from it."""
    with queries.word_out(database) as reader:
        pass
    with pytest.raises(DatabaseError, match="word_out: this COPY has ended") as caught:
        reader.read()
    assert caught.value.query == "word_out"


@pytest.mark.parametrize("block", ["connection", "transaction"])
def test_an_error_on_the_way_is_translated(database: DatabaseManager, queries: Any, block: str) -> None:
    """What came before it is delivered; the error has the query's name, and the connection goes on."""
    with getattr(database, block)() as session:
        blocks = []
        with pytest.raises(DatabaseError) as caught, queries.word_broken(session) as reader:
            blocks.extend(reader)
        assert (caught.value.query, caught.value.sqlstate, reader.error) == ("word_broken", "22012", caught.value)
        assert caught.value.__context__ is None
        assert queries.word_count(session) == 20_000


def test_a_table_that_is_not_there_is_a_database_error(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any]
) -> None:
    """A COPY that cannot begin is translated as any statement, and nothing is yielded."""
    error = refused(lambda: queries.word_nowhere(database).__enter__(), DatabaseError)
    assert (error.query, error.sqlstate) == ("word_nowhere", "42P01")


def test_a_lost_connection_is_unavailable(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """A reader whose server goes away gets an error, and the next caller is served."""
    with pytest.raises(DatabaseUnavailable), queries.word_endless(database) as reader:
        reader.read()
        watcher.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query LIKE 'COPY % surf_data:%'"
        )
        while reader.read():
            pass
    assert queries.word_count(database) == 20_000


def test_a_read_ends_at_the_deadline(database: DatabaseManager, queries: Any) -> None:
    """What came in time is delivered, the server cancels the rest, and the next caller is served."""
    blocks = []
    with pytest.raises(DeadlineExceeded) as caught, deadline(2), queries.word_slow(database) as reader:
        blocks.extend(reader)
    assert (caught.value.query, len(blocks)) == ("word_slow", 1)
    assert queries.word_count(database) == 20_000


def test_what_writes_on_its_way_out_is_a_write(database: DatabaseManager, queries: Any) -> None:
    """A COPY of a DELETE is known to change something, one of a SELECT to change nothing."""
    with database.connection() as session:
        for query, has_written in ((queries.word_few, False), (queries.word_taken, True)):
            with query(session) as reader:
                assert list(reader)
            assert session.has_ever_written is has_written
    assert queries.word_count(database) == 0


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_child_that_leaves_the_block_leaves_the_parent_s_copy(database: DatabaseManager, queries: Any) -> None:
    """A forked child neither reads what is its parent's nor has the server cancel it."""
    context = queries.word_endless(database)
    with context as reader:
        reader.read()
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                try:
                    reader.read()
                except DatabaseUnavailable:
                    context.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
            os._exit(0)
        os.waitpid(child, 0)
        # More than lay in the socket.
        assert all(len(reader.read()) >= BLOCK for _ in range(20))
    assert queries.word_count(database) == 20_000


def test_a_copy_is_observed_for_the_time_the_server_takes(open_database: Opener, queries: Any) -> None:
    """One event for each: how many rows, or why none; what the caller does meanwhile is none of the query's."""
    events: list[QueryEvent] = []
    database = open_database(observer=events.append)
    with queries.word_few(database) as reader:
        list(reader)
    with pytest.raises(ZeroDivisionError), queries.word_few(database):
        raise ZeroDivisionError
    with pytest.raises(DatabaseError), queries.word_broken(database) as reader:
        list(reader)
    with pytest.raises(DatabaseError), queries.word_nowhere(database):
        pass
    assert [(event.query, event.rows, event.error) for event in events if event.kind == "statement"] == [
        ("word_few", 3, None),
        ("word_few", 0, None),
        ("word_broken", 0, "DatabaseError"),
        ("word_nowhere", 0, "DatabaseError"),
    ]
