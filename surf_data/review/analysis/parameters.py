"""What the parameters of a query are for: the columns that they are stored in, and what gives them their types."""

from collections import Counter
from collections.abc import Iterable, Iterator

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.kernel.postgres.scanner import significant_tokens, tokens
from surf_data.review.analysis import nullability
from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.assignments import uncast
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.nodes import Node

# The types that a text in quotes has, before and after the server has decided: unknown, text.
_UNDECIDED = frozenset({"705", "25"})
_BOOLEAN = "16"


def stores(tree: Node) -> list[tuple[int, int, int]]:
    """Return which parameters are stored as they are: the parameter's number, the table, the column."""
    return [
        (parameter, entry.number("relid"), target.number("resno"))
        for query in tree.walk()
        if query.kind == "QUERY" and query["commandType"] != scopes.SELECT and query.number("resultRelation")
        for entry in [query.items("rtable")[query.number("resultRelation") - 1]]
        for target in _assigned(query)
        for parameter in _given(target["expr"], query)
    ]


def _assigned(query: Node) -> Iterator[Node]:
    yield from query.items("targetList") if query["commandType"] in {scopes.INSERT, scopes.UPDATE} else ()
    conflict = query["onConflict"]
    yield from conflict.items("onConflictSet") if isinstance(conflict, Node) else ()
    for action in query.items("mergeActionList"):
        yield from action.items("targetList")


def _given(expression: Node, query: Node) -> Iterator[int]:
    """Yield the numbers of the parameters that an expression is, casts aside."""
    expression = uncast(expression)
    if _is_parameter(expression):
        yield expression.number("paramid")
    elif expression.kind == "VAR" and expression["varlevelsup"] == "0":
        entry = query.items("rtable")[expression.number("varno") - 1]
        place = expression.number("varattno") - 1
        if entry["rtekind"] == scopes.VALUES:
            for row in entry.items("values_lists"):
                yield from _given(row[place], query)
        elif entry["rtekind"] == scopes.SUBQUERY:
            inner = entry["subquery"]
            yield from _given(nullability.targets(inner)[place]["expr"], inner)


def _is_parameter(expression: Node) -> bool:
    return expression.kind == "PARAM" and expression["paramkind"] == "0"


def typed(tree: Node, query: QuerySource, catalog: Catalog) -> frozenset[int]:
    """Return the numbers of the parameters whose type the query says.

    Arguments:
        tree: the query, as the server understood it.
        query: the same as it was written.
        catalog: the database.
    """
    functions = Counter(function.name for function in catalog.functions.values())
    found = {query.order.index(name) + 1 for name in cast(query)} | {number for number, *_ in stores(tree)}
    for node in tree.walk():
        if node.kind == "QUERY":
            found.update(_numbers(filter(None, (node["limitCount"], node["limitOffset"]))))
        elif _is_parameter(node) and node["paramtype"] == _BOOLEAN:
            # Nothing becomes a boolean by preference.
            found.add(node.number("paramid"))
        elif node.kind == "FUNCEXPR":
            function = catalog.functions.get(node.number("funcid"))
            if function is not None and functions[function.name] == 1:
                # There is no other function of the name, whose arguments could be meant.
                found.update(_numbers(node.items("args")))
        else:
            sides = _compared(node)
            if any(not _is_undecided(side) for side in sides):
                found.update(_numbers(sides))
    return frozenset(found)


def cast(query: QuerySource) -> Iterator[str]:
    """Yield the parameters that have a cast, as it was written."""
    code = significant_tokens(tokens(query.sql))
    for place, token in enumerate(code):
        if token.kind == "parameter" and token.text[1:] in query.order:
            before = "".join(each.text.upper() for each in code[max(place - 2, 0) : place])
            after = "".join(each.text.upper() for each in code[place + 1 : place + 3])
            if after.startswith("::") or (before == "CAST(" and after.startswith("AS")):
                yield token.text[1:]


def _compared(node: Node) -> list[Node]:
    """Return the expressions that a node brings to one type by comparing them or choosing from them."""
    if node.kind == "ROWCOMPAREEXPR":
        return [*node.items("largs"), *node.items("rargs")]
    if node.kind == "CASEEXPR":
        return [branch["result"] for branch in node.items("args")] + [node["defresult"]]
    if node.kind in {"COALESCEEXPR", "MINMAXEXPR", "NULLIFEXPR", "DISTINCTEXPR", "SCALARARRAYOPEXPR"} or (
        node.kind == "OPEXPR" and node["opresulttype"] == _BOOLEAN
    ):
        sides: list[Node] = node.items("args")
        return [each for side in sides for each in (side.items("elements") if side.kind == "ARRAYEXPR" else [side])]
    return []


def _numbers(expressions: Iterable[Node]) -> Iterator[int]:
    """Yield the numbers of those of the expressions that are parameters, casts aside."""
    return (each.number("paramid") for each in map(uncast, expressions) if _is_parameter(each))


def _is_undecided(expression: Node) -> bool:
    """Return whether an expression has no type of its own: a parameter, or a text in quotes."""
    if expression.kind == "CONST":
        return expression["consttype"] in _UNDECIDED
    return _is_parameter(uncast(expression))
