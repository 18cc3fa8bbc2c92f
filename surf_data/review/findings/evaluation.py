"""All findings of one revision, from all that was looked at."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from surf_data.migrate import Migration, MigrationEffect
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import Facts, Outcome
from surf_data.review.distribution.layout import Layout
from surf_data.review.distribution.verdicts import Verdict
from surf_data.review.findings import suppressions
from surf_data.review.findings.callers import Caller
from surf_data.review.findings.distribution_rules import layout_findings, shard_findings
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
    #: Where each query would run on a cluster, and where the tables are there.
    verdicts: Mapping[str, Verdict] = attrs.field(factory=dict)
    layout: Layout = attrs.field(factory=Layout)
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


def evaluate(
    evidence: Evidence, thresholds: Thresholds | None = None, ignored: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Return all findings, those that are accepted with the reason.

    Arguments:
        evidence: what is known.
        thresholds: above which something is reported.
        ignored: the codes of findings that are left out, whatever they are about.

    Raises:
        MigrationError: a migration cannot be read.
        QueryFileError: something is accepted that there is not, or without a reason; with file and line.
    """
    found = [each for each in _found(evidence, thresholds or Thresholds()) if each.code not in ignored]
    queries = [outcome.query for outcome in evidence.outcomes if isinstance(outcome, Facts)]
    accepted = [*suppressions.of_queries(outcome.query for outcome in evidence.outcomes)]
    known = {query.name for query in queries}
    # Of a query that cannot be analysed nothing is found, and nothing is out of date.
    acceptances = [each for each in accepted if each.subject in known]
    if evidence.is_whole:
        acceptances += [*suppressions.of_migrations(evidence.migrations), *evidence.accepted]
    return tuple(suppressions.settled(found, acceptances, frozenset(_looked_for(evidence)) - {*ignored}))


def _found(evidence: Evidence, thresholds: Thresholds) -> Iterator[Finding]:
    yield from query_findings(evidence.outcomes, evidence.catalog)
    if evidence.planned is not None:
        yield from plan_findings(evidence.outcomes, evidence.planned, evidence.catalog, thresholds)
    yield from shard_findings(evidence.outcomes, evidence.verdicts)
    yield from revision_findings(evidence.before, (evidence.outcomes, evidence.planned or ()), thresholds)
    if evidence.callers is not None:
        yield from uncalled((outcome.query for outcome in evidence.outcomes), evidence.callers)
    if evidence.is_whole:
        yield from missing_indexes(evidence.catalog, thresholds)
        yield from layout_findings(evidence.catalog, evidence.layout)
        plans = [plan for plan in evidence.planned or () if isinstance(plan, Plan)]
        yield from unused_indexes(evidence.catalog, plans, thresholds) if evidence.planned is not None else ()
        yield from lock_findings(evidence.effects or (), evidence.catalog, thresholds)
        yield from evidence.squawk or ()


def _looked_for(evidence: Evidence) -> Iterator[str]:
    """Yield the codes of the findings that there would be, if there was anything to find.

    What a query has become is not among them: it is found in one comparison, and accepted for longer.
    """
    yield from ("CASCADE", "LOST-INDEX", "NOT-HOT", "ONE-OF-MANY", "UNREAD-TYPE", "UNTYPED", "FK-INDEX")
    if evidence.planned is not None:
        yield from ("BIG-SORT", "MANY-ROWS", "SEQ-SCAN", "UNUSED-INDEX")
    if evidence.layout:
        yield from ("ALL-SHARDS", "NO-SHARD", "SHARD-KEY", "SHARD-TRIGGER")
    if evidence.callers is not None:
        yield "UNCALLED"
    if evidence.effects is not None:
        yield from ("LOCK", "REWRITE", "SCAN")
    if evidence.squawk is not None:
        yield "SQUAWK"
