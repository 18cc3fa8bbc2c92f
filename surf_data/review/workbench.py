"""Scratch databases, built from schema files on a server that the caller provides, and dropped in the end."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import attrs
import psycopg
from psycopg import sql

from surf_data.errors import DatabaseError, MigrationError
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.migrate import Runner, ScratchServer
from surf_data.migrate.replay import replay
from surf_data.migrate.scratch import Environment, roles, scratch_connection, scratch_database
from surf_data.migrate.statements import Statement
from surf_data.review.schema_files import extension, files, is_own, read_migrations, statements

_CREATING_ROLE = Translation("creating a role")
_NO_ROLE = re.compile(r'role "(?P<role>[^"]+)" does not exist')
_NO_EXTENSION = re.compile(r'extension "(?P<name>[^"]+)" is not available')


@attrs.frozen(kw_only=True)
class ScratchSchema:
    """A schema in a scratch database."""

    #: A connection to its database.
    connection: psycopg.Connection[Any]
    #: The folder of the server's data; ``None`` when the server is not the caller's own to throw away.
    data: Path | None


@attrs.frozen(kw_only=True)
class Workbench:
    """A server to create scratch databases on."""

    #: Connects to it.
    connect: ScratchServer
    #: The folder of its data, when it was started for this alone and is thrown away; else ``None``.
    data: Path | None = None

    @contextmanager
    def create(self, sources: Iterable[Path]) -> Iterator[ScratchSchema]:
        """Create a schema for a block, in a database of its own, which is dropped when the block exits.

        Arguments:
            sources: folders of migrations and files with schemas, in the order in which they are applied.

        Raises:
            DatabaseError: the server cannot be reached, or its role may not create databases.
            MigrationError: the schema cannot be created.
        """
        with ExitStack() as stack:
            database = stack.enter_context(scratch(self.connect, private=self.data is not None))
            for source in sources:
                database.apply(source)
            connection = stack.enter_context(closing(database.connect()))
            yield ScratchSchema(connection=connection, data=self.data)

    def forgetting_roles(self) -> AbstractContextManager[None]:
        """Drop the roles that a block creates, where no other client uses the server.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        return nullcontext() if self.data is None else forgetting_roles(self.connect)


@contextmanager
def scratch(server: ScratchServer, *, private: bool = False) -> Iterator["ScratchDatabase"]:
    """Create an empty database for a block. It is dropped when the block exits, with all connections to it.

    Arguments:
        server: connects to a server where a database may be created.
        private: whether no other client uses the server, so that roles which the files name may be created on it. They
            are dropped in the end, too: the next database's files may create them again.

    Raises:
        DatabaseError: the server cannot be reached, or refuses to create a database.
    """
    with closing(scratch_connection(server)) as connection:
        environment = Environment.of(Session(connection))
    with forgetting_roles(server) if private else nullcontext(), scratch_database(server, environment) as connect:
        yield ScratchDatabase(connect, private=private)


@contextmanager
def forgetting_roles(server: ScratchServer) -> Iterator[None]:
    """Drop the roles that a block has created, when nothing needs them any more.

    Arguments:
        server: connects to a server that no other client uses.

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


class ScratchDatabase:
    """A database that is filled from files. Made by `scratch`."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], *, private: bool) -> None:
        #: Returns a new connection in autocommit mode, which the caller closes.
        self.connect: Callable[[], psycopg.Connection[Any]] = connect
        self._private = private
        #: The extensions that a file of the same name stands in for.
        self.stubs: set[str] = set()

    def apply(self, source: Path) -> None:
        """Apply a folder of migrations, or one file with a schema.

        A folder in this library's own format is applied as in production, with its history. Of any other, files are
        applied in the order of the numbers in their names, without those and those parts that undo.

        A file ``pg_trgm.sql`` stands in for the extension pg_trgm: what comes later does not create it.

        Arguments:
            source: the folder or the file.

        Raises:
            MigrationError: a file cannot be read, or the server refuses it; with file and line.
        """
        if source.is_dir() and is_own(source):
            self._apply_own(source)
            return
        if source.is_file():
            self.stubs.add(source.stem)
        with closing(self.connect()) as connection:
            for path in files(source):
                self._apply(connection, path)

    def _apply_own(self, source: Path) -> None:
        if self.stubs & {extension(each) for path in files(source) for each, _ in statements(path)}:
            replay(self.connect, read_migrations(source, self.stubs))
            return
        while True:
            try:
                Runner(self.connect, source, "review").up()
            except MigrationError as error:
                problem = error
            else:
                return
            # The runner keeps to itself what the server says, which here came from the files alone.
            said = self._said(problem)
            if not (self._private and create_role(self.connect, said)):
                # Outside the handler, so that it carries no other error.
                raise advised(problem, said)

    def _said(self, problem: MigrationError) -> str:
        """Return what the server says of a file that was refused; nothing where no file was."""
        path = Path(problem.file or "")
        with closing(self.connect()) as connection:
            try:
                with connection.transaction(force_rollback=True):
                    for statement, _ in statements(path) if path.is_file() else ():
                        connection.execute(statement.sql.encode(), prepare=False)
            except psycopg.Error as error:
                return error.diag.message_primary or ""
        return ""

    def _apply(self, connection: psycopg.Connection[Any], path: Path) -> None:
        for statement, line in statements(path):
            if extension(statement) not in self.stubs:
                self._run(connection, path, statement, line)

    def _run(self, connection: psycopg.Connection[Any], path: Path, statement: Statement, line: int) -> None:
        while True:
            try:
                connection.execute(statement.sql.encode(), prepare=False)
            except psycopg.Error as error:
                said = error.diag.message_primary or type(error).__name__
                position = int(error.diag.statement_position or 1)
                problem = MigrationError(
                    ". ".join(filter(None, (said, advice(said) or error.diag.message_hint))),
                    file=str(path),
                    line=line + statement.sql.count("\n", 0, position - 1),
                    sqlstate=error.sqlstate,
                )
            else:
                return
            if not (self._private and create_role(self.connect, said)):
                # Outside the handler, so that it carries no other error.
                raise problem


def create_role(connect: Callable[[], psycopg.Connection[Any]], said: str) -> bool:
    """Create the role that a server misses.

    A dump names owners and grantees, and so do migrations, which are of the server and not in the database.

    Arguments:
        connect: connects to a server that no other client uses.
        said: what the server says.

    Returns:
        Whether it missed a role, and has it now.

    Raises:
        DatabaseError: the role cannot be created.
    """
    missing = _NO_ROLE.search(said)
    if missing is None:
        return False
    with closing(connect()) as connection, _CREATING_ROLE:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(missing["role"])))
        connection.commit()
    return True


def advised(problem: MigrationError, said: str = "") -> MigrationError:
    """Return an error with what can be done about it, where that is known.

    Arguments:
        problem: the error.
        said: what the server says, where the error does not say so itself.
    """
    told = advice(said or str(problem))
    if told is None:
        return problem
    better = MigrationError(". ".join(filter(None, (str(problem), said, told))), sqlstate=problem.sqlstate)
    better.file, better.line = problem.file, problem.line
    return better


def advice(said: str) -> str | None:
    """Return what to do about what the server says; ``None`` where that is not known."""
    missing = _NO_EXTENSION.search(said)
    if missing is None:
        return None
    return (
        "The embedded servers have no extensions but vector: name a server that has it, --scratch postgresql://..., "
        "or a file that creates what of it is used, to stand in for it: "
        f"--migrations {missing['name']}.sql before the rest"
    )
