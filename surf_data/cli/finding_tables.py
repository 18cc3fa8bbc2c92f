"""How ``surf-data review`` shows findings, and the options that they depend on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from surf_data.cli import output
from surf_data.cli.options import PathType, with_options
from surf_data.review import Finding, RuleOptions, Thresholds
from surf_data.review.findings.thresholds import BIG_TABLE, MANY_ROWS
from surf_data.review.rules import ACCEPTABLE

R = TypeVar("R")

# Columns before the message of a finding.
_INDENTED = (0, 0, 0, 4)


def rule_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options that `RuleOptions` are made of, which it gets as ``rules``."""

    def with_rules(
        *args: Any, code: tuple[Path, ...], big_table: int, many_rows: int, ignored: tuple[str, ...], **options: Any
    ) -> R:
        thresholds = Thresholds(big_table=big_table, many_rows=many_rows)
        rules = RuleOptions(code=code, thresholds=thresholds, ignored=frozenset(ignored))
        return command(*args, rules=rules, **options)

    # Before the options, which it would replace by those of the command.
    decorated: Callable[..., R] = update_wrapper(with_rules, command)
    return with_options(
        decorated,
        click.option(
            "--code",
            multiple=True,
            metavar="PATH",
            type=PathType(exists=True),
            help="Python code that calls the queries, so that those are found which no code calls. May be there "
            "several times.",
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
        click.option(
            "--ignore",
            "ignored",
            multiple=True,
            metavar="CODE",
            type=click.Choice(sorted(ACCEPTABLE)),
            help="Leave all findings of this kind out, such as UNREAD-TYPE where another driver reads the columns. May "
            "be there several times.",
        ),
    )


def shown(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """Yield findings as text: those that are accepted with the reason."""
    for finding in findings:
        style = "bold red" if finding.accepted is None else "yellow"
        lines = [Text(output.printable(finding.message))]
        if finding.accepted is not None:
            lines.append(Text(output.printable(f"accepted: {finding.accepted}"), style="dim"))
        yield Group(
            Text.assemble((finding.code, style), f"  {output.printable(finding.place())}"),
            *(Padding(each, _INDENTED, expand=False) for each in lines),
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
