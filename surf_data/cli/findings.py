"""What ``surf-data review`` finds: the options for it, what has to be looked at, and how it is shown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from surf_data.cli import output
from surf_data.cli.options import with_options
from surf_data.cli.schema import Server
from surf_data.migrate import Migration, MigrationEffect, measure_locks
from surf_data.review import Caller, Finding, Outcome, find_callers
from surf_data.review.findings.judging import Seen, judge
from surf_data.review.findings.squawk import squawk_findings
from surf_data.review.findings.thresholds import BIG_TABLE, MANY_ROWS, Thresholds
from surf_data.review.program import find_program
from surf_data.review.scratch import forgetting_roles, read_migrations

R = TypeVar("R")

# Columns before what is told of a finding.
_INDENTED = (0, 0, 0, 4)


@attrs.frozen(kw_only=True)
class Tried:
    """What was found out about migrations."""

    migrations: Sequence[Migration] = ()
    #: What was measured of them.
    effects: Sequence[MigrationEffect] = ()
    #: What squawk says of them; ``None`` where it is not installed.
    squawk: Sequence[Finding] | None = None

    @classmethod
    def of(cls, server: Server, sources: Iterable[Path]) -> "Tried":
        """Try migrations, in databases of their own.

        Arguments:
            server: where they are tried.
            sources: what a schema is made of.

        Raises:
            MigrationError: a migration cannot be tried, or squawk fails.
        """
        migrations = [each for source in sources for each in read_migrations(source)]
        program = find_program("squawk")
        if migrations and program is None:
            console = output.console(stderr=True)
            console.print("squawk is not installed, and so its rules are left aside: pip install squawk-cli")
        return cls(
            migrations=migrations,
            effects=_effects(server, migrations),
            squawk=None if program is None else list(squawk_findings(program, migrations)),
        )


@attrs.frozen(kw_only=True)
class Search:
    """What is looked for, and where."""

    #: Python code that calls the queries.
    code: tuple[Path, ...]
    thresholds: Thresholds

    def callers(self, outcomes: Iterable[Outcome]) -> Mapping[str, tuple[Caller, ...]] | None:
        """Return where each query is called; ``None`` if there is no code to look at."""
        return find_callers([each.query for each in outcomes], self.code) if self.code else None

    def findings(self, seen: Seen, tried: Tried) -> tuple[Finding, ...]:
        """Return what is found.

        Arguments:
            seen: what was looked at.
            tried: what was found out about the migrations.

        Raises:
            QueryFileError: something is accepted that there is not, or without a reason.
        """
        whole = attrs.evolve(seen, migrations=tried.migrations, effects=tried.effects, squawk=tried.squawk)
        return judge(whole, self.thresholds)


def search_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options that a `Search` is made of, which it gets as ``search``."""

    def with_search(*args: Any, code: tuple[Path, ...], big_table: int, many_rows: int, **options: Any) -> R:
        thresholds = Thresholds(big_table=big_table, many_rows=many_rows)
        return command(*args, search=Search(code=code, thresholds=thresholds), **options)

    # Before the options, which it would replace by those of the command.
    decorated: Callable[..., R] = update_wrapper(with_search, command)
    return with_options(
        decorated,
        click.option(
            "--code",
            multiple=True,
            metavar="PATH",
            type=click.Path(exists=True, path_type=Path),
            help="Python code that calls the queries, so that those are found which nobody calls. May be there several "
            "times.",
        ),
        click.option(
            "--big-table",
            type=click.IntRange(min=1),
            default=BIG_TABLE,
            show_default=True,
            metavar="ROWS",
            help="From how many rows on a table is not read or locked as a whole without a word.",
        ),
        click.option(
            "--many-rows",
            type=click.IntRange(min=1),
            default=MANY_ROWS,
            show_default=True,
            metavar="ROWS",
            help="From how many rows on a result is found to be large.",
        ),
    )


def shown(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """Yield findings as text: those that are accepted with the reason."""
    for finding in findings:
        style = "bold red" if finding.accepted is None else "yellow"
        told = [Text(output.printable(finding.message))]
        if finding.accepted is not None:
            told.append(Text(output.printable(f"accepted: {finding.accepted}"), style="dim"))
        yield Group(
            Text.assemble((finding.code, style), f"  {output.printable(finding.place())}"),
            *(Padding(each, _INDENTED, expand=False) for each in told),
        )


def summary(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """Yield the findings that are not accepted, and how many are."""
    yield from shown(finding for finding in findings if finding.accepted is None)
    accepted = len([finding for finding in findings if finding.accepted is not None])
    if accepted:
        yield Text("1 finding is accepted." if accepted == 1 else f"{accepted} findings are accepted.", style="dim")


def document(finding: Finding) -> dict[str, Any]:
    """Return a finding, as JSON has it."""
    return {**attrs.asdict(finding), "file": None if finding.file is None else str(finding.file)}


def _effects(server: Server, migrations: Sequence[Migration]) -> list[MigrationEffect]:
    if not migrations:
        return []
    forgetting = nullcontext() if server.data is None else forgetting_roles(server.connect)
    with output.working("trying the migrations") as tell, forgetting:
        return list(
            measure_locks(
                server.connect,
                server.connect,
                [],
                [(migration, 0) for migration in migrations],
                lambda migration: tell(f"trying {migration.label}"),
            )
        )
