"""``custom_query``: a statement that the service composes with ``psycopg.sql`` runs under a guard.

It must be one statement that reads and calls functions that are known to change nothing. It is sent by the extended
protocol, which takes one statement, in a transaction or savepoint that is read-only, has the rights of a role that can
read the views of ``dx`` and nothing else, and is rolled back.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any
from uuid import UUID

import attrs
import psycopg
from psycopg import sql

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, Statement, effects
from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens
from surf_data.mining import values
from surf_data.mining.errors import DataAccessError
from surf_data.mining.queries import mining_queries
from surf_data.mining.table_query import MAX_ROWS

#: Seconds that a custom query may run.
TIMEOUT = 30

_QUERY, _PARAMS = "custom_query.query", "custom_query.params"
_MAX_BYTES = 1_000_000
_MAX_TEXT = 1_000_000
_READING = frozenset({"SELECT", "TABLE", "VALUES", "WITH"})
# Words that may stand before a parenthesis and call nothing: what PostgreSQL reserves, and what follows a call.
_NO_FUNCTIONS = frozenset(
    """
    all and any array as asc between both by case cast check coalesce collate column cross cube current_catalog
    current_date current_role current_time current_timestamp current_user default desc distinct else end except exists
    extract false fetch filter following for from full greatest group grouping having ilike in inner intersect interval
    into is isnull join lateral leading least left like limit localtime localtimestamp materialized natural normalize
    not notnull null nullif offset on only or order ordinality outer over overlaps overlay partition placing position
    preceding right rollup row select sets similar some substring symmetric table tablesample then to trailing treat
    trim true union unique user using values variadic verbose when where window with within
    """.split()  # noqa: SIM905 - a long list reads as a text
)
# Schemas of the catalogue; what is in them is not checked here, and may call what it likes.
_CATALOGUE = re.compile(r"pg_|information_schema$", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"%(?:%|(?P<positional>[sbt])|\((?P<name>[^)]*)\)[sbt])")
_TIMESTAMPTZ = psycopg.adapters.types["timestamptz"].oid
# The names of columns, those of them that are times, and rows.
_Result = tuple[tuple[str, ...], tuple[str, ...], list[Any]]
_SCALARS = (bool, int, float, str, Decimal, UUID, datetime, date, type(None))


class _Done(Exception):
    """The rows are there; what the guard has set is to be rolled back."""


@attrs.frozen
class CustomQueryParams:
    """A ``custom_query`` as an object."""

    #: What `psycopg.sql` composed, or a `NamedQuery`.
    query: Any
    #: Its values, in order or by name.
    params: Sequence[Any] | Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a mapping."""
        return {"query": self.query, "params": self.params}


@attrs.frozen
class CustomQuery:
    """A composed statement that has passed the checks."""

    #: The statement.
    statement: Statement
    #: Its values.
    parameters: Any


def checked(query: object, params: object) -> CustomQuery:
    """Return a composed statement with its values, ready to run.

    Arguments:
        query: what `psycopg.sql` composed.
        params: a list for ``%s``, a mapping for ``%(name)s``, ``None`` or empty for none.

    Raises:
        ValidationError: it is no such object, does more than to read, calls an unknown function, or the values are not
            those of its placeholders; nothing was sent.
    """
    text = _text(query)
    _check_statement(significant_tokens(tokens(text)))
    return CustomQuery(_statement(text.encode()), _parameters(text, params))


def guarded(executor: Executor, query: CustomQuery) -> _Result:
    """Run a custom query under the guard; return the names of its columns, which of them are times, and its rows.

    Raises:
        DataAccessError: there are more than 100,000 rows, or two columns have one name.
        DatabaseError: the server failed or refused it.
    """
    names, times, rows = _rolled_back(executor, query)
    if len(rows) > MAX_ROWS:
        raise DataAccessError(f"more than {MAX_ROWS} rows: give the query a LIMIT")
    if len(set(names)) < len(names):
        raise DataAccessError("two columns of the result have the same name: give one an alias")
    return names, times, rows


def _rolled_back(executor: Executor, query: CustomQuery) -> _Result:
    found: list[_Result] = []
    with suppress(_Done), executor.transaction() as transaction:
        mining_queries().pull_guard(transaction, statement_timeout=str(TIMEOUT * 1000))
        found.append(transaction.run(query.statement, query.parameters, _fetch))
        # A savepoint that is released would leave role, schema and time limit as the guard has set them.
        raise _Done
    return found[0]


def _fetch(cursor: psycopg.Cursor[Any]) -> _Result:
    columns = cursor.description or ()
    times = tuple(column.name for column in columns if column.type_code == _TIMESTAMPTZ)
    return tuple(column.name for column in columns), times, cursor.fetchmany(MAX_ROWS + 1)


def _text(query: object) -> str:
    if type(query).__module__.partition(".")[0] == "psycopg2":
        raise validation.invalid(_QUERY, "is an object of psycopg2: compose it with psycopg.sql")
    if not isinstance(query, (sql.Composed, sql.SQL)):
        raise validation.invalid(_QUERY, "must be composed with psycopg.sql, or a named query")
    try:
        text = query.as_bytes(None).decode()
    except (psycopg.Error, ValueError, TypeError, RecursionError):
        text = ""
    if not text or len(text) > _MAX_BYTES or "\0" in text:
        raise validation.invalid(_QUERY, "cannot be composed: a literal in it has no form in SQL")
    return text


def _check_statement(code: Sequence[Token]) -> None:
    if any(token.text == ";" for token in code):
        raise validation.invalid(_QUERY, "must be one statement without a semicolon")
    first = next((token.text.upper() for token in code if token.kind == "word"), "")
    if first not in _READING or not effects.is_read_only(code):
        raise validation.invalid(_QUERY, "must only read; writes have methods of their own")
    for token in code:
        # A quote without an end comes as code.
        if (token.kind == "code" and token.text in "'\"$\\") or token.kind in {"dollar", "positional"}:
            raise validation.invalid(_QUERY, "has quotes that cannot be judged: bind the value")
        if token.kind in {"word", "identifier"} and _CATALOGUE.match(token.text.strip('"')):
            raise validation.invalid(_QUERY, "must not read PostgreSQL's catalogue")
    # U&"..." may spell any name.
    if any(token.text.upper() == "U" and after.text == "&" for token, after in pairwise(code)):
        raise validation.invalid(_QUERY, "has a name that cannot be judged: write it without U&")
    if effects.may_write(_functions(code)):
        raise validation.invalid(_QUERY, "calls a function that is not known to change nothing")


def _functions(code: Sequence[Token]) -> list[str]:
    names: list[str] = []
    before = ""
    for token, after in pairwise(code):
        if token.kind in {"word", "identifier"} and after.text == "(":
            name = token.text.lower() if token.kind == "word" else token.text[1:-1].replace('""', '"')
            if not (token.kind == "word" and name in _NO_FUNCTIONS) and before.upper() != "AS":
                names.append(name)
        before = token.text
    return [name for name in names if name not in _aliases(code)]


def _aliases(code: Sequence[Token]) -> set[str]:
    """Return what WITH names: ``WITH name (columns) AS``."""
    return {
        token.text.lower()
        for before, token, after in zip(code, code[1:], code[2:], strict=False)
        if before.text.upper() in {"WITH", "RECURSIVE"} and token.kind == "word" and after.text == "("
    }


@lru_cache(maxsize=256)
def _statement(text: bytes) -> Statement:
    # Marked as reading: it was checked above, more closely than the kernel does, and the transaction is read-only.
    return Statement(name="mining.custom_query", sql=text, reads=True)


def _parameters(text: str, params: object) -> Any:
    if params is not None and not isinstance(params, (list, tuple, Mapping)):
        raise validation.invalid(_PARAMS, "must be a list or a mapping")
    if not params:
        # The text goes as it is, and a % in it is one.
        return None
    found = list(_PLACEHOLDER.finditer(text))
    if isinstance(params, Mapping):
        given = validation.mapping(_PARAMS, params)
        wanted = {match["name"] for match in found if match["name"] is not None}
        if wanted != set(given) or any(match["positional"] for match in found):
            raise validation.invalid(_PARAMS, "must have the names of the placeholders")
        return {name: _value(f"{_PARAMS}.{name[:40]}", value) for name, value in given.items()}
    if len([match for match in found if match["positional"]]) != len(params) or any(match["name"] for match in found):
        raise validation.invalid(_PARAMS, "must have one value for each placeholder")
    return [_value(f"{_PARAMS}[{position}]", value) for position, value in enumerate(params)]


def _value(field: str, value: object) -> Any:
    if isinstance(value, (list, tuple)):
        return [_value(f"{field}[{position}]", member) for position, member in enumerate(value)]
    if isinstance(value, str):
        return validation.text(field, value, minimum=0, maximum=_MAX_TEXT)
    if isinstance(value, datetime):
        return values.moment(field, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return validation.integer(field, value, minimum=-validation.INT8_MAX - 1, maximum=validation.INT8_MAX)
    if isinstance(value, _SCALARS):
        return value
    raise ValidationError(f"{field} has a type that cannot be bound", field=field)
