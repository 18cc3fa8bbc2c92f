"""The document of a review: what a DBA reads, in one file that needs nothing else."""

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from surf_data.review.analysis import python_types
from surf_data.review.analysis.facts import Facts
from surf_data.review.planning.plans import Plan
from surf_data.review.report.changes import KINDS, label
from surf_data.review.report.contents import Report, counted, figure, shown
from surf_data.review.stubs.annotations import Imports


def html(report: Report) -> str:
    """Return the document as HTML that stands alone."""
    return _environment().get_template("report.html").render(report=report, kinds=KINDS)


def diff(before: str, now: str) -> list[tuple[str, str]]:
    """Return the lines of two texts as one, each after what it is: ``-`` gone, ``+`` new, and a space."""
    earlier, later = before.splitlines(), now.splitlines()
    lines: list[tuple[str, str]] = []
    for tag, low, high, start, end in difflib.SequenceMatcher(None, earlier, later, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [(" ", line) for line in later[start:end]]
        else:
            lines += [("-", line) for line in earlier[low:high]]
            lines += [("+", line) for line in later[start:end]]
    return lines


def _finalized(value: object) -> object:
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        finalize=_finalized,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(_FILTERS)
    return environment


def _parted(name: str) -> Markup:
    """Return a name that is broken after its words where there is little room."""
    return Markup("<wbr>").join(re.split(r"(?<=[._])", shown(name)))


def _written(kind: object) -> str:
    return Imports().written(kind)


_FILTERS: Mapping[str, Callable[..., object]] = {
    "anchor": lambda name: quote(f"query-{name}", safe=""),
    "counted": counted,
    "diff": diff,
    "figure": figure,
    "given": lambda kind: _written(python_types.given(kind)),
    "is_analysed": lambda outcome: isinstance(outcome, Facts),
    "is_plan": lambda planned: isinstance(planned, Plan),
    "parted": _parted,
    "read": lambda kind: _written(python_types.read(kind)),
    "label": label,
    "shape": lambda plan: "\n".join(plan.shape()),
}
