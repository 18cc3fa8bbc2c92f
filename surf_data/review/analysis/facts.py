"""What is known of a query: values, made by `surf_data.review.analysis.analyse`."""

from collections.abc import Mapping

import attrs

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.cardinality import Rows
from surf_data.review.analysis.nodes import Node

#: PostgreSQL's table locks by the number that it has for them, weakest first.
LOCKS: Mapping[int, str] = {
    1: "ACCESS SHARE",
    2: "ROW SHARE",
    3: "ROW EXCLUSIVE",
    4: "SHARE UPDATE EXCLUSIVE",
    5: "SHARE",
    6: "SHARE ROW EXCLUSIVE",
    7: "EXCLUSIVE",
    8: "ACCESS EXCLUSIVE",
}


@attrs.frozen(kw_only=True)
class ColumnType:
    """A type."""

    #: PostgreSQL's number for it. Of a domain it is that of the type that it restricts, as the server sends it.
    oid: int
    #: PostgreSQL's name for it.
    name: str
    #: ``b`` base, ``c`` composite, ``d`` domain (within an array), ``e`` enum, ``p`` pseudo, ``r`` range, ``m``
    #: multirange.
    kind: str
    #: Of an array, the type of its elements.
    element: "ColumnType | None"


@attrs.frozen(kw_only=True)
class Parameter:
    """A parameter."""

    name: str
    type: ColumnType
    #: The columns that it is stored in as it is: ``lamp_registry.name``.
    stored_in: tuple[str, ...]
    #: Whether null makes sense.
    nullable: bool
    #: Why it does not; empty if it does.
    reason: str
    #: Whether the query says its type: by a cast, or by the column that it is stored in or compared with. Otherwise it
    #: has the type that PostgreSQL's rules prefer there.
    is_typed: bool


@attrs.frozen(kw_only=True)
class CastColumn:
    """A column that is compared only after it was cast, so that an index on it does not serve."""

    #: The table.
    table: str
    #: The column's name.
    name: str
    #: The column's type.
    type: str
    #: The type that it is cast to.
    cast: str
    #: The index.
    index: str
    #: The parameter that it is compared with, if it is one.
    parameter: str | None


@attrs.frozen(kw_only=True)
class ResultColumn:
    """A column of the result."""

    name: str
    type: ColumnType
    #: Whether it may be null. If not, it never is.
    nullable: bool
    #: Why.
    reason: str
    #: The column that it is taken from as it is, if it is.
    origin: str | None


@attrs.frozen(kw_only=True)
class Access:
    """What a query does with a table."""

    table: str
    #: ``SELECT``, ``INSERT``, ``UPDATE``, ``DELETE``, in this order.
    operations: tuple[str, ...]
    #: The lock on the table.
    lock: str
    #: The lock on each row that is found, ``None`` for none: ``FOR NO KEY UPDATE``.
    row_lock: str | None
    columns_read: tuple[str, ...]
    columns_written: tuple[str, ...]
    #: Of these, the columns that are changed in rows which are there.
    columns_updated: tuple[str, ...]
    #: The view through which it is reached, if it is.
    through: str | None


@attrs.frozen(kw_only=True)
class Facts:
    """A query that was analysed."""

    query: QuerySource
    #: ``SELECT``, ``INSERT``, ``UPDATE``, ``DELETE``, ``MERGE``, or the first word of another statement.
    command: str
    parameters: tuple[Parameter, ...]
    #: The columns of the result, ``None`` when the statement has none.
    columns: tuple[ResultColumn, ...] | None
    #: How many rows it gives, or changes.
    rows: Rows
    #: Whether the order of the rows is given.
    is_ordered: bool
    tables: tuple[Access, ...]
    #: Columns whose indexes do not serve, because of a cast.
    casts: tuple[CastColumn, ...]
    #: Volatile functions that it calls.
    volatile_functions: tuple[str, ...]
    #: Triggers that it fires: ``lamp_registry.touch() by trigger t``.
    triggers: tuple[str, ...]
    #: What follows for other tables by foreign keys.
    cascades: tuple[str, ...]
    #: Whether it could run in a read-only transaction, such as on a replica.
    read_only: bool
    #: Why it is not read-only, if it is not.
    writes: tuple[str, ...]
    #: What is wrong with it, in words to act on.
    problems: tuple[str, ...]
    #: What the server made of it; its text is equal for queries that mean the same.
    tree: Node = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Refusal:
    """A query that cannot be analysed."""

    query: QuerySource
    #: Why, in words to act on.
    reason: str
    #: The line of the file at fault.
    line: int
    #: PostgreSQL's error code, if it refused the query.
    sqlstate: str | None = None


#: What comes of a query.
Outcome = Facts | Refusal
