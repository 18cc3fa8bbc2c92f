"""The rows of what the review asks of a database's catalogs: a field for each column, in the order of the columns."""

import attrs


@attrs.frozen
class Column:
    """A column of a table, view or composite type."""

    relation: int
    number: int
    name: str
    type: int
    #: Whether no row can hold null here, those that inherit from the table included.
    not_null: bool
    #: Whether a row that leaves it out has a value in it.
    has_default: bool
    #: Whether a row with null in it is refused, by the column or by its domain.
    needs_value: bool


@attrs.frozen
class ForeignKey:
    """A foreign key."""

    name: str
    relation: int
    columns: list[int]
    parent: int
    parent_columns: list[int]
    #: What happens to the rows here when the parent's row goes: ``c`` cascade, ``n`` set null, ``d`` set default, ``r``
    #: restrict, ``a`` nothing.
    on_delete: str
    #: The same when the parent's key changes.
    on_update: str
    #: Whether rows are looked up with null in some of the columns: ``MATCH FULL``.
    is_full: bool


@attrs.frozen
class Function:
    """A function."""

    id: int
    is_strict: bool
    is_volatile: bool
    name: str
    #: The name of a built-in function within the server.
    internal: str | None
    #: Whether it gives the same for the same arguments, always.
    is_immutable: bool


@attrs.frozen
class Index:
    """An index of a table; those of its partitions are one with it."""

    relation: int
    #: How many of `columns` are searched by; the rest is only stored along.
    size: int
    is_unique: bool
    name: str
    #: What it is over, in order; 0 for an expression.
    columns: list[int]
    #: The trees of its expressions.
    expressions: str | None
    #: Whether a primary key, a unique or an exclusion constraint is made of it.
    is_constraint: bool
    #: Whether it only summarises blocks, as BRIN does.
    is_summary: bool
    #: All columns that it depends on, those in expressions and in its condition included.
    mentioned: list[int]
    #: Which rows are in it; all if there is none.
    condition: str | None
    #: The names of its parts in the partitions.
    parts: list[str]


@attrs.frozen
class Key:
    """A unique key over columns."""

    relation: int
    #: How many of `columns` are the key; the rest is only stored along.
    size: int
    name: str
    columns: list[int]
    collations: list[int]
    families: list[int]
    #: The constraint that it is made for, if it is.
    constraint: int | None


@attrs.frozen
class Operator:
    """An operator that an index searches by."""

    operator: int
    family: int
    #: Whether it says "equal".
    is_equal: bool


@attrs.frozen
class Relation:
    """A table, view or the like."""

    id: int
    #: ``r`` table, ``p`` partitioned table, ``v`` view, ``m`` materialised view, ``f`` foreign table, ``S`` sequence.
    kind: str
    name: str
    #: Whether a key of it covers all rows that reading it gives.
    is_whole: bool
    has_rules: bool
    #: The name with the schema, as plans have it.
    qualified: str
    #: The partitioned table that it is a part of, at the top; of any other it is itself.
    root: int
    #: How many rows the planner was told of; ``None`` if it was told nothing.
    rows: int | None


@attrs.frozen
class Trigger:
    """A trigger that fires."""

    relation: int
    name: str
    #: Bits: 1 for each row, 2 before, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE, 64 instead.
    kind: int
    #: The columns of ``UPDATE OF``; none for any.
    columns: list[int]
    function: str


@attrs.frozen
class Type:
    """A type."""

    id: int
    #: ``b`` base, ``c`` composite, ``d`` domain, ``e`` enum, ``p`` pseudo, ``r`` range, ``m`` multirange.
    kind: str
    name: str
    #: Of an array, the type of its elements.
    element: int | None
    #: Of a domain, the type that it restricts.
    base: int | None


@attrs.frozen
class View:
    """What a view is a name for."""

    relation: int
    definition: str
