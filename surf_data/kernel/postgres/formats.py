"""In which format the rows of a statement are asked for: binary, unless the driver knows a column's type only as text.

Of a type that it does not know, such as an enumeration, the driver hands on what PostgreSQL sends: a text in text
format, and bytes of no use in binary. So before a statement is first run, the server is asked for the types of its
columns.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import psycopg
from psycopg import generators
from psycopg._queries import PostgresQuery
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.array import ArrayLoader

from surf_data.kernel.postgres.session_queries import session_queries
from surf_data.kernel.postgres.statement import Statement

# The driver reads a row without a type of its own field by field, and would do so with each field as above.
_RECORDS = frozenset({psycopg.adapters.types["record"].oid, psycopg.adapters.types["record"].array_oid})


@attrs.frozen
class _Format:
    #: Whether rows are asked for in binary.
    binary: bool
    #: What reads arrays of types that the driver does not know, by the type of the array.
    arrays: tuple[tuple[int, type[ArrayLoader]], ...] = ()


_KNOWN: WeakKeyDictionary[Statement, _Format] = WeakKeyDictionary()


def is_binary(connection: psycopg.Connection[Any], statement: Statement, parameters: Mapping[str, Any]) -> bool:
    """Return whether to ask for the rows of ``statement`` in binary; it is found out once in a process.

    Arguments:
        connection: where it is about to run.
        statement: it.
        parameters: its parameters, which may decide what the columns are.

    Raises:
        psycopg.Error: the server refuses the statement.
    """
    if statement.is_plain:
        return True
    found = _KNOWN.get(statement)
    if found is None:
        with _one_backend(connection):
            found = _found(connection, _columns(connection, statement, parameters))
        _KNOWN[statement] = found
    for array, loader in found.arrays:
        connection.adapters.register_loader(array, loader)
    return found.binary


def forget() -> None:
    """Forget what is known, after a table has changed."""
    _KNOWN.clear()


def _one_backend(connection: psycopg.Connection[Any]) -> AbstractContextManager[object]:
    """Return what keeps a pooler from sending the parts of a question to different servers."""
    idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
    return connection.transaction() if idle and connection.prepare_threshold is None else nullcontext()


def _columns(connection: psycopg.Connection[Any], statement: Statement, parameters: Mapping[str, Any]) -> list[int]:
    """Return the types of the columns."""
    query = PostgresQuery(Transformer(connection))
    query.convert(statement.sql, parameters)
    server = connection.pgconn
    # Another thread may use the same connection.
    with connection.lock:
        server.send_prepare(b"", query.query, param_types=query.types)
        _answer(connection)
        server.send_describe_prepared(b"")
        described = _answer(connection)
    return [described.ftype(column) for column in range(described.nfields)]


def _answer(connection: psycopg.Connection[Any]) -> PGresult:
    result: PGresult = connection.wait(generators.execute(connection.pgconn))[-1]
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, connection.info.encoding)
    return result


def _found(connection: psycopg.Connection[Any], types: Sequence[int]) -> _Format:
    unknown = [each for each in types if not is_known(connection.adapters, each)]
    if not unknown:
        return _Format(binary=True)
    query: Any = session_queries().type_elements
    found = connection.execute(query.sql.encode(), {"types": unknown}).fetchall()
    return _Format(binary=False, arrays=tuple((array, _loader(element, mark)) for array, element, mark in found))


def _loader(element: int, delimiter: str) -> type[ArrayLoader]:
    """Return what reads an array in text format.

    Arguments:
        element: the type of its elements.
        delimiter: what stands between them.
    """
    return type("_ArrayLoader", (ArrayLoader,), {"base_oid": element, "delimiter": delimiter.encode()})


def is_known(adapters: AdaptersMap, oid: int) -> bool:
    """Return whether the driver can read a type in binary, down to its elements.

    Arguments:
        adapters: those of a connection.
        oid: the type.
    """
    if oid in _RECORDS or adapters.get_loader(oid, Format.BINARY) is None:
        return False
    info = adapters.types.get(oid)
    return info is None or info.oid == oid or is_known(adapters, info.oid)
