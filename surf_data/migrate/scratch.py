"""A database that is made for a check and dropped after it."""

import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any, Protocol

import attrs
import psycopg
from psycopg import sql

from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.migrate.connecting import connected
from surf_data.migrate.files import Migration
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.statements import split

_log = get_logger("surf_data.migrate.scratch")

#: What the names of such databases begin with.
PREFIX = "surf_data_scratch_"
_MAKING = Translation("making a scratch database")

# Names cannot be parameters. From template0, so that nothing is in it; in the one locale that suits every encoding.
_CREATE = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'")
_CREATE_ROLE = sql.SQL("CREATE ROLE {} NOLOGIN")
_DROP = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
_DROP_LEFTOVER = sql.SQL("DROP DATABASE IF EXISTS {}")

_CREATING_ROLE = (("CREATE", "ROLE"), ("CREATE", "USER"), ("CREATE", "GROUP"))
# Where the name stands.
_CREATED = 2

#: Returns a new connection to a database in which migrations can be tried.
Connect = Callable[[], psycopg.Connection[Any]]


class ScratchServer(Protocol):
    """Connects to a server where a database may be made; ``functools.partial(psycopg.connect, url)`` is one."""

    @abstractmethod
    def __call__(self, *, dbname: str = ...) -> psycopg.Connection[Any]:
        """Return a new connection to the database ``dbname``, or to the one that was named before."""


@attrs.frozen
class Environment:
    """What decides how a session reads a migration, in the order of the query's columns."""

    #: ``DateStyle``.
    date_style: str
    #: ``IntervalStyle``.
    interval_style: str
    #: ``search_path``.
    search_path: str
    #: ``TimeZone``.
    time_zone: str

    @classmethod
    def of(cls, session: Session) -> "Environment":
        """Return what holds in ``session``."""
        return cls(*migrate_queries().scratch_environment(session))


@contextmanager
def scratch_database(server: ScratchServer, environment: Environment) -> Iterator[Connect]:
    """Create an empty database for a block, and drop it at its end, with whatever is connected to it.

    What an earlier check left behind because it was killed is dropped as well.

    Arguments:
        server: connects to a server where a database may be made.
        environment: what its sessions begin with.

    Returns:
        What connects to the new database, in autocommit mode.

    Raises:
        DatabaseError: the server cannot be reached, or refuses to create a database.
    """
    name = f"{PREFIX}{secrets.token_hex(8)}"

    def connect() -> psycopg.Connection[Any]:
        connection = _connection(server, dbname=name)
        migrate_queries().scratch_configure(Session(connection), **attrs.asdict(environment))
        return connection

    with closing(_connection(server)) as owner:
        session = Session(owner)
        migrate_queries().scratch_claim(session, database=name)
        _drop_leftovers(owner, session)
        try:
            with _MAKING:
                owner.execute(_CREATE.format(sql.Identifier(name)))
            yield connect
        finally:
            _drop(server, name)


def direct(connect: Connect) -> psycopg.Connection[Any]:
    """Return a connection to the database that is checked, as migrations have it.

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    return connected(connect, "connecting for a comparison")


def scratch_connection(server: ScratchServer) -> psycopg.Connection[Any]:
    """Return a connection to a server where databases may be made, in autocommit mode.

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    return _connection(server)


def roles(connection: psycopg.Connection[Any]) -> list[str]:
    """Return what the roles of a server are called, without PostgreSQL's own."""
    return [name for (name,) in migrate_queries().scratch_roles(Session(connection))]


def extensions(connection: psycopg.Connection[Any]) -> list[str]:
    """Return what the extensions are called that can be created on a server."""
    return [name for (name,) in migrate_queries().scratch_extensions(Session(connection)) if name is not None]


def created_roles(migrations: Iterable[Migration]) -> set[str]:
    """Return the roles that migrations create as if they could not be there yet."""
    found: set[str] = set()
    for migration in migrations:
        for statement in (statement for part in migration.up.parts for statement in split(part.sql)):
            if statement.words[:2] in _CREATING_ROLE and len(statement.tokens) > _CREATED:
                name = statement.tokens[_CREATED]
                found.add(name.text.strip('"') if name.kind == "identifier" else name.text.lower())
    return found


def create_roles(server: ScratchServer, names: Iterable[str]) -> None:
    """Create the roles that are missing, so that privileges can be granted to them. None of them can log in.

    Arguments:
        server: a server that is thrown away afterwards, because roles belong to all its databases.
        names: what they are called.
    """
    with closing(_connection(server)) as connection, _MAKING:
        # The client's environment may say that its sessions only read.
        connection.read_only = False
        with connection.transaction():
            for name in sorted({*names} - {*roles(connection)}):
                connection.execute(_CREATE_ROLE.format(sql.Identifier(name)))


def _connection(server: ScratchServer, **database: Any) -> psycopg.Connection[Any]:
    return connected(partial(server, **database), "connecting to the scratch server")


def _drop_leftovers(owner: psycopg.Connection[Any], session: Session) -> None:
    for (name,) in migrate_queries().scratch_leftovers(session, prefix=PREFIX):
        # Another process may be connected to it just now, or drop it, too.
        with suppress(psycopg.Error):
            owner.execute(_DROP_LEFTOVER.format(sql.Identifier(name)))


def _drop(server: ScratchServer, name: str) -> None:
    try:
        # By a connection of its own: an interruption may have left the other one in the middle of something.
        with closing(server()) as connection:
            connection.autocommit = True
            connection.execute(_DROP.format(sql.Identifier(name)))
    except psycopg.Error:
        # What was found out stands, and the next check drops it.
        _log.warning("scratch database was left behind", extra={"database": name})
