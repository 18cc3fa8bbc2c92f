"""What a query does with tables: locks, columns, triggers, foreign keys, functions with effects."""

from collections.abc import Iterator

import attrs

from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.assignments import INSERT, UPDATE, assignments
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import LOCKS, Access
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.rows import ForeignKey

# The server's bits for privileges, and for columns: a set of numbers that begin below the system columns.
_OPERATIONS = {2: "SELECT", 1: "INSERT", 4: "UPDATE", 8: "DELETE"}
_FIRST_COLUMN = -7
_ROW_LOCKS = {1: "FOR KEY SHARE", 2: "FOR SHARE", 3: "FOR NO KEY UPDATE", 4: "FOR UPDATE"}
_COMMANDS = {scopes.INSERT: ("INSERT", 4), scopes.DELETE: ("DELETE", 8), scopes.UPDATE: ("UPDATE", 16)}

#: Built-in functions that a read-only transaction refuses, by the server's own names for them.
_WRITERS = frozenset(
    """
    be_lo_create be_lo_creat be_lo_from_bytea be_lo_import be_lo_put be_lo_truncate be_lo_truncate64 be_lo_unlink
    nextval_oid setval_oid setval3_oid pg_current_xact_id pg_notify pg_logical_emit_message_bytea
    pg_logical_emit_message_text
    """.split()
)


@attrs.frozen(kw_only=True)
class _Change:
    """A change of a table."""

    relation: int
    #: ``INSERT``, ``UPDATE`` or ``DELETE``.
    command: str
    #: The bit that triggers have for it.
    bit: int
    #: The columns of rows that are there which are named.
    named: set[int]
    #: Of these, those that keep what they have.
    unchanged: set[int]
    #: The columns that are null in every row that is written.
    nulls: set[int]


class Accesses:
    """Finds what a query does.

    Arguments:
        tree: the query, as the server understood it.
        catalog: the database.
    """

    def __init__(self, tree: Node, catalog: Catalog) -> None:
        self._catalog = catalog
        self._queries = list(_queries(tree))
        self._changes = list(self._changed())

    def tables(self) -> tuple[Access, ...]:
        """Return what is done with each table, tables in the order of their appearance."""
        found: dict[tuple[int, str | None], list[tuple[Node, Node, str | None]]] = {}
        for query in self._queries:
            for entry, permissions, row_lock, through in self._entries(query, None, ()):
                found.setdefault((entry.number("relid"), through), []).append((entry, permissions, row_lock))
        return tuple(self._access(relation, through, uses) for (relation, through), uses in found.items())

    def _entries(
        self, query: Node, through: str | None, views: tuple[int, ...]
    ) -> Iterator[tuple[Node, Node, str | None, str | None]]:
        permissions = query.items("rteperminfos")
        # A view of older servers also lists itself, twice, outside its join tree.
        mentioned = {*scopes.entries(query["jointree"]), query.number("resultRelation")}
        for number, entry in enumerate(query.items("rtable"), 1):
            if entry["rtekind"] != scopes.RELATION or number not in mentioned:
                continue
            place = entry.number("perminfoindex")
            permission = permissions[place - 1] if place else entry
            yield entry, permission, self._row_lock(query, number, permission), through
            relation = entry.number("relid")
            view = self._catalog.views.get(relation)
            if view is not None and relation not in views:
                name = self._catalog.relation_name(relation)
                for inner in _queries(view):
                    yield from self._entries(inner, name, (*views, relation))

    def _row_lock(self, query: Node, number: int, permissions: Node) -> str | None:
        strengths = [mark.number("strength") for mark in query.items("rowMarks") if mark.number("rti") == number]
        if query.number("resultRelation") == number and query["commandType"] != scopes.INSERT:
            changed = _numbers(permissions["updatedCols"])
            keys = self._catalog.keys.get(permissions.number("relid"), ())
            key_changes = any(changed & set(key.columns[: key.size]) for key in keys)
            deletes = query["commandType"] in {scopes.DELETE, scopes.MERGE}
            strengths.append(4 if deletes or key_changes else 3)
        return _ROW_LOCKS.get(max(strengths, default=0))

    def _access(self, relation: int, through: str | None, uses: list[tuple[Node, Node, str | None]]) -> Access:
        wanted = 0
        read: set[int] = set()
        written: set[int] = set()
        updated: set[int] = set()
        for _, permissions, _ in uses:
            wanted |= permissions.number("requiredPerms")
            read |= _numbers(permissions["selectedCols"])
            named = _numbers(permissions["updatedCols"])
            written |= _numbers(permissions["insertedCols"]) | named
            updated |= named
        for change in self._changes:
            if change.relation == relation and change.command == UPDATE and through is None:
                updated -= change.unchanged
        strongest = max(entry.number("rellockmode") for entry, _, _ in uses)
        row_locks = [lock for _, _, lock in uses if lock]
        strength = {name: number for number, name in _ROW_LOCKS.items()}
        return Access(
            table=self._catalog.relation_name(relation),
            operations=tuple(name for bit, name in _OPERATIONS.items() if wanted & bit),
            lock=LOCKS.get(strongest, str(strongest)),
            row_lock=max(row_locks, key=strength.__getitem__, default=None),
            columns_read=self._column_names(relation, read),
            columns_written=self._column_names(relation, written),
            columns_updated=self._column_names(relation, updated),
            through=through,
        )

    def _column_names(self, relation: int, numbers: set[int]) -> tuple[str, ...]:
        columns = self._catalog.columns.get(relation, {})
        # 0 stands for the whole row.
        return tuple(column.name for number, column in columns.items() if number in numbers or 0 in numbers)

    def _changed(self) -> Iterator["_Change"]:
        for query in self._queries:
            entry_number = query.number("resultRelation")
            if query["commandType"] == scopes.SELECT or not entry_number:
                continue
            entry = query.items("rtable")[entry_number - 1]
            place = entry.number("perminfoindex")
            permissions = query.items("rteperminfos")[place - 1] if place else entry
            written = list(assignments(query, self._catalog))
            for command in _commands(query):
                name, bit = _COMMANDS[command]
                own = [each for each in written if each.command == name]
                yield _Change(
                    relation=entry.number("relid"),
                    command=name,
                    bit=bit,
                    named=_numbers(permissions["updatedCols"]),
                    unchanged=set.intersection(*(set(each.unchanged) for each in own)) if own else set(),
                    nulls=set.intersection(*(set(each.nulls(self._catalog)) for each in own)) if own else set(),
                )

    def refused(self) -> tuple[str, ...]:
        """Return why no row that the query writes can be stored."""
        written = (each for query in self._queries for each in assignments(query, self._catalog))
        return tuple(dict.fromkeys(problem for each in written for problem in each.refused(self._catalog)))

    def triggers(self) -> tuple[str, ...]:
        """Return the triggers that are fired."""
        fired = (
            f"{self._catalog.relation_name(each.relation)}.{trigger.name} calls {trigger.function}() on {each.command}"
            for each in self._changes
            for trigger in self._catalog.triggers.get(each.relation, ())
            if trigger.kind & each.bit
            and (each.command != UPDATE or not trigger.columns or each.named & set(trigger.columns))
        )
        return tuple(dict.fromkeys(fired))

    def cascades(self) -> tuple[str, ...]:
        """Return what foreign keys make of the changes: rows of other tables that change, or that are looked up."""
        return tuple(dict.fromkeys(self._cascades()))

    def _cascades(self) -> Iterator[str]:
        for change in self._changes:
            # What keeps its value is not looked up again.
            columns = change.named - change.unchanged
            for key in self._catalog.foreign_keys:
                if key.relation == change.relation and _is_looked_up(key, change, columns):
                    parent = self._catalog.relation_name(key.parent)
                    yield f"locks a row of {parent} FOR KEY SHARE to check {key.name}"
                if key.parent == change.relation and change.command == "DELETE":
                    yield from self._deleted(key, (change.relation,))
                if key.parent == change.relation and change.command == UPDATE and columns & set(key.parent_columns):
                    yield f"{_ON_UPDATE[key.on_update]} {self._catalog.relation_name(key.relation)} by {key.name}"

    def _deleted(self, key: ForeignKey, above: tuple[int, ...]) -> Iterator[str]:
        yield f"{_ON_DELETE[key.on_delete]} {self._catalog.relation_name(key.relation)} by {key.name}"
        if key.on_delete == "c" and key.relation not in above:
            for other in self._catalog.foreign_keys:
                if other.parent == key.relation:
                    yield from self._deleted(other, (*above, key.relation))

    def volatile_functions(self) -> tuple[str, ...]:
        """Return the volatile functions that are called."""
        return tuple(dict.fromkeys(name for name, _ in self._volatile()))

    def _volatile(self) -> Iterator[tuple[str, str | None]]:
        for query in self._queries:
            for node in query.walk():
                for field in ("funcid", "opfuncid", "aggfnoid", "winfnoid"):
                    function = self._catalog.functions.get(node.number(field)) if node[field] else None
                    if function is not None and function.is_volatile:
                        yield f"{function.name}()", function.internal

    def writes(self) -> tuple[str, ...]:
        """Return what a read-only transaction would refuse, or might."""
        reasons = [f"{each.command} {self._catalog.relation_name(each.relation)}" for each in self._changes]
        for query in self._queries:
            reasons += [f"row lock on {access}" for access in self._marked(query)]
        reasons += [
            f"{name} may write" if internal is None else f"{name} writes"
            for name, internal in self._volatile()
            if internal is None or internal in _WRITERS
        ]
        return tuple(dict.fromkeys(reasons))

    def _marked(self, query: Node) -> Iterator[str]:
        for mark in query.items("rowMarks"):
            entry = query.items("rtable")[mark.number("rti") - 1]
            if entry["rtekind"] == scopes.RELATION:
                yield self._catalog.relation_name(entry.number("relid"))


#: How a consequence begins that changes rows of other tables.
CHANGES = ("changes the key in rows of ", "deletes rows of ", "sets defaults in rows of ", "sets null in rows of ")
_ON_DELETE = {
    "a": "is refused while there are rows in",
    "c": "deletes rows of",
    "d": "sets defaults in rows of",
    "n": "sets null in rows of",
    "r": "is refused while there are rows in",
}
_ON_UPDATE = {**_ON_DELETE, "c": "changes the key in rows of"}


def _is_looked_up(key: ForeignKey, change: _Change, columns: set[int]) -> bool:
    """Return whether a row that is written has to have a parent."""
    own = set(key.columns)
    if change.command == INSERT or (change.command == UPDATE and columns & own):
        return not (own <= change.nulls if key.is_full else own & change.nulls)
    return False


def _queries(tree: Node) -> Iterator[Node]:
    return (node for node in tree.walk() if node.kind == "QUERY")


def _numbers(columns: frozenset[int] | None) -> set[int]:
    return {number + _FIRST_COLUMN for number in columns or ()}


def _commands(query: Node) -> list[str]:
    if query["commandType"] == scopes.MERGE:
        done = {action["commandType"] for action in query.items("mergeActionList")}
        return [command for command in _COMMANDS if command in done]
    conflict = query["onConflict"]
    # 2 is DO UPDATE.
    updates = isinstance(conflict, Node) and conflict["action"] == "2"
    return [query["commandType"], *([scopes.UPDATE] if updates else [])]
