"""How a database's tables are stored: read from its catalogs."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import psycopg

from surf_data.kernel.postgres import Session
from surf_data.review.analysis.grouping import by_number, by_relation
from surf_data.review.analysis.queries import review_queries
from surf_data.review.analysis.rows import ForeignKey
from surf_data.review.planning.catalog_rows import StoredColumn, StoredIndex, StoredTable
from surf_data.review.planning.scale_queries import scale_queries


@attrs.frozen(kw_only=True)
class StorageCatalog:
    """The tables of a database, as they are stored."""

    tables: Mapping[int, StoredTable]
    #: By table, then by number.
    columns: Mapping[int, Mapping[int, StoredColumn]]
    #: By table.
    indexes: Mapping[int, tuple[StoredIndex, ...]]
    #: The table that a column refers to, of those that are a foreign key by themselves: by table and number.
    references: Mapping[tuple[int, int], int]

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> "StorageCatalog":
        """Return what the catalogs say.

        Raises:
            DatabaseError: they cannot be read.
        """
        ask, session = scale_queries(), Session(connection)
        keys: list[ForeignKey] = review_queries().foreign_key_list(session)
        return cls(
            tables={table.id: table for table in ask.storage_table_list(session)},
            columns=by_number(ask.storage_column_list(session)),
            indexes=by_relation(ask.storage_index_list(session)),
            references={(key.relation, key.columns[0]): key.parent for key in keys if len(key.columns) == 1},
        )

    def name(self, table: int) -> str:
        """Return what a table is called, with its schema where that is needed."""
        found = self.tables[table]
        return found.name if found.is_visible else f"{found.schema}.{found.name}"

    def partitions(self, table: int) -> Iterator[int]:
        """Yield the tables that hold the rows of a table: itself, or the last of its partitions."""
        below = [each.id for each in self.tables.values() if each.parent == table]
        for partition in below:
            yield from self.partitions(partition)
        if self.tables[table].file is not None:
            yield table

    def is_unique(self, column: StoredColumn) -> bool:
        """Return whether no two rows of its table have the same value in a column."""
        return any(
            index.is_unique and index.condition is None and index.size == 1 and index.columns[0] == column.number
            for index in self.indexes.get(column.relation, ())
        )

    def reference(self, column: StoredColumn) -> int | None:
        """Return the table that a column refers to, if it is a foreign key by itself; a partition's as its table's."""
        found = self.references.get((column.relation, column.number))
        above = self.tables[column.relation].parent
        if found is not None or above is None:
            return found
        return next((self.reference(each) for each in self.columns[above].values() if each.name == column.name), None)
