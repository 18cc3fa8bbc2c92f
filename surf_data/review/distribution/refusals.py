"""Why a cluster refuses a query: what Citus says it cannot do, found in the query's tree."""

from collections.abc import Iterator
from itertools import combinations

from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.assignments import is_null, uncast
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.scope import Place, Scope
from surf_data.review.distribution.layout import Layout
from surf_data.review.distribution.reading import Reading, Use, within

# Where a node has the function that it calls.
_CALLS = ("funcid", "opfuncid", "aggfnoid", "winfnoid")
# What depends on the moment or the session without being a function, and what takes the next number of a sequence.
_STABLE, _VOLATILE = frozenset({"SQLVALUEFUNCTION"}), frozenset({"NEXTVALUEEXPR"})
# ``WHEN NOT MATCHED BY SOURCE``, by the server's number.
_ONLY_IN_TARGET = "1"
_CHANGES = frozenset({scopes.UPDATE, scopes.DELETE})


def refused_writes(reading: Reading, layout: Layout) -> Iterator[str]:
    """Yield why the changes of a query are refused, whichever shards they are in."""
    for use in reading.uses:
        query = use.scope.query
        command = query["commandType"]
        if use.is_target and command == scopes.MERGE:
            yield from _merging(reading, use, layout)
        if not use.is_target or not _is_known(use, layout):
            continue
        yield from _moved(use)
        if command in _CHANGES:
            yield from _changing(reading, use.scope)
        if command == scopes.INSERT:
            yield from _inserting(use)
        if any(_mutable(each, use.scope.catalog) for each in query.items("returningList")):
            yield "RETURNING calls what is not immutable"


def refused_reads(reading: Reading) -> Iterator[str]:
    """Yield why a query that is not on one shard is refused."""
    for scope in reading.queries:
        direct = [use for use in reading.distributed if use.scope is scope and not use.is_target]
        query = scope.query
        if direct and query.items("rowMarks"):
            yield "it locks rows of several shards"
        if direct and query.items("groupingSets"):
            yield "it groups rows of several shards in several ways"
        for cte in query.items("cteList"):
            if cte.true("cterecursive") and _reads(reading, cte["ctequery"]):
                yield "WITH RECURSIVE reads several shards"
        # What MERGE joins by other columns is sent to its shards.
        if query["commandType"] != scopes.MERGE:
            yield from _joins(reading, [use for use in reading.distributed if use.scope is scope])
        yield from _correlated(reading, scope)


def _is_known(use: Use, layout: Layout) -> bool:
    """Return whether a table is the cluster's, in shards or whole on each node."""
    return use.distributed is not None or use.relation in layout.references


def _actions(query: Node, command: str) -> Iterator[Node]:
    """Yield what a MERGE puts into columns where it updates or inserts."""
    for action in query.items("mergeActionList"):
        if action["commandType"] == command:
            yield from action.items("targetList")


def _merging(reading: Reading, use: Use, layout: Layout) -> Iterator[str]:
    """Yield why a MERGE is refused."""
    query, catalog = use.scope.query, use.scope.catalog
    sources = [each for each in reading.uses if each is not use]
    if use.distributed is None:
        if use.relation in layout.references:
            yield "MERGE changes a table that is whole on each node"
        elif any(each.distributed for each in sources):
            yield "MERGE changes a table of the coordinator by rows of shards"
        return
    if not sources or not all(_is_known(each, layout) for each in sources):
        yield "MERGE takes rows from what is neither in shards nor whole on each node"
    if query.items("returningList"):
        yield "MERGE has RETURNING"
    if any(action["matchKind"] == _ONLY_IN_TARGET for action in query.items("mergeActionList")):
        yield "MERGE has WHEN NOT MATCHED BY SOURCE"
    if any(_mutable(each.query, catalog) for each in reading.queries):
        yield "MERGE calls what is not immutable"
    joined = set(_joined(reading, use))
    if not joined:
        yield f"MERGE is not joined on {use.distributed.column}, which decides the shard"
    for target in _actions(query, scopes.INSERT):
        if target.number("resno") == use.distributed.number and reading.side(target["expr"], use.scope) not in joined:
            yield f"MERGE inserts another {use.distributed.column} than the one on which it is joined"


def _joined(reading: Reading, use: Use) -> Iterator[Place]:
    """Yield the columns with which a MERGE joins the column that decides the shard."""
    scope = use.scope
    for quals in [
        scope.query["mergeJoinCondition"],
        *(node["quals"] for node in scopes.joins(scope.query["jointree"])),
    ]:
        for left, right in reading.equalities(use.scope, quals):
            for one, other in ((left, right), (right, left)):
                if one == use.place and not isinstance(other, str):
                    yield other


def _moved(use: Use) -> Iterator[str]:
    """Yield that a row would have to go to another shard."""
    query, distributed = use.scope.query, use.distributed
    if distributed is None:
        return
    conflict = query["onConflict"]
    changed = query.items("targetList") if query["commandType"] == scopes.UPDATE else []
    changed = [*changed, *_actions(query, scopes.UPDATE)]
    changed = [*changed, *(conflict.items("onConflictSet") if isinstance(conflict, Node) else ())]
    for target in changed:
        value = target["expr"]
        same = value.kind == "VAR" and value.number("varattno") == distributed.number
        if target.number("resno") == distributed.number and not same:
            yield f"it changes {distributed.column}, which decides the shard"


def _changing(reading: Reading, scope: Scope) -> Iterator[str]:
    """Yield what the expressions of an UPDATE or DELETE may not be."""
    catalog = scope.catalog
    if any(_volatile(node, catalog) for each in reading.queries for node in within(each.query)):
        yield "it changes rows by a volatile function"
    changed = [target["expr"] for target in scope.query.items("targetList") if not target.true("resjunk")]
    condition = scope.query["jointree"]["quals"]
    for expression in [*changed, *([condition] if isinstance(condition, Node) else [])]:
        for node in [expression, *within(expression)]:
            if node.kind in {"COALESCEEXPR", "CASEEXPR"} and not _is_decided(node) and _mutable(node, catalog):
                yield f"{node.kind[:-4]} calls what is not immutable"
            elif _stable(node, catalog) and any(each.kind == "VAR" for each in within(node)):
                yield "a stable function is called with a column"


def _is_decided(choice: Node) -> bool:
    """Return whether the caller's values alone decide a CASE or a COALESCE, which then is in no plan."""
    if choice.kind == "COALESCEEXPR":
        return all(uncast(each).kind in {"PARAM", "CONST"} for each in choice.items("args")[:-1])
    return not any(node.kind == "VAR" for branch in choice.items("args") for node in branch["expr"].walk())


def _inserting(use: Use) -> Iterator[str]:
    query, catalog = use.scope.query, use.scope.catalog
    targets = {target.number("resno"): target["expr"] for target in query.items("targetList")}
    if use.distributed is not None:
        value = targets.get(use.distributed.number)
        if value is None or value.kind == "SETTODEFAULT" or is_null(value):
            yield f"it leaves {use.distributed.column} out, which decides the shard"
    sources = [use.scope.entry(number)["rtekind"] for number in scopes.entries(query["jointree"])]
    if not {*sources} - {scopes.VALUES} and query.true("hasSubLinks"):
        yield "a subquery is among the VALUES of an INSERT: write INSERT ... SELECT"
    conflict = query["onConflict"]
    if isinstance(conflict, Node):
        changed = [target["expr"] for target in conflict.items("onConflictSet")]
        changed += [each for each in (conflict["onConflictWhere"], conflict["arbiterWhere"]) if isinstance(each, Node)]
        if any(_mutable(each, catalog) for each in changed):
            yield "ON CONFLICT calls what is not immutable"


def _joins(reading: Reading, uses: list[Use]) -> Iterator[str]:
    """Yield which tables are joined on other columns than those that decide the shard."""
    for one, other in combinations(uses, 2):
        if not _together(reading, one, other):
            names = [each.scope.catalog.relation_name(each.relation) for each in (one, other)]
            yield f"it joins {' and '.join(names)} on other columns than those that decide the shard"


def _together(reading: Reading, one: Use, other: Use) -> bool:
    if one.distributed is None or other.distributed is None or one.distributed.group != other.distributed.group:
        return False
    joined = one.place is not None and other.place is not None and reading.are_equal(one.place, other.place)
    return joined or bool(reading.values(one) & reading.values(other))


def _correlated(reading: Reading, scope: Scope) -> Iterator[str]:
    """Yield that a subquery over shards looks at the row around it, where that is not in the same shard."""
    if scope.parent is None or not _looks_out(scope.query):
        return
    own = [use for use in reading.distributed if use.scope is scope]
    around = [use for use in reading.distributed if use.scope is scope.parent]
    for use in own:
        if not any(_together(reading, use, each) for each in around):
            name = scope.catalog.relation_name(use.relation)
            yield f"a subquery reads {name} for each row of what may be in another shard"


def _reads(reading: Reading, query: Node) -> bool:
    below = {id(node) for node in query.walk() if node.kind == "QUERY"}
    return any(id(use.scope.query) in below for use in reading.distributed)


def _looks_out(query: Node) -> bool:
    """Return whether a query names columns of the one around it."""
    return any(node.kind == "VAR" and node.number("varlevelsup") == 1 for node in within(query))


def _mutable(node: Node, catalog: Catalog) -> bool:
    """Return whether an expression may give another value another time."""
    return any(_stable(each, catalog) or _volatile(each, catalog) for each in [node, *within(node)])


def _stable(node: Node, catalog: Catalog) -> bool:
    called = [catalog.functions.get(node.number(each)) for each in _CALLS if node[each]]
    return node.kind in _STABLE or any(each and not each.is_immutable and not each.is_volatile for each in called)


def _volatile(node: Node, catalog: Catalog) -> bool:
    called = [catalog.functions.get(node.number(each)) for each in _CALLS if node[each]]
    return node.kind in _VOLATILE or any(each is None or each.is_volatile for each in called)
