"""What statements name that belongs to the whole server, and that it lacks: roles and extensions.

The server says so in its own language. Which name it means is found out by what the server has, and by trying again.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens
from surf_data.migrate.scratch import extensions, roles
from surf_data.migrate.statements import Statement
from surf_data.review.schema_files import extension

# What names something that is not there: an undefined object, and a value for SET ROLE.
_UNDEFINED = frozenset({"42704", "22023"})
# What the server says of an extension whose files it has not: PostgreSQL 16 and newer, and before.
_UNAVAILABLE = frozenset({"0A000", "58P01"})
_STRINGS = frozenset({"dollar", "escape", "string"})
# Bytes that a name has at most.
_LONGEST = 63
# Names that are tried at most; those of roles stand at the end of a statement.
_TRIED = 200


def missing_role(connection: psycopg.Connection[Any], statements: Iterable[Statement]) -> str | None:
    """Return a role without which one of some statements fails, and with which it does not, or otherwise.

    Arguments:
        connection: a connection in autocommit mode, whose role may create roles. Nothing is changed.
        statements: what is tried, in order. What fails for another reason is passed over.
    """
    with connection.transaction(force_rollback=True):
        for statement in statements:
            failed = _failure(connection, statement)
            if failed is None or failed[0] not in _UNDEFINED:
                continue
            known = {*roles(connection)}
            for name in [each for each in _names(statement) if each not in known][:_TRIED]:
                if _changes(connection, statement, name, failed):
                    return name
    return None


def missing_extension(
    connection: psycopg.Connection[Any], statements: Iterable[Statement], sqlstate: str | None
) -> str | None:
    """Return an extension that statements create and whose files the server has not.

    Arguments:
        connection: a connection to the server.
        statements: those of which one has failed.
        sqlstate: how it has failed.
    """
    if sqlstate not in _UNAVAILABLE:
        return None
    available = {None, *extensions(connection)}
    return next((name for name in map(extension, statements) if name not in available), None)


def _failure(connection: psycopg.Connection[Any], statement: Statement) -> tuple[str | None, str | None] | None:
    """Return how a statement fails, to be compared and not to be read; ``None`` if it does not."""
    try:
        with connection.transaction():
            connection.execute(statement.sql.encode(), prepare=False)
    except psycopg.Error as error:
        return error.sqlstate, error.diag.message_primary
    return None


def _changes(
    connection: psycopg.Connection[Any], statement: Statement, role: str, failed: tuple[str | None, str | None]
) -> bool:
    """Return whether a statement fails otherwise where there is a role, or no more."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            return _failure(connection, statement) != failed
    except psycopg.Error:
        # No role can be called so.
        return False


def _names(statement: Statement) -> list[str]:
    """Return what may be a name in a statement, from its end, in what it quotes, too."""
    found: dict[str, None] = {}
    for piece in [*_pieces(statement.tokens)][::-1]:
        for token in piece[::-1]:
            name = _name(token) if token.kind in {"identifier", "word"} else _quoted(token).strip()
            if name and len(name.encode()) <= _LONGEST and "\0" not in name:
                found[name] = None
    return [*found]


def _pieces(pieces: tuple[Token, ...]) -> Iterator[tuple[Token, ...]]:
    """Yield tokens, and those of what is quoted among them: a block, or what it executes."""
    yield pieces
    for token in pieces:
        if inner := _quoted(token):
            yield from _pieces(significant_tokens(tokens(inner)))


def _name(token: Token) -> str:
    return token.text[1:-1].replace('""', '"') if token.kind == "identifier" else token.text.lower()


def _quoted(token: Token) -> str:
    """Return what is in a string; nothing for other tokens."""
    if token.kind not in _STRINGS:
        return ""
    if token.kind == "dollar":
        mark = token.text.index("$", 1) + 1
        return token.text[mark:-mark]
    return token.text[token.text.index("'") + 1 : -1].replace("''", "'")
