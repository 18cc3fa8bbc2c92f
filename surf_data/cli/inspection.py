"""What ``surf-data review`` finds out: of the queries as they are, and as they were in an earlier revision."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from surf_data.cli import output
from surf_data.cli.findings import Search, Tried
from surf_data.cli.plans import Plans
from surf_data.cli.schema import Server
from surf_data.errors import ConfigurationError, MigrationError, QueryFileError
from surf_data.review import (
    Caller,
    Facts,
    Outcome,
    Query,
    Refusal,
    Scale,
    compare,
    find_callers,
    read_queries,
    read_scale,
)
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.findings.finding import OF_MIGRATIONS
from surf_data.review.findings.judging import Seen, judge
from surf_data.review.report.changes import State, alone, changes, same_meaning
from surf_data.review.report.contents import MigrationFile, Problem, Report
from surf_data.review.report.revision import Revision


@attrs.frozen(kw_only=True)
class Asked:
    """What is to be looked at."""

    #: The queries: a folder, or a file.
    folder: Path
    #: The names of those that are wanted; all without any.
    names: frozenset[str] = frozenset()
    #: Folders of migrations and files with schemas, in the order in which they are applied.
    sources: tuple[Path, ...]
    scale: Scale | None
    search: Search

    def paths(self) -> list[Path]:
        """Return all that is looked at, the queries first."""
        return [self.folder, *self.sources, *self.search.code, *([Path(self.scale.file)] if self.scale else [])]

    def queries(self) -> list[Query]:
        """Return the queries that are wanted.

        Raises:
            QueryFileError: a file cannot be read, or a name is taken twice.
        """
        return [query for query in read_queries(self.folder) if not self.names or query.name in self.names]


@attrs.frozen(kw_only=True)
class Inspection:
    """What was found out about a revision."""

    state: State = attrs.field(factory=State)
    plans: Plans = attrs.field(factory=Plans)
    #: The queries of the earlier revision that are only written differently now.
    same: frozenset[str] = frozenset()
    #: Where each query is called; ``None`` if there is no code to look at.
    callers: Mapping[str, Sequence[Caller]] | None = None
    #: What could not be looked at, and why.
    notes: tuple[str, ...] = ()

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """What came of each query."""
        return self.state.outcomes

    def problems(self) -> list[Problem]:
        """Return what is wrong with the queries."""
        return [*_problems(self.outcomes), *self.plans.problems(self.outcomes)]

    def since(self, before: "Inspection | None") -> list[Problem]:
        """Return what is wrong with the queries and was not in an earlier revision, if there is one."""
        known = {(problem.query.name, problem.text) for problem in before.problems()} if before else set[object]()
        return [problem for problem in self.problems() if (problem.query.name, problem.text) not in known]


def inspect(server: Server, asked: Asked, queries: Sequence[Query], before: Inspection | None) -> Inspection:
    """Look at queries as they are.

    Arguments:
        server: where the schema is made.
        asked: what is to be looked at.
        queries: its queries.
        before: what was found out about an earlier revision.

    Raises:
        ConfigurationError: the scale does not fit the schema.
        DatabaseError: the server cannot be reached, or its role may not create databases.
        MigrationError: the schema cannot be made, or a migration cannot be tried.
        QueryFileError: something is accepted that there is not, or without a reason.
    """
    earlier = Inspection() if before is None else before
    # Before the schema is there, because roles belong to all databases, and each of them creates them.
    tried = Tried() if asked.names else Tried.of(server, asked.sources)
    with server.make(asked.sources) as made:
        analyst = Analyst(made.connection)
        outcomes = _outcomes(analyst, queries)
        same = same_meaning(analyst, [outcome.query for outcome in earlier.outcomes], outcomes)
        plans = Plans.of(made, queries, asked.scale)
        callers = asked.search.callers(outcomes)
        seen = Seen(
            catalog=Catalog.read(made.connection),
            outcomes=outcomes,
            is_whole=not asked.names,
            planned=plans.planned,
            callers=callers,
            accepted=plans.accepted,
            before=(earlier.outcomes, earlier.plans.planned or ()),
        )
        found = asked.search.findings(seen, tried)
    state = State(outcomes=outcomes, plans=plans.by_query, findings=found)
    return Inspection(state=state, plans=plans, same=same, callers=callers)


def inspect_earlier(server: Server, asked: Asked, revision: Revision) -> Inspection:
    """Look at queries as they were, with the schema that they had then, at the sizes that are declared now.

    What cannot be looked at is said in the notes, and is no reason not to look at the rest. Migrations are looked at as
    they are alone: those that are there already have nothing new.

    Arguments:
        server: where the schema is made.
        asked: what is to be looked at, in the working tree.
        revision: the earlier revision.

    Raises:
        DatabaseError: the server cannot be reached, or its role may not create databases.
    """
    there = revision.path(asked.folder)
    if there is None:
        return Inspection(notes=(f"{asked.folder} is not in {revision.name}, so every query is new",))
    try:
        then = _then(asked, there, revision)
        queries = [attrs.evolve(query, file=revision.shown(query.file)) for query in then.queries()]
    except (ConfigurationError, QueryFileError) as error:
        return Inspection(notes=(f"nothing can be compared, because {revision.told(str(error))}",))
    try:
        with server.make(then.sources) as made:
            outcomes = _outcomes(Analyst(made.connection), queries)
            plans = Plans.of(made, queries, then.scale, is_own=False)
            seen = Seen(
                catalog=Catalog.read(made.connection),
                outcomes=outcomes,
                is_whole=not asked.names,
                planned=plans.planned,
                callers=find_callers(queries, then.search.code) if asked.search.code else None,
                accepted=plans.accepted,
            )
            found = judge(seen, asked.search.thresholds)
    except (MigrationError, QueryFileError) as error:
        reason = f"{revision.name} cannot be looked at: {revision.told(str(error))}"
        refused = tuple(Refusal(query=query, reason=reason, line=query.line) for query in queries)
        return Inspection(state=State(outcomes=refused), notes=(f"only SQL can be compared, because {reason}",))
    return Inspection(state=State(outcomes=outcomes, plans=plans.by_query, findings=found), plans=plans)


def _then(asked: Asked, folder: Path, revision: Revision) -> Asked:
    """Return what is to be looked at as it was: with the findings that were accepted then, at the sizes of now."""
    sources, code = (
        tuple(there for path in paths if (there := revision.path(path)) is not None)
        for paths in (asked.sources, asked.search.code)
    )
    scale = asked.scale
    if scale is not None:
        own = revision.path(Path(scale.file))
        scale = attrs.evolve(scale, accepted=() if own is None else read_scale(own).accepted)
    search = attrs.evolve(asked.search, code=code)
    return attrs.evolve(asked, folder=folder, sources=sources, scale=scale, search=search)


def report(asked: Asked, now: Inspection, before: Inspection | None, revision: Revision | None) -> Report:
    """Return what there is to be told.

    Arguments:
        asked: what was looked at.
        now: the queries as they are.
        before: as they were in the earlier revision, if there is one.
        revision: the earlier revision.
    """
    guessed = now.plans.guessed(now.outcomes)
    migrations = [] if revision is None else list(_migrations(asked.sources, revision))
    # What is found in a migration that was there already was there as well.
    moved = {migration.name for migration in migrations}
    known = [*([] if before is None else before.state.findings)]
    if before is not None:
        known += [each for each in now.state.findings if each.code in OF_MIGRATIONS and each.subject not in moved]
    return Report(
        folder=str(asked.folder),
        base=revision,
        changes=alone(now.state) if before is None else changes(before.state, now.state, now.same),
        plans_before={} if before is None else before.state.plans,
        plans=now.state.plans,
        findings=compare(known, now.state.findings),
        callers=now.callers,
        problems=now.since(before),
        migrations=migrations,
        scale=now.plans.file,
        notes=[*([] if before is None else before.notes), *([guessed] if guessed else [])],
    )


def _migrations(sources: Iterable[Path], revision: Revision) -> Iterator[MigrationFile]:
    """Yield the files of the schema that are new or others."""
    for source in sources:
        before, now = (_texts(path) for path in (revision.path(source), source))
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                yield MigrationFile(name=name, before=before.get(name), now=now.get(name))


def _texts(source: Path | None) -> dict[str, str]:
    if source is None:
        return {}
    files = [source] if source.is_file() else source.rglob("*.sql")
    return {path.name: path.read_text(encoding="utf-8-sig", errors="replace") for path in files}


def _outcomes(analyst: Analyst, queries: Sequence[Query]) -> tuple[Outcome, ...]:
    return tuple(analyst.outcome(query) for query in output.tracked("analysing the queries", queries))


def _problems(outcomes: Iterable[Outcome]) -> Iterator[Problem]:
    for outcome in outcomes:
        if isinstance(outcome, Facts):
            for text in outcome.problems:
                yield Problem(query=outcome.query, line=outcome.query.line, text=text)
        elif outcome.query.operator != "#":
            # Of a script nothing is to be known.
            yield Problem(query=outcome.query, line=outcome.line, text=outcome.reason)
