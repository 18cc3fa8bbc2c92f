"""COPY: many rows at once, all of them or none."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from surf_data.errors import ConstraintViolation, DatabaseError, DatabaseUnavailable, ValidationError
from surf_data.kernel.postgres import DatabaseManager, QueryEvent

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]
SECRET = "planted-7f3a"


@pytest.fixture
def queries(load: Callable[..., Any], watcher: Connection) -> Any:
    """Load queries that copy into a table, and create it."""
    watcher.execute("CREATE TABLE word (id int4 PRIMARY KEY, w text CHECK (w <> 'bad'))")
    return load(
        {
            "word_copy()#": "COPY word (id, w) FROM STDIN;",
            "word_copy_binary()#": "copy word (id, w) FROM STDIN (FORMAT binary);",
            "word_copy_nowhere()#": "COPY nowhere FROM STDIN;",
            "word_count()$": "SELECT count(*) FROM word;",
            "backend()$": "SELECT pg_backend_pid();",
        }
    )


def words(number: int) -> Iterator[tuple[int, str]]:
    """Return rows for the table."""
    return ((position, f"word {position}") for position in range(number))


@pytest.mark.parametrize("name", ["word_copy", "word_copy_binary"])
@pytest.mark.parametrize("number", [0, 1, 20_000])
def test_rows_are_copied(database: DatabaseManager, queries: Any, name: str, number: int) -> None:
    """Rows arrive in either format, more of them than fit a buffer."""
    with getattr(queries, name)(database) as writer:
        writer.set_types(["int4", "text"])
        for row in words(number):
            writer.write_row(row)
    assert queries.word_count(database) == number


def test_several_rows_are_copied_at_once(database: DatabaseManager, queries: Any) -> None:
    """Rows may be handed over together, also none of them."""
    with queries.word_copy(database) as writer:
        for rows in ([*words(20_000)], [], [(20_000, "last")]):
            writer.write_rows(rows)
    assert queries.word_count(database) == 20_001


def test_null_and_special_characters_are_copied(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """Null, tabs, newlines and backslashes arrive as they are."""
    rows = [(1, None), (2, "a\tb\nc\\d"), (3, "\\N"), (4, "")]
    with queries.word_copy(database) as writer:
        for row in rows:
            writer.write_row(row)
    assert watcher.execute("SELECT id, w FROM word ORDER BY id").fetchall() == rows


@pytest.mark.parametrize("block", ["connection", "transaction"])
def test_a_row_that_is_refused_undoes_all(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any], block: str
) -> None:
    """One row that violates a constraint leaves none of the others; the error has the constraint."""

    def copying() -> None:
        with getattr(database, block)() as session, queries.word_copy(session) as writer:
            for row in (*words(5000), (9999, "bad")):
                writer.write_row(row)

    error = refused(copying, ConstraintViolation)
    assert (error.query, error.constraint) == ("word_copy", "word_w_check")
    assert queries.word_count(database) == 0


@pytest.mark.parametrize("error", [ZeroDivisionError(SECRET), ValueError(SECRET), KeyboardInterrupt(SECRET)], ids=repr)
def test_an_error_of_the_caller_undoes_all_and_comes_out(
    database: DatabaseManager, queries: Any, error: BaseException
) -> None:
    """What the caller raises in the block leaves no row, comes out as it was, and the connection goes on."""
    with pytest.raises(type(error)) as caught, queries.word_copy(database) as writer:
        for row in words(5000):
            writer.write_row(row)
        raise error
    assert caught.value is error
    assert queries.word_count(database) == 0


def test_the_server_is_not_told_what_the_caller_s_error_says(
    open_database: Opener, load: Callable[..., Any], private_server: Any
) -> None:
    """The server's log says that the client gave up, and nothing of the error's text."""
    database = open_database(database_url=private_server.url)
    queries = load({"word_create()#": "CREATE TABLE word (w text);", "word_copy()#": "COPY word FROM STDIN;"})
    queries.word_create(database)
    with pytest.raises(ValueError, match=SECRET), queries.word_copy(database) as writer:
        writer.write_row(("fine",))
        raise ValueError(SECRET)
    assert "COPY from stdin failed" in private_server.log()
    assert SECRET not in private_server.log()


@pytest.mark.parametrize("together", [False, True])
def test_a_value_that_cannot_be_sent_undoes_all(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any], *, together: bool
) -> None:
    """A value that the driver cannot write is a database error without the value."""

    def copying(value: object) -> Callable[[], None]:
        def copy() -> None:
            with queries.word_copy_binary(database) as writer:
                writer.set_types(["int4", "text"])
                if together:
                    writer.write_rows([(1, "fine"), (2, value)])
                else:
                    writer.write_row((1, "fine"))
                    writer.write_row((2, value))

        return copy

    for value in (f"{SECRET}\ud800", f"{SECRET}\0"):
        error = refused(copying(value), DatabaseError)
        assert error.query == "word_copy_binary"
        assert SECRET not in repr([error, error.args, vars(error)])
    assert queries.word_count(database) == 0


def test_a_table_that_is_not_there_is_a_database_error(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any]
) -> None:
    """A COPY that cannot begin is translated as any statement, and nothing is yielded."""
    error = refused(lambda: queries.word_copy_nowhere(database).__enter__(), DatabaseError)
    assert (error.query, error.sqlstate) == ("word_copy_nowhere", "42P01")
    assert queries.word_count(database) == 0


def test_a_lost_connection_undoes_all(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """When the server ends the session in the middle, the error says so and no row is left."""

    def copying() -> None:
        with database.connection() as held:
            pid = queries.backend(held)
            with queries.word_copy(held) as writer:
                writer.write_row((1, "fine"))
                watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])

    assert refused(copying, DatabaseUnavailable).query == "word_copy"
    assert queries.word_count(database) == 0


def test_a_copy_is_observed(open_database: Opener, queries: Any) -> None:
    """One event tells of a COPY: how many rows, or why none."""
    events: list[QueryEvent] = []
    database = open_database(observer=events.append)
    with queries.word_copy(database) as writer:
        for row in words(3):
            writer.write_row(row)
    with pytest.raises(ConstraintViolation), queries.word_copy(database) as writer:
        writer.write_row((9, "bad"))
    with pytest.raises(ZeroDivisionError), queries.word_copy(database) as writer:
        raise ZeroDivisionError
    assert [(event.query, event.rows, event.error) for event in events if event.kind == "statement"] == [
        ("word_copy", 3, None),
        ("word_copy", 0, "ConstraintViolation"),
        ("word_copy", 0, "ZeroDivisionError"),
    ]


@pytest.mark.parametrize(
    "options",
    [
        "(FORMAT csv)",
        "(FORMAT 'csv', HEADER)",
        "WITH CSV HEADER",
        "WITH DELIMITER ';'",
        "(NULL 'none')",
        "(FORMAT text, DEFAULT 'd')",
        "(ENCODING 'LATIN1')",
    ],
)
def test_rows_are_not_written_in_a_format_that_is_not_spoken(
    database: DatabaseManager, load: Callable[..., Any], watcher: Connection, options: str
) -> None:
    """A COPY whose options the writer of rows does not speak takes a file, and refuses rows."""
    watcher.execute("CREATE TABLE note (body text)")
    queries = load({"note_copy()#": f"COPY note (body) FROM STDIN {options};"})
    for write in (lambda writer: writer.write_row(("a\tb",)), lambda writer: writer.write_rows([(None,)])):
        with (
            pytest.raises(DatabaseError, match=r"rows are not written with .*; send the file itself"),
            queries.note_copy(database) as writer,
        ):
            write(writer)
    assert watcher.execute("SELECT count(*) FROM note").fetchall() == [(0,)]
    with queries.note_copy(database) as writer:
        writer.write(b"a\n")


def test_conditions_are_no_options(database: DatabaseManager, load: Callable[..., Any], watcher: Connection) -> None:
    """Words behind WHERE are no options, and neither are those of another way."""
    watcher.execute("CREATE TABLE note (body text)")
    texts = {
        "one()#": "COPY note (body) FROM STDIN WHERE body IS NOT NULL;",
        "two()#": "COPY note FROM STDOUT;",
    }
    queries = load(texts)
    with queries.one(database) as writer:
        writer.write_rows([("a",), (None,)])
    assert watcher.execute("SELECT body FROM note").fetchall() == [("a",)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int4", 2**31),
        ("int2", 2**15),
        ("int2", -(2**15) - 1),
        ("int8", 2**63),
        ("int4[]", [1, 2**40]),
        ("int2[]", [[1], [2**15]]),
        ("oid", 2**32),
        ("int4", "x"),
        ("int4", None.__class__),
    ],
)
def test_what_does_not_fit_its_column_is_refused(
    database: DatabaseManager, load: Callable[..., Any], watcher: Connection, kind: str, value: Any
) -> None:
    """A number that is out of its column's range is an error in binary, in an array too, and not another number."""
    watcher.execute(f"CREATE TABLE tally (n {kind})".encode())
    queries = load({"tally_copy()#": "COPY tally (n) FROM STDIN (FORMAT binary);"})
    with pytest.raises(DatabaseError) as caught, queries.tally_copy(database) as writer:
        writer.set_types([kind])
        writer.write_row((value,))
    assert caught.value.row == 0
    assert watcher.execute("SELECT count(*) FROM tally").fetchall() == [(0,)]


def test_an_unknown_type_is_refused_by_name(database: DatabaseManager, queries: Any) -> None:
    """A type that the driver does not know, or what is no name at all, is an error of ours."""
    for types, field in (
        (["nothing"], "types[0]"),
        (["int4", "nope[]"], "types[1]"),
        ([None], "types[0]"),
        ("int4", "types"),
        (3, "types"),
    ):
        with pytest.raises(ValidationError) as caught, queries.word_copy_binary(database) as writer:
            writer.set_types(types)
        assert caught.value.field == field
