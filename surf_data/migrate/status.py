"""What a folder and a history say of each other."""

from datetime import datetime, timedelta
from typing import Literal

import attrs

from surf_data.migrate.files import Migration
from surf_data.migrate.rows import Direction, Record

#: ``applied`` and ``pending`` are as they should be. ``unfinished`` is a migration without a transaction that was
#: interrupted; the next run goes on with it. The others stop a run: the file was ``edited`` or ``renamed`` after it was
#: applied, it was applied and has ``vanished``, or it is ``skipped``: not applied although a later one is.
State = Literal["applied", "pending", "unfinished", "edited", "renamed", "vanished", "skipped"]


@attrs.frozen(kw_only=True)
class MigrationStatus:
    """How one migration stands."""

    #: From 1.
    number: int
    #: The name in the file's name; the recorded one where the file has vanished.
    name: str
    #: How it stands.
    state: State
    #: When it was applied; ``None`` while it is not.
    applied_at: datetime | None = None
    #: How long it took, or has taken so far; 0 when it was recorded without being run, ``None`` when it has not begun.
    duration: timedelta | None = None
    #: Which of its sections has begun and not ended; ``None`` when none has.
    unfinished: Direction | None = None
    #: How many statements of the unfinished section are done.
    statements_done: int = 0

    @property
    def label(self) -> str:
        """Number and name as in the file's name: ``0001_initial_schema``."""
        return f"{self.number:04d}_{self.name}"


def compare(migrations: list[Migration], records: list[Record]) -> list[MigrationStatus]:
    """Return how each migration stands that is in the folder or in the history, in the order of their numbers."""
    history = {record.number: record for record in records}
    latest = max(history, default=0)
    statuses = [_status(migration, history.pop(migration.number, None), latest) for migration in migrations]
    statuses += [_recorded(record, record.name, "vanished") for record in history.values()]
    return sorted(statuses, key=lambda status: status.number)


def _status(migration: Migration, record: Record | None, latest: int) -> MigrationStatus:
    if record is None:
        state: State = "skipped" if migration.number < latest else "pending"
        return MigrationStatus(number=migration.number, name=migration.name, state=state)
    if record.name != migration.name:
        state = "renamed"
    elif record.checksum != migration.checksum:
        state = "edited"
    else:
        state = "applied" if record.unfinished is None else "unfinished"
    return _recorded(record, migration.name, state)


def _recorded(record: Record, name: str, state: State) -> MigrationStatus:
    return MigrationStatus(
        number=record.number,
        name=name,
        state=state,
        applied_at=record.applied_at,
        duration=record.duration,
        unfinished=record.unfinished,
        statements_done=record.statements_done,
    )
