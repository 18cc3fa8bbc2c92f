"""A database to look at queries in: made from files on a server that one may play with, and dropped in the end."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from surf_data.errors import DatabaseError, MigrationError
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.migrate import Migration, Part, Runner, ScratchServer, Section, read_folder
from surf_data.migrate.scratch import Environment, roles, scratch_connection, scratch_database
from surf_data.migrate.statements import Statement, split
from surf_data.review.source import Query, read_file

_CREATING_ROLE = Translation("creating a role")

# Where other tools' files begin and end what brings the schema forward: dbmate, goose, sql-migrate.
_UP = re.compile(r"--\s*(?:migrate\s*:|\+goose\s+|\+migrate\s+)up\b.*", re.IGNORECASE)
_DOWN = re.compile(r"--\s*(?:migrate\s*:|\+goose\s+|\+migrate\s+)down\b", re.IGNORECASE)
# Files that undo: golang-migrate's, yoyo's, Flyway's.
_UNDOING = re.compile(r"[._]down\.sql$|\.rollback\.sql$|^U[0-9][0-9_.]*__", re.IGNORECASE)
_VERSION = re.compile(r"V?[0-9]+(?:[._][0-9]+)*(?![0-9a-z])", re.IGNORECASE)
# What a dump has for psql: its commands, and the data of COPY.
_FOR_PSQL = re.compile(r"^\\[a-z].*$|^COPY [^;]*\bFROM stdin;\n(?:.*\n)*?\\\.$", re.IGNORECASE | re.MULTILINE)
_NO_ROLE = re.compile(r'role "(?P<role>[^"]+)" does not exist')


@contextmanager
def scratch(server: ScratchServer, *, private: bool = False) -> Iterator["Scratch"]:
    """Make an empty database for a block. In the end it is dropped, whoever is still connected to it.

    Arguments:
        server: connects to a server where a database may be made.
        private: whether nobody else uses the server, so that roles which the files name may be created on it. They are
            dropped in the end, too: the next database's files may create them again.

    Raises:
        DatabaseError: the server cannot be reached, or refuses to make a database.
    """
    with closing(scratch_connection(server)) as connection:
        environment = Environment.of(Session(connection))
    with forgetting_roles(server) if private else nullcontext(), scratch_database(server, environment) as connect:
        yield Scratch(connect, private=private)


@contextmanager
def forgetting_roles(server: ScratchServer) -> Iterator[None]:
    """Drop the roles that a block has created, when nothing needs them any more.

    Arguments:
        server: connects to a server that nobody else uses.

    Raises:
        DatabaseError: the server cannot be reached.
    """
    with closing(scratch_connection(server)) as connection:
        kept = roles(connection)
    try:
        yield
    finally:
        # What another database needs stays, and a server that is gone has none.
        with suppress(psycopg.Error, DatabaseError), closing(scratch_connection(server)) as connection:
            if made := sorted({*roles(connection)} - {*kept}):
                # All at once, because they may be members of each other.
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.SQL(", ").join(map(sql.Identifier, made))))


class Scratch:
    """A database that is filled from files. Made by `scratch`."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], *, private: bool) -> None:
        #: Returns a new connection in autocommit mode, which the caller closes.
        self.connect: Callable[[], psycopg.Connection[Any]] = connect
        self._private = private

    def apply(self, source: Path) -> None:
        """Apply a folder of migrations, or one file with a schema.

        A folder in this library's own format is applied as in production, with its history. Of any other, files are
        applied in the order of the numbers in their names, without those and those parts that undo.

        Arguments:
            source: the folder or the file.

        Raises:
            MigrationError: a file cannot be read, or the server refuses it; with file and line.
        """
        if source.is_dir() and _is_own(source):
            Runner(self.connect, source, "review").up()
            return
        with closing(self.connect()) as connection:
            for path in _files(source):
                self._apply(connection, path)

    def _apply(self, connection: psycopg.Connection[Any], path: Path) -> None:
        for statement, line in _statements(path):
            self._run(connection, path, statement, line)

    def _run(self, connection: psycopg.Connection[Any], path: Path, statement: Statement, line: int) -> None:
        while True:
            try:
                connection.execute(statement.sql.encode(), prepare=False)
            except psycopg.Error as error:
                said = error.diag.message_primary or type(error).__name__
                position = int(error.diag.statement_position or 1)
                advice = _NO_EXTENSION if said.startswith("extension ") else error.diag.message_hint
                problem = MigrationError(
                    ". ".join(filter(None, (said, advice))),
                    file=str(path),
                    line=line + statement.sql.count("\n", 0, position - 1),
                    sqlstate=error.sqlstate,
                )
                missing = _NO_ROLE.fullmatch(said)
            else:
                return
            if not self._private or missing is None:
                # Outside the handler, so that it carries no other error.
                raise problem
            # A dump names owners and grantees, which are of the server and not in it.
            with _CREATING_ROLE:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(missing["role"])))


_NO_EXTENSION = "The embedded servers have no extensions but vector: review on a server that has it"


def read_migrations(source: Path) -> list[Migration]:
    """Return the migrations of a folder in any format; none of one file, which is a schema and no change of one.

    Of a foreign format a file runs in one transaction, unless it holds what cannot.

    Arguments:
        source: the folder or the file.

    Raises:
        MigrationError: a file cannot be read.
    """
    if source.is_file():
        return []
    if _is_own(source):
        return read_folder(source)
    # Where queries are, too, nothing says what is new in the schema.
    paths = [path for path in _files(source) if not read_file(path)]
    return [_foreign(number, path) for number, path in enumerate(paths, 1)]


def _foreign(number: int, path: Path) -> Migration:
    found = [
        (statement, line) for statement, line in _statements(path) if statement.words[0] not in _TRANSACTION_CONTROL
    ]
    transactional = not any({"CONCURRENTLY", "VACUUM"} & set(statement.words) for statement, _ in found)
    parts = [Part(sql=statement.sql, line=line) for statement, line in found]
    if transactional and found:
        # Every statement on its line.
        sql, first = "", found[0][1]
        for statement, line in found:
            sql += "\n" * (line - first - sql.count("\n")) + statement.sql + ";"
        parts = [Part(sql=sql, line=first)]
    section = Section(
        sql="\n".join(part.sql for part in parts),
        line=parts[0].line if parts else 1,
        transactional=transactional,
        parts=tuple(parts),
    )
    return Migration(number=number, name=path.stem, path=path, up=section, down=None, checksum="")


def _statements(path: Path) -> Iterator[tuple[Statement, int]]:
    """Yield the statements of a file that bring the schema forward, each with its line."""
    text = read_text(path)
    if queries := read_file(path):
        yield from _defining(queries)
        return
    forward = _forward(text)
    # As many lines as before, so that errors name the right one.
    body = _FOR_PSQL.sub(lambda found: "\n" * found[0].count("\n"), forward)
    first = text.count("\n", 0, text.index(forward)) + 1
    for statement in split(body):
        yield statement, first + body.count("\n", 0, statement.start)


def _defining(queries: Iterable[Query]) -> Iterator[tuple[Statement, int]]:
    """Yield the statements of those queries that make a schema: some programs keep it among their queries."""
    for query in queries:
        statements = list(split(query.sql))
        if any(_DEFINING & set(statement.words[:1]) for statement in statements):
            for statement in statements:
                yield statement, query.sql_line + query.sql.count("\n", 0, statement.start)


_DEFINING = frozenset({"ALTER", "CREATE"})
# A foreign file may begin and end its transaction itself.
_TRANSACTION_CONTROL = frozenset({"BEGIN", "COMMIT", "END", "START"})


def _is_own(folder: Path) -> bool:
    try:
        read_folder(folder)
    except MigrationError:
        return False
    return True


def _files(source: Path) -> list[Path]:
    paths = [source] if source.is_file() else [path for path in source.rglob("*.sql") if not _UNDOING.search(path.name)]
    if not paths:
        raise MigrationError("there are no .sql files here", file=str(source))
    return sorted(paths, key=_order)


def _order(path: Path) -> tuple[bool, tuple[int, ...], str]:
    # By the values of the numbers at the beginning, Flyway's V1_2__ included, and its repeatable migrations last.
    version = _VERSION.match(path.name)
    numbers = tuple(int(number) for number in re.findall("[0-9]+", version[0] if version else ""))
    return path.name.startswith("R__"), numbers, path.name


def read_text(path: Path) -> str:
    """Return the text of a file, with one kind of line end.

    Raises:
        MigrationError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        problem = MigrationError(f"cannot be read: {type(error).__name__}", file=str(path))
    raise problem


def up_to_undoing(text: str) -> str:
    """Return a file's text up to where it begins to undo."""
    return text[: text.index(_forward(text)) + len(_forward(text))]


def _forward(text: str) -> str:
    up, down = _UP.search(text), _DOWN.search(text)
    start = up.end() if up else 0
    return text[start : down.start() if down and down.start() >= start else None]
