"""The comment for a pull request: short, and nothing in it is taken for Markdown, a mention or a link."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

from surf_data.review.analysis.facts import Facts
from surf_data.review.findings.finding import Finding
from surf_data.review.report.changes import KINDS, Change, label
from surf_data.review.report.contents import Problem, Report, counted, figure, shown
from surf_data.review.report.migrations import MigrationFile, Replacement

#: Characters that GitHub takes in a comment. Bytes are counted here, which are never fewer.
LIMIT = 65_536
# A message that is longer is cut: the document has all of it.
_LONGEST = 600
# What begins something in Markdown, wherever in a line; and in links, which need no sign, what can be escaped.
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~@&!$])|(?<=:)(/)(?=/)|(?<=www)(\.)", re.IGNORECASE)
# Behind these a renderer looks for people and issues, also where a backslash stands before them.
_REFERENCE = re.compile(r"(\\[@#]|\bGH-)")
_TICKS = re.compile("`+")
_NOTHING = "—"


def comment(report: Report, limit: int = LIMIT) -> str:
    """Return what to write under a pull request.

    Arguments:
        report: the review.
        limit: bytes that it may have.
    """
    head = "".join(f"{line}\n" for line in _head(report))
    foot = "\nAll of it, with plans, types and locks, is in `report.html`.\n"
    room = limit - len(f"{head}{foot}".encode()) - 2 * _LONGEST
    told = [*map(_problem, report.problems), *map(_item, report.findings.new)]
    findings = _section("To be looked at", (), told, room // 2)
    room -= len(findings.encode())
    changed = [change for change in report.ordered() if change.kinds]
    table = _section("What changed", _HEADINGS, [_row(change, report) for change in changed], room)
    room -= len(table.encode())
    migrations = _section("Migrations", (), [_migration(file) for file in report.migrations], room)
    return f"{head}{findings}{table}{migrations}{foot}"


_HEADINGS = ("| Query | Change | Cost before | Cost now | Rows |", "|---|---|--:|--:|---|")


def _head(report: Report) -> Iterator[str]:
    against = "" if report.base is None else f" against {code(report.base.name)}"
    yield f"## SQL review of {code(report.folder)}{against}"
    yield ""
    yield f"**{report.verdict()}.** {', '.join(_counts(report))}."
    for note in report.notes:
        yield ""
        yield f"Note: {plain(note)}"


def _counts(report: Report) -> Iterator[str]:
    yield counted(report.present(), "query")
    if report.base is not None:
        yield from (f"{report.count(kind)} {label(kind)}" for kind in KINDS if report.count(kind))
        yield f"{report.unchanged()} unchanged"
    for word, found in (("known", report.findings.old), ("fixed", report.findings.fixed)):
        if found:
            yield counted(len(found), f"{word} finding")


def _section(title: str, headings: Iterable[str], lines: Sequence[str], room: int) -> str:
    """Return a section with as many of its lines as there is room for."""
    if not lines:
        return ""
    parts = [f"\n### {title}\n", *headings]
    used = sum(len(part.encode()) + 1 for part in parts)
    fitting: list[str] = []
    for line in lines:
        used += len(line.encode()) + 1
        if used > room:
            break
        fitting.append(line)
    left = len(lines) - len(fitting)
    more = [f"\nand {left:,} more in `report.html`."] if left else []
    return "\n".join([*parts, *fitting, *more, ""])


def _problem(problem: Problem) -> str:
    return f"- {code(problem.query.place(problem.line))}: {plain(problem.text)}"


def _item(finding: Finding) -> str:
    return f"- **{plain(finding.code)}** {code(finding.place())}: {plain(finding.message)}"


def _row(change: Change, report: Report) -> str:
    cells = (
        code(change.name).replace("|", r"\|"),
        ", ".join(map(label, change.kinds)),
        *(_NOTHING if plan is None else figure(plan.cost) for plan in report.dearest(change.name)),
        str(change.outcome.rows) if isinstance(change.outcome, Facts) else _NOTHING,
    )
    return f"| {' | '.join(cells)} |"


def _migration(file: MigrationFile) -> str:
    """Return a file in a line, and below it what of an earlier one it replaces, as a difference."""
    became = "new" if file.before is None else "removed" if file.now is None else "changed"
    lines = [f"- {became}: {code(file.name)}"]
    for each in file.replaced:
        lines += [f"  replaces {code(each.name)}:", "", *(f"  {line}" for line in _fenced(each)), ""]
    return "\n".join(lines)


def _fenced(replacement: Replacement) -> Iterator[str]:
    earlier, later = (shown(text).splitlines() for text in (replacement.before, replacement.now))
    # Without the names of files, which there are none of.
    lines = list(difflib.unified_diff(earlier, later, n=2, lineterm=""))[2:]
    longest = max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(longest + 1, 3)
    yield f"{fence}diff"
    yield from lines
    yield fence


def plain(text: str) -> str:
    """Return a text that Markdown renders verbatim, in one line."""
    escaped = _SIGNS.sub(r"\\\g<0>", _line(text))
    # A space without width, so that no account is mentioned and nothing is linked.
    return _REFERENCE.sub(r"\1&#8203;", escaped)


def code(text: str) -> str:
    """Return a text as code for Markdown, in one line."""
    line = _line(text)
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(line)), default=0))
    # A renderer takes one space away on both sides.
    space = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def _line(text: str) -> str:
    line = " ".join(shown(text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
