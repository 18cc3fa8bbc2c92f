"""Which columns of a result are sure not to be null, and why.

Every claim rests on something the server enforces: a NOT NULL column that no outer join can fill up, a condition that a
null cannot meet, a function that is known never to return null for anything else. Whatever is not known may be null.
"""

from collections.abc import Iterable, Mapping

import attrs

from surf_data.review.analysis import cardinality, conditions, never_null
from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.expressions import KINDS, Claim, maybe, sure
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.scope import Scope

#: The columns of a recursive query while it is being looked at, by its query's identity.
_Assumed = Mapping[int, list[Claim]]


def targets(query: Node) -> list[Node]:
    """Return what a query gives: the entries of its SELECT list or of its RETURNING clause."""
    given = query.items("targetList" if query["commandType"] == scopes.SELECT else "returningList")
    return [target for target in given if not target.true("resjunk")]


def columns(scope: Scope, assumed: _Assumed | None = None) -> list[Claim]:
    """Return what is known of each column of a query's result."""
    return Columns(assumed or {}).of_query(scope)


class Columns:
    """Looks at expressions.

    Arguments:
        assumed: what is taken for granted of recursive queries.
    """

    def __init__(self, assumed: _Assumed) -> None:
        self._assumed = assumed
        self._known: dict[int, list[Claim]] = {}

    def of_query(self, scope: Scope) -> list[Claim]:
        """Return what is known of each column of a query's result."""
        if id(scope.query) not in self._known:
            self._known[id(scope.query)] = self._of_query(scope)
        return self._known[id(scope.query)]

    def _of_query(self, scope: Scope) -> list[Claim]:
        combined = scope.query["setOperations"]
        if isinstance(combined, Node):
            return self._combined(combined, scope)
        proven = conditions.of_query(scope)
        if scope.command in {scopes.UPDATE, scopes.MERGE}:
            # What is returned is the row as it has become.
            result = scope.query.number("resultRelation")
            proven = frozenset(place for place in proven if place[:2] != (id(scope.query), result))
        inner = attrs.evolve(scope, proven=proven)
        return [self.of(target["expr"], inner) for target in targets(scope.query)]

    def _combined(self, tree: Node, scope: Scope) -> list[Claim]:
        if tree.kind == "RANGETBLREF":
            return self._entry(scope.entry(tree.number("rtindex")), scope)
        left, right = (self._combined(tree[side], scope) for side in ("larg", "rarg"))
        # 1 is UNION; a row of INTERSECT and EXCEPT is a row of the left side.
        if tree["op"] != "1":
            return left
        pairs = zip(left, right, strict=False)
        return [one if not one.not_null else other if not other.not_null else one for one, other in pairs]

    def _entry(self, entry: Node, scope: Scope) -> list[Claim]:
        """Return the columns of an entry by itself, before any join."""
        kind = entry["rtekind"]
        if kind == scopes.SUBQUERY:
            return self.of_query(scope.below(entry["subquery"]))
        if kind == scopes.CTE:
            return self._cte(entry, scope)
        if kind == scopes.VALUES:
            rows = [[self.of(value, scope) for value in row] for row in entry.items("values_lists")]
            return [
                next((claim for claim in column if not claim.not_null), column[0])
                for column in zip(*rows, strict=False)
            ]
        if kind == scopes.FUNCTION:
            return self._function(entry, scope)
        return []

    def _function(self, entry: Node, scope: Scope) -> list[Claim]:
        functions = entry.items("functions")
        if len(functions) != 1:
            return []
        [call] = functions
        expression, count = call["funcexpr"], call.number("funccolcount")
        claim = maybe("a function may return null")
        function = scope.catalog.functions.get(expression.number("funcid"))
        if function and function.internal in never_null.ROWS:
            claim = sure(f"{function.name}() returns no null")
        elif count == 1 and not expression.true("funcretset"):
            claim = self.of(expression, scope)
        given = [claim] * count
        return [*given, sure("WITH ORDINALITY counts")] if entry.true("funcordinality") else given

    def _cte(self, entry: Node, scope: Scope) -> list[Claim]:
        cte, owner = scope.cte(entry)
        query = cte["ctequery"]
        if id(query) in self._assumed:
            return self._assumed[id(query)]
        inner = owner.below(query)
        if not cte.true("cterecursive"):
            return self.of_query(inner)
        # Nothing is null, until a row shows that it can be: of the first rows, or of those made from rows before.
        claims = [sure("recursive") for _ in targets(query)]
        while True:
            found_now = Columns({**self._assumed, id(query): claims}).of_query(inner)
            if [claim.not_null for claim in found_now] == [claim.not_null for claim in claims]:
                return found_now
            claims = found_now

    def of(self, expression: Node, scope: Scope) -> Claim:
        """Return whether an expression is sure not to be null."""
        if scope.grouped and scope.grouping_sets() and expression.text() in scope.group_expressions():
            return maybe("a grouping set leaves it out")
        if expression.kind == "VAR":
            return self._variable(expression, scope)
        if expression.kind == "SUBLINK":
            return self._sublink(expression, scope)
        look = KINDS.get(expression.kind)
        return maybe(f"not known: {expression.kind}") if look is None else look(self, expression, scope)

    def unsure(self, expressions: Iterable[Node], scope: Scope) -> Claim | None:
        """Return the first claim that something may be null; ``None`` when all is sure."""
        claims = (self.of(each, scope) for each in expressions)
        return next((claim for claim in claims if not claim.not_null), None)

    def _variable(self, variable: Node, scope: Scope) -> Claim:
        owner = scope.up(variable.number("varlevelsup"))
        place = scope.place(variable)
        entry = owner.entry(variable.number("varno"))
        is_result = _is_result(variable, owner)
        if is_result and not _existed(variable, owner):
            return maybe("there may be no such row before or after")
        if owner.command == scopes.MERGE and not is_result:
            return maybe("MERGE may find no such row")
        if owner is not scope and owner.grouping_sets():
            return maybe("a grouping set leaves it out")
        other = scope.resolved(variable)
        if other is not None and not variable["varnullingrels"]:
            return self.of(other, scope)
        if scope.is_proven(place):
            return sure("a condition excludes null")
        filled = place[1] in owner.outer or bool(variable["varnullingrels"])
        if filled and not scope.is_proven((*place[:2], 0)):
            return maybe("an outer join may find no row")
        return self._own(variable, entry, owner)

    def _own(self, variable: Node, entry: Node, owner: Scope) -> Claim:
        """Return whether a column is null in a row that its entry gives."""
        number = variable.number("varattno")
        if entry["rtekind"] == scopes.RELATION:
            return self._column(variable, entry, owner)
        given = self._entry(entry, owner.outside_branches())
        return given[number - 1] if 0 < number <= len(given) else maybe("a row may be null as a whole")

    def _column(self, variable: Node, entry: Node, owner: Scope) -> Claim:
        relation, number = entry.number("relid"), variable.number("varattno")
        catalog = owner.catalog
        known = catalog.relations.get(relation)
        if _is_result(variable, owner) and (known is None or known.has_rules or known.kind == "v"):
            return maybe("a view or a rule decides what is returned")
        view = catalog.views.get(relation)
        if view is not None:
            given = self.of_query(Scope(query=view, catalog=catalog))
            return given[number - 1] if 0 < number <= len(given) else maybe("a column of a view")
        kind = entry["relkind"]
        if number <= 0:
            # A system column, or the row as a whole: other relations have no rows of their own.
            return sure("every row has it") if kind in {"r", "p"} else maybe("not known of this relation")
        column = catalog.column(relation, number)
        name = catalog.column_name(relation, number)
        if column is not None and column.not_null:
            return sure(f"{name} is NOT NULL")
        return maybe(f"{name} may be null")

    def _sublink(self, link: Node, scope: Scope) -> Claim:
        kind = link["subLinkType"]
        # 0 EXISTS, 1 ALL, 2 ANY, 4 a value, 6 ARRAY.
        if kind in {"0", "6"}:
            return sure("EXISTS is true or false" if kind == "0" else "ARRAY is empty without a row")
        inner = scope.below(link["subselect"])
        if kind == "2":
            # Where the subquery's columns are no nulls, neither are the values that stand for them in the comparison.
            unsure = next((claim for claim in self.of_query(inner) if not claim.not_null), None)
            return unsure or self.of(link["testexpr"], scope)
        if kind != "4":
            return maybe("a comparison with a subquery may be null")
        if not cardinality.of_query(inner).exactly_one:
            return maybe("a subquery without a row is null")
        return self.of_query(inner)[0]


def _is_result(variable: Node, owner: Scope) -> bool:
    return owner.command != scopes.SELECT and variable.number("varno") == owner.query.number("resultRelation")


def _existed(variable: Node, owner: Scope) -> bool:
    """Return whether RETURNING has the row that a variable is of: INSERT has no ``old`` one, DELETE no ``new`` one."""
    wanted = variable["varreturningtype"] or "0"
    if wanted == "0":
        return True
    if wanted == "1":
        return owner.command in {scopes.UPDATE, scopes.DELETE}
    return owner.command in {scopes.UPDATE, scopes.INSERT}
