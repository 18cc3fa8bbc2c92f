"""All findings of one revision, from all that was looked at."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from surf_data.migrate import Migration, MigrationEffect
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import Facts, Outcome
from surf_data.review.findings import suppressions
from surf_data.review.findings.callers import Caller
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.migration_rules import lock_findings
from surf_data.review.findings.plan_rules import plan_findings
from surf_data.review.findings.query_rules import query_findings, uncalled
from surf_data.review.findings.revision_rules import revision_findings
from surf_data.review.findings.schema_rules import missing_indexes, unused_indexes
from surf_data.review.findings.thresholds import Thresholds
from surf_data.review.planning.explain import Planned
from surf_data.review.planning.plans import Plan
from surf_data.review.rules import Suppression


@attrs.frozen(kw_only=True)
class Evidence:
    """What was looked at; ``None`` for what was not."""

    #: The database, read after it was told how large its tables are.
    catalog: Catalog
    outcomes: Sequence[Outcome]
    #: Whether these are all the queries that there are.
    is_whole: bool = True
    #: How they would run on tables of the declared size.
    planned: Sequence[Planned] | None = None
    #: Who calls them.
    callers: Mapping[str, tuple[Caller, ...]] | None = None
    #: The files that the database was made of.
    migrations: Sequence[Migration] = ()
    #: What was measured of them.
    effects: Sequence[MigrationEffect] | None = None
    #: What squawk says of them.
    squawk: Sequence[Finding] | None = None
    #: What is accepted elsewhere than in queries and migrations.
    accepted: Sequence[Suppression] = ()
    #: The queries of an earlier revision, and their plans.
    before: tuple[Sequence[Outcome], Sequence[Planned]] = ((), ())


def evaluate(seen: Evidence, thresholds: Thresholds | None = None) -> tuple[Finding, ...]:
    """Return all findings, those that are accepted with the reason.

    Arguments:
        seen: what was looked at.
        thresholds: from where on something is worth a word.

    Raises:
        MigrationError: a migration cannot be read.
        QueryFileError: something is accepted that there is not, or without a reason; with file and line.
    """
    found = [*_found(seen, thresholds or Thresholds())]
    queries = [outcome.query for outcome in seen.outcomes if isinstance(outcome, Facts)]
    accepted = [*suppressions.of_queries(outcome.query for outcome in seen.outcomes)]
    known = {query.name for query in queries}
    # Of a query that cannot be analysed nothing is found, and nothing is out of date.
    acceptances = [each for each in accepted if each.subject in known]
    if seen.is_whole:
        acceptances += [*suppressions.of_migrations(seen.migrations), *seen.accepted]
    return tuple(suppressions.settled(found, acceptances, frozenset(_looked_for(seen))))


def _found(seen: Evidence, thresholds: Thresholds) -> Iterator[Finding]:
    yield from query_findings(seen.outcomes, seen.catalog)
    if seen.planned is not None:
        yield from plan_findings(seen.outcomes, seen.planned, seen.catalog, thresholds)
    yield from revision_findings(seen.before, (seen.outcomes, seen.planned or ()), thresholds)
    if seen.callers is not None:
        yield from uncalled((outcome.query for outcome in seen.outcomes), seen.callers)
    if seen.is_whole:
        yield from missing_indexes(seen.catalog, thresholds)
        plans = [plan for plan in seen.planned or () if isinstance(plan, Plan)]
        yield from unused_indexes(seen.catalog, plans, thresholds) if seen.planned is not None else ()
        yield from lock_findings(seen.effects or (), seen.catalog, thresholds)
        yield from seen.squawk or ()


def _looked_for(seen: Evidence) -> Iterator[str]:
    """Yield the codes of the findings that there would be, if there was anything to find.

    What a query has become is not among them: it is found in one comparison, and accepted for longer.
    """
    yield from ("CASCADE", "LOST-INDEX", "NOT-HOT", "ONE-OF-MANY", "UNTYPED", "FK-INDEX")
    if seen.planned is not None:
        yield from ("BIG-SORT", "MANY-ROWS", "SEQ-SCAN", "UNUSED-INDEX")
    if seen.callers is not None:
        yield "UNCALLED"
    if seen.effects is not None:
        yield from ("LOCK", "REWRITE", "SCAN")
    if seen.squawk is not None:
        yield "SQUAWK"
