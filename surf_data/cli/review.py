"""``surf-data review``: what PostgreSQL says of every query."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import attrs
import click
from rich.console import RenderableType
from rich.text import Text

from surf_data.cli import finding_tables, output, plan_tables, tables
from surf_data.cli.finding_tables import rule_options
from surf_data.cli.options import PathType
from surf_data.cli.plan_tables import find_scale, scale_option
from surf_data.cli.schema import Schema, schema_options
from surf_data.cli.target import json_option
from surf_data.domain import Domain
from surf_data.kernel import resources, sql_folders
from surf_data.review import Facts, Inspection, Outcome, Report, ReviewRequest, RuleOptions, Scale, inspect
from surf_data.review.report.changes import label
from surf_data.review.report.comment import comment
from surf_data.review.report.contents import counted, figure
from surf_data.review.rules import OF_MIGRATIONS

# What is found in a schema and its migrations, whatever the queries are.
_OF_SCHEMA = OF_MIGRATIONS | {"FK-INDEX"}


@click.command
@click.argument("folder", required=False, type=PathType(exists=True))
@schema_options
@scale_option
@rule_options
@click.option("--base", metavar="REV", help="Compare with this git revision, and fail on what is new alone.")
@click.option(
    "--out",
    metavar="DIR",
    type=PathType(file_okay=False),
    help="Write report.html and comment.md, a comment for a pull request, into this folder.",
)
@click.option("--query", "names", multiple=True, metavar="NAME", help="Show all that is known of this query.")
@json_option
@click.pass_context
def review(
    context: click.Context,
    /,
    folder: Path | None,
    *,
    names: tuple[str, ...],
    scale_file: Path | None,
    rules: RuleOptions,
    base: str | None,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show what PostgreSQL says of every query below FOLDER, or of a domain.

    Any folder of aiosql files will do, or one file; without one it is that of the domain. Nothing is run; every query
    is analysed in an empty database with the schema, which is dropped in the end. With a scale, which says how large
    the tables are in production, every query is planned for tables of that size. Migrations are tried there, too, and
    squawk is asked about them.

    What a DBA would object to is listed as a finding, unless it is accepted with a reason. Exits with 1 when
    there is such a finding, or a query cannot be analysed.

    With --base the queries of a git revision are analysed, too, with the migrations that it has. Then only what is new
    since that revision is listed, and makes the command fail.
    """
    declared, schema = Schema(**options).of_domain(default=folder is None)
    if folder is None:
        folder = resources.sql_folder(cast("Domain", declared))
    scale = find_scale(schema, scale_file)
    if declared is not None and folder.resolve() != resources.sql_folder(declared).resolve():
        rules, scale = _without_queries(rules, scale)
    request = ReviewRequest(folder=folder, names=frozenset(names), sources=schema.sources, scale=scale, options=rules)
    # Before a server is started for nothing.
    queries = request.queries()
    unknown = sorted({*names} - {query.name for query in queries})
    if unknown:
        raise click.UsageError(f"there is no query {', '.join(unknown)} below {folder}")
    with schema.workbench() as workbench, output.working("reading the queries") as on_step:
        found = inspect(request, workbench, base=base, on_step=on_step)
    now, report = found.now, found.report
    if out is not None:
        write(report, out)
    if as_json:
        output.write_json(document(report, now))
    elif names:
        for outcome in now.outcomes:
            of_query = [finding for finding in now.state.findings if finding.subject == outcome.query.name]
            placed = now.verdicts.get(outcome.query.name)
            shards = [] if placed is None else [Text(f"on a cluster: {placed}")]
            plans = plan_tables.page(now.plans, outcome.query)
            page = (*_page(outcome), *shards, *plans, *finding_tables.shown(of_query))
            output.console().print(tables.stacked(page))
    else:
        listed = [*report.findings.new, *report.findings.accepted]
        front = (_front(report, now),) if found.before is None else _compared(report)
        output.console().print(tables.stacked((*front, *finding_tables.summary(listed))))
    for note in report.notes:
        output.console(stderr=True).print(note)
    for problem in report.problems:
        output.write_error(str(problem))
    if report.is_empty:
        why = f"none of {counted(len(queries), 'query')} could be analysed" if queries else _no_queries(folder)
        output.write_error(f"nothing was reviewed: {why}")
    context.exit(0 if found.ok else 1)


def _without_queries(rules: RuleOptions, scale: Scale | None) -> tuple[RuleOptions, Scale | None]:
    """Return what is looked for of a domain's schema where its own queries are not the ones that are reviewed.

    Others do not say which indexes are used, and what is accepted of the domain's queries is not out of date.
    """
    accepted = () if scale is None else tuple(each for each in scale.accepted if each.code in _OF_SCHEMA)
    rules = attrs.evolve(rules, ignored=rules.ignored | {"UNUSED-INDEX"})
    return rules, None if scale is None else attrs.evolve(scale, accepted=accepted)


def _no_queries(folder: Path) -> str:
    others = sql_folders.files(folder) if folder.is_dir() else [folder]
    hint = ", where each begins with '-- name: noun_verb(parameters)'" if others else ""
    return f"there are no queries below {folder}{hint}"


def write(report: Report, folder: Path) -> None:
    """Write the report and the comment into a folder, which is made if it is not there.

    Raises:
        UsageError: what they are made with is not installed.
        FileError: the folder cannot be written to.
    """
    try:
        # Part of an extra, and imported only where it is asked for.
        from surf_data.review.report.document import html  # noqa: PLC0415
    except ModuleNotFoundError:
        page = None
    else:
        page = html(report)
    if page is None:
        raise click.UsageError('--out needs: pip install "surf-data[review]"')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("report.html", page), ("comment.md", comment(report))):
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        problem = click.FileError(str(folder), error.strerror)
    else:
        return
    raise problem


def document(report: Report, now: Inspection) -> dict[str, Any]:
    """Return what is known, as JSON has it: compared with an earlier revision, with what became of each query."""
    compared = report.base is not None
    return {
        "queries": [
            {
                **_known(change.outcome),
                **plan_tables.document(now.plans, change.outcome.query),
                **_placed(now, change.name),
                **({"change": {"kinds": change.kinds, "differences": change.differences}} if compared else {}),
            }
            for change in report.changes
        ],
        "findings": [
            {**finding_tables.document(finding), **({"is_new": finding in report.findings.new} if compared else {})}
            for finding in now.state.findings
        ],
    }


def _placed(now: Inspection, name: str) -> dict[str, Any]:
    """Return where a query would run on a cluster, as JSON has it."""
    found = now.verdicts.get(name)
    return {} if found is None else {"cluster": attrs.asdict(found)}


def _known(outcome: Outcome) -> dict[str, Any]:
    query = outcome.query
    place = {"name": query.name, "operator": query.operator, "file": str(query.file), "line": query.line}
    if not isinstance(outcome, Facts):
        return {
            "query": place,
            "refused": {"reason": outcome.reason, "line": outcome.line, "sqlstate": outcome.sqlstate},
        }
    rows = {"count": str(outcome.rows), "reason": outcome.rows.reason}
    return {"query": place, "facts": {**attrs.asdict(outcome, filter=_is_shown), "rows": rows}}


def _is_shown(attribute: "attrs.Attribute[Any]", _value: Any) -> bool:
    return attribute.name not in {"query", "rows", "tree"}


def _front(report: Report, now: Inspection) -> RenderableType:
    figures = plan_tables.headings(now.plans)
    shards = ("on a cluster",) if now.verdicts else ()
    rows = [
        (
            *_summary(change.outcome),
            *(str(now.verdicts.get(change.name, "")) for _ in shards),
            *plan_tables.cost(now.plans, change.outcome.query),
        )
        for change in report.changes
    ]
    columns = ("query", "does", "rows", "tables", "also", *shards, *figures)
    return tables.table(*columns, rows=rows, right=figures, whole={"query", "does", *figures})


def _compared(report: Report) -> Iterator[RenderableType]:
    """Yield what became of the queries, without those that are as they were."""
    figures = () if report.scale is None else ("cost before", "cost")
    rows = [
        (
            change.name,
            ", ".join(map(label, change.kinds)),
            *("" if plan is None else figure(plan.cost) for plan in report.dearest(change.name) if figures),
        )
        for change in report.ordered()
        if change.kinds
    ]
    if rows:
        yield tables.table("query", "change", *figures, rows=rows, right=figures, whole={"query", *figures})
    yield Text(f"{counted(report.unchanged(), 'query')} unchanged.", style="dim")


def _summary(outcome: Outcome) -> tuple[str | Text, ...]:
    name = outcome.query.name
    if not isinstance(outcome, Facts):
        return name, Text("not analysed", style="yellow"), "", "", outcome.reason
    # What the command does is said already.
    writes = [each for each in outcome.writes if not each.startswith(outcome.command)]
    also = [*writes, *outcome.triggers, *outcome.cascades]
    used = dict.fromkeys(access.table for access in outcome.tables)
    return name, outcome.command, str(outcome.rows), ", ".join(used), "; ".join(also)


def _page(outcome: Outcome) -> Iterator[RenderableType]:
    query = outcome.query
    yield Text(f"{query.name}  {query.file}:{query.line}", style="bold")
    yield Text("\n".join(query.description))
    if not isinstance(outcome, Facts):
        yield Text(outcome.reason, style="yellow")
        return
    yield Text(f"{outcome.command}, rows: {outcome.rows} ({outcome.rows.reason})")
    if outcome.parameters:
        yield tables.table(
            "parameter",
            "type",
            "null",
            "stored in",
            rows=[
                (
                    each.name,
                    each.type.name,
                    _null(nullable=each.nullable, reason=each.reason),
                    ", ".join(each.stored_in),
                )
                for each in outcome.parameters
            ],
        )
    if outcome.columns:
        yield tables.table(
            "column",
            "type",
            "null",
            "taken from",
            rows=[
                (each.name, each.type.name, _null(nullable=each.nullable, reason=each.reason), each.origin or "")
                for each in outcome.columns
            ],
        )
    if outcome.tables:
        yield tables.table(
            "table",
            "done",
            "locks",
            "reads",
            "writes",
            rows=[
                (
                    access.table if access.through is None else f"{access.table} (through {access.through})",
                    ", ".join(access.operations),
                    ", ".join(filter(None, (access.lock, access.row_lock))),
                    ", ".join(access.columns_read),
                    ", ".join(access.columns_written),
                )
                for access in outcome.tables
            ],
        )
    effects = [
        *outcome.triggers,
        *outcome.cascades,
        *(f"calls {name}, volatile" for name in outcome.volatile_functions),
    ]
    yield Text(
        "\n".join(["read-only" if outcome.read_only else f"not read-only: {', '.join(outcome.writes)}", *effects])
    )


def _null(*, nullable: bool, reason: str) -> str:
    return f"{'may be' if nullable else 'never'}{': ' if reason else ''}{reason}"
