"""Scratch databases, built from schema files on a server that the caller provides, and dropped in the end."""

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
from surf_data.review.missing import missing_extension, missing_role
from surf_data.review.schema_files import extension, files, is_own, read_migrations, statements

_CREATING_ROLE = Translation("creating a role")


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
        stubbed = bool(self.stubs & {extension(each) for path in files(source) for each, _ in statements(path)})
        pending = read_migrations(source, self.stubs) if stubbed else []
        while True:
            try:
                if stubbed:
                    replay(self.connect, pending)
                else:
                    Runner(self.connect, source, "review").up()
            except MigrationError as error:
                problem = error
            else:
                return
            role = self.missing_role(problem)
            if role is None:
                # Outside the handler, so that it carries no other error.
                raise self.advised(problem, "" if stubbed else self._said(problem))
            create_role(self.connect, role)
            # What came before it is done.
            paths = [str(migration.path) for migration in pending]
            pending = pending[paths.index(problem.file or "") :] if stubbed else []

    def missing_role(self, problem: MigrationError) -> str | None:
        """Return a role that a refused file names and that can be created; ``None`` if that is not what it lacks.

        Arguments:
            problem: what was raised of the file.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        if not self._private:
            return None
        with closing(self.connect()) as connection, _CREATING_ROLE:
            return missing_role(connection, self._statements(problem))

    def advised(self, problem: MigrationError, said: str = "") -> MigrationError:
        """Return an error with what can be done about it, where that is known.

        Arguments:
            problem: what was raised of a file.
            said: what the server says, where the error does not say so itself.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        told = self._advice(self._statements(problem), problem.sqlstate)
        if not told:
            return problem
        better = MigrationError(". ".join(filter(None, (str(problem), said, told))), sqlstate=problem.sqlstate)
        better.file, better.line = problem.file, problem.line
        return better

    def _advice(self, tried: Iterable[Statement], sqlstate: str | None) -> str:
        with closing(self.connect()) as connection:
            name = missing_extension(connection, tried, sqlstate)
        if name is None:
            return ""
        return (
            "The embedded servers have no extensions but vector: name a server that has it, "
            "--scratch postgresql://..., or a file that creates what of it is used, to stand in for it: "
            f"--migrations {name}.sql before the rest"
        )

    def _statements(self, problem: MigrationError) -> list[Statement]:
        """Return the statements of a file that was refused, without those that something stands in for."""
        path = Path(problem.file or "")
        found = statements(path) if path.is_file() else ()
        return [statement for statement, _ in found if extension(statement) not in self.stubs]

    def _said(self, problem: MigrationError) -> str:
        """Return what the server says of a file that was refused; nothing where no file was."""
        with closing(self.connect()) as connection:
            try:
                with connection.transaction(force_rollback=True):
                    for statement in self._statements(problem):
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
                said, hint = error.diag.message_primary or type(error).__name__, error.diag.message_hint
                sqlstate, position = error.sqlstate, int(error.diag.statement_position or 1)
            else:
                return
            role = missing_role(connection, [statement]) if self._private else None
            if role is None:
                # Outside the handler, so that it carries no other error.
                raise MigrationError(
                    ". ".join(filter(None, (said, self._advice([statement], sqlstate) or hint))),
                    file=str(path),
                    line=line + statement.sql.count("\n", 0, position - 1),
                    sqlstate=sqlstate,
                )
            create_role(self.connect, role)


def create_role(connect: Callable[[], psycopg.Connection[Any]], name: str) -> None:
    """Create a role, which cannot log in.

    A dump names owners and grantees, and so do migrations, which are of the server and not in the database.

    Arguments:
        connect: connects to a server that no other client uses.
        name: what it is called.

    Raises:
        DatabaseError: the role cannot be created.
    """
    with closing(connect()) as connection, _CREATING_ROLE:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
        connection.commit()
