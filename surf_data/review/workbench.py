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
from surf_data.migrate.scratch import Environment, roles, scratch_connection, scratch_database
from surf_data.migrate.statements import Statement
from surf_data.review.schema_files import files, is_own, statements

_CREATING_ROLE = Translation("creating a role")
_NO_ROLE = re.compile(r'role "(?P<role>[^"]+)" does not exist')
_NO_EXTENSION = "The embedded servers have no extensions but vector: review on a server that has it"


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
        yield ScratchDatabase(connect, private=private)


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


class ScratchDatabase:
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
        if source.is_dir() and is_own(source):
            Runner(self.connect, source, "review").up()
            return
        with closing(self.connect()) as connection:
            for path in files(source):
                self._apply(connection, path)

    def _apply(self, connection: psycopg.Connection[Any], path: Path) -> None:
        for statement, line in statements(path):
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
