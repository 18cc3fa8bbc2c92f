"""Asks PostgreSQL what a query is, without running it.

Prepared, a query tells the types of its parameters and columns. As the body of a function that is never called, it
can be read back as the server understood it: with every name resolved and every type decided, before any planning.
The function goes with the transaction.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

import attrs
import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis import casts, conditions, nodes, nullability, parameters, python_types
from surf_data.review.analysis import scope as scopes
from surf_data.review.analysis.access import Accesses
from surf_data.review.analysis.cardinality import Rows, of_query
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import ColumnType, Facts, Outcome, Parameter, Refusal, ResultColumn
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.queries import review_queries
from surf_data.review.analysis.scope import Scope

_COMMANDS = {
    scopes.SELECT: "SELECT",
    scopes.UPDATE: "UPDATE",
    scopes.INSERT: "INSERT",
    scopes.DELETE: "DELETE",
    scopes.MERGE: "MERGE",
}
#: The first words of statements that are analysed and planned; the server does not look at others before they run.
PLANNED = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"})
_NOT_UNDERSTOOD = (AttributeError, LookupError, TypeError, ValueError)
_FUNCTION = "_surf_data_review"
_STATEMENT = "_surf_data_review"
_COPY = re.compile(
    r"COPY\s+(?:(?P<query>\(.*\))|(?P<table>[^()\s]+)\s*(?:\((?P<columns>[^()]*)\))?)\s*(?P<way>FROM|TO)\b",
    re.IGNORECASE | re.DOTALL,
)
# Parameters that have no type: undefined object, ambiguous function, indeterminate datatype, datatype mismatch.
_UNTYPED = frozenset({"42883", "42725", "42P18", "42P08", "42804", "22P02", "22007"})
_INDETERMINATE, _AMBIGUOUS = "42P18", "42P08"
# Types that a parameter is given to find out whether it lacks one: text, bigint, timestamptz, integer, jsonb, numeric,
# date, uuid, interval, text[].
_TRIED = (25, 20, 1184, 23, 3802, 1700, 1082, 2950, 1186, 1009)


@attrs.frozen
class _Described:
    parameters: tuple[int, ...]
    #: Name, type, table and column number of each column of the result.
    columns: tuple[tuple[str, int, int, int], ...]


def analyse(connection: psycopg.Connection[Any], wanted: Iterable[QuerySource]) -> list[Outcome]:
    """Return what PostgreSQL says of each query, or why it says nothing.

    Arguments:
        connection: an idle connection in autocommit mode, to a database with the schema that the queries are for.
            Nothing in it is changed.
        wanted: the queries.

    Raises:
        DatabaseError: the catalogs cannot be read, or the connection was lost.
    """
    analyst = Analyst(connection)
    return [analyst.outcome(query) for query in wanted]


class Analyst:
    """Analyses queries for one database, whose schema must not change meanwhile.

    Arguments:
        connection: as for `analyse`.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        #: The database's catalogs.
        self.catalog: Catalog = Catalog.read(connection)

    def outcome(self, query: QuerySource) -> Outcome:
        """Return what PostgreSQL says of a query, or why it says nothing.

        Raises:
            DatabaseUnavailable: the connection was lost.
        """
        if query.statements > 1:
            advice = ", which PostgreSQL does not analyse as one" if query.operator == "#" else "; make each a query"
            return Refusal(query=query, reason=f"it is several statements{advice}", line=query.sql_line)
        try:
            with self._connection.transaction(force_rollback=True):
                return self._outcome(query)
        except psycopg.Error as error:
            refused = self._advised(refusal(query, error), error)
        except _NOT_UNDERSTOOD as error:
            # How the server writes its trees is its own affair, and changes with its version.
            reason = f"what the server says of it is not understood ({type(error).__name__})"
            refused = Refusal(query=query, reason=reason, line=query.sql_line)
        if self._connection.closed:
            raise DatabaseUnavailable("the connection was lost during the review", query=query.name)
        return refused

    def _advised(self, refused: Refusal, error: psycopg.Error) -> Refusal:
        """Return a refusal with the parameter that needs a type, if that would mend it."""
        query = refused.query
        name = self._untyped(query, error)
        if name is None:
            return refused
        advice = f"A parameter has no type of its own: write :{name}::type"
        return attrs.evolve(refused, reason=f"{refused.reason.rstrip('.')}. {advice}")

    def _untyped(self, query: QuerySource, error: psycopg.Error) -> str | None:
        """Return the parameter with whose type the server would take the query: found out by giving it one."""
        if error.sqlstate not in _UNTYPED:
            return None
        place = int(error.diag.statement_position or 1)
        known = {*parameters.cast(query)}
        # What is nearest to the place of the error first.
        near = sorted(set(query.order) - known, key=lambda name: (_distance(query, name, place), name))
        for types in _TRIED:
            for name in near:
                number = query.order.index(name)
                given = [types if each == number else 0 for each in range(len(query.order))]
                try:
                    with self._connection.transaction(force_rollback=True):
                        self.describe(query.wire, given)
                except psycopg.Error as other:
                    # Compared and never read: if nothing is known of another parameter either, that one is named next.
                    said = (other.sqlstate, other.diag.message_primary)
                    if said[0] != _INDETERMINATE or said == (error.sqlstate, error.diag.message_primary):
                        continue
                return name
        # What several places want to be of several types is at the place of the error.
        return near[0] if len(near) > 1 or error.sqlstate == _AMBIGUOUS else None

    def _outcome(self, query: QuerySource) -> Outcome:
        if query.verb == "COPY":
            return self._copy(query)
        if query.verb not in PLANNED:
            reason = f"PostgreSQL does not analyse {query.verb} before it runs"
            return Refusal(query=query, reason=reason, line=query.sql_line)
        described = self.describe(query.wire)
        if len(described.parameters) != len(query.order):
            return Refusal(query=query, reason="it has parameters by number; write :name", line=query.sql_line)
        facts = self._facts(query, described, self._tree(query.wire, described.parameters))
        return attrs.evolve(facts, problems=(*facts.problems, *self._unfit(facts), *_unreplicated(facts)))

    def _unfit(self, facts: Facts) -> Iterator[str]:
        """Yield why the server refuses what the driver sends: a Python int is a bigint, whatever is wanted."""
        types = [python_types.sent(parameter.type) for parameter in facts.parameters]
        try:
            # Within a savepoint, because the transaction goes on.
            with self._connection.transaction(force_rollback=True):
                self.describe(facts.query.wire, types)
        except psycopg.Error as error:
            said = facts.query.named(error.diag.message_primary or str(error))
        else:
            return
        wrong = [
            f":{parameter.name} comes as {self.catalog.type_name(oid)}, write :{parameter.name}::{parameter.type.name}"
            for parameter, oid in zip(facts.parameters, types, strict=True)
            if oid not in {0, parameter.type.oid}
        ]
        yield f"{said}: {'; '.join(wrong)}"

    def _copy(self, query: QuerySource) -> Outcome:
        matched = _COPY.match(query.wire)
        if matched is None or query.order:
            return Refusal(query=query, reason="this form of COPY is not known here", line=query.sql_line)
        # Pieces of the query itself.
        asked = matched["query"] or f"SELECT {matched['columns'] or '*'} FROM {matched['table']}"  # noqa: S608 - from the file
        described = self.describe(asked)
        columns = [name for name, *_ in described.columns]
        if matched["way"].upper() == "FROM":
            names = sql.SQL(", ").join(map(sql.Identifier, columns)).as_string(self._connection)
            values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
            asked = f"INSERT INTO {matched['table']} ({names}) VALUES ({values})"  # noqa: S608 - from the file
            described = self.describe(asked)
        facts = self._facts(query, attrs.evolve(described, parameters=()), self._tree(asked, described.parameters))
        rows = Rows(at_least_one=False, at_most_one=False, reason="COPY takes or gives any number of rows")
        return attrs.evolve(facts, command="COPY", columns=None, rows=rows)

    def describe(self, statement: str, types: Iterable[int] = (), name: str = "") -> _Described:
        """Return the types of a statement's parameters and columns.

        Arguments:
            statement: with numbers for its parameters.
            types: of the parameters, as a driver would send them; none for the server to choose.
            name: under which the statement is prepared; without one it is forgotten at once.

        Raises:
            psycopg.Error: the server refuses it.
        """
        server = self._connection.pgconn
        self._checked(server.prepare(name.encode(), statement.encode(), list(types)))
        told = self._checked(server.describe_prepared(name.encode()))
        columns = tuple(
            ((told.fname(place) or b"").decode(), told.ftype(place), told.ftable(place), told.ftablecol(place))
            for place in range(told.nfields)
        )
        return _Described(tuple(told.param_type(place) for place in range(told.nparams)), columns)

    def number(self, query: QuerySource) -> int | None:
        """Return the number that the server has for a query when it comes from this library's driver.

        It is that of ``pg_stat_statements.queryid`` in the same database. The query is planned for it, not run.

        Returns:
            The number; ``None`` if the server does not number queries, or refuses this one.

        Raises:
            DatabaseUnavailable: the connection was lost.
        """
        number: int | None = None
        with suppress(psycopg.Error), self._connection.transaction(force_rollback=True):
            described = self.describe(query.wire)
            types = [python_types.sent(self._type(oid)) for oid in described.parameters]
            self.describe(query.wire, types, name=_STATEMENT)
            values = f"({', '.join('NULL' for _ in types)})" if types else ""
            # As a client library prepares it: under the same name it is planned, whatever its parameters will be.
            explained = f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE {_STATEMENT}{values}"
            [[plan]] = self._connection.execute(explained.encode()).fetchall()
            # Of what is no query it says so in a sentence.
            number = plan[0].get("Query Identifier") if isinstance(plan[0], dict) else None
        if self._connection.closed:
            raise DatabaseUnavailable("the connection was lost during the review", query=query.name)
        with suppress(psycopg.Error):
            self._connection.execute(f"DEALLOCATE {_STATEMENT}".encode())
        return number

    def _checked(self, result: PGresult) -> PGresult:
        if result.status == ExecStatus.COMMAND_OK:
            return result
        raise psycopg.errors.error_from_result(result)

    def _tree(self, statement: str, parameters: Iterable[int]) -> Node:
        """Return the server's tree of a statement: the body of a function that is never called."""
        types = ", ".join(map(self.catalog.type_name, parameters))
        # Composed here, because a function's body takes no parameters; a query is SQL, and nothing in it is a value.
        created = (
            f"CREATE FUNCTION pg_temp.{_FUNCTION} ({types}) RETURNS void LANGUAGE sql BEGIN ATOMIC\n{statement}\n;\nEND"
        )
        self._connection.execute(created.encode())
        # The function has just been created.
        tree = cast("str", review_queries().analysis_tree(Session(self._connection), name=_FUNCTION))
        # A list of a list of one query.
        [[query]] = cast("list[list[Node]]", nodes.read(tree))
        return query

    def _facts(self, query: QuerySource, described: _Described, tree: Node) -> Facts:
        scope = Scope(query=tree, catalog=self.catalog)
        accesses = Accesses(tree, self.catalog)
        writes = accesses.writes()
        # A SELECT of no columns has rows, too.
        is_read = scope.command == scopes.SELECT
        return Facts(
            query=query,
            command=_COMMANDS[scope.command],
            parameters=tuple(self._parameters(query, described, scope)),
            columns=tuple(self._columns(described.columns, scope)) if described.columns or is_read else None,
            rows=of_query(scope),
            is_ordered=bool(tree.items("sortClause")),
            tables=accesses.tables(),
            casts=casts.lost(tree, self.catalog, query),
            volatile_functions=accesses.volatile_functions(),
            triggers=accesses.triggers(),
            cascades=accesses.cascades(),
            read_only=not writes,
            writes=writes,
            problems=accesses.refused(),
            tree=tree,
        )

    def _type(self, oid: int) -> ColumnType:
        found = self.catalog.types[oid]
        # The server sends values of a domain as values of the type that it restricts; but not within an array.
        return self._exact_type(oid) if found.base is None else self._type(found.base)

    def _exact_type(self, oid: int) -> ColumnType:
        found = self.catalog.types[oid]
        element = None if found.element is None else self._exact_type(found.element)
        return ColumnType(oid=oid, name=found.name, kind=found.kind, element=element)

    def _columns(self, columns: Iterable[tuple[str, int, int, int]], scope: Scope) -> Iterator[ResultColumn]:
        claims = nullability.columns(scope)
        for (name, oid, table, number), claim in zip(columns, claims, strict=True):
            yield ResultColumn(
                name=name,
                type=self._type(oid),
                nullable=not claim.not_null,
                reason=claim.reason,
                origin=self.catalog.column_name(table, number) if table else None,
            )

    def _parameters(self, query: QuerySource, described: _Described, scope: Scope) -> Iterator[Parameter]:
        needed = conditions.of_query(scope)
        stored = parameters.stores(scope.query)
        typed = parameters.typed(scope.query, query, self.catalog)
        for number, (name, oid) in enumerate(zip(query.order, described.parameters, strict=True), 1):
            places = [place for place in stored if place[0] == number]
            columns = [self.catalog.column(relation, column) for _, relation, column in places]
            names = tuple(dict.fromkeys(self.catalog.column_name(relation, column) for _, relation, column in places))
            if refusing := [column for column in columns if column and column.not_null]:
                reason = f"{self.catalog.column_name(refusing[0].relation, refusing[0].number)} is NOT NULL"
            elif conditions.parameter(number) in needed:
                reason = "no row meets the condition when it is null"
            else:
                reason = ""
            yield Parameter(
                name=name,
                type=self._type(oid),
                stored_in=names,
                nullable=not reason,
                reason=reason,
                is_typed=number in typed,
            )


def refusal(query: QuerySource, error: psycopg.Error) -> Refusal:
    """Return what the server says against a query, in the query's own words."""
    said = query.named(error.diag.message_primary or str(error).splitlines()[0])
    reason = ". ".join(filter(None, (said, error.diag.message_hint)))
    position = error.diag.statement_position
    line = query.at(int(position)) if position else query.sql_line
    return Refusal(query=query, reason=reason, line=line, sqlstate=error.sqlstate)


def _distance(query: QuerySource, name: str, place: int) -> int:
    """Return how many characters lie between a place in a query and a parameter."""
    number = re.escape(f"${query.order.index(name) + 1}")
    return min(abs(found.start() + 1 - place) for found in re.finditer(rf"{number}(?![0-9])", query.wire))


def _unreplicated(facts: Facts) -> Iterator[str]:
    """Yield why a query that may go to a replica cannot."""
    if ("replica", "ok") in facts.query.options and not facts.read_only:
        yield f"a replica refuses it: {', '.join(facts.writes)}"
