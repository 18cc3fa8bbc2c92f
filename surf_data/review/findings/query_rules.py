"""What there is to be said of a query by what PostgreSQL says of it, without a plan."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis import python_types
from surf_data.review.analysis.access import CHANGES
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import Access, Facts, Outcome
from surf_data.review.analysis.rows import Index
from surf_data.review.findings.callers import Caller
from surf_data.review.findings.finding import Finding

# The operators with which a caller gets one row.
_ONE_ROW = frozenset({"^", "$", "<!"})
# Those with which a caller gets what is in the rows.
_ROW_OPERATORS = _ONE_ROW | {""}


def query_findings(outcomes: Iterable[Outcome], catalog: Catalog) -> Iterator[Finding]:
    """Yield what is found in queries, by what they are.

    Arguments:
        outcomes: the queries.
        catalog: the database that they were analysed for.
    """
    for outcome in outcomes:
        if isinstance(outcome, Facts):
            for rule in _RULES:
                yield from rule(outcome, catalog)


def uncalled(queries: Iterable[QuerySource], callers: Mapping[str, tuple[Caller, ...]]) -> Iterator[Finding]:
    """Yield the queries that no code calls.

    Arguments:
        queries: the queries.
        callers: as `find_callers` returns them.
    """
    for query in queries:
        if not callers[query.name]:
            yield found(query, "UNCALLED", "", "no Python code names it: delete it, or say who uses it")


def found(query: QuerySource, code: str, about: str, message: str) -> Finding:
    """Return a finding of a query."""
    return Finding(code=code, subject=query.name, about=about, message=message, file=query.file, line=query.line)


def _one_of_many(facts: Facts, _catalog: Catalog) -> Iterator[Finding]:
    if facts.query.operator not in _ONE_ROW or facts.columns is None:
        return
    if not facts.rows.at_most_one:
        message = (
            f"the caller gets one row of possibly several ({facts.rows.reason}): give a unique key as a whole, or "
            "say by ORDER BY and LIMIT 1 which row is meant"
        )
        yield found(facts.query, "ONE-OF-MANY", "", message)
    elif facts.rows.reason == "LIMIT 1" and not facts.is_ordered:
        message = "LIMIT 1 takes any row there is, today this one and tomorrow that: say by ORDER BY which is meant"
        yield found(facts.query, "ONE-OF-MANY", "", message)


def _not_hot(facts: Facts, catalog: Catalog) -> Iterator[Finding]:
    for access in facts.tables:
        covering = list(_covering(access, catalog))
        if covering:
            told = ", ".join(f"{column} (in {', '.join(index.name for index in each)})" for column, each in covering)
            message = (
                f"updates {told} of {access.table}, so each row that changes gets a new entry in every index of the "
                "table, and waits for VACUUM: leave indexed columns as they are, or drop what indexes them"
            )
            yield found(facts.query, "NOT-HOT", access.table, message)


def _covering(access: Access, catalog: Catalog) -> Iterator[tuple[str, list[Index]]]:
    """Yield the columns that are updated and indexed, each with its indexes."""
    for relation in catalog.relations.values():
        if relation.name != access.table:
            continue
        for column in catalog.columns.get(relation.id, {}).values():
            indexes = [
                index
                for index in catalog.indexes.get(relation.id, ())
                if column.number in index.mentioned and not index.is_summary
            ]
            if column.name in access.columns_updated and indexes:
                yield column.name, indexes


def _cascade(facts: Facts, _catalog: Catalog) -> Iterator[Finding]:
    for cascade in facts.cascades:
        if cascade.startswith(CHANGES):
            message = f"{cascade}, as many as there are and without a word in the query: see that this is wanted"
            yield found(facts.query, "CASCADE", cascade, message)


def _untyped(facts: Facts, _catalog: Catalog) -> Iterator[Finding]:
    for parameter in facts.parameters:
        if not parameter.is_typed:
            message = (
                f":{parameter.name} has its type, {parameter.type.name}, by PostgreSQL's preferences alone: "
                f"write :{parameter.name}::{parameter.type.name}, or the type that is meant"
            )
            yield found(facts.query, "UNTYPED", parameter.name, message)


def _lost_index(facts: Facts, _catalog: Catalog) -> Iterator[Finding]:
    for cast in facts.casts:
        column = f"{cast.table}.{cast.name}"
        other = "cast the other side" if cast.parameter is None else f"write :{cast.parameter}::{cast.type}"
        message = (
            f"{column} is compared as {cast.cast}, so that {cast.index} does not serve: {other}"
            f"{f' to {cast.type}' if cast.parameter is None else ''}, and leave the column as it is"
        )
        yield found(facts.query, "LOST-INDEX", column, message)


def _unread_type(facts: Facts, _catalog: Catalog) -> Iterator[Finding]:
    if facts.query.operator not in _ROW_OPERATORS:
        return
    for column in facts.columns or ():
        if not python_types.is_known(column.type) and column.type.name != "void":
            kind = f"{column.name} is of the type {column.type.name}"
            message = f"{kind}, which arrives as text, and the whole row with it: write ::text"
            yield found(facts.query, "UNREAD-TYPE", column.name, message)


_RULES: tuple[Callable[[Facts, Catalog], Iterator[Finding]], ...] = (
    _one_of_many,
    _not_hot,
    _cascade,
    _lost_index,
    _untyped,
    _unread_type,
)
