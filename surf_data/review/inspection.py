"""A review: of queries as they are, and as they were in an earlier revision."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from surf_data.errors import ConfigurationError, MigrationError, QueryFileError
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import Facts, Outcome, Refusal
from surf_data.review.distribution.layout import Layout
from surf_data.review.distribution.verdicts import Verdict, verdicts
from surf_data.review.findings.callers import Caller, find_callers
from surf_data.review.findings.evaluation import Evidence, evaluate
from surf_data.review.findings.finding import compare
from surf_data.review.findings.migration_trials import MigrationTrials
from surf_data.review.findings.thresholds import Thresholds
from surf_data.review.planning.query_plans import QueryPlans
from surf_data.review.planning.scale import Scale, read_scale
from surf_data.review.progress import OnStep, counted, silent
from surf_data.review.report.changes import RevisionState, alone, changes, same_meaning
from surf_data.review.report.contents import Problem, Report
from surf_data.review.report.migrations import migration_files
from surf_data.review.report.revision import Revision, revision_of
from surf_data.review.rules import OF_MIGRATIONS
from surf_data.review.source import read_queries
from surf_data.review.workbench import Workbench

_UNDEFINED_TABLE = "42P01"
_NO_SCHEMA = (
    "No schema was named: --migrations takes a folder of migrations, or a file as pg_dump --schema-only writes it"
)


@attrs.frozen(kw_only=True)
class RuleOptions:
    """What findings depend on beside queries and schema."""

    #: Python code that calls the queries: files, and folders of them.
    code: tuple[Path, ...] = ()
    thresholds: Thresholds = attrs.field(factory=Thresholds)
    #: The codes of findings that are left out, whatever they are about.
    ignored: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class ReviewRequest:
    """What is to be reviewed."""

    #: The queries: a folder, or a file.
    folder: Path
    #: The names of those that are wanted; all without any.
    names: frozenset[str] = frozenset()
    #: Folders of migrations and files with schemas, in the order in which they are applied.
    sources: tuple[Path, ...] = ()
    #: How large the tables are in production.
    scale: Scale | None = None
    options: RuleOptions = attrs.field(factory=RuleOptions)

    def paths(self) -> list[Path]:
        """Return all that is read, the queries first."""
        return [self.folder, *self.sources, *self.options.code, *([Path(self.scale.file)] if self.scale else [])]

    def queries(self) -> list[QuerySource]:
        """Return the queries that are wanted.

        Raises:
            QueryFileError: a file cannot be read, or a name is taken twice.
        """
        return [query for query in read_queries(self.folder) if not self.names or query.name in self.names]


@attrs.frozen(kw_only=True)
class Inspection:
    """What was found out about one revision."""

    state: RevisionState = attrs.field(factory=RevisionState)
    plans: QueryPlans = attrs.field(factory=QueryPlans)
    #: The queries of the earlier revision that are only written differently now.
    same: frozenset[str] = frozenset()
    #: Where each query would run on a cluster, by its full name; empty where no table is declared to be in shards.
    verdicts: Mapping[str, Verdict] = attrs.field(factory=dict)
    #: Where each query is called; ``None`` without code to search.
    callers: Mapping[str, Sequence[Caller]] | None = None
    #: What could not be found out, and why.
    notes: tuple[str, ...] = ()

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """What came of each query."""
        return self.state.outcomes

    @property
    def is_empty(self) -> bool:
        """Whether there are no queries, or none of those that can be analysed was."""
        # Of a script nothing is to be known.
        wanted = [outcome for outcome in self.outcomes if outcome.query.operator != "#"]
        return not any(isinstance(outcome, Facts) for outcome in wanted) and (bool(wanted) or not self.outcomes)

    def problems(self) -> list[Problem]:
        """Return what is wrong with the queries."""
        unplanned = self.plans.unplanned(self.outcomes)
        return [
            *_problems(self.outcomes),
            *(Problem(query=query, line=query.line, text=reason) for query, reason in unplanned),
        ]

    def since(self, before: "Inspection | None") -> list[Problem]:
        """Return what is wrong with the queries and was not in an earlier revision, if there is one."""
        known = {(problem.query.name, problem.text) for problem in before.problems()} if before else set[object]()
        return [problem for problem in self.problems() if (problem.query.name, problem.text) not in known]


@attrs.frozen(kw_only=True)
class Review:
    """What a review found out."""

    #: The queries as they are.
    now: Inspection
    #: As they were in the earlier revision; ``None`` when there is none to compare with.
    before: Inspection | None
    #: What the document and the comment tell.
    report: Report

    @property
    def ok(self) -> bool:
        """Whether something was reviewed without a problem or a finding; with an earlier revision, a new one."""
        return not (self.report.is_empty or self.report.problems or self.report.findings.new)


def inspect(
    request: ReviewRequest, workbench: Workbench, *, base: str | None = None, on_step: OnStep = silent
) -> Review:
    """Review queries, and compare them with an earlier revision if one is named.

    Arguments:
        request: what is to be reviewed.
        workbench: where schemas are created.
        base: the git revision to compare with: a branch, a tag, a commit.
        on_step: called with what is done next.

    Raises:
        ConfigurationError: the scale does not fit the schema, or git does not know the revision.
        DatabaseError: the server cannot be reached, or its role may not create databases.
        MigrationError: the schema cannot be created, or a migration cannot be tried.
        QueryFileError: a file cannot be read, a name is taken twice, or something is accepted that there is not, or
            without a reason.
    """
    if base is None:
        now = _inspected(request, workbench, None, on_step)
        return Review(now=now, before=None, report=_report(request, now, None, None))
    with revision_of(base, request.paths()) as revision:
        before = _inspected_earlier(request, workbench, revision, on_step)
        now = _inspected(request, workbench, before, on_step)
        return Review(now=now, before=before, report=_report(request, now, before, revision))


def _inspected(request: ReviewRequest, workbench: Workbench, before: Inspection | None, on_step: OnStep) -> Inspection:
    """Return what is to be found out of queries as they are."""
    queries = request.queries()
    earlier = Inspection() if before is None else before
    # Before the schema is there, because roles belong to all databases, and each of them creates them.
    trials = MigrationTrials() if request.names else MigrationTrials.of(workbench, request.sources, on_step)
    on_step("creating the schema")
    with workbench.create(request.sources) as schema:
        analyst = Analyst(schema.connection)
        outcomes = _outcomes(analyst, queries, on_step)
        same = same_meaning(analyst, [outcome.query for outcome in earlier.outcomes], outcomes)
        layout = Layout() if request.scale is None else Layout.of(analyst.catalog, request.scale)
        told = verdicts(outcomes, analyst.catalog, layout)
        plans = QueryPlans.of(schema, queries, request.scale, on_step)
        code = request.options.code
        callers = find_callers(queries, code) if code else None
        evidence = Evidence(
            catalog=Catalog.read(schema.connection),
            outcomes=outcomes,
            is_whole=not request.names,
            verdicts=told,
            layout=layout,
            planned=plans.planned,
            callers=callers,
            migrations=trials.migrations,
            effects=trials.effects,
            squawk=trials.squawk,
            accepted=plans.accepted,
            before=(earlier.outcomes, earlier.plans.planned or ()),
        )
        found = evaluate(evidence, request.options.thresholds, request.options.ignored)
    state = RevisionState(outcomes=outcomes, plans=plans.by_query, findings=found)
    return Inspection(state=state, plans=plans, same=same, verdicts=told, callers=callers, notes=trials.notes())


def _inspected_earlier(request: ReviewRequest, workbench: Workbench, revision: Revision, on_step: OnStep) -> Inspection:
    """Return what is to be found out of queries as they were, with their schema, at the sizes that are declared now.

    What cannot be found out is said in the notes, and is no reason to leave the rest. Migrations are tried as they are
    alone: those that are there already have nothing new.
    """
    there = revision.path(request.folder)
    if there is None:
        return Inspection(notes=(f"{request.folder} is not in {revision.name}, so every query is new",))
    try:
        then = _then(request, there, revision)
        queries = [attrs.evolve(query, file=revision.shown(query.file)) for query in then.queries()]
    except (ConfigurationError, QueryFileError) as error:
        return Inspection(notes=(f"nothing can be compared, because {revision.told(str(error))}",))
    on_step(f"creating the schema of {revision.name}")
    try:
        with workbench.create(then.sources) as schema:
            analyst = Analyst(schema.connection)
            outcomes = _outcomes(analyst, queries, on_step)
            layout = Layout() if then.scale is None else Layout.of(analyst.catalog, then.scale, is_own=False)
            plans = QueryPlans.of(schema, queries, then.scale, on_step, is_own=False)
            evidence = Evidence(
                catalog=Catalog.read(schema.connection),
                outcomes=outcomes,
                is_whole=not request.names,
                verdicts=verdicts(outcomes, analyst.catalog, layout),
                layout=layout,
                planned=plans.planned,
                callers=find_callers(queries, then.options.code) if request.options.code else None,
                accepted=plans.accepted,
            )
            found = evaluate(evidence, request.options.thresholds, request.options.ignored)
    except (MigrationError, QueryFileError) as error:
        reason = f"{revision.name} cannot be analysed: {revision.told(str(error))}"
        refused = tuple(Refusal(query=query, reason=reason, line=query.line) for query in queries)
        return Inspection(state=RevisionState(outcomes=refused), notes=(f"only SQL can be compared, because {reason}",))
    return Inspection(state=RevisionState(outcomes=outcomes, plans=plans.by_query, findings=found), plans=plans)


def _then(request: ReviewRequest, folder: Path, revision: Revision) -> ReviewRequest:
    """Return what is to be reviewed as it was: with what was accepted and distributed then, at the sizes of now."""
    sources, code = (
        tuple(there for path in paths if (there := revision.path(path)) is not None)
        for paths in (request.sources, request.options.code)
    )
    scale = request.scale
    if scale is not None:
        own = revision.path(Path(scale.file))
        earlier = Scale() if own is None else read_scale(own)
        placed = earlier.placements()
        tables = {name: attrs.evolve(table, placement=placed.get(name)) for name, table in scale.tables.items()}
        scale = attrs.evolve(scale, accepted=earlier.accepted, tables=tables)
    options = attrs.evolve(request.options, code=code)
    return attrs.evolve(request, folder=folder, sources=sources, scale=scale, options=options)


def _report(request: ReviewRequest, now: Inspection, before: Inspection | None, revision: Revision | None) -> Report:
    guessed = now.plans.guessed(now.outcomes)
    lacking = any(isinstance(each, Refusal) and each.sqlstate == _UNDEFINED_TABLE for each in now.outcomes)
    unnamed = [_NO_SCHEMA] if lacking and not request.sources else []
    migrations = [] if revision is None else list(migration_files(request.sources, revision))
    # What is found in a migration that was there already was there as well.
    moved = {migration.name for migration in migrations}
    known = [*([] if before is None else before.state.findings)]
    if before is not None:
        known += [each for each in now.state.findings if each.code in OF_MIGRATIONS and each.subject not in moved]
    return Report(
        folder=str(request.folder),
        base=revision,
        changes=alone(now.state) if before is None else changes(before.state, now.state, now.same),
        plans_before={} if before is None else before.state.plans,
        plans=now.state.plans,
        findings=compare(known, now.state.findings),
        verdicts=now.verdicts,
        callers=now.callers,
        problems=now.since(before),
        migrations=migrations,
        scale=now.plans.file,
        notes=[*now.notes, *unnamed, *([] if before is None else before.notes), *([guessed] if guessed else [])],
        is_empty=now.is_empty,
    )


def _outcomes(analyst: Analyst, queries: Sequence[QuerySource], on_step: OnStep) -> tuple[Outcome, ...]:
    return tuple(analyst.outcome(query) for query in counted(on_step, "analysing the queries", queries))


def _problems(outcomes: Iterable[Outcome]) -> Iterator[Problem]:
    for outcome in outcomes:
        if isinstance(outcome, Facts):
            for text in outcome.problems:
                yield Problem(query=outcome.query, line=outcome.query.line, text=text)
        elif outcome.query.operator != "#":
            # Of a script nothing is to be known.
            yield Problem(query=outcome.query, line=outcome.line, text=outcome.reason)
