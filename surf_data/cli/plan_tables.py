"""How ``surf-data review`` shows plans, and the option that asks for them."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import attrs
import click
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from surf_data.cli import output
from surf_data.cli.options import PathType
from surf_data.cli.schema import Schema
from surf_data.review import Plan, Planned, QueryPlans, QuerySource, Scale, Unplanned, read_scale
from surf_data.review.planning.scale import FILE_NAME

# From here on decimals of a cost say nothing.
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
        type=PathType(exists=True, dir_okay=False),
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
        UsageError: several files could be meant, or a scale was named for a server that is not thrown away.
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


def headings(plans: QueryPlans) -> tuple[str, ...]:
    """Return what stands over `cost` in a table."""
    return () if plans.file is None else ("cost",)


def cost(plans: QueryPlans, query: QuerySource) -> tuple[str, ...]:
    """Return the cell with what a query costs for any values, and for the dearest of its examples."""
    if plans.file is None:
        return ()
    found = [each for each in plans.by_query.get(query.name, ()) if isinstance(each, Plan)]
    generic = max((plan.cost for plan in found if not plan.example), default=None)
    dearest = max((plan.cost for plan in found if plan.example), default=None)
    if generic is None:
        return ("" if dearest is None else _cost(dearest),)
    return (_cost(generic) if dearest is None else f"{_cost(generic)} ({_cost(dearest)})",)


def page(plans: QueryPlans, query: QuerySource) -> Iterator[RenderableType]:
    """Yield the plans of a query, as text."""
    for each in plans.by_query.get(query.name, ()):
        values = ", ".join(f"{name}={value}" for name, value in each.example.items()) or "any values"
        if isinstance(each, Plan):
            yield Text(f"plan for {values}: cost {each.cost:,.2f}")
            yield _Tree(str(each))
        else:
            yield Text(f"no plan for {values}: {each.reason}", style="yellow")


def document(plans: QueryPlans, query: QuerySource) -> dict[str, Any]:
    """Return the plans of a query, as JSON has them."""
    if plans.file is None:
        return {}
    return {"plans": [_document(each) for each in plans.by_query.get(query.name, ())]}


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
