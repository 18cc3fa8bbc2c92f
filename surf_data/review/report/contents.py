"""What a report tells, whatever it is written as."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.distribution.verdicts import Verdict
from surf_data.review.findings.callers import Caller
from surf_data.review.findings.finding import Comparison, Finding
from surf_data.review.planning.explain import Planned
from surf_data.review.planning.plans import Plan
from surf_data.review.report.changes import Change
from surf_data.review.report.migrations import MigrationFile
from surf_data.review.report.revision import Revision

# What a reader has to look at first.
_FIRST = ("broken", "removed", "SQL", "types", "effects", "plan", "new", "mended", "layout only", "header")
#: What a finding is, compared with the earlier revision, as `Comparison` calls it.
STANDINGS: Mapping[str, str] = {"new": "new", "old": "known", "accepted": "accepted", "fixed": "fixed"}


@attrs.frozen(kw_only=True)
class Problem:
    """What is wrong with a query."""

    query: QuerySource
    #: The line of its file.
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.query.place(self.line)}: {self.text}"


@attrs.frozen(kw_only=True)
class Standing:
    """A finding, and how it stands to the earlier revision."""

    #: One of the values of `STANDINGS`.
    word: str
    finding: Finding


@attrs.frozen(kw_only=True)
class Report:
    """All that the document tells."""

    #: The queries, as the command line named their folder.
    folder: str
    #: The earlier revision; ``None`` without one.
    base: Revision | None = None
    changes: Sequence[Change] = ()
    plans_before: Mapping[str, Sequence[Planned]] = attrs.field(factory=dict)
    plans: Mapping[str, Sequence[Planned]] = attrs.field(factory=dict)
    #: What is wrong with queries; with an earlier revision, what was not wrong in it.
    problems: Sequence[Problem] = ()
    findings: Comparison = attrs.field(factory=Comparison)
    #: Where each query would run on a cluster, by its full name; empty where no table is in shards.
    verdicts: Mapping[str, Verdict] = attrs.field(factory=dict)
    #: Where Python calls each query; ``None`` without code to search.
    callers: Mapping[str, Sequence[Caller]] | None = None
    #: The files of the schema that are new or changed, or that something is to be said of.
    migrations: Sequence[MigrationFile] = ()
    #: Where the sizes of the tables are declared; ``None`` if nowhere.
    scale: str | None = None
    #: Whether nothing came of it: there are no queries, or none could be analysed.
    is_empty: bool = False
    #: What else is to be known of the review: what could not be looked at, what was guessed.
    notes: Sequence[str] = ()

    def standings(self, subject: str) -> list[Standing]:
        """Return the findings of a query or a file, new ones first."""
        return [each for each in self.all_standings() if each.finding.subject == subject]

    def marks(self, subject: str) -> list[tuple[str, str, int]]:
        """Return how often each finding of a query is there: how it stands, its code, how often."""
        return [(*mark, times) for mark, times in Counter(_mark(each) for each in self.standings(subject)).items()]

    def all_standings(self) -> Iterator[Standing]:
        """Yield all findings, new ones first."""
        for name, word in STANDINGS.items():
            yield from (Standing(word=word, finding=finding) for finding in getattr(self.findings, name))

    def schema_standings(self) -> list[Standing]:
        """Return the findings that are neither of a query nor of a file: indexes, foreign keys."""
        told = {change.name for change in self.changes} | {file.name for file in self.migrations}
        return [each for each in self.all_standings() if each.finding.subject not in told]

    def dearest(self, name: str) -> tuple[Plan | None, Plan | None]:
        """Return the plans of a query, before and now, whose costs are shown: for the same values in both."""
        before, now = (_by_example(plans.get(name, ())) for plans in (self.plans_before, self.plans))
        if before and now and before.keys() != now.keys():
            before, now = ({key: plan for key, plan in plans.items() if not key} for plans in (before, now))
        return _dearest(before), _dearest(now)

    def replanned(self, name: str) -> tuple[Plan, Plan]:
        """Return two plans of a query that are built in another way, before and now, for the same values.

        Raises:
            StopIteration: there are none.
        """
        before, now = (_by_example(plans.get(name, ())) for plans in (self.plans_before, self.plans))
        return next(
            (before[example], plan)
            for example, plan in now.items()
            if example in before and not before[example].is_built_like(plan)
        )

    def ordered(self) -> list[Change]:
        """Return what became of the queries, in the order in which they are worth a look."""
        wrong = {finding.subject for finding in self.findings.new} | {problem.query.name for problem in self.problems}

        def rank(change: Change) -> tuple[bool, int]:
            return change.name not in wrong, min((_FIRST.index(kind) for kind in change.kinds), default=len(_FIRST))

        return sorted(self.changes, key=rank)

    def count(self, kind: str) -> int:
        """Return of how many queries something is true."""
        return sum(kind in change.kinds for change in self.changes)

    def present(self) -> int:
        """Return how many queries there are."""
        return sum(change.now is not None for change in self.changes)

    def has_problem(self, name: str) -> bool:
        """Return whether something is wrong with a query."""
        return any(problem.query.name == name for problem in self.problems)

    def verdict(self) -> str:
        """Return in a few words what there is to be looked at."""
        if self.is_empty:
            return "Nothing was reviewed"
        new = "new " if self.base is not None else ""
        said = [
            counted(len(found), f"{new}{word}")
            for word, found in (("problem", self.problems), ("finding", self.findings.new))
            if found
        ]
        return " and ".join(said) or f"No {new}findings"

    def unchanged(self) -> int:
        """Return how many queries are as they were."""
        return sum(not change.kinds for change in self.changes)


def _mark(standing: Standing) -> tuple[str, str]:
    return standing.word, standing.finding.code


def counted(number: int, noun: str) -> str:
    """Return how many there are of something."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def _by_example(planned: Sequence[Planned]) -> dict[tuple[tuple[str, str], ...], Plan]:
    return {tuple(plan.example.items()): plan for plan in planned if isinstance(plan, Plan)}


def _dearest(plans: Mapping[tuple[tuple[str, str], ...], Plan]) -> Plan | None:
    # Of a query with examples theirs count: any values are but guessed.
    counting = [plan for example, plan in plans.items() if example] or plans.values()
    return max(counting, key=lambda plan: plan.cost, default=None)


def figure(number: float) -> str:
    """Return a number as people read it: whole from a hundred on, where decimals say nothing."""
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:,.2f}"  # noqa: PLR2004


def shown(text: str) -> str:
    """Return a text in which nothing is hidden: codes for characters that steer a screen or turn the reading round."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else _code(letter) for letter in text)


def _code(letter: str) -> str:
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"  # noqa: PLR2004
