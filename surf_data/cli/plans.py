"""What ``surf-data review`` shows of plans: where there is a scale, how each query would run at it."""

import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import attrs
import click
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from surf_data.cli import output
from surf_data.cli.schema import Made, Schema
from surf_data.review import Facts, Outcome, Plan, Planned, Query, Scale, Undeclared, Unplanned, enlarge, explain
from surf_data.review.findings.acceptance import Acceptance
from surf_data.review.planning.scale import FILE_NAME, read_scale
from surf_data.review.planning.sizing import fitting
from surf_data.review.planning.storage import Storage
from surf_data.review.report.contents import Problem

# From here on nobody looks at the decimals of a cost.
_LARGE = 100
# How far in a line of a tree goes on.
_FURTHER = 8

P = ParamSpec("P")
R = TypeVar("R")


def scale_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the option ``--scale``."""
    return click.option(
        "--scale",
        "scale_file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="How large the tables are in production, for plans.  "
        f"[default: {FILE_NAME} in the folder of migrations, if there is one]",
    )(command)


def find_scale(schema: Schema, named: Path | None) -> Scale | None:
    """Return the scale for a schema; ``None`` if there is none.

    Arguments:
        schema: the schema.
        named: the file that was named, if one was.

    Raises:
        ConfigurationError: there is a mistake in the file.
        UsageError: which file it is, or the server, is a mistake of whoever typed it.
    """
    found = [named] if named else [path for source in schema.sources if (path := source / FILE_NAME).is_file()]
    if not found:
        return None
    if len(found) > 1:
        raise click.UsageError(f"there are several scales, {' and '.join(map(str, found))}: name one with --scale")
    if schema.scratch is not None:
        problem = "plans at a scale are made on a server that is thrown away, and so not with --scratch"
        if named:
            raise click.UsageError(problem)
        output.console(stderr=True).print(f"The sizes in {found[0]} are left aside: {problem}.")
    return read_scale(found[0])


@attrs.frozen
class Plans:
    """How queries would run; nothing without a scale."""

    #: What is accepted where the scale stands.
    accepted: tuple[Acceptance, ...] = ()
    #: Where the scale stands; ``None`` without one.
    file: str | None = None
    #: The plans of each query: for any values first, then for those of each example.
    by_query: Mapping[str, Sequence[Planned]] = attrs.field(factory=dict)
    _undeclared: tuple[Undeclared, ...] = ()

    @classmethod
    def of(cls, made: Made, queries: Collection[Query], scale: Scale | None, *, is_own: bool = True) -> "Plans":
        """Plan queries at a scale. Nothing can be run in the database afterwards.

        Arguments:
            made: the schema, for this alone.
            queries: the queries.
            scale: the scale, if there is one.
            is_own: whether it was written for this schema. Of another's, only what fits is taken.

        Raises:
            ConfigurationError: the scale does not fit the schema.
            DatabaseError: the files of the server cannot be lengthened.
        """
        if scale is None or made.data is None:
            # What is accepted has nothing to do with sizes.
            return cls(() if scale is None else scale.accepted)
        if not is_own:
            scale = fitting(Storage.read(made.connection), scale)
        undeclared = enlarge(made.connection, scale, made.data)
        planned: dict[str, list[Planned]] = {}
        for each in explain(made.connection, output.tracked("planning the queries", queries)):
            planned.setdefault(each.query, []).append(each)
        return cls(scale.accepted, scale.file, planned, undeclared)

    @property
    def planned(self) -> list[Planned] | None:
        """All plans; ``None`` without a scale."""
        return None if self.file is None else [each for plans in self.by_query.values() for each in plans]

    @property
    def headings(self) -> tuple[str, ...]:
        """What stands over `cost` in a table."""
        return () if self.file is None else ("cost",)

    def cost(self, query: Query) -> tuple[str, ...]:
        """Return the cell with what a query costs for any values, and for the dearest of its examples."""
        if self.file is None:
            return ()
        plans = [each for each in self.by_query.get(query.name, ()) if isinstance(each, Plan)]
        generic = max((plan.cost for plan in plans if not plan.example), default=None)
        dearest = max((plan.cost for plan in plans if plan.example), default=None)
        if generic is None:
            return ("" if dearest is None else _cost(dearest),)
        return (_cost(generic) if dearest is None else f"{_cost(generic)} ({_cost(dearest)})",)

    def page(self, query: Query) -> Iterator[RenderableType]:
        """Yield the plans of a query, as text."""
        for each in self.by_query.get(query.name, ()):
            values = ", ".join(f"{name}={value}" for name, value in each.example.items()) or "any values"
            if isinstance(each, Plan):
                yield Text(f"plan for {values}: cost {each.cost:,.2f}")
                yield _Tree(str(each))
            else:
                yield Text(f"no plan for {values}: {each.reason}", style="yellow")

    def document(self, query: Query) -> dict[str, Any]:
        """Return the plans of a query, as JSON has them."""
        if self.file is None:
            return {}
        return {"plans": [_document(each) for each in self.by_query.get(query.name, ())]}

    def problems(self, outcomes: Iterable[Outcome]) -> Iterator[Problem]:
        """Yield why a query, or an example of it, cannot be planned, where nothing else says so."""
        for outcome in outcomes:
            if isinstance(outcome, Facts) and outcome.command != "COPY":
                for each in self.by_query.get(outcome.query.name, ()):
                    if isinstance(each, Unplanned):
                        yield Problem(query=outcome.query, line=outcome.query.line, text=each.reason)

    def guessed(self, outcomes: Iterable[Outcome]) -> str | None:
        """Return what the scale leaves open of the tables that the queries use; ``None`` if nothing."""
        used = {access.table for outcome in outcomes if isinstance(outcome, Facts) for access in outcome.tables}
        guessed = [str(each) for each in self._undeclared if each.table in used]
        return f"Not declared in {self.file}, and so guessed: {', '.join(guessed)}." if guessed else None


@attrs.frozen
class _Tree:
    """An indented tree. What does not fit into a line goes on in the next, further in than what is below it."""

    _text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._text.splitlines():
            indent = " " * (len(line) - len(line.lstrip()) + _FURTHER)
            yield Text("\n".join(textwrap.wrap(line, options.max_width, subsequent_indent=indent)))


def _cost(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= _LARGE else f"{cost:,.2f}"


def _document(planned: Planned) -> dict[str, Any]:
    if isinstance(planned, Unplanned):
        return {"example": planned.example, "reason": planned.reason}
    return {"example": planned.example, "cost": planned.cost, "root": attrs.asdict(planned.root)}
