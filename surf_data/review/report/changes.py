"""What became of each query between two revisions, by what PostgreSQL says of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import attrs

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.analysis.facts import Facts, Outcome, Refusal
from surf_data.review.findings.finding import Finding
from surf_data.review.planning.explain import Planned
from surf_data.review.planning.plans import Plan
from surf_data.review.report.differences import effects, types

#: What can have become of a query, and what that means.
KINDS: Mapping[str, str] = {
    "new": "it was not there before",
    "removed": "it is no longer there",
    "broken": "PostgreSQL refuses what it took before",
    "mended": "PostgreSQL takes what it refused before",
    "SQL": "its SQL means something else",
    "layout only": "its SQL is written differently, and PostgreSQL makes the same of it: proven by equal trees",
    "types": "its parameters, its columns or the number of its rows are others",
    "effects": "it reads, writes, locks or sets off something else",
    "plan": "PostgreSQL would run it in another way",
    "header": "its name's line or its comments say something else",
}

# Of these it goes without saying that something has changed.
_WORDS = frozenset({"SQL", "types", "effects", "plan", "header"})


def label(kind: str) -> str:
    """Return what a reader sees for one of `KINDS`."""
    return f"{kind} changed" if kind in _WORDS else kind


@attrs.frozen(kw_only=True)
class RevisionState:
    """What was found out about a revision."""

    outcomes: tuple[Outcome, ...] = ()
    #: The plans of each query that was planned: for any values first, then for those of each example.
    plans: Mapping[str, Sequence[Planned]] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()

    def by_name(self) -> dict[str, Outcome]:
        """Return what came of each query, by its name."""
        return {outcome.query.name: outcome for outcome in self.outcomes}


@attrs.frozen(kw_only=True)
class Change:
    """What became of a query."""

    name: str
    #: What came of it before; ``None`` if it was not there.
    before: Outcome | None
    #: What comes of it now; ``None`` if it is not there.
    now: Outcome | None
    #: Which of `KINDS`, in their order; none if all is as it was.
    kinds: tuple[str, ...]
    #: What is different, in words.
    differences: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """What comes of the query, or came of it if it is no longer there."""
        # It is there in one of the revisions.
        return cast("Outcome", self.now or self.before)


def same_meaning(analyst: Analyst, before: Iterable[QuerySource], now: Iterable[Outcome]) -> frozenset[str]:
    """Return the names of the queries that are written differently, and of which PostgreSQL makes the same.

    Arguments:
        analyst: of the later revision's database, in which both are analysed: trees of two databases do not compare.
        before: the queries as they were.
        now: what comes of them as they are.
    """
    earlier = {query.name: query for query in before}
    return frozenset(
        outcome.query.name
        for outcome in now
        if isinstance(outcome, Facts)
        and (query := earlier.get(outcome.query.name)) is not None
        and query.sql != outcome.query.sql
        and is_same(analyst, query, outcome)
    )


def is_same(analyst: Analyst, before: QuerySource, now: Facts) -> bool:
    """Return whether PostgreSQL makes the same of a query that is written in two ways: equal trees.

    Arguments:
        analyst: of the database in which the other one was analysed.
        before: the query as it was.
        now: what comes of it as it is.
    """
    # The trees have numbers for parameters, and callers names.
    if before.order != now.query.order:
        return False
    if now.command == "COPY":
        # Its tree is that of what it copies, without the options.
        return before.words() == now.query.words()
    earlier = analyst.outcome(before)
    if not isinstance(earlier, Facts) or earlier.command != now.command:
        return False
    return earlier.tree.text() == now.tree.text()


def changes(before: RevisionState, now: RevisionState, same: frozenset[str]) -> list[Change]:
    """Return what became of every query: those that are there in their order, then those that were removed.

    Arguments:
        before: the earlier revision.
        now: the later one.
        same: the names of queries with other SQL of which PostgreSQL makes the same, from `same_meaning`.
    """
    earlier, later = before.by_name(), now.by_name()
    told: list[Change] = []
    for name in dict.fromkeys([*later, *earlier]):
        was, is_now = earlier.get(name), later.get(name)
        if was is None or is_now is None:
            kinds, differences = {"new" if was is None else "removed"}, list[str]()
        else:
            kinds, differences = _became(was, is_now, is_same=name in same)
            if _differ(before.plans.get(name, ()), now.plans.get(name, ())):
                kinds.add("plan")
        ordered = tuple(kind for kind in KINDS if kind in kinds)
        told.append(Change(name=name, before=was, now=is_now, kinds=ordered, differences=tuple(differences)))
    return told


def alone(now: RevisionState) -> list[Change]:
    """Return the queries of a revision that is compared with none."""
    return [
        Change(name=outcome.query.name, before=None, now=outcome, kinds=(), differences=()) for outcome in now.outcomes
    ]


def _became(before: Outcome, now: Outcome, *, is_same: bool) -> tuple[set[str], list[str]]:
    kinds: set[str] = set()
    differences: list[str] = []
    if before.query.sql != now.query.sql:
        kinds.add("layout only" if is_same else "SQL")
    if before.query.header() != now.query.header():
        kinds.add("header")
    for kind, told in _told(before, now):
        kinds.add(kind)
        differences += told
    return kinds, differences


def _told(before: Outcome, now: Outcome) -> Iterator[tuple[str, list[str]]]:
    if isinstance(before, Facts) and isinstance(now, Facts):
        for kind, told in (("types", list(types(before, now))), ("effects", list(effects(before, now)))):
            if told:
                yield kind, told
    elif isinstance(now, Refusal) and isinstance(before, Facts):
        yield "broken", [now.reason]
    elif isinstance(before, Refusal) and isinstance(now, Facts):
        yield "mended", [f"before: {before.reason}"]


def _differ(before: Sequence[Planned], now: Sequence[Planned]) -> bool:
    """Return whether a plan is built in another way; what it costs is another matter."""
    earlier = {tuple(plan.example.items()): plan for plan in before if isinstance(plan, Plan)}
    later = {tuple(plan.example.items()): plan for plan in now if isinstance(plan, Plan)}
    return any(not earlier[example].is_built_like(later[example]) for example in earlier.keys() & later.keys())
