"""What a query reads and changes on a cluster, and what of it is sure to be equal.

One shard serves a query when each of its distributed tables has one value in its distribution column, and all of them
the same. A column has a value by ``WHERE``, by a join, by what a query around it says of it or one within it: wherever
PostgreSQL itself hands the value on, and so Citus sees it.
"""

from collections.abc import Iterator
from typing import Any

import attrs

from surf_data.review.analysis import conditions, nullability
from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.assignments import uncast
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.scope import Place, Scope
from surf_data.review.distribution.layout import Distributed, Layout

# A value in the place of a column: what it is written as.
Value = str
# EXCEPT, and ``WITH ... AS MATERIALIZED``, by the server's numbers.
_EXCEPT = "3"
_MATERIALIZED = "1"
# ``WHEN MATCHED``, likewise.
_MATCHED = "0"


@attrs.frozen(eq=False)
class Use:
    """A table that a query names, at one place."""

    scope: Scope
    #: The number of its entry, counted from 1.
    entry: int
    #: The table, a partition as its table.
    relation: int
    #: How it is distributed; ``None`` if it is not.
    distributed: Distributed | None
    #: Whether it is what the query changes.
    is_target: bool

    @property
    def place(self) -> Place | None:
        """The distribution column, if there is one."""
        return (id(self.scope.query), self.entry, self.distributed.number) if self.distributed else None


@attrs.frozen(eq=False)
class _Equality:
    """Two sides that are equal wherever a row comes of them."""

    left: Place | Value
    right: Place | Value
    #: Which of the sides have a value by the other one's: all, or those that an outer join fills up.
    learns: tuple[bool, bool]


class Reading:
    """Reads a query.

    Arguments:
        scope: the query.
        layout: where tables are.
    """

    def __init__(self, scope: Scope, layout: Layout) -> None:
        self._layout = layout
        #: Each query in it, itself first.
        self.queries: list[Scope] = []
        #: The tables.
        self.uses: list[Use] = []
        self._equal: list[_Equality] = []
        self._visit(scope, ())
        #: The values that places are sure to have.
        self.known: dict[Place, set[Value]] = {}
        #: Places that are sure to be equal, by one of them.
        self._class: dict[Place, Place] = {}
        self._settle()

    @property
    def distributed(self) -> list[Use]:
        """The tables in shards."""
        return [use for use in self.uses if use.distributed is not None]

    def values(self, use: Use) -> set[Value]:
        """Return the values that the distribution column of a table is sure to have; none if it may have any."""
        return self.known.get(use.place, set()) if use.place is not None else set()

    def are_equal(self, one: Place, other: Place) -> bool:
        """Return whether two places are sure to be equal."""
        return self._first(one) == self._first(other)

    def _visit(self, scope: Scope, views: tuple[int, ...]) -> None:
        query = scope.query
        self.queries.append(scope)
        target = query.number("resultRelation")
        mentioned = {*scopes.entries(query["jointree"]), target}
        for number, entry in enumerate(query.items("rtable"), 1):
            kind = entry["rtekind"]
            if kind == scopes.SUBQUERY:
                self._link(scope, number, scope.below(entry["subquery"]), views)
            elif kind == scopes.RELATION and number in mentioned:
                relation = entry.number("relid")
                view = scope.catalog.views.get(relation)
                if view is not None and relation not in views:
                    inner = Scope(query=view, catalog=scope.catalog)
                    self._link(scope, number, inner, (*views, relation))
                    continue
                known = scope.catalog.relations.get(relation)
                root = relation if known is None else known.root
                distributed = self._layout.distributed.get(root)
                self.uses.append(Use(scope, number, root, distributed, number == target))
        for cte in query.items("cteList"):
            self._visit(scope.below(cte["ctequery"]), views)
        for number, entry in enumerate(query.items("rtable"), 1):
            # Only after all are visited: one may name another.
            if entry["rtekind"] == scopes.CTE:
                cte, owner = scope.cte(entry)
                inner = owner.below(cte["ctequery"])
                self._columns(scope, number, inner, hands_down=_is_inlined(cte))
        for node in within(query):
            if node.kind == "SUBLINK":
                self._visit(scope.below(node["subselect"]), views)
        self._equalities(scope, query["jointree"])
        self._inserted(scope)

    def _link(self, scope: Scope, number: int, inner: Scope, views: tuple[int, ...]) -> None:
        self._visit(inner, views)
        self._columns(scope, number, inner, hands_down=True)

    def _columns(self, scope: Scope, number: int, inner: Scope, *, hands_down: bool) -> None:
        """Note that the columns of an entry are those of the query that it names."""
        query = inner.query
        if isinstance(query["setOperations"], Node):
            self._branches(scope, number, inner, hands_down=hands_down)
            return
        limited = any(isinstance(query[each], Node) for each in ("limitCount", "limitOffset"))
        for position, target in enumerate(nullability.targets(query), 1):
            place = self.side(target["expr"], inner)
            if place is not None:
                down = hands_down and not limited and _passes(target, query)
                self._equal.append(_Equality((id(scope.query), number, position), place, (True, down)))

    def _branches(self, scope: Scope, number: int, inner: Scope, *, hands_down: bool) -> None:
        """Note that a condition on a column of a UNION is one on the column of each of its queries."""
        query = inner.query
        limited = any(isinstance(query[each], Node) for each in ("limitCount", "limitOffset"))
        operations = [node for node in query["setOperations"].walk() if node.kind == "SETOPERATIONSTMT"]
        down = hands_down and not limited and all(node["op"] != _EXCEPT for node in operations)
        for position, _ in enumerate(nullability.targets(query), 1):
            for branch in scopes.entries(query["setOperations"]):
                place = (id(query), branch, position)
                self._equal.append(_Equality((id(scope.query), number, position), place, (False, down)))

    def _equalities(self, scope: Scope, tree: Any) -> None:
        for node in scopes.joins(tree):
            # A MERGE's condition is in its join, or by itself from PostgreSQL 17 on.
            is_merged = node is tree and scope.command == scopes.MERGE
            self._equate(scope, node["quals"], _merged(scope.query) if is_merged else _filled(node))
        self._equate(scope, scope.query["mergeJoinCondition"], _merged(scope.query))

    def _equate(self, scope: Scope, quals: Any, filled: set[int] | None) -> None:
        """Note what a condition says is equal; of the entries that are given, or of all."""
        for left, right in self.equalities(scope, quals):
            learns = tuple(filled is None or _entry(each, scope) in filled for each in (left, right))
            self._equal.append(_Equality(left, right, (learns[0], learns[1])))

    def equalities(self, scope: Scope, quals: Any) -> Iterator[tuple[Place | Value, Place | Value]]:
        """Yield what a condition says is equal."""
        for condition in conditions.conjuncts(quals):
            if condition.kind != "OPEXPR" or condition.number("opno") not in scope.catalog.equal_operators:
                continue
            sides = [self.side(each, scope) for each in condition.items("args")]
            left, right = sides if len(sides) == 2 else (None, None)  # noqa: PLR2004 - two sides
            if left is not None and right is not None:
                yield left, right

    def _inserted(self, scope: Scope) -> None:
        """Note what an INSERT puts into the distribution column."""
        query = scope.query
        if query["commandType"] != scopes.INSERT:
            return
        number = query.number("resultRelation")
        for target in query.items("targetList"):
            side = self.side(target["expr"], scope)
            if side is not None:
                place = (id(query), number, target.number("resno"))
                self._equal.append(_Equality(place, side, (True, False)))

    def side(self, expression: Node, scope: Scope) -> Place | Value | None:
        """Return what an expression is: a column's place, a value that the caller gives, or neither."""
        bare = uncast(expression)
        if bare.kind == "CONST" or (bare.kind == "PARAM" and bare["paramkind"] == "0"):
            return bare.text() if bare.kind == "CONST" else parameter(bare.number("paramid"))
        while expression.kind == "RELABELTYPE":
            expression = expression["arg"]
        if expression.kind != "VAR":
            return None
        owner = scope.up(expression.number("varlevelsup"))
        local = owner.resolved(expression) if owner is scope else None
        if local is not None:
            return self.side(local, scope)
        return scope.place(expression)

    def _settle(self) -> None:
        changed = True
        while changed:
            changed = False
            for each in self._equal:
                pairs = ((each.left, each.right, each.learns[0]), (each.right, each.left, each.learns[1]))
                for one, other, learns in pairs:
                    if learns and not isinstance(one, str):
                        values = {other} if isinstance(other, str) else self.known.get(other, set())
                        new = values - self.known.get(one, set())
                        if new:
                            self.known.setdefault(one, set()).update(new)
                            changed = True
        for each in self._equal:
            if not isinstance(each.left, str) and not isinstance(each.right, str):
                self._class[self._first(each.left)] = self._first(each.right)

    def _first(self, place: Place) -> Place:
        while place in self._class and self._class[place] != place:
            place = self._class[place]
        return place


def parameter(number: int) -> Value:
    """Return what stands for a parameter among the values."""
    return f"${number}"


def within(node: Node) -> Iterator[Node]:
    """Yield all nodes of a query's own, without those of the queries in it."""
    for child in node.children():
        if child.kind != "QUERY":
            yield child
            yield from within(child)


def _filled(node: Node) -> set[int] | None:
    """Return the entries that a join fills up, which alone are bound by its condition; ``None`` if it fills none."""
    kind = node["jointype"] if node.kind == "JOINEXPR" else scopes.INNER
    if kind == scopes.INNER:
        return None
    sides = {scopes.LEFT: ("rarg",), scopes.RIGHT: ("larg",)}.get(kind, ())
    return {number for side in sides for number in scopes.entries(node[side])}


def _merged(query: Node) -> set[int] | None:
    """Return the entries that alone are bound by a MERGE's condition; ``None`` if all are."""
    actions = query.items("mergeActionList")
    is_inner = all(action["matchKind"] == _MATCHED or action.true("matched") for action in actions)
    return None if is_inner else {query.number("resultRelation")}


def _entry(side: Place | Value, scope: Scope) -> int:
    """Return the entry of a place in this query; 0 for what is not in it."""
    return side[1] if not isinstance(side, str) and side[0] == id(scope.query) else 0


def _is_inlined(cte: Node) -> bool:
    """Return whether a common table expression is read as if it stood where its name does."""
    single = cte.number("cterefcount") == 1 and not cte.true("cterecursive")
    return single and cte["ctematerialized"] != _MATERIALIZED and cte["ctequery"]["commandType"] == scopes.SELECT


def _passes(target: Node, query: Node) -> bool:
    """Return whether a condition on a column of a query may be looked at before its rows are grouped."""
    clauses = query.items("distinctClause") or query.items("groupClause")
    grouped = {clause["tleSortGroupRef"] for clause in clauses}
    if not clauses:
        return not query.true("hasAggs") and not query.true("hasWindowFuncs")
    return target["ressortgroupref"] in grouped
