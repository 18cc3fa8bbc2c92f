"""Findings: what a DBA would say of a query, an index, a foreign key or a migration, and what to do about it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

#: What there is to be found: the code of each finding, and what it says.
CODES: Mapping[str, str] = {
    "BIG-SORT": "more is sorted than fits into memory",
    "CASCADE": "rows of other tables go or change with those that the query names",
    "COST": "the plan has become more expensive",
    "FK-INDEX": "no index serves a foreign key when rows of its parent go",
    "LOCK": "a migration locks a big table for as long as it works on it",
    "LOST-INDEX": "a cast on a column keeps an index from being used",
    "MANY-ROWS": "the query may return more rows than anyone reads",
    "NOT-HOT": "an update writes an indexed column, so that every index of the table gets an entry",
    "ONE-OF-MANY": "the caller gets one row, and the query may find several",
    "REWRITE": "a migration writes a big table anew",
    "SCAN": "a migration reads a big table from end to end",
    "SEQ-SCAN": "a big table is read from end to end",
    "SQUAWK": "squawk warns of a migration",
    "STALE-ACCEPT": "what was accepted is not found any more",
    "TYPE-CHANGE": "an unchanged query has other types than before",
    "UNCALLED": "no Python code calls the query",
    "UNTYPED": "a parameter has its type from its surroundings alone",
    "UNUSED-INDEX": "no query uses the index, and no constraint needs it",
}

#: Those that are found in a migration.
OF_MIGRATIONS = frozenset({"LOCK", "REWRITE", "SCAN", "SQUAWK"})


@attrs.frozen(kw_only=True)
class Finding:
    """One finding."""

    #: Which, one of `CODES`.
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
    #: Why it may stay, as somebody wrote beside it; ``None`` if nobody did.
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
