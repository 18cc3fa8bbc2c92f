"""Error messages for an operator when a migration fails.

The server's own words help most, but they may hold a value from a row, in quotes or not: "syntax error in tsquery: ..."
has the same error class as a misspelt keyword. So they are passed on only where they can be shown to be the server's
and the file's.
"""

import re
from collections.abc import Iterator
from itertools import takewhile

import psycopg

from surf_data.errors import DatabaseError, MigrationError
from surf_data.kernel.postgres.translation import translated
from surf_data.migrate.files import Migration, Part, Section
from surf_data.migrate.statements import split

# Classes and codes of errors in what a migration asks for, as opposed to the data it meets: 0A feature not supported,
# 25 transaction state, 2B dependent objects, 3F schema name, 42 syntax and access rules, 55 object state.
# Source: PostgreSQL's manual, appendix A.
_MISTAKES = ("0A", "25", "2B", "3F", "42", "55")
# What the server says of objects; any other word must stand in the file. This decides what is repeated, and not what an
# error is: that its SQLSTATE says. In another language less is repeated.
_WORDS = frozenset(
    """
    a access active add all allowed already alter an and any are array as at attached automatically available be because
    being bigint block boolean but by bytea called cannot cast change character class column columns concurrently
    constraint conversion create currently data database date default definition depend depends detach does domain
    double drop dropped enum execute executed exist exists expression extension find for foreign from function functions
    given group has immutable implemented in index inherited input inside integer interval invalid is it json jsonb key
    keys language lock many marked matching materialized member method missing more multiple must name near new no not
    null numeric object objects of on only operator or other outside owned owner parent partition partitioned pending
    permission permitted policy precision primary privilege procedure queries query read real recursive referenced
    references relation replica requires return role row rows rule run running schema sequence server session set
    smallint stable superuser supported syntax system table tablespace text than the there this time timestamp to too
    transaction trigger triggers type types unique unsafe use used user uses using uuid value values varying view
    volatile was when while with within without zone
    """.split()  # noqa: SIM905 - a list of words is read as such
)
# A name that the server does not quote, even if the file does.
_PLAIN = re.compile(r'^"([a-z_][a-z0-9_]*)"$')
_LOCK_NOT_AVAILABLE = "55P03"
# The functions of the server that do what RAISE says, with any ERRCODE, and ASSERT: the words are the author's.
_RAISING = {"exec_stmt_raise", "exec_stmt_assert"}


def described(
    error: psycopg.Error | DatabaseError | MigrationError,
    migration: Migration,
    section: Section,
    part: Part | None,
    *,
    lost: bool,
) -> MigrationError:
    """Return what to raise for ``error``, with the file and, where it is known, the line.

    Arguments:
        error: what ended the section.
        migration: the file that was being run.
        section: which of its sections.
        part: what of it was sent; ``None`` when it had not begun.
        lost: whether the connection was lost, perhaps after the server had committed.
    """
    ours = translated(error, None) if isinstance(error, psycopg.Error) else error
    message, line = str(ours), None if part is None or section.transactional else part.line
    if isinstance(error, psycopg.Error) and part is not None:
        if position := error.diag.statement_position:
            line = part.line + part.sql.count("\n", 0, int(position) - 1)
        if said := _said(error, part.sql):
            message = f"{message}: {said}"
    done = "applied" if section is migration.up else "reverted"
    if not section.transactional:
        outcome = "the next run goes on here"
    elif lost:
        outcome = f"the status shows whether it was {done}"
    else:
        outcome = f"nothing of this file was {done}"
    if not isinstance(error, MigrationError):
        message = f"{message}; {outcome}"
    return MigrationError(message, file=str(migration.path), line=line, sqlstate=ours.sqlstate)


def _said(error: psycopg.Error, sql: str) -> str | None:
    """Return the server's words if they hold no row data."""
    said = error.diag.message_primary or ""
    sqlstate = error.sqlstate or ""
    if error.diag.source_function in _RAISING and _is_of_file(error, sql):
        # The author of the migration chose these words.
        return ". ".join(filter(None, (said, error.diag.message_detail, error.diag.message_hint)))
    if sqlstate == _LOCK_NOT_AVAILABLE:
        return "another session holds a lock that it needs"
    if sqlstate.startswith(_MISTAKES) and (_in_text_of_file(error) or _words(said) <= _WORDS | _words(sql)):
        return said
    return None


def _in_text_of_file(error: psycopg.Error) -> bool:
    # Found before anything ran. With a context it is a place in something else, such as a name that is made of a value.
    return error.diag.statement_position is not None and error.diag.context is None


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _is_of_file(error: psycopg.Error, sql: str) -> bool:
    # Names are not translated. A function or trigger that the file sets off and does not create is another author's.
    innermost = (error.diag.context or "").partition("\n")[0]
    names = "|".join(["inline_code_block", *(rf"{re.escape(name)}\(" for name in _created_functions(sql))])
    return re.search(rf'(?<![\w$"])(?:{names})', innermost) is not None


def _created_functions(sql: str) -> Iterator[str]:
    """Yield the functions and procedures that a file creates, as the server writes them."""
    for statement in split(sql):
        words = statement.words[3:] if statement.words[1:3] == ("OR", "REPLACE") else statement.words[1:]
        if statement.words[0] != "CREATE" or words[:1] not in {("FUNCTION",), ("PROCEDURE",)}:
            continue
        before = takewhile(lambda token: token.text != "(", statement.tokens)
        name = [*before][-1]
        yield name.text.lower() if name.kind == "word" else _PLAIN.sub(r"\1", name.text)
