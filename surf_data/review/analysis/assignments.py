"""What a query puts into the columns of a table, as far as that is the same in every call."""

from collections.abc import Iterator, Mapping

import attrs

from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.nodes import Node

INSERT, UPDATE = "INSERT", "UPDATE"

# Types of which equal values are the same to the last bit, so that PostgreSQL sees no change when one replaces another.
_EXACT = frozenset({"bigint", "boolean", "bytea", "character varying", "date", "integer", "smallint", "text", "uuid"})
# Bits of a trigger: for each row, before, and the command.
_BEFORE = {INSERT: 1 | 2 | 4, UPDATE: 1 | 2 | 16}
# ON CONFLICT DO UPDATE, by the server's number.
_DO_UPDATE = "2"
# What wraps an expression without making another value of it; the last is an argument with its name.
_CASTS = frozenset({"RELABELTYPE", "COERCEVIAIO", "ARRAYCOERCEEXPR", "COERCETODOMAIN", "COLLATEEXPR", "NAMEDARGEXPR"})


@attrs.frozen(kw_only=True)
class Assignment:
    """What one action of a query writes into a table."""

    relation: int
    #: ``INSERT`` or ``UPDATE``.
    command: str
    #: What each column that is named gets, by its number.
    values: Mapping[int, Node]
    #: The columns that are named and keep what they have, as a key does in ``ON CONFLICT (id) DO UPDATE SET id =
    #: excluded.id``.
    unchanged: frozenset[int]

    def nulls(self, catalog: Catalog) -> frozenset[int]:
        """Return the columns that are sure to be null in every row that it writes."""
        bits = _BEFORE[self.command]
        if any(trigger.kind & bits == bits for trigger in catalog.triggers.get(self.relation, ())):
            # A trigger may fill them in.
            return frozenset()
        written = {number for number, value in self.values.items() if is_null(value)}
        columns = catalog.columns.get(self.relation, {}).values() if self.command == INSERT else ()
        left_out = (column for column in columns if self._is_left_out(column.number) and not column.has_default)
        return frozenset({*written, *(column.number for column in left_out)})

    def _is_left_out(self, number: int) -> bool:
        return number not in self.values or self.values[number].kind == "SETTODEFAULT"

    def refused(self, catalog: Catalog) -> Iterator[str]:
        """Yield why the server refuses every row that it writes, in words to act on."""
        relation = catalog.relations[self.relation]
        if relation.kind == "v" and (below := self._below(catalog)) is not None:
            yield from below.refused(catalog)
        if relation.kind not in {"r", "p"} or relation.has_rules:
            return
        for number in sorted(self.nulls(catalog)):
            column = catalog.columns[self.relation][number]
            if column.needs_value:
                how = "has no default, and is left out" if self._is_left_out(number) else "is set to null"
                yield f"{relation.name}.{column.name} is NOT NULL and {how}: no row can be written"

    def _below(self, catalog: Catalog) -> "Assignment | None":
        """Return what a view that the server itself writes through writes below; ``None`` of any other."""
        view = catalog.views.get(self.relation)
        entries = [] if view is None else view["jointree"].items("fromlist")
        if view is None or catalog.relations[self.relation].has_rules or catalog.triggers.get(self.relation):
            return None
        # The server takes nothing else that it writes through.
        [entry] = entries
        columns = {
            each.number("resno"): each["expr"].number("varattno")
            for each in view.items("targetList")
            if each["expr"].kind == "VAR"
        }
        # What a view gives by default is not known here.
        if any(column.has_default for column in catalog.columns.get(self.relation, {}).values()):
            return None
        return Assignment(
            relation=view.items("rtable")[entry.number("rtindex") - 1].number("relid"),
            command=self.command,
            values={columns[number]: value for number, value in self.values.items() if number in columns},
            unchanged=frozenset(),
        )


def assignments(query: Node, catalog: Catalog) -> Iterator[Assignment]:
    """Yield what a query itself writes, without the queries below it.

    Arguments:
        query: the query, as the server understood it.
        catalog: the database.
    """
    target = query.number("resultRelation")
    if not target:
        return
    relation = query.items("rtable")[target - 1].number("relid")
    for command, entries in _actions(query):
        values = {entry.number("resno"): entry["expr"] for entry in entries}
        own = {(target, number) for number in values}
        if command == UPDATE:
            own |= _excluded(query, relation, catalog)
        unchanged = (number for number, value in values.items() if _is_column(value, number, own))
        yield Assignment(
            relation=relation,
            command=command,
            values=values,
            unchanged=frozenset(unchanged) if command == UPDATE else frozenset(),
        )


def _actions(query: Node) -> Iterator[tuple[str, list[Node]]]:
    commands = {scopes.INSERT: INSERT, scopes.UPDATE: UPDATE}
    if query["commandType"] in commands:
        yield commands[query["commandType"]], query.items("targetList")
    conflict = query["onConflict"]
    if isinstance(conflict, Node) and conflict["action"] == _DO_UPDATE:
        yield UPDATE, conflict.items("onConflictSet")
    for action in query.items("mergeActionList"):
        if action["commandType"] in commands:
            yield commands[action["commandType"]], action.items("targetList")


def _excluded(query: Node, relation: int, catalog: Catalog) -> set[tuple[int, int]]:
    """Return the columns of the row that was not inserted which are equal to those of the row that was in its way."""
    conflict = query["onConflict"]
    if not isinstance(conflict, Node):
        return set()
    numbers = {each["expr"].number("varattno") for each in conflict.items("arbiterElems") if each["expr"].kind == "VAR"}
    for key in catalog.keys.get(relation, ()):
        if key.constraint and key.constraint == conflict.number("constraint"):
            numbers |= {*key.columns[: key.size]}
    columns = catalog.columns.get(relation, {})
    exact = {number for number in numbers if number in columns and _is_exact(columns[number].type, catalog)}
    return {(conflict.number("exclRelIndex"), number) for number in exact}


def _is_exact(number: int, catalog: Catalog) -> bool:
    return catalog.types[number].kind == "e" or catalog.types[number].name in _EXACT


def _is_column(value: Node, number: int, columns: set[tuple[int, int]]) -> bool:
    """Return whether a value is the column of a number in one of the places that have the same in it."""
    return (
        value.kind == "VAR"
        and value["varlevelsup"] == "0"
        and value.number("varattno") == number
        and (value.number("varno"), number) in columns
    )


def is_null(expression: Node) -> bool:
    """Return whether an expression is null, casts aside."""
    found = uncast(expression)
    return found.kind == "CONST" and found.true("constisnull")


def uncast(expression: Node) -> Node:
    """Return what an expression is, casts aside."""
    if expression.kind in _CASTS:
        return uncast(expression["arg"])
    if expression.kind == "FUNCEXPR" and expression["funcformat"] in {"1", "2"}:
        # A cast, written or implied; further arguments are about its length.
        return uncast(expression.items("args")[0])
    return expression
