"""Asks PostgreSQL how it would run a query, without running it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import attrs
import psycopg

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.analyse import PLANNED, refusal
from surf_data.review.planning.plans import Plan, Unplanned, read_plan

#: What comes of a query and its values.
Planned = Plan | Unplanned

_OPTION = "example"
_CUSTOM = ("plan", "custom")
_STATEMENT = "_surf_data_plan"
_FORM = "VERBOSE, FORMAT JSON"
# A literal, or a word for one; then its type, if that is said. Nothing else, so that nothing is run for it.
_VALUE = re.compile(
    r"""\s*(?P<name>[a-z_]\w*)\s*=\s*
    (?P<value>
        (?:e'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|true|false|null)
        (?:\s*::\s*[a-z_][\w.]*(?:\s+[a-z]+)*(?:\([0-9,\s]*\))?(?:\[\])*)?
    )\s*(?:,|$)""",
    re.VERBOSE | re.IGNORECASE,
)


def explain(
    connection: psycopg.Connection[Any], wanted: Iterable[QuerySource], *, timeout: float = 10.0
) -> list[Planned]:
    """Return how PostgreSQL would run each query: for any values, then for those of each ``-- example:`` in its header.

    A query with ``-- plan: custom`` is never planned for any values, so only its examples are, and it needs one.

    Arguments:
        connection: an idle connection in autocommit mode, to a database with the schema that the queries are for.
            Nothing in it is changed.
        wanted: the queries.
        timeout: the seconds that a plan may take. To estimate a condition PostgreSQL calls the functions in it that
            are not volatile, and these may read tables.

    Raises:
        DatabaseUnavailable: the connection was lost.
    """
    planner = _Planner(connection, timeout)
    return [planned for query in wanted for planned in planner.of_query(query)]


def read_example(text: str) -> dict[str, str]:
    """Return the values of an example, as SQL, by parameter.

    Arguments:
        text: names and literals: ``since='2026-10-31', row_limit=50``.

    Raises:
        ValueError: it is nothing of the kind.
    """
    values: dict[str, str] = {}
    position = 0
    while position < len(text) or not values:
        found = _VALUE.match(text, position)
        if found is None or found["name"] in values:
            raise ValueError(f"write the example as name='value', name=1: {text[position:].strip()}")
        values[found["name"]] = found["value"].strip()
        position = found.end()
    return values


@attrs.frozen
class _Planner:
    _connection: psycopg.Connection[Any]
    _timeout: float

    def of_query(self, query: QuerySource) -> Iterator[Planned]:
        if query.statements > 1:
            yield Unplanned(query=query.name, example={}, reason="it is several statements; make each a query")
            return
        if query.verb not in PLANNED:
            yield Unplanned(query=query.name, example={}, reason=f"PostgreSQL does not plan {query.verb}")
            return
        if _CUSTOM not in query.options:
            yield self._planned(query, {})
        elif not any(key == _OPTION for key, _ in query.options):
            reason = "it is planned with its values: write an '-- example:' for each index that it is to use"
            yield Unplanned(query=query.name, example={}, reason=reason)
        for text in (value for key, value in query.options if key == _OPTION):
            try:
                example = read_example(text)
            except ValueError as error:
                yield Unplanned(query=query.name, example={}, reason=str(error))
                continue
            odd = [f"has no :{name}" for name in example if name not in query.order]
            odd += [f"needs a value for :{name}" for name in query.order if name not in example]
            if odd:
                yield Unplanned(query=query.name, example=example, reason=f"the query {', '.join(odd)}")
            else:
                yield self._planned(query, example)

    def _planned(self, query: QuerySource, example: Mapping[str, str]) -> Planned:
        # The values of an example stand in the query's own file, and are nothing but literals.
        given = f"({', '.join(example[name] for name in query.order)})" if example else ""
        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(f"SET LOCAL statement_timeout = {self._timeout * 1000:.0f}".encode())
                if example:
                    self._connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
                    self._connection.execute(f"PREPARE {_STATEMENT} AS {query.wire}".encode(), prepare=False)
                    asked = f"EXPLAIN ({_FORM}) EXECUTE {_STATEMENT}{given}"
                else:
                    asked = f"EXPLAIN (GENERIC_PLAN, {_FORM}) {query.wire}"
                [[documents]] = self._connection.execute(asked.encode(), prepare=False).fetchall()
            # A rule may make several statements of one, or none; of one that is no query there is a sentence.
            plans = [read_plan(each["Plan"], query) for each in documents if isinstance(each, dict) and "Plan" in each]
            if plans:
                dearest = max(plans, key=lambda plan: plan.total_cost)
                return Plan(query=query.name, example=example, root=dearest)
            reason = "a rule leaves nothing of it to be planned"
        except psycopg.errors.QueryCanceled:
            reason = f"it takes more than {self._timeout:g} seconds to plan: does it call a function that reads tables?"
        except psycopg.Error as error:
            # What is said against values has nothing to do with the query.
            said = error.diag.message_primary if example else None
            reason = query.named(said) if said else refusal(query, error).reason
        finally:
            # It outlives the transaction.
            if example:
                with suppress(psycopg.Error):
                    self._connection.execute(f"DEALLOCATE {_STATEMENT}".encode(), prepare=False)
        if self._connection.closed:
            raise DatabaseUnavailable("the connection was lost during the review", query=query.name)
        return Unplanned(query=query.name, example=example, reason=reason)
