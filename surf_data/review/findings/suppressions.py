"""Findings that may stay, for a reason that is written beside what the finding is about.

Of a query it is said in its header, of a migration in the file's comments: ``-- accept: SEQ-SCAN nightly job``. An
index or a foreign key is made by a migration, which must not change any more: of these it is said in ``scale.toml``.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import attrs

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.kernel.postgres.scanner import tokens
from surf_data.migrate import Migration
from surf_data.review.findings.finding import Finding
from surf_data.review.rules import STALE, Suppression, mistake
from surf_data.review.schema_files import read_text

_OPTION = "accept"
_COMMENT = re.compile(r"--\s*accept\s*:\s*(?P<said>.*?)\s*$")


def of_queries(queries: Iterable[QuerySource]) -> Iterator[Suppression]:
    """Yield what is accepted in the headers of queries.

    Raises:
        QueryFileError: there is no such finding, or no reason is given; with file and line.
    """
    for query in queries:
        for key, said, line in query.declarations:
            if key == _OPTION:
                yield _said(said, query.name, query.file, line)


def of_migrations(migrations: Iterable[Migration]) -> Iterator[Suppression]:
    """Yield what is accepted in the comments of migrations.

    Raises:
        QueryFileError: there is no such finding, or no reason is given; with file and line.
    """
    for migration in migrations:
        for token in tokens(read_text(migration.path)):
            said = _COMMENT.match(token.text) if token.kind == "comment" else None
            if said:
                yield _said(said["said"], migration.path.name, migration.path, token.line)


def settled(
    findings: Iterable[Finding], acceptances: Iterable[Suppression], looked_for: Collection[str]
) -> Iterator[Finding]:
    """Yield findings, those that are accepted with the reason; and acceptances to which there is no finding.

    Arguments:
        findings: the findings.
        acceptances: what is accepted, without that of what could not be looked at.
        looked_for: the codes of what was looked for. What was not cannot have been found.
    """
    reasons = {(each.code, each.subject): each for each in acceptances}
    matched: set[tuple[str, str]] = set()
    for finding in findings:
        # A constraint may also be called by its table and its name.
        places = [(finding.code, finding.subject), (finding.code, f"{finding.about}.{finding.subject}")]
        accepted = next((reasons[place] for place in places if place in reasons), None)
        matched.update(places)
        yield finding if accepted is None else attrs.evolve(finding, accepted=accepted.reason)
    for place, accepted in reasons.items():
        if place not in matched and accepted.code in looked_for:
            yield Finding(
                code=STALE,
                subject=accepted.subject,
                about=accepted.code,
                message=f"{accepted.code} is accepted and not found any more: delete the line ({accepted.reason})",
                file=accepted.file,
                line=accepted.line,
            )


def _said(said: str, subject: str, file: Path, line: int) -> Suppression:
    code, _, reason = said.partition(" ")
    wrong = mistake(code, reason.strip())
    if wrong:
        raise QueryFileError(wrong, file=str(file), line=line)
    return Suppression(code=code, subject=subject, reason=reason.strip(), file=file, line=line)
