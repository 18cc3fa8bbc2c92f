"""What there is to be said of a query by what it was in an earlier revision."""

from collections.abc import Iterable, Iterator

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.facts import Facts, Outcome
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.query_rules import found
from surf_data.review.findings.thresholds import LEAST_COST, Thresholds
from surf_data.review.planning.explain import Planned
from surf_data.review.planning.plans import Plan


def revision_findings(
    before: tuple[Iterable[Outcome], Iterable[Planned]],
    now: tuple[Iterable[Outcome], Iterable[Planned]],
    thresholds: Thresholds,
) -> Iterator[Finding]:
    """Yield what has become of the queries that both revisions have.

    Arguments:
        before: the queries of the earlier revision, and their plans.
        now: those of the later one.
        thresholds: above which something is reported.
    """
    earlier = {outcome.query.name: outcome for outcome in before[0] if isinstance(outcome, Facts)}
    plans = {(plan.query, *plan.example.items()): plan for plan in before[1] if isinstance(plan, Plan)}
    later = {outcome.query.name: outcome for outcome in now[0] if isinstance(outcome, Facts)}
    for name, facts in later.items():
        if name in earlier:
            yield from retyped(earlier[name], facts)
    for plan in now[1]:
        other = plans.get((plan.query, *plan.example.items()))
        if isinstance(plan, Plan) and other is not None and plan.query in later:
            yield from grown(later[plan.query].query, other, plan, thresholds)


def retyped(before: Facts, now: Facts) -> Iterator[Finding]:
    """Yield what types an unchanged query has that it had not: a migration has changed what its callers give and get.

    Arguments:
        before: the query in the earlier revision.
        now: in the later one.
    """
    if before.query.words() != now.query.words():
        return
    earlier, later = _typed(before), _typed(now)
    for what in [*earlier, *(each for each in later if each not in earlier)]:
        was, is_now = earlier.get(what, "not there"), later.get(what, "not there")
        if was != is_now:
            message = (
                f"{what} was {was} and is {is_now}, though the query is the same: see that its callers, which may "
                "still be the old ones when the migration runs, can do with both"
            )
            yield found(now.query, "TYPE-CHANGE", what, message)


def grown(query: QuerySource, before: Plan, now: Plan, thresholds: Thresholds) -> Iterator[Finding]:
    """Yield that a plan has become more expensive, if it has by enough.

    Arguments:
        query: the query in the later revision.
        before: its plan in the earlier one.
        now: its plan in the later one, for the same values.
        thresholds: by how much is enough.
    """
    if now.cost >= LEAST_COST and now.cost >= thresholds.cost_factor * before.cost:
        values = ", ".join(f"{name}={value}" for name, value in now.example.items())
        factor = f"{now.cost / before.cost:,.1f} times as much" if before.cost else "from nothing"
        message = (
            f"the plan{f' for {values}' if values else ''} costs {now.cost:,.0f}, {factor}; it was {before.cost:,.0f}: "
            "compare the two plans, and give back what the old one lived on"
        )
        yield found(query, "COST", values, message)


def _typed(facts: Facts) -> dict[str, str]:
    """Return the type of each parameter and column, as messages have it."""
    types = {f":{parameter.name}": parameter.type.name for parameter in facts.parameters}
    for column in facts.columns or ():
        types[column.name] = f"{column.type.name}{'' if column.nullable else ' NOT NULL'}"
    return types
