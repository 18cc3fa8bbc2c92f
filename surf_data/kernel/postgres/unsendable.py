"""Which parameter the driver cannot send: it is missing, or nothing can be made of its type or its value."""

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer

from surf_data.errors import DatabaseError, DatabaseUnavailable, DeadlineExceeded
from surf_data.kernel.postgres.statement import Statement
from surf_data.kernel.postgres.translation import VALUE_ERRORS

_PLACEHOLDER = re.compile(rb"%%|%\((\w+)\)s")


def named(
    error: Exception, connection: psycopg.Connection[Any], statement: Statement, parameters: Mapping[str, Any]
) -> Exception:
    """Return what a caller gets in the place of ``error`` when a parameter was not sent.

    Arguments:
        error: how the statement has ended.
        connection: where it was to run.
        statement: it.
        parameters: its parameters.

    Returns:
        ``error`` itself when it was not a parameter.
    """
    if not isinstance(error, DatabaseError) or error.sqlstate is not None:
        return error
    if isinstance(error, DatabaseUnavailable | DeadlineExceeded):
        return error
    problem = _problem(connection, statement.sql, parameters)
    return error if problem is None else DatabaseError(f"{statement.name} failed: {problem}", query=statement.name)


def _problem(connection: psycopg.Connection[Any], sql: bytes, parameters: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the first parameter that cannot be sent."""
    transformer = Transformer(connection)
    for placeholder in filter(None, _PLACEHOLDER.findall(sql)):
        name = placeholder.decode()
        if name not in parameters:
            return f"the parameter {name} is missing"
        if (value := parameters[name]) is None:
            continue
        try:
            transformer.get_dumper(value, PyFormat.AUTO).dump(value)
        except psycopg.ProgrammingError:
            return f"the parameter {name} has an unknown type"
        except (psycopg.Error, *VALUE_ERRORS) as error:
            return f"the parameter {name} cannot be sent ({type(error).__name__})"
    return None
