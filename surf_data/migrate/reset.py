"""Replaces a database by an empty one that is like it, with the migrations applied.

The new one is made and migrated beside the old one, and then takes its name. So whatever fails, the old one is there.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, LiteralString, cast

import attrs
import psycopg
from psycopg import sql

from surf_data.errors import DatabaseError, MigrationError
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.kernel.validation import identifier
from surf_data.migrate.connecting import connected
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.runner import Listener, Runner
from surf_data.migrate.seed import seed
from surf_data.migrate.status import MigrationStatus

#: Returns a new connection to the database of this name, or to the one that is reset when it is ``None``.
Connect = Callable[[str | None], psycopg.Connection[Any]]

# Where one can stand while a database is renamed, in the order in which they are tried.
_MAINTENANCE = ("postgres", "template1")
_RESERVED = frozenset({*_MAINTENANCE, "template0"})
_LOCALES: dict[str, LiteralString] = {
    "builtin": "LOCALE_PROVIDER builtin BUILTIN_LOCALE {}",
    "icu": "LOCALE_PROVIDER icu ICU_LOCALE {}",
    "libc": "LOCALE_PROVIDER libc",
}
_PRIVILEGES = {name: sql.SQL(name) for name in ("CONNECT", "CREATE", "TEMPORARY")}
# Their values are lists of names, and stand in the catalog as they would in a command. The same list is in pg_dump.
_LISTS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_LISTED = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')

# Seconds for sessions of others to end.
_PATIENCE = 2.0

_RESET = Translation("reset")


@attrs.frozen
class Database:
    """What a database is like. Fields are in the order of the query's columns."""

    #: What the C library's locale is for sorting ...
    lc_collate: str
    #: ... and for kinds of letters.
    lc_ctype: str
    #: What changes the sorting by ICU, if anything does.
    icu_rules: str | None
    #: How many may connect at once; -1 is without limit.
    connection_limit: int
    #: Whether others are made from it.
    is_template: bool
    #: Its name.
    name: str
    #: Where it is stored.
    tablespace: str
    #: The role that it belongs to.
    owner: str
    #: Its encoding.
    encoding: str
    #: Whose locale counts: ``libc``, ``icu`` or ``builtin``.
    locale_provider: str
    #: That locale; ``None`` for libc.
    locale: str | None
    #: What COMMENT ON says.
    comment: str | None
    #: What was granted on it; ``None`` while that is what PostgreSQL grants.
    privileges: list[dict[str, Any]] | None
    #: What ALTER DATABASE ... SET and ALTER ROLE ... IN DATABASE ... SET have set.
    settings: list[dict[str, Any]]
    #: How many other sessions are connected to it.
    sessions: int
    #: What else keeps it from being dropped.
    prepared_transactions: int
    replication_slots: int
    subscriptions: int


def _state(session: Session) -> Database:
    # Every session is in a database.
    return Database(*cast("tuple[Any, ...]", migrate_queries().reset_state(session)))


def prepare_reset(connect: Connect, *, force: bool = False) -> Database:
    """Return the database that would be reset, after checking that it may be; nothing is changed.

    Arguments:
        connect: returns connections; directly to the server.
        force: whether the sessions of others would be ended.

    Raises:
        MigrationError: `reset` would refuse.
        DatabaseError: the server cannot be reached.
    """
    with _connection(connect, None) as connection:
        session = Session(connection)
        found = _state(session)
        # Who has just left may still be seen for a moment.
        deadline = time.monotonic() + _PATIENCE
        while found.sessions and not force and time.monotonic() < deadline:
            time.sleep(0.1)
            found = _state(session)
    if found.name in _RESERVED or found.is_template:
        raise MigrationError(f"{found.name} is a database of the server itself, or a template, and is never reset")
    obstacles = {
        "prepared transactions": found.prepared_transactions,
        "replication slots": found.replication_slots,
        "subscriptions": found.subscriptions,
        "other sessions": 0 if force else found.sessions,
    }
    if standing := [f"{count} {what}" for what, count in obstacles.items() if count]:
        raise MigrationError(f"the database {found.name} is in use: it has {', '.join(standing)}")
    return found


def reset(
    connect: Connect,
    folder: Path,
    domain: str,
    *,
    name: str,
    seeds: bool = False,
    force: bool = False,
    on_applied: Listener | None = None,
) -> list[MigrationStatus]:
    """Delete all that is in a database, and apply the migrations.

    Its owner, encoding, locale, tablespace, connection limit, comment, privileges and settings stay. Whatever fails
    before the end leaves the database as it was.

    Arguments:
        connect: returns connections; directly to the server. The role must own the database and be allowed to make
            others.
        folder: the folder of the migrations.
        domain: the name of their history.
        name: what the database is called, for certainty.
        seeds: whether to run the seed files, too.
        force: whether to end the sessions of others.
        on_applied: is told of each migration.

    Returns:
        The migrations that were applied.

    Raises:
        ValidationError: ``domain`` cannot name a history.
        MigrationError: the database is called otherwise, belongs to the server itself, others are connected, or a
            migration or seed file failed.
        DatabaseError: the server cannot be reached, or refuses.
    """
    domain = identifier("domain", domain, marks="_-")
    like = prepare_reset(connect, force=force)
    if like.name != name:
        raise MigrationError(f"the database is called {like.name}, not {name}")
    fresh, old = (f"surf_data_{what}_{secrets.token_hex(8)}" for what in ("reset", "old"))
    try:
        with _maintenance(connect) as connection:
            for command in _commands(like, fresh):
                connection.execute(command)
        applied = Runner(lambda: connect(fresh), folder, domain).up(on_applied=on_applied)
        if seeds:
            seed(lambda: connect(fresh), folder, domain)
        with _maintenance(connect) as connection:
            if force:
                migrate_queries().reset_terminate(Session(connection), database=name)
            # Refused by the server while anybody is connected.
            with connection.transaction():
                for before, after in ((name, old), (fresh, name)):
                    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                    connection.execute(rename.format(sql.Identifier(before), sql.Identifier(after)))
    except BaseException:
        _drop(connect, fresh)
        raise
    _drop(connect, old)
    return applied


def _drop(connect: Connect, database: str) -> None:
    with _maintenance(connect) as connection:
        # Nobody else knows the name.
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


@contextmanager
def _connection(connect: Connect, database: str | None) -> Iterator[psycopg.Connection[Any]]:
    with closing(connected(partial(connect, database), "reset")) as connection, _RESET:
        # Copying a template and waiting for others takes as long as it takes.
        migrate_queries().reset_configure(Session(connection))
        yield connection


@contextmanager
def _maintenance(connect: Connect) -> Iterator[psycopg.Connection[Any]]:
    first, last = _MAINTENANCE
    try:
        connect(first).close()
    except (psycopg.Error, DatabaseError):
        first = last
    with _connection(connect, first) as connection:
        yield connection


def _commands(like: Database, name: str) -> Iterator[sql.Composed]:
    """Yield what makes an empty database of another name that is like one; names cannot be parameters in these."""
    database, owner = sql.Identifier(name), sql.Identifier(like.owner)
    options = [
        sql.SQL("TEMPLATE template0 OWNER {}").format(owner),
        sql.SQL("ENCODING {}").format(sql.Literal(like.encoding)),
        sql.SQL("LC_COLLATE {}").format(sql.Literal(like.lc_collate)),
        sql.SQL("LC_CTYPE {}").format(sql.Literal(like.lc_ctype)),
        sql.SQL("TABLESPACE {}").format(sql.Identifier(like.tablespace)),
        sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(like.connection_limit)),
        sql.SQL(_LOCALES[like.locale_provider]).format(sql.Literal(like.locale)),
        *[sql.SQL("ICU_RULES {}").format(sql.Literal(rules)) for rules in (like.icu_rules,) if rules is not None],
    ]
    yield sql.SQL("CREATE DATABASE {} {}").format(database, sql.SQL(" ").join(options))
    if like.comment is not None:
        yield sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(like.comment))
    if like.privileges is not None:
        yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(database, owner)
    for granted in like.privileges or []:
        yield sql.SQL("GRANT {} ON DATABASE {} TO {} {}").format(
            _PRIVILEGES[granted["privilege"]],
            database,
            sql.Identifier(granted["grantee"]) if granted["grantee"] else sql.SQL("PUBLIC"),
            sql.SQL("WITH GRANT OPTION" if granted["grantable"] else ""),
        )
    for setting in like.settings:
        role = sql.SQL("ROLE {} IN ").format(sql.Identifier(setting["role"])) if setting["role"] else sql.SQL("")
        yield sql.SQL("ALTER {}DATABASE {} SET {} TO {}").format(
            role, database, sql.Identifier(*setting["name"].split(".")), _value(setting["name"], setting["value"])
        )


def _value(name: str, value: str) -> sql.Composable:
    if name not in _LISTS:
        return sql.Literal(value)
    listed = (quoted.replace('""', '"') or bare for quoted, bare in _LISTED.findall(value))
    return sql.SQL(", ").join(sql.Literal(each) for each in listed)
