"""What there is to be said of a query by how PostgreSQL would run it on tables of the declared size."""

from collections.abc import Iterable, Iterator

import attrs

from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import Facts, Outcome
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.query_rules import found
from surf_data.review.findings.thresholds import Thresholds
from surf_data.review.planning.explain import Planned
from surf_data.review.planning.plans import Plan, PlanNode

# What hands its rows on as they come, so that a LIMIT above it ends what is below it.
_PASSING = frozenset({"Append", "Gather", "Limit", "LockRows", "ProjectSet", "Result", "Subquery Scan"})
# Bytes that the planner reckons for each row that is sorted, beside its values; and to which values are aligned.
_ROW_HEAD, _ALIGNED = 24, 8


def plan_findings(
    outcomes: Iterable[Outcome], planned: Iterable[Planned], catalog: Catalog, thresholds: Thresholds
) -> Iterator[Finding]:
    """Yield what is found in the plans of queries.

    Where a query has examples, their plans count: the plan for any values has to guess what they are like.

    Arguments:
        outcomes: the queries.
        planned: their plans.
        catalog: the database, read after it was told how large its tables are.
        thresholds: above which something is reported.
    """
    plans: dict[str, list[Plan]] = {}
    for plan in planned:
        if isinstance(plan, Plan):
            plans.setdefault(plan.query, []).append(plan)
    for outcome in outcomes:
        if isinstance(outcome, Facts):
            of_query = plans.get(outcome.query.name, [])
            rules = _Rules(facts=outcome, catalog=catalog, thresholds=thresholds)
            counting = [plan for plan in of_query if plan.example] or of_query
            findings: dict[tuple[str, str, str], Finding] = {}
            for finding in (each for plan in counting for each in rules.of_plan(plan)):
                # Of several examples the first one tells.
                findings.setdefault(finding.identity, finding)
            yield from findings.values()


@attrs.frozen(kw_only=True)
class _Rules:
    facts: Facts
    catalog: Catalog
    thresholds: Thresholds

    def of_plan(self, plan: Plan) -> Iterator[Finding]:
        yield from self._many_rows(plan)
        yield from self._big_sorts(plan)
        yield from self._scans(plan)

    def _many_rows(self, plan: Plan) -> Iterator[Finding]:
        # A plan for any values takes a tenth for LIMIT :n, whatever n will be.
        unknown = plan.root.kind == "Limit" and not plan.example
        all_are_returned = self.facts.query.operator == "" and self.facts.columns is not None
        if all_are_returned and not unknown and plan.root.rows >= self.thresholds.many_rows:
            rows = f"{plan.root.rows:,.0f} rows{_for(plan)}"
            message = f"returns about {rows}: give a LIMIT, go by pages, or have them streamed"
            yield found(self.facts.query, "MANY-ROWS", "", message)

    def _big_sorts(self, plan: Plan) -> Iterator[Finding]:
        for above, node in _pairs(plan.root):
            # A LIMIT keeps only its own rows of a sort.
            if node.kind != "Sort" or (above is not None and above.kind == "Limit"):
                continue
            size = node.rows * (_ROW_HEAD + -(-node.width // _ALIGNED) * _ALIGNED)
            if size > self.catalog.sort_memory:
                key = node.details.get("Sort Key", "")
                message = (
                    f"sorts {node.rows:,.0f} rows, {_megabytes(size)}, by {key}{_for(plan)}, which work_mem "
                    f"({_megabytes(self.catalog.sort_memory)}) does not hold, so it is done on disk: an index in "
                    "this order saves it, and so do fewer or narrower rows"
                )
                yield found(self.facts.query, "BIG-SORT", key, message)

    def _scans(self, plan: Plan) -> Iterator[Finding]:
        read: dict[str, dict[str, int]] = {}
        filters: dict[str, str] = {}
        for node in _unlimited(plan.root, limited=False):
            scanned = self.catalog.named(node.relation)
            if scanned is not None and scanned.rows:
                # A partition is read as a part of its table.
                table = self.catalog.relation_name(scanned.root)
                read.setdefault(table, {})[scanned.qualified] = scanned.rows
                filters.setdefault(table, node.details.get("Filter", ""))
        for name, parts in read.items():
            rows = sum(parts.values())
            if rows >= self.thresholds.big_table:
                advice = (
                    f"an index would find those with {filters[name]}"
                    if filters[name]
                    else "give a condition or a join that an index serves, or a LIMIT"
                )
                message = f"reads all of {rows:,} rows of {name}{_for(plan)}: {advice}"
                yield found(self.facts.query, "SEQ-SCAN", name, message)


def _pairs(node: PlanNode, above: PlanNode | None = None) -> Iterator[tuple[PlanNode | None, PlanNode]]:
    """Yield each step with the one above it."""
    yield above, node
    for child in node.children:
        yield from _pairs(child, node)


def _unlimited(node: PlanNode, *, limited: bool) -> Iterator[PlanNode]:
    """Yield the sequential scans that no LIMIT ends early."""
    limited = node.kind == "Limit" or (limited and node.kind in {*_PASSING, "Seq Scan"})
    if node.kind == "Seq Scan" and not (limited and "Filter" not in node.details):
        yield node
    for child in node.children:
        yield from _unlimited(child, limited=limited)


def _for(plan: Plan) -> str:
    values = ", ".join(f"{name}={value}" for name, value in plan.example.items())
    return f" for {values}" if values else ""


def _megabytes(size: float) -> str:
    return f"{size / 2**20:,.1f} MB"
