"""How many rows a query can give: exactly one, at most one, or any number."""

from collections.abc import Iterator

import attrs

from surf_data.review.analysis import conditions
from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.rows import Key
from surf_data.review.analysis.scope import Scope


@attrs.frozen
class Rows:
    """How many rows there can be."""

    #: Whether there is always one.
    at_least_one: bool
    #: Whether there is never a second one.
    at_most_one: bool
    #: Why.
    reason: str

    @property
    def exactly_one(self) -> bool:
        """Whether there is one row, always."""
        return self.at_least_one and self.at_most_one

    def __str__(self) -> str:
        if self.at_most_one:
            return "exactly one" if self.at_least_one else "at most one"
        return "one or more" if self.at_least_one else "many"


_ONE = Rows(at_least_one=True, at_most_one=True, reason="there is nothing to read rows from")
_NONE_OR_ONE = attrs.evolve(_ONE, at_least_one=False)
# A subquery in the place of an expression, as the server numbers their kinds.
_ONE_VALUE = "4"
# Where a node has the function that it calls.
_CALLS = ("funcid", "opfuncid")
_MANY = Rows(at_least_one=False, at_most_one=False, reason="no condition picks a single row")


def of_query(scope: Scope) -> Rows:
    """Return how many rows a query gives, or changes."""
    query = scope.query
    if query["commandType"] == scopes.SELECT:
        return _limited(_selected(scope), query)
    if query["commandType"] == scopes.INSERT:
        return _inserted(scope)
    if query["commandType"] in {scopes.UPDATE, scopes.DELETE}:
        return _changed(scope)
    return attrs.evolve(_MANY, reason="MERGE may change any number of rows")


def _limited(rows: Rows, query: Node) -> Rows:
    limit, offset = query["limitCount"], query["limitOffset"]
    # 1 is WITH TIES.
    if isinstance(limit, Node) and query["limitOption"] != "1" and not rows.at_most_one and _constant(limit) == 1:
        rows = attrs.evolve(rows, at_most_one=True, reason="LIMIT 1")
    if isinstance(offset, Node) or (isinstance(limit, Node) and (_constant(limit) or 0) < 1):
        rows = attrs.evolve(rows, at_least_one=False)
    if any(mark["waitPolicy"] == "1" for mark in query.items("rowMarks")):
        # SKIP LOCKED.
        rows = attrs.evolve(rows, at_least_one=False)
    return rows


def _constant(expression: Node) -> int | None:
    if expression.kind == "FUNCEXPR" and expression["funcformat"] == "2":
        # An integer is implicitly made a bigint.
        return _constant(expression.items("args")[0])
    if expression.kind != "CONST" or expression.true("constisnull"):
        return None
    # The bytes are as the machine has them, and little-endian on every one that these servers run on.
    return int.from_bytes(bytes(value & 0xFF for value in expression.items("constvalue")), "little", signed=True)


def _selected(scope: Scope) -> Rows:
    query = scope.query
    if isinstance(query["setOperations"], Node):
        return _combined(query["setOperations"], scope)
    if query.true("hasTargetSRFs"):
        return attrs.evolve(_MANY, reason="a function in the SELECT list returns rows")
    if query.items("groupingSets"):
        return attrs.evolve(_MANY, reason="grouping sets give a row each")
    groups = query.items("groupClause")
    having = isinstance(query["havingQual"], Node)
    if not groups and (query.true("hasAggs") or having):
        return Rows(at_least_one=not having, at_most_one=True, reason="an aggregate over all rows")
    rows = _read(scope)
    if groups and not rows.at_most_one and _grouped_by_one_value(scope):
        return attrs.evolve(rows, at_most_one=True, reason="all rows are in one group")
    return attrs.evolve(rows, at_least_one=rows.at_least_one and not having)


def _combined(tree: Node, scope: Scope) -> Rows:
    if tree.kind == "RANGETBLREF":
        return _of_entry(scope.entry(tree.number("rtindex")), scope)
    left, right = (_combined(tree[side], scope) for side in ("larg", "rarg"))
    if tree["op"] == "1":
        least = left.at_least_one or right.at_least_one
        return Rows(at_least_one=least, at_most_one=False, reason="UNION of several queries")
    # INTERSECT and EXCEPT leave some of the left side's rows.
    return attrs.evolve(left, at_least_one=False)


def _inserted(scope: Scope) -> Rows:
    query = scope.query
    sources = [scope.entry(number) for number in scopes.entries(query["jointree"])]
    rows = attrs.evolve(_ONE, reason="one row of VALUES")
    if sources:
        rows = _of_entry(sources[0], scope)
    conflict = query["onConflict"]
    # 1 is DO NOTHING.
    if isinstance(conflict, Node) and (conflict["action"] == "1" or isinstance(conflict["onConflictWhere"], Node)):
        rows = attrs.evolve(rows, at_least_one=False)
    oid = scope.entry(query.number("resultRelation")).number("relid")
    # The bits that triggers have for INSERT, and for the UPDATE of a conflict.
    fires = 4 | (16 if isinstance(conflict, Node) and conflict["action"] == "2" else 0)
    # A trigger before or instead of it may leave a row out.
    triggers = scope.catalog.triggers.get(oid, ())
    known = scope.catalog.relations.get(oid)
    certain = known is not None and known.kind in {"r", "p"} and not known.has_rules
    if not certain or any(trigger.kind & 1 and trigger.kind & 2 and trigger.kind & fires for trigger in triggers):
        rows = attrs.evolve(rows, at_least_one=False)
    return rows


def _changed(scope: Scope) -> Rows:
    # Each row of the table is changed at most once, whatever it is joined with.
    result = scope.query.number("resultRelation")
    condition = scope.query["jointree"]["quals"]
    if isinstance(condition, Node) and condition.kind == "CURRENTOFEXPR":
        return attrs.evolve(_NONE_OR_ONE, reason="the row of a cursor")
    single = _Single(scope)
    if result in single.found:
        return attrs.evolve(_NONE_OR_ONE, reason=single.found[result])
    return _MANY


def _read(scope: Scope) -> Rows:
    """Return how many rows FROM and WHERE give."""
    tree = scope.query["jointree"]
    numbers = list(scopes.entries(tree))
    filtered = isinstance(tree["quals"], Node)
    if not numbers:
        return attrs.evolve(_ONE, at_least_one=not filtered)
    if any(node["jointype"] == scopes.FULL for node in scopes.joins(tree)):
        return attrs.evolve(_MANY, reason="a FULL JOIN keeps the rows of both sides")
    single = _Single(scope)
    least = not filtered and all(_always(child, scope) for child in tree.items("fromlist"))
    if all(number in single.found for number in numbers):
        reasons = dict.fromkeys(single.found[number] for number in numbers)
        return Rows(at_least_one=least, at_most_one=True, reason="; ".join(reasons))
    return attrs.evolve(_MANY, at_least_one=least)


def _always(tree: Node, scope: Scope) -> bool:
    """Return whether a part of the join tree always gives a row."""
    if tree.kind == "RANGETBLREF":
        return _of_entry(scope.entry(tree.number("rtindex")), scope).at_least_one
    kind = tree["jointype"]
    if kind == scopes.LEFT:
        return _always(tree["larg"], scope)
    if kind == scopes.RIGHT:
        return _always(tree["rarg"], scope)
    joined = kind == scopes.INNER and not isinstance(tree["quals"], Node)
    return joined and _always(tree["larg"], scope) and _always(tree["rarg"], scope)


def _of_entry(entry: Node, scope: Scope) -> Rows:
    """Return how many rows an entry gives by itself."""
    kind = entry["rtekind"]
    if kind == scopes.SUBQUERY:
        return of_query(scope.below(entry["subquery"]))
    if kind == scopes.CTE and not scope.cte(entry)[0].true("cterecursive"):
        cte, owner = scope.cte(entry)
        return of_query(owner.below(cte["ctequery"]))
    if kind == scopes.VALUES:
        return Rows(at_least_one=True, at_most_one=len(entry.items("values_lists")) == 1, reason="the rows of VALUES")
    if kind == scopes.FUNCTION:
        calls = [call["funcexpr"] for call in entry.items("functions")]
        if not any(node.true("funcretset") or node.true("opretset") for call in calls for node in call.walk()):
            return attrs.evolve(_ONE, reason="a function that returns one value")
    if kind == scopes.RELATION and (view := scope.catalog.views.get(entry.number("relid"))):
        return of_query(Scope(query=view, catalog=scope.catalog))
    return _MANY


class _Single:
    """Finds the entries of which there is at most one row, given the rows of the others.

    Arguments:
        scope: the query.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._equal = list(self._equalities(scope.query["jointree"]))
        #: Those that were found, with the reason.
        self.found: dict[int, str] = {}
        numbers = [*scopes.entries(scope.query["jointree"])]
        if scope.command != scopes.SELECT:
            numbers.append(scope.query.number("resultRelation"))
        while any(self._try(number) for number in numbers if number not in self.found):
            pass

    def _equalities(self, tree: Node) -> Iterator[tuple[Node, Node, Node]]:
        """Yield the equalities that hold for every row: the operator, one side, the other."""
        for node in scopes.joins(tree):
            # An equality of an outer join's own condition binds the side that it fills up, and only that.
            filled = self._filled(node)
            for condition in conditions.conjuncts(node["quals"]):
                if condition.kind != "OPEXPR" or condition.number("opno") not in self._scope.catalog.equal_operators:
                    continue
                left, right = condition.items("args")
                for one, other in ((left, right), (right, left)):
                    variable = self._variable(one)
                    if variable is not None and (filled is None or variable.number("varno") in filled):
                        yield condition, variable, other

    def _filled(self, node: Node) -> set[int] | None:
        kind = node["jointype"] if node.kind == "JOINEXPR" else scopes.INNER
        if kind == scopes.LEFT:
            return set(scopes.entries(node["rarg"]))
        if kind == scopes.RIGHT:
            return set(scopes.entries(node["larg"]))
        return None if kind == scopes.INNER else set()

    def _variable(self, expression: Node) -> Node | None:
        while expression.kind == "RELABELTYPE":
            expression = expression["arg"]
        if expression.kind != "VAR" or expression["varlevelsup"] != "0":
            return None
        other = self._scope.resolved(expression)
        return expression if other is None else self._variable(other)

    def _try(self, number: int) -> bool:
        entry = self._scope.entry(number)
        reason = self._reason(number, entry)
        if reason is not None:
            self.found[number] = reason
        return reason is not None

    def _reason(self, number: int, entry: Node) -> str | None:
        if entry["rtekind"] == scopes.RELATION:
            relation = self._scope.catalog.relations.get(entry.number("relid"))
            whole = relation is not None and (relation.is_whole or not entry.true("inh"))
            for key in self._scope.catalog.keys.get(entry.number("relid"), ()) if whole else ():
                if all(self._pinned(number, key, place) for place in range(key.size)):
                    return f"the whole key {key.name} is given"
        rows = _of_entry(entry, self._scope)
        return rows.reason if rows.at_most_one else None

    def _pinned(self, number: int, key: Key, place: int) -> bool:
        return any(
            variable.number("varno") == number
            and variable.number("varattno") == key.columns[place]
            and (operator.number("opno"), key.families[place]) in self._scope.catalog.equalities
            and operator.number("inputcollid") == key.collations[place]
            and self._given(value)
            for operator, variable, value in self._equal
        )

    def _given(self, value: Node) -> bool:
        """Return whether an expression has one value, given the rows of the entries that were found."""
        if value.kind == "SUBLINK":
            # It is run once for the statement, if it does not look at the rows around it.
            single = value["subLinkType"] == _ONE_VALUE and not _looks_out(value["subselect"], 0)
            return single and all(self._is_stable(node) for node in value.walk())
        if value.kind == "VAR" and value["varlevelsup"] == "0":
            variable = self._variable(value)
            if variable is None or variable.number("varno") not in self.found:
                return False
        return self._is_stable(value) and all(self._given(child) for child in value.children())

    def _is_stable(self, node: Node) -> bool:
        """Return whether a node, whatever is below it, has the same value however often it is asked for."""
        called = [self._scope.catalog.functions.get(node.number(each)) for each in _CALLS if node[each]]
        volatile = any(function is None or function.is_volatile for function in called)
        return not volatile and node.kind != "NEXTVALUEEXPR"


def _looks_out(node: Node, depth: int) -> bool:
    """Return whether something depends on the queries around it.

    Arguments:
        node: where to look, and below.
        depth: how many queries the node is in, counted from where the search began.
    """
    depth += node.kind == "QUERY"
    levels = max(node.number(field) for field in ("varlevelsup", "ctelevelsup", "agglevelsup"))
    return levels >= max(depth, 1) or any(_looks_out(child, depth) for child in node.children())


def _grouped_by_one_value(scope: Scope) -> bool:
    """Return whether everything that is grouped by is equal to something that is given."""
    return _Groups(scope).single()


class _Groups(_Single):
    """Finds whether there is only one group."""

    def single(self) -> bool:
        """Return whether every expression that is grouped by has one value in all rows."""
        clauses = {clause["tleSortGroupRef"]: clause["eqop"] for clause in self._scope.query.items("groupClause")}
        grouped = [
            (target["expr"], clauses[target["ressortgroupref"]])
            for target in self._scope.query.items("targetList")
            if target["ressortgroupref"] in clauses
        ]
        return all(self._one(expression, operator) for expression, operator in grouped)

    def _one(self, expression: Node, equal: str) -> bool:
        variable = self._variable(expression)
        return variable is not None and any(
            operator["opno"] == equal
            and operator.number("inputcollid") == other.number("varcollid")
            and other.number("varno") == variable.number("varno")
            and other.number("varattno") == variable.number("varattno")
            and self._given(value)
            for operator, other, value in self._equal
        )
