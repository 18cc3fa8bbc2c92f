"""Imports histories of shells and OpenTelemetry's JSON lines, each in one transaction, again without doubling."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor
from surf_data.specify import fields, shell_history
from surf_data.specify.command_queries import TABLE
from surf_data.specify.shell_history import Shell
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, to_json
from surf_data.specify.telemetry import TelemetryEventRepository

# Rows that one statement takes.
_BATCH = 1000
#: How many of those that were refused are named.
SHOWN = 10


@attrs.frozen(kw_only=True)
class ImportResult:
    """What became of a file."""

    #: How many entries, or spans, were stored.
    created: int
    #: How many were there already.
    known: int
    #: How many were refused, by the reason.
    refused: dict[str, int]
    #: Where the first of them stand: ``line 17: is not UTF-8``.
    examples: list[str]


class _Refusals:
    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.examples: list[str] = []

    def add(self, place: str, reason: str) -> None:
        self.reasons[reason] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"{place}: {reason}")


def import_history(
    executor: Executor,
    shell: Shell,
    lines: Iterable[bytes],
    *,
    host: str,
    read_at: datetime,
    user_id: int | None = None,
    project_id: int | None = None,
) -> ImportResult:
    """Store the entries of a shell's history as commands, all of those that can be or none, each once.

    Secrets that give themselves away are replaced; see `CommandRepository`. An interrupted import leaves nothing, and
    one that is run again stores what is new alone.

    Arguments:
        executor: runs the statements.
        shell: ``bash``, ``zsh`` or ``fish``.
        lines: its lines, as a file in binary mode yields them.
        host: on which machine it was kept, 1 to 255 characters.
        read_at: when commands began where the shell has not kept that.
        user_id: who ran them.
        project_id: the project they belong to.

    Raises:
        ValidationError: an argument is refused.
        ConstraintViolation: there is no such user or project.
        DatabaseError: they could not be stored; then none was.
    """
    if shell not in {"bash", "zsh", "fish"}:
        raise validation.invalid("shell", "must be bash, zsh or fish")
    machine, moment = validation.text("host", host, maximum=255), fields.moment("read_at", read_at)
    shared = {"user_id": user_id, "project_id": project_id}
    numbering = shell_history.Numbering(shell, machine)
    refusals = _Refusals()
    created = read = 0
    with executor.transaction() as session:
        batch: list[Document] = []
        for entry in shell_history.read(shell, lines):
            if entry.problem is not None:
                refusals.add(f"line {entry.line}", entry.problem)
                continue
            found = shell_history.command(entry, shell, machine, moment, numbering)
            batch.append(TABLE.checked({**found, **shared}, creating=True))
            read += 1
            if len(batch) == _BATCH:
                created += _store(session, batch)
                batch = []
        created += _store(session, batch)
    return ImportResult(
        created=created, known=read - created, refused=dict(refusals.reasons), examples=refusals.examples
    )


def _store(session: Executor, batch: list[Document]) -> int:
    return len(specify_queries().command_insert(session, documents=to_json(batch))) if batch else 0


def import_otlp(executor: Executor, lines: Iterable[bytes]) -> ImportResult:
    """Store the spans of OpenTelemetry's JSON, a document a line, all of those that can be or none, each once.

    Arguments:
        executor: runs the statements.
        lines: the documents, as a file in binary mode yields them; blank lines are skipped.

    Raises:
        DatabaseError: they could not be stored; then none was.
    """
    refusals = _Refusals()
    accepted = new = 0
    with executor.transaction() as session:
        events = TelemetryEventRepository(session)
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            problem: Any = None
            try:
                result = events.record_otlp(line)
            except ValidationError as error:
                problem = str(error)
            else:
                accepted, new = accepted + result.accepted, new + result.new
                for place, reason in result.problems:
                    refusals.add(f"line {number}, {place}", reason)
            if problem is not None:
                refusals.add(f"line {number}", problem)
    return ImportResult(created=new, known=accepted - new, refused=dict(refusals.reasons), examples=refusals.examples)
