"""What the review knows of a database: read from its catalogs once, before the queries are looked at."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import psycopg

from surf_data.kernel.postgres import Session
from surf_data.review.analysis import nodes
from surf_data.review.analysis.grouping import by_number, by_relation
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.queries import review_queries
from surf_data.review.analysis.rows import Column, ForeignKey, Function, Index, Key, Relation, Trigger, Type, View


@attrs.frozen(kw_only=True)
class Catalog:
    """The catalogs of one database at one moment."""

    #: Columns by relation, then by number.
    columns: Mapping[int, Mapping[int, Column]]
    #: The operators that say "equal", with the families in which they do.
    equalities: frozenset[tuple[int, int]]
    #: The same operators alone.
    equal_operators: frozenset[int]
    foreign_keys: tuple[ForeignKey, ...]
    functions: Mapping[int, Function]
    #: Indexes by relation.
    indexes: Mapping[int, tuple[Index, ...]]
    #: Unique keys by relation.
    keys: Mapping[int, tuple[Key, ...]]
    relations: Mapping[int, Relation]
    #: The operators that indexes search by: equal, less, greater.
    search_operators: frozenset[int]
    #: Bytes that are sorted in memory: ``work_mem``.
    sort_memory: int
    #: Triggers by relation.
    triggers: Mapping[int, tuple[Trigger, ...]]
    types: Mapping[int, Type]
    #: The query of each view.
    views: Mapping[int, Node]

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> "Catalog":
        """Return the catalogs that ``connection`` sees.

        Raises:
            DatabaseError: they cannot be read.
        """
        ask, session = review_queries(), Session(connection)
        operators = ask.operator_list(session)
        equalities = [(each.operator, each.family) for each in operators if each.is_equal]
        return cls(
            columns=by_number(ask.column_list(session)),
            equalities=frozenset(equalities),
            equal_operators=frozenset(operator for operator, _ in equalities),
            foreign_keys=tuple(ask.foreign_key_list(session)),
            functions={each.id: each for each in ask.function_list(session)},
            indexes=by_relation(ask.index_list(session)),
            keys=by_relation(ask.key_list(session)),
            relations={each.id: each for each in ask.relation_list(session)},
            search_operators=frozenset(each.operator for each in operators),
            sort_memory=ask.sort_memory(session) or 0,
            triggers=by_relation(ask.trigger_list(session)),
            types={each.id: each for each in ask.type_list(session)},
            views=dict(_views(ask.view_list(session))),
        )

    def type_name(self, oid: int) -> str:
        """Return what PostgreSQL calls a type."""
        found = self.types.get(oid)
        return f"type {oid}" if found is None else found.name

    def relation_name(self, oid: int) -> str:
        """Return the name of a relation, with its schema where that is needed."""
        found = self.relations.get(oid)
        return f"relation {oid}" if found is None else found.name

    def named(self, qualified: str | None) -> Relation | None:
        """Return the relation of a name with its schema, as plans have it; ``None`` if there is none."""
        return next((each for each in self.relations.values() if each.qualified == qualified), None)

    def column(self, relation: int, number: int) -> Column | None:
        """Return a column; ``None`` for a system column."""
        return self.columns.get(relation, {}).get(number)

    def column_name(self, relation: int, number: int) -> str:
        """Return ``table.column``."""
        column = self.column(relation, number)
        return f"{self.relation_name(relation)}.{column.name if column else '*'}"


def _views(rows: list[View]) -> Iterator[tuple[int, Node]]:
    for row in rows:
        [query] = nodes.read(row.definition)
        yield row.relation, query
