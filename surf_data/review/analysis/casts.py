"""Casts that lose an index: a column is compared only after it was cast, and the index knows the column as it is."""

import re
from collections.abc import Iterator

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis import nodes
from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import CastColumn
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.scope import Scope

# Which table of the query a column is of; within an index there is only one.
_ENTRY = re.compile(r":(varno|varnullingrels|varreturningtype) (?:'[^']*'|None)")


def lost(tree: Node, catalog: Catalog, query: QuerySource) -> tuple[CastColumn, ...]:
    """Return the columns whose indexes do not serve a condition.

    Arguments:
        tree: the query, as the server understood it.
        catalog: the database.
        query: the same as it was written.
    """
    queries = [node for node in tree.walk() if node.kind == "QUERY"]
    found = (cast for each in queries for cast in _of_query(Scope(query=each, catalog=catalog), query))
    return tuple(dict.fromkeys(found))


def _of_query(scope: Scope, query: QuerySource) -> Iterator[CastColumn]:
    for join in scopes.joins(scope.query["jointree"]):
        for condition in _own(join["quals"]):
            if condition.kind not in {"OPEXPR", "SCALARARRAYOPEXPR"}:
                continue
            if condition.number("opno") in scope.catalog.search_operators:
                left, right = condition.items("args")
                for side, other in ((left, right), (right, left)):
                    yield from _of_side(side, other, scope, query)


def _own(condition: Node | None) -> Iterator[Node]:
    """Yield a condition and its parts, without queries within it."""
    if condition is not None and condition.kind != "QUERY":
        yield condition
        for child in condition.children():
            yield from _own(child)


def _of_side(side: Node, other: Node, scope: Scope, query: QuerySource) -> Iterator[CastColumn]:
    expression = _bare(side)
    variable = _cast(expression)
    if variable is not None and variable.kind == "VAR" and variable["varlevelsup"] == "0":
        entry = scope.entry(variable.number("varno"))
        relation, number = entry.number("relid"), variable.number("varattno")
        column = scope.catalog.column(relation, number)
        index = _index(relation, number, expression, scope.catalog)
        if entry["rtekind"] == scopes.RELATION and column is not None and index is not None:
            parameter = _bare(other)
            yield CastColumn(
                table=scope.catalog.relation_name(relation),
                name=column.name,
                type=scope.catalog.type_name(column.type),
                cast=scope.catalog.type_name(expression.number(_RESULTS[expression.kind])),
                index=index,
                parameter=query.order[parameter.number("paramid") - 1] if parameter.kind == "PARAM" else None,
            )


def _bare(expression: Node) -> Node:
    # What only gives bits another name costs no index.
    while expression.kind == "RELABELTYPE":
        expression = expression["arg"]
    return expression


def _cast(expression: Node) -> Node | None:
    """Return what an expression casts; ``None`` if it is no cast."""
    if expression.kind == "COERCEVIAIO":
        return _bare(expression["arg"])
    if expression.kind == "FUNCEXPR" and expression["funcformat"] in {"1", "2"}:
        return _bare(expression.items("args")[0])
    return None


def _index(relation: int, number: int, expression: Node, catalog: Catalog) -> str | None:
    """Return the index that begins with a column; ``None`` if there is none, or one over the cast itself."""
    indexes = catalog.indexes.get(relation, ())
    trees = [tree for index in indexes if index.expressions for tree in nodes.read(index.expressions)]
    if any(_anywhere(tree) == _anywhere(expression) for tree in trees):
        return None
    return next((index.name for index in indexes if index.columns[:1] == [number]), None)


def _anywhere(expression: Node) -> str:
    return _ENTRY.sub("", expression.text())


_RESULTS = {"COERCEVIAIO": "resulttype", "FUNCEXPR": "funcresulttype"}
