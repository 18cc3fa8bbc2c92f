"""What follows from a declared scale: the size of each file, and what ANALYZE would have found in each column."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import attrs

from surf_data.errors import ConfigurationError
from surf_data.review.planning.catalog_reader import StorageCatalog
from surf_data.review.planning.catalog_rows import StoredColumn, StoredIndex
from surf_data.review.planning.scale import ColumnScale, Scale, TableScale, at

#: How many values ANALYZE notes of a column, so that there are a hundred spans between them.
BOUNDS = 101

# Whole numbers, by the bits of their types.
_WHOLE = {"int2": 16, "int4": 32, "int8": 64}
_NUMBERS = frozenset({*_WHOLE, "float4", "float8", "numeric"})
_TIMES = frozenset({"date", "timestamp", "timestamptz"})
# PostgreSQL's own guess at values of any length; what a declared length adds to it ends at 1,000 bytes.
_GUESS, _GUESSED = 32, 1000
_LIMITED = frozenset({"bpchar", "varchar"})
# Bytes: a page's head, a row's head before its map of nulls, the place of a row or an entry in its page.
_PAGE_HEAD, _ROW_HEAD, _POINTER = 24, 23, 4
# Bytes of an index entry's head, and of each row in an entry that rows share; how many may share it.
_ENTRY_HEAD, _SHARED, _SHARING = 8, 6, 130
# The part of a page that is filled when an index is built or grows at its end, and when it grows in its midst; from
# which order of the rows on it grows at its end.
_BUILT, _GROWN, _ORDERED = 0.9, 0.7, 0.9
# Pages of a table that an entry of a BRIN index stands for.
_BRIN_SPAN = 128


@attrs.frozen(kw_only=True)
class Statistic:
    """What ANALYZE would have found in a column."""

    relation: int
    number: int
    #: Whether it is of a table together with its partitions.
    inherited: bool
    nulls: float
    width: int
    #: As PostgreSQL counts: how many; or with a minus the share of the rows; 0 when that is not known.
    distinct_values: float
    type: int
    smaller: int | None
    #: The collation.
    sorting: int
    #: An array of values.
    histogram: str | None
    correlation: float | None
    #: Of a boolean: which share of the rows is true, and which is false.
    shares: tuple[float, float] | None


@attrs.frozen(kw_only=True)
class Size:
    """How large a table or an index is."""

    id: int
    rows: float
    pages: int
    #: Pages that need no look by VACUUM.
    visible: int


@attrs.frozen(kw_only=True)
class Missing:
    """What a scale says nothing of, and nothing else does."""

    table: str
    #: ``None`` where nothing is said of the whole table.
    column: str | None
    #: ``distinct``, ``nulls``, ``width``.
    keys: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as a message has it."""
        return self.table if self.column is None else f"{self.table}.{self.column} ({', '.join(self.keys)})"


def fitting(storage: StorageCatalog, scale: Scale) -> Scale:
    """Return what of a scale can be said of tables: without tables and columns that are not there, or are others.

    Arguments:
        storage: the tables.
        scale: what is declared of those of another revision.
    """

    def fits(name: str, declared: TableScale) -> bool:
        try:
            Estimates(storage, attrs.evolve(scale, tables={name: declared}), page=1)
        except ConfigurationError:
            return False
        return True

    bare = {name: attrs.evolve(declared, columns={}) for name, declared in scale.tables.items()}
    tables = {
        name: attrs.evolve(
            declared,
            columns={
                column: said
                for column, said in declared.columns.items()
                if fits(name, attrs.evolve(declared, columns={column: said}))
            },
        )
        for name, declared in scale.tables.items()
        if fits(name, bare[name])
    }
    return attrs.evolve(scale, tables=tables)


class Estimates:
    """Reckons with a scale.

    Arguments:
        storage: the tables.
        scale: what is declared of them.
        page: bytes of a page.

    Raises:
        ConfigurationError: the scale names what is not there, or says what cannot be.
    """

    def __init__(self, storage: StorageCatalog, scale: Scale, page: int) -> None:
        self._storage = storage
        self._scale = scale
        self._page = page
        self._now = datetime.now(UTC)
        #: What is declared, by table, tables of partitions included.
        self._named: dict[int, TableScale] = dict(self._matched())
        #: What follows from it for each table that has rows of its own.
        self.tables: Mapping[int, TableScale] = dict(self._spread())

    def _matched(self) -> Iterator[tuple[int, TableScale]]:
        names = {f"{table.schema}.{table.name}": table.id for table in self._storage.tables.values()}
        names |= {self._storage.name(table): table for table in self._storage.tables}
        seen: set[int] = set()
        for name, declared in self._scale.tables.items():
            table = names.get(name)
            if table is None:
                raise self._scale.error(("tables", name), "there is no such table")
            if table in seen:
                raise self._scale.error(("tables", name), "is there under another name, too")
            seen.add(table)
            columns = {column.name: column for column in self._storage.columns.get(table, {}).values()}
            for column, said in declared.columns.items():
                place = ("tables", name, "columns", column)
                if column not in columns:
                    raise self._scale.error(place, "there is no such column")
                self._check(place, said, columns[column])
            yield table, declared

    def _check(self, place: tuple[str, ...], said: ColumnScale, column: StoredColumn) -> None:
        if said.nulls and column.not_null:
            raise self._scale.error((*place, "nulls"), "must be 0, for the column is NOT NULL")
        if said.true is not None and column.type_name != "bool":
            raise self._scale.error((*place, "true"), f"does not fit the type {column.type_name}")
        if said.range is None:
            return
        low, high = (at(bound, self._now) for bound in said.range)
        limit = 2 ** (_WHOLE.get(column.type_name, math.inf) - 1)
        fits = (
            column.type_name in _TIMES
            if isinstance(low, datetime)
            else column.type_name in _NUMBERS and (-limit <= low and high < limit)
        )
        if not fits:
            raise self._scale.error((*place, "range"), f"does not fit the type {column.type_name}")

    def _spread(self) -> Iterator[tuple[int, TableScale]]:
        for table, declared in self._named.items():
            holding = list(self._storage.partitions(table))
            if holding == [table]:
                yield table, declared
                continue
            # Evenly over the partitions of which nothing else is said.
            rest = [partition for partition in holding if partition not in self._named]
            rows = declared.rows - sum(self._named[each].rows for each in holding if each in self._named)
            for partition in rest:
                share = max(rows, 0) // len(rest)
                pages = None if declared.pages is None else declared.pages // len(rest)
                yield partition, attrs.evolve(declared, rows=share, pages=pages)

    def undeclared(self) -> Iterator[Missing]:
        """Yield what had to be guessed."""
        for table in self._storage.tables.values():
            name = self._storage.name(table.id)
            declared = self._named.get(table.id)
            if declared is None:
                if table.id not in self.tables and table.file is not None:
                    yield Missing(table=name, column=None, keys=())
                continue
            for column in self._storage.columns.get(table.id, {}).values():
                if keys := tuple(self._guessed(column, declared)):
                    yield Missing(table=name, column=column.name, keys=keys)

    def _guessed(self, column: StoredColumn, declared: TableScale) -> Iterator[str]:
        said = declared.columns.get(column.name, ColumnScale())
        # What has no order is not looked for by value either.
        if column.smaller is not None and self._distinct(column, declared) is None:
            yield "distinct"
        if said.nulls is None and not column.not_null:
            yield "nulls"
        if said.width is None and column.length < 0:
            yield "width"

    def table(self, table: int) -> Size:
        """Return how large a table is."""
        declared = self.tables[table]
        pages = declared.pages
        if pages is None:
            columns = self._storage.columns.get(table, {}).values()
            nullable = any(self._nulls(column, declared) for column in columns)
            head = _aligned(_ROW_HEAD + (math.ceil(len(columns) / 8) if nullable else 0))
            row = head + _aligned(self._bytes(columns, declared)) + _POINTER
            filled = (self._page - _PAGE_HEAD) * self._storage.tables[table].fill / 100
            pages = math.ceil(declared.rows / max(filled // row, 1))
        return Size(id=table, rows=declared.rows, pages=pages, visible=int(pages * declared.visible))

    def index(self, index: StoredIndex, rows: float) -> Size:
        """Return how large an index is.

        Arguments:
            index: the index.
            rows: how many rows it holds.
        """
        declared = self.tables[index.relation]
        columns = [self._storage.columns[index.relation].get(number) for number in index.columns]
        known = [column for column in columns if column is not None]
        key = self._bytes(known, declared) + _GUESS * (len(columns) - len(known))
        if index.method == "btree":
            size = rows * self._entry(index, _aligned(_ENTRY_HEAD + key) + _POINTER, rows)
        elif index.method == "brin":
            size = self.table(index.relation).pages / _BRIN_SPAN * (_aligned(_ENTRY_HEAD + 2 * key) + _POINTER)
        elif index.method == "hash":
            size = rows * (_aligned(_ENTRY_HEAD + 4) + _POINTER) / _BUILT
        else:
            # What others keep of a value depends on the value.
            size = rows * (_ENTRY_HEAD + key + _POINTER) / _BUILT
        # One page says where the rest is.
        return Size(id=index.id, rows=rows, pages=1 + math.ceil(size / (self._page - _PAGE_HEAD)), visible=0)

    def _entry(self, index: StoredIndex, entry: int, rows: float) -> float:
        """Return the bytes that a row takes in a B-tree, where rows with equal keys share an entry."""
        columns = self._storage.columns[index.relation]
        declared = self.tables[index.relation]
        distinct = 1.0
        for number in index.columns:
            column = columns.get(number)
            distinct *= (column and self._distinct(column, declared)) or declared.rows or 1
        equal = rows / min(distinct, rows) if rows else 1.0
        if not index.is_unique and index.shares_entries and equal >= 2:  # noqa: PLR2004 - one does not share
            return (_SHARED + math.ceil(equal / _SHARING) * entry / equal) / _BUILT
        first = columns.get(index.columns[0])
        order = declared.columns.get(first.name, ColumnScale()).correlation if first else None
        return entry / (_BUILT if abs(order or 0) >= _ORDERED else _GROWN)

    def _bytes(self, columns: Iterable[StoredColumn], declared: TableScale) -> int:
        """Return how many bytes values take one after the other, each where its type wants it to begin."""
        end = 0.0
        for column in columns:
            if column.length in {2, 4, 8}:
                end = math.ceil(end / column.length) * column.length
            end += self._width(column, declared) * (1 - self._nulls(column, declared))
        return math.ceil(end)

    def statistics(self) -> Iterator[Statistic]:
        """Yield what ANALYZE would have found in the columns of which something is known."""
        for table, declared in self.tables.items():
            for column in self._storage.columns.get(table, {}).values():
                yield self._statistic(column, declared, inherited=False)
        for table, declared in self._named.items():
            if table not in self.tables:
                for column in self._storage.columns.get(table, {}).values():
                    yield self._statistic(column, declared, inherited=True)

    def _statistic(self, column: StoredColumn, declared: TableScale, *, inherited: bool) -> Statistic:
        said = declared.columns.get(column.name, ColumnScale())
        nulls = self._nulls(column, declared)
        distinct = self._distinct(column, declared)
        given = declared.rows * (1 - nulls)
        return Statistic(
            relation=column.relation,
            number=column.number,
            inherited=inherited,
            nulls=nulls,
            width=round(self._width(column, declared)),
            distinct_values=0.0 if distinct is None else nulls - 1 if distinct >= given else distinct,
            type=column.type,
            smaller=column.smaller,
            sorting=column.sorting,
            histogram=None if said.range is None else self._histogram(said, column),
            correlation=said.correlation if column.smaller is not None else None,
            shares=None if said.true is None else (said.true * (1 - nulls), (1 - said.true) * (1 - nulls)),
        )

    def _histogram(self, said: ColumnScale, column: StoredColumn) -> str | None:
        low, high = (at(bound, self._now) for bound in said.range or ())
        spans = min(BOUNDS, said.distinct or BOUNDS) - 1
        values = [low + (high - low) * (step / spans) for step in range(spans + 1)] if spans > 0 else []
        if column.type_name in _WHOLE:
            values = sorted({round(value) for value in values})
        elif column.type_name == "date":
            values = sorted({value.date() for value in values})
        return f"{{{','.join(map(_quoted, values))}}}" if len(values) > 1 else None

    def _nulls(self, column: StoredColumn, declared: TableScale) -> float:
        said = declared.columns.get(column.name, ColumnScale())
        return said.nulls or 0.0

    def _distinct(self, column: StoredColumn, declared: TableScale) -> float | None:
        said = declared.columns.get(column.name, ColumnScale())
        if said.distinct is not None:
            return said.distinct
        if self._storage.is_unique(column):
            return declared.rows
        parent = self._named.get(self._storage.reference(column) or 0)
        return column.values if parent is None else min(parent.rows, declared.rows)

    def _width(self, column: StoredColumn, declared: TableScale) -> float:
        said = declared.columns.get(column.name, ColumnScale())
        if said.width is not None:
            return said.width
        if column.length > 0:
            return column.length
        longest = column.modifier - _POINTER if column.type_name in _LIMITED and column.modifier > 0 else 0
        return _GUESS + max(min(longest, _GUESSED) - _GUESS, 0) / 2 if longest > _GUESS else longest or _GUESS


def _aligned(size: float) -> int:
    return math.ceil(size / 8) * 8


def _quoted(value: Any) -> str:
    return f'"{value.isoformat() if isinstance(value, (date, datetime)) else value}"'
