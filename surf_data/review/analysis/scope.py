"""Where a name in a query's tree leads: the tables of a query and of those around it."""

from collections.abc import Iterator
from typing import Any, cast

import attrs

from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.nodes import Node

#: The kinds of entries in a query's list of tables, as the server numbers them.
RELATION, SUBQUERY, JOIN, FUNCTION, VALUES, CTE, GROUP = "0", "1", "2", "3", "5", "6", "9"
SELECT, UPDATE, INSERT, DELETE, MERGE = "1", "2", "3", "4", "5"
INNER, LEFT, FULL, RIGHT = "0", "1", "2", "3"

#: A column of an entry of some query: the query, the entry, the column. With column 0, the entry's row as a whole.
Place = tuple[int, int, int]


@attrs.frozen(kw_only=True, eq=False)
class Scope:
    """A query, with the query around it."""

    query: Node
    catalog: Catalog
    parent: "Scope | None" = None
    #: What is sure not to be null in each row of the result, by the conditions: places here and in the queries around.
    proven: frozenset[Place] = frozenset()
    #: The same within a branch of CASE.
    branch: frozenset[Place] = frozenset()
    #: Whether expressions are seen from outside the groups, where a grouping set may have made them null.
    grouped: bool = True
    #: Which entries an outer join may fill with nulls.
    outer: frozenset[int] = attrs.field(
        default=attrs.Factory(lambda self: frozenset(_outer(self.query["jointree"])), takes_self=True)
    )

    @property
    def command(self) -> str:
        """What the query does: `SELECT`, `UPDATE`, ..."""
        return str(self.query["commandType"])

    def up(self, levels: int) -> "Scope":
        """Return the query so many levels around."""
        scope = self
        for _ in range(levels):
            # The server's own trees refer to nothing that is not there.
            scope = cast("Scope", scope.parent)
        return scope

    def below(self, query: Node) -> "Scope":
        """Return the scope of a query within this one."""
        return Scope(query=query, catalog=self.catalog, parent=self)

    def outside_branches(self) -> "Scope":
        """Return this scope as it is outside any branch of CASE, here and around."""
        parent = self.parent and self.parent.outside_branches()
        return attrs.evolve(self, branch=frozenset(), parent=parent)

    def entry(self, number: int) -> Node:
        """Return an entry of the list of tables, counted from 1."""
        return cast("Node", self.query.items("rtable")[number - 1])

    def place(self, variable: Node) -> Place:
        """Return which column a variable stands for."""
        owner = self.up(variable.number("varlevelsup"))
        return id(owner.query), variable.number("varno"), variable.number("varattno")

    def resolved(self, variable: Node) -> Node | None:
        """Return the expression that a variable of a join or a group is a name for; ``None`` for any other."""
        if variable["varlevelsup"] != "0":
            return None
        entry = self.entry(variable.number("varno"))
        expressions = entry.items("joinaliasvars") or entry.items("groupexprs")
        place = variable.number("varattno")
        return expressions[place - 1] if 0 < place <= len(expressions) else None

    def is_proven(self, place: Place) -> bool:
        """Return whether the conditions here or around say that ``place`` is not null."""
        scope: Scope | None = self
        while scope is not None:
            if place in scope.proven or place in scope.branch:
                return True
            scope = scope.parent
        return False

    def grouping_sets(self) -> bool:
        """Return whether rows are grouped in several ways at once, which leaves nulls in what is not grouped by."""
        return bool(self.query.items("groupingSets"))

    def group_expressions(self) -> frozenset[str]:
        """Return the expressions that are grouped by, as texts."""
        wanted = {clause["tleSortGroupRef"] for clause in self.query.items("groupClause")}
        return frozenset(
            target["expr"].text() for target in self.query.items("targetList") if target["ressortgroupref"] in wanted
        )

    def cte(self, entry: Node) -> "tuple[Node, Scope]":
        """Return the common table expression that an entry names, and the scope in which it was written."""
        owner = self.up(entry.number("ctelevelsup"))
        return next(cte for cte in owner.query.items("cteList") if cte["ctename"] == entry["ctename"]), owner


def joins(tree: Any) -> Iterator[Node]:
    """Yield the nodes of a join tree, without the conditions and what may be within them."""
    if isinstance(tree, Node):
        yield tree
        for child in (*tree.items("fromlist"), tree["larg"], tree["rarg"]):
            yield from joins(child)


def entries(tree: Any) -> Iterator[int]:
    """Yield the numbers of the entries that a part of a join tree is made of."""
    for node in joins(tree):
        if node.kind == "RANGETBLREF":
            yield node.number("rtindex")


def _outer(tree: Any) -> Iterator[int]:
    """Yield the entries below an outer join, on the side that it fills with nulls."""
    for node in joins(tree):
        if node.kind == "JOINEXPR":
            if node["jointype"] in {LEFT, FULL}:
                yield from _side(node["rarg"])
            if node["jointype"] in {RIGHT, FULL}:
                yield from _side(node["larg"])


def _side(tree: Node) -> Iterator[int]:
    # A join has an entry of its own, for its alias.
    return (node.number("rtindex") for node in joins(tree))
