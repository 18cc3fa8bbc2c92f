"""What follows from a condition that a row has met.

A comparison is null as soon as one of its sides is, and a row whose condition is null is left out: so after
``WHERE a > b`` neither is null. That holds for every strict function, built in or not; the server itself sees to it.
"""

from collections.abc import Callable, Iterator

from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.scope import FULL, INNER, LEFT, MERGE, RIGHT, Place, Scope

#: A parameter in the place of a column of an entry: ``(-1, 0, number)``.
_PARAMETER = -1

_Nothing: frozenset[Place] = frozenset()


def parameter(number: int) -> Place:
    """Return what stands for a parameter among the places."""
    return _PARAMETER, 0, number


def of_query(scope: Scope) -> frozenset[Place]:
    """Return what is not null in each row that the query looks at, by WHERE, by HAVING and by inner joins."""
    tree = scope.query["jointree"]
    if scope.command == MERGE or not isinstance(tree, Node):
        # A row that MERGE inserts has not met its condition.
        return _Nothing
    proven = _of_tree(tree, scope)
    having = scope.query["havingQual"]
    if isinstance(having, Node):
        proven |= if_true(having, scope)
    # A column that is not null shows that its row is none that an outer join made up.
    return proven | {(query, entry, 0) for query, entry, column in proven if column}


def _of_tree(tree: Node, scope: Scope) -> frozenset[Place]:
    proven = _Nothing
    condition = tree["quals"]
    if tree.kind == "FROMEXPR":
        for child in tree.items("fromlist"):
            proven |= _of_tree(child, scope)
    elif tree.kind == "JOINEXPR":
        kind = tree["jointype"]
        # What an outer join fills up has met no condition.
        if kind in {INNER, LEFT}:
            proven |= _of_tree(tree["larg"], scope)
        if kind in {INNER, RIGHT}:
            proven |= _of_tree(tree["rarg"], scope)
        if kind in {LEFT, RIGHT, FULL}:
            condition = None
    if isinstance(condition, Node):
        proven |= if_true(condition, scope)
    return proven


def if_true(condition: Node, scope: Scope) -> frozenset[Place]:
    """Return what is not null when ``condition`` is true."""
    return _decided(condition, scope, truth=True)


def _decided(condition: Node, scope: Scope, *, truth: bool) -> frozenset[Place]:
    kind = condition.kind
    arguments: list[Node] = condition.items("args") if isinstance(condition["args"], list) else []
    if kind == "BOOLEXPR":
        if condition["boolop"] == "not":
            return _decided(arguments[0], scope, truth=not truth)
        each = [_decided(argument, scope, truth=truth) for argument in arguments]
        every = (condition["boolop"] == "and") == truth
        return frozenset.union(*each) if every else frozenset.intersection(*each)
    if kind == "NULLTEST":
        # 1 is IS NOT NULL.
        return needed(condition["arg"], scope) if (condition["nulltesttype"] == "1") == truth else _Nothing
    if kind == "BOOLEANTEST" and truth:
        return _BOOLEAN_TESTS.get(condition["booltesttype"], _no_test)(condition["arg"], scope)
    if kind == "SCALARARRAYOPEXPR":
        # Whatever is compared with an empty array: ANY is false and ALL is true.
        if condition.true("useOr") == truth and _strict(condition, "opfuncid", scope):
            return _all(arguments, scope)
        return _Nothing
    if kind == "SUBLINK" and condition["subLinkType"] == "2" and truth and isinstance(condition["testexpr"], Node):
        # x = ANY (SELECT ...): for one of its rows the comparison is true.
        return if_true(condition["testexpr"], scope)
    return needed(condition, scope)


def _is_true(argument: Node, scope: Scope) -> frozenset[Place]:
    return _decided(argument, scope, truth=True)


def _is_false(argument: Node, scope: Scope) -> frozenset[Place]:
    return _decided(argument, scope, truth=False)


def _no_test(_argument: Node, _scope: Scope) -> frozenset[Place]:
    return _Nothing


def needed(expression: Node, scope: Scope) -> frozenset[Place]:
    """Return what is not null when ``expression`` is not null."""
    kind = expression.kind
    if kind == "VAR":
        other = scope.resolved(expression)
        if other is not None:
            return needed(other, scope)
        return frozenset({scope.place(expression)})
    if kind == "PARAM":
        return frozenset({parameter(expression.number("paramid"))}) if expression["paramkind"] == "0" else _Nothing
    if kind in _STRICT:
        return _all(expression.items("args"), scope) if _strict(expression, _STRICT[kind], scope) else _Nothing
    if kind in _PASSING:
        return needed(expression["arg"], scope)
    return _Nothing


def _all(expressions: list[Node], scope: Scope) -> frozenset[Place]:
    return frozenset().union(*(needed(expression, scope) for expression in expressions))


def _strict(expression: Node, function: str, scope: Scope) -> bool:
    found = scope.catalog.functions.get(expression.number(function))
    returns_rows = expression.true("funcretset") or expression.true("opretset")
    return found is not None and found.is_strict and not returns_rows


#: What calls a function, and the field that says which.
_STRICT = {"FUNCEXPR": "funcid", "OPEXPR": "opfuncid"}
#: What is null exactly when its argument is.
_PASSING = frozenset({"RELABELTYPE", "COLLATEEXPR", "ARRAYCOERCEEXPR", "COERCETODOMAIN", "NAMEDARGEXPR"})
#: IS TRUE, IS FALSE, IS NOT UNKNOWN, as the server numbers them.
_BOOLEAN_TESTS: dict[str, Callable[[Node, Scope], frozenset[Place]]] = {
    "0": _is_true,
    "2": _is_false,
    "5": needed,
}


def conjuncts(condition: Node | None) -> Iterator[Node]:
    """Yield the conditions that ``condition`` joins by AND; none for no condition."""
    if condition is None:
        return
    if condition.kind == "BOOLEXPR" and condition["boolop"] == "and":
        for argument in condition.items("args"):
            yield from conjuncts(argument)
    else:
        yield condition
