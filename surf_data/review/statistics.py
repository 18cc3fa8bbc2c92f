"""What production spent on each query: from pg_stat_statements back to the files.

A statement of this library says which query it is, in a tag. Any other is found by its number, which the server makes
of what a statement means: text that is laid out otherwise, and constants of other values, have the same one.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import psycopg

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.statistics_queries import statistics_queries

_TAG = re.compile(r"/\* [^:*]+:(?P<name>[\w.]+) \*/")
# What the server keeps without its constants. The text of others may hold a password.
_NORMALISED = re.compile(r"\s*(?:SELECT|WITH|VALUES|TABLE|INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
_MISSING = {
    "42P01": "pg_stat_statements is not installed here: CREATE EXTENSION pg_stat_statements",
    "55000": "pg_stat_statements does not count: add it to shared_preload_libraries, and restart the server",
}


@attrs.frozen
class StatementStats:
    """What was counted of one statement, in the order of the query's columns; times in milliseconds."""

    #: The server's number for it; ``None`` where only its owner may know.
    query_id: int | None
    #: Its text; ``None`` or a remark where only its owner may know.
    text: str | None
    calls: int
    #: How many rows it gave or changed, in all.
    rows: int
    #: How long it took, in all.
    total: float
    #: The standard deviation.
    deviation: float
    #: The longest.
    longest: float


@attrs.frozen(kw_only=True)
class QueryStats:
    """What a query cost, whichever client ran it; times in milliseconds."""

    query: QuerySource
    calls: int
    rows: int
    total: float
    mean: float
    deviation: float
    longest: float
    #: Its share of the time of all statements, 0 to 1.
    share: float
    #: Whether it was found by its ``tag`` or by its ``number``.
    found_by: str


@attrs.frozen(kw_only=True)
class UntrackedStatement:
    """A statement that is in no file; times in milliseconds."""

    #: Its text; of what is no query only the first words, because the rest may be secret.
    text: str
    calls: int
    total: float
    #: Its share of the time of all statements, 0 to 1.
    share: float


@attrs.frozen(kw_only=True)
class Statistics:
    """What production spent."""

    #: Queries that were run, the ones that took most time first.
    queries: tuple[QueryStats, ...]
    #: Queries that were never run, as far as the server remembers.
    never_run: tuple[QuerySource, ...]
    #: Statements of no file, the ones that took most time first.
    others: tuple[UntrackedStatement, ...]


def read_statistics(connection: psycopg.Connection[Any], queries: Sequence[QuerySource]) -> Statistics:
    """Return what a server spent on queries since its statistics were reset.

    Nothing is run but questions to the catalogs: a query that is looked for by its number is planned, not executed.

    Arguments:
        connection: an idle connection in autocommit mode to the database that the queries are for, of a role with the
            rights of pg_read_all_stats.
        queries: the queries, named as in their tags or without the first parts of those names.

    Raises:
        DatabaseError: the extension pg_stat_statements is missing, or cannot be read.
    """
    counted = _counted(connection)
    tagged = {id(each): _tagged(each, queries) for each in counted}
    unfound = [query for query in queries if query not in tagged.values()]
    numbers = _numbers(connection, unfound)
    whole = math.fsum(each.total for each in counted)
    groups: dict[QuerySource, list[StatementStats]] = {}
    others: list[UntrackedStatement] = []
    for each in counted:
        query = tagged[id(each)] or numbers.get(each.query_id)
        if query is None:
            others.append(_other(each, whole))
        else:
            groups.setdefault(query, []).append(each)
    spent = [_spent(query, group, whole, "number" if query in unfound else "tag") for query, group in groups.items()]
    return Statistics(
        queries=tuple(sorted(spent, key=lambda each: -each.total)),
        never_run=tuple(query for query in queries if query not in groups),
        others=tuple(others),
    )


def _counted(connection: psycopg.Connection[Any]) -> list[StatementStats]:
    try:
        return [StatementStats(*row) for row in statistics_queries().statement_list(Session(connection))]
    except DatabaseError as error:
        if error.sqlstate not in _MISSING:
            raise
        problem = DatabaseError(_MISSING[error.sqlstate], sqlstate=error.sqlstate)
    # Outside the handler, so that it carries no other error.
    raise problem


def _tagged(counted: StatementStats, queries: Iterable[QuerySource]) -> QuerySource | None:
    tag = _TAG.search(counted.text or "")
    if tag is None:
        return None
    found = (query for query in queries if f".{tag['name']}".endswith(f".{query.name}"))
    return next(found, None)


def _numbers(connection: psycopg.Connection[Any], queries: Sequence[QuerySource]) -> dict[int | None, QuerySource]:
    if not queries:
        return {}
    analyst = Analyst(connection)
    found = {analyst.number(query): query for query in queries}
    found.pop(None, None)
    return found


def _spent(query: QuerySource, group: Sequence[StatementStats], whole: float, found_by: str) -> QueryStats:
    calls = sum(each.calls for each in group)
    total = math.fsum(each.total for each in group)
    mean = total / calls
    # That of all calls together, from those of the parts and their means.
    squares = math.fsum(each.calls * (each.deviation**2 + (each.total / each.calls - mean) ** 2) for each in group)
    return QueryStats(
        query=query,
        calls=calls,
        rows=sum(each.rows for each in group),
        total=total,
        mean=mean,
        deviation=math.sqrt(squares / calls),
        longest=max(each.longest for each in group),
        share=total / whole if whole else 0.0,
        found_by=found_by,
    )


def _other(counted: StatementStats, whole: float) -> UntrackedStatement:
    words = (counted.text or "").split()
    text = " ".join(words if _NORMALISED.match(counted.text or "") else words[:2])
    share = counted.total / whole if whole else 0.0
    return UntrackedStatement(text=text, calls=counted.calls, total=counted.total, share=share)
