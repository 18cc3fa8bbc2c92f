"""Where the tables of a schema are on a cluster, by what a scale declares."""

from collections.abc import Iterator, Mapping

import attrs

from surf_data.errors import ConfigurationError
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.rows import Column, Relation
from surf_data.review.planning.scale import Scale


@attrs.frozen(kw_only=True)
class Distributed:
    """A table in shards."""

    #: The name of the column that decides the shard, and its number.
    column: str
    number: int
    #: The table with which its shards begin: those of one group with equal values are on one node.
    group: int


@attrs.frozen(kw_only=True)
class Layout:
    """Where tables are: by the number of the relation, partitions as their table."""

    distributed: Mapping[int, Distributed] = attrs.field(factory=dict)
    references: frozenset[int] = frozenset()
    #: The tables of which it is declared that they stay where they are. So do those of which nothing is.
    local: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.distributed or self.references)

    @classmethod
    def of(cls, catalog: Catalog, scale: Scale, *, is_own: bool = True) -> "Layout":
        """Return where tables are.

        Arguments:
            catalog: the schema.
            scale: what is declared.
            is_own: whether it was written for this schema. Of another's, only what fits is taken.

        Raises:
            ConfigurationError: it names a table or a column that is not there, or columns that do not match.
        """
        found = _Names(catalog, scale)
        distributed: dict[int, Distributed] = {}
        references: set[int] = set()
        local: set[int] = set()
        for name, placement in scale.placements().items():
            try:
                table = found.table(name)
                if placement.column is not None:
                    column, group = found.column(name, placement.column), table.id
                    if placement.beside is not None:
                        group = found.matched(name, column, placement.beside).id
                    distributed[table.id] = Distributed(column=column.name, number=column.number, group=group)
                    continue
            except ConfigurationError:
                if is_own:
                    raise
                continue
            (references if placement.is_reference else local).add(table.id)
        return cls(distributed=distributed, references=frozenset(references), local=frozenset(local))


@attrs.frozen
class _Names:
    """Finds what a scale names."""

    catalog: Catalog
    scale: Scale

    def table(self, name: str) -> Relation:
        for each in self._named(name):
            return each
        raise self.scale.error(("tables", name), "there is no such table")

    def column(self, name: str, wanted: str) -> Column:
        for column in self.catalog.columns[self.table(name).id].values():
            if column.name == wanted:
                return column
        raise self.scale.error(("tables", name, "distribute"), f"there is no column {wanted}")

    def matched(self, name: str, column: Column, beside: str) -> Relation:
        """Return the table beside which another lies, after comparing the types of their columns."""
        other = self.column(beside, self.scale.placements()[beside].column or "")
        if other.type != column.type:
            own, theirs = (self.catalog.type_name(each.type) for each in (column, other))
            problem = f"{column.name} is {own}, and {other.name} of {beside} is {theirs}"
            raise self.scale.error(("tables", name, "with"), problem)
        return self.table(beside)

    def _named(self, name: str) -> Iterator[Relation]:
        for each in self.catalog.relations.values():
            # A view holds no rows of its own; a partition is where its table is.
            if each.kind in {"r", "p"} and each.root == each.id and name in {each.name, each.qualified}:
                yield each
