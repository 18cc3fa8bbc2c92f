"""One append-only table, described by its columns and the query functions of its domain."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import attrs
from psycopg.types.numeric import Int2, Int4

from surf_data.kernel import validation
from surf_data.kernel.postgres import Json

#: An entry: the columns by name. The id is ``None`` until one has been reserved.
Entry = dict[str, Any]

# COPY's binary format wants exactly the column's type, and an int would be stored in a float8 by its bits. Of other
# types psycopg sends what the Python type says.
_CONVERTED: dict[str, Callable[[Any], Any]] = {"int2": Int2, "int4": Int4, "float8": float, "numeric": Decimal}


@attrs.frozen
class Column:
    """A column of a journal's table."""

    #: What ``insert_many`` calls the array of its values.
    array: str
    #: Its type, as PostgreSQL names it without arguments: ``int8``, ``text``, ``jsonb``, ``timestamptz``.
    type: str


def _name(_: object, __: object, value: str) -> None:
    validation.identifier("name", value, marks="_.")


def _reader(columns: Mapping[str, Column]) -> Callable[[Entry], tuple[Any, ...]]:
    values = itemgetter(*columns)
    converters = [_CONVERTED.get(column.type) for column in columns.values()]
    if not any(converters):
        return values
    return lambda entry: tuple(
        value if convert is None or value is None else convert(value)
        for convert, value in zip(converters, values(entry), strict=True)
    )


@attrs.frozen(kw_only=True, eq=False)
class JournalTable:
    """An append-only table: what a `Journal` has to know of it, and the statements that write to it.

    The statements are the domain's, from its ``.sql`` files. Values are of the types ``bool``, ``int``, ``float``,
    ``str``, ``bytes``, ``Decimal``, ``UUID``, ``date``, aware ``datetime``, IP addresses and networks, and
    `surf_data.kernel.postgres.Json`. Every parameter has a cast, because a spooled value comes back as text.
    """

    #: ``lamps.activity_log``: what its spool files and log records are called.
    name: str = attrs.field(validator=_name)
    #: Its columns in the order of ``copy_many``, the id and the time included.
    columns: Mapping[str, Column]
    #: ``reserve(executor, number=n)`` returns so many new ids in ascending order; ``None`` for no ids.
    reserve: Callable[..., Any]
    #: ``insert(executor, **entry)`` writes one entry of those columns that the caller gave.
    insert: Callable[..., Any]
    #: ``insert_once(executor, **entry)`` writes one entry of all columns, and nothing if it is there: ON CONFLICT DO
    #: NOTHING.
    insert_once: Callable[..., Any]
    #: ``insert_many(executor, **arrays)`` writes many in the same way, from one array for each column.
    insert_many: Callable[..., Any]
    #: ``copy_many(executor)`` is a COPY of all columns in the binary format.
    copy_many: Callable[..., Any]
    #: The column that identifies an entry.
    id: str = "id"
    #: The column of its time, which the journal fills in unless the caller gives one. A repetition has the same.
    time: str = "created_at"
    #: Nullable columns that refer to other tables. A spooled entry whose row is gone by then is written without them.
    references: tuple[str, ...] = ()
    #: Columns whose length counts for the memory that a buffer takes.
    large: tuple[str, ...] = ()
    #: Returns the values of an entry in the order of the columns.
    row: Callable[[Entry], tuple[Any, ...]] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: _reader(self.columns), takes_self=True)
    )

    def characters(self, entry: Entry) -> int:
        """Return how long an entry's large columns are together."""
        characters = 0
        for column in self.large:
            value = entry[column]
            if value is not None:
                characters += len(value.text) if type(value) is Json else len(value)
        return characters

    def entry(self, values: Mapping[str, Any]) -> Entry:
        """Return values as an entry of this table: without an id and of now, unless they say otherwise."""
        return {self.id: None, self.time: datetime.now(UTC), **values}
