"""Findings: what a DBA would say of a query, an index, a foreign key or a migration, and what to do about it."""

from collections.abc import Iterable
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Finding:
    """One finding."""

    #: Which, one of `surf_data.review.rules.CODES`.
    code: str
    #: What it is about: the full name of a query, an index, a table, the name of a migration's file.
    subject: str
    #: What of it: a table, a column, a parameter, the text of a statement. Empty where there is no choice. It tells the
    #: findings of one subject apart, and stays the same when lines move.
    about: str = ""
    #: What, where, and what can be done about it.
    message: str
    #: The file that it is in; ``None`` for what is in the database alone.
    file: Path | None = None
    #: The line of `file`, counted from 1.
    line: int | None = None
    #: Why it may stay, as it is written beside it; ``None`` if it may not.
    accepted: str | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it the same finding in another revision: code, subject, and what of the subject."""
        return self.code, self.subject, self.about

    def place(self) -> str:
        """Return where it is, for a message: file, line, subject."""
        # The subject of a migration's finding is its file.
        named = self.file is None or self.file.name != self.subject
        where = [] if self.file is None else [f"{self.file}:{self.line}" if self.line else str(self.file)]
        return ": ".join([*where, self.subject] if named else where)

    def __str__(self) -> str:
        return f"{self.place()}: {self.code}: {self.message}"


@attrs.frozen(kw_only=True)
class Comparison:
    """The findings of two revisions."""

    #: Those that were not there before, or were accepted then; and are not accepted now.
    new: tuple[Finding, ...] = ()
    #: Those that were there before already; not accepted, either.
    old: tuple[Finding, ...] = ()
    #: Those that are there and accepted.
    accepted: tuple[Finding, ...] = ()
    #: Those that were there before and are no more, as they were.
    fixed: tuple[Finding, ...] = ()


def compare(before: Iterable[Finding], now: Iterable[Finding]) -> Comparison:
    """Return which findings are new, old, accepted and fixed, each in its order.

    Arguments:
        before: the findings of the earlier revision.
        now: the findings of the later one.
    """
    earlier = {finding.identity: finding for finding in before}
    later = {finding.identity: finding for finding in now}
    unaccepted = {identity for identity, finding in earlier.items() if finding.accepted is None}
    left = [finding for finding in later.values() if finding.accepted is None]
    return Comparison(
        new=tuple(finding for finding in left if finding.identity not in unaccepted),
        old=tuple(finding for finding in left if finding.identity in unaccepted),
        accepted=tuple(finding for finding in later.values() if finding.accepted is not None),
        fixed=tuple(finding for identity, finding in earlier.items() if identity not in later),
    )
