"""The rows of what is asked about storage and statistics: a field for each column, in the order of the columns."""

import attrs


@attrs.frozen
class ExportedColumn:
    """A column of a running server, with what ANALYZE found out, if it did and the role may know."""

    schema: str
    relation: str
    name: str
    #: How many values are distinct; with a minus, the share of the rows; 0 when that is not known.
    distinct_values: float | None
    nulls: float | None
    width: int | None
    correlation: float | None


@attrs.frozen
class ExportedTable:
    """A table of a running server."""

    schema: str
    name: str
    #: As last counted; -1 when they never were.
    rows: float
    pages: int
    #: Pages that need no look by VACUUM.
    visible: int
    is_partitioned: bool
    #: Whether it is found without its schema.
    is_visible: bool


@attrs.frozen
class Layout:
    """How a server's files are cut."""

    #: Bytes of a page.
    page: int
    #: Bytes of a whole segment of a table.
    segment: int
    #: The database that was asked in.
    database: str


@attrs.frozen
class PlannerSetting:
    """A setting that decides which plan is the cheapest."""

    name: str
    value: str
    is_default: bool


@attrs.frozen
class StoredColumn:
    """A column, as it is stored."""

    relation: int
    number: int
    name: str
    not_null: bool
    #: Bytes of a value; -1 where they differ.
    length: int
    #: What the declaration adds to the type, such as a largest length.
    modifier: int
    #: The collation.
    sorting: int
    #: The type; of a domain the one that it restricts.
    type: int
    type_name: str
    #: How many values the type has, where they can be counted.
    values: int | None
    #: The operator that orders its values, if any does.
    smaller: int | None


@attrs.frozen
class StoredIndex:
    """An index, as it is stored."""

    relation: int
    id: int
    is_unique: bool
    #: How many of `columns` are the key; the rest is only stored along.
    size: int
    #: ``btree``, ``hash``, ``gin`` ...
    method: str
    #: Their numbers, 0 for an expression.
    columns: list[int]
    #: Which rows it holds, if not all.
    condition: str | None
    #: Whether equal keys can share an entry.
    shares_entries: bool
    #: Its first file, from the folder of the data.
    file: str


@attrs.frozen
class StoredTable:
    """A table, as it is stored."""

    id: int
    schema: str
    name: str
    #: The table that it is a partition of.
    parent: int | None
    #: Whether it is found without its schema.
    is_visible: bool
    #: The share of a page that is filled, in per cent.
    fill: int
    #: Its first file, from the folder of the data; ``None`` for a table of partitions.
    file: str | None
