"""What a maintenance did, and what it asks before it drops something."""

from collections.abc import Callable
from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class TableMaintenance:
    """What was done for a table, or would be."""

    #: The table.
    table: str
    #: Partitions that were created.
    created: tuple[str, ...] = ()
    #: Rows of the default partition that were moved to another one: those whose partition was not created in time.
    moved: int = 0
    #: Partitions that were dropped with all their rows, which had expired.
    dropped: tuple[str, ...] = ()
    #: Expired rows that were deleted from a table, or from partitions which have younger ones, too.
    deleted: int = 0
    #: Partitions that were detached to be archived, and that the caller did not release yet; the next run asks again.
    retained: tuple[str, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.created or self.moved or self.dropped or self.deleted or self.retained)


@attrs.frozen(kw_only=True)
class Partition:
    """A partition that has expired and has been detached: its rows do not change any more, and only here exist."""

    #: The table that it belonged to, with its schema, quoted where needed.
    table: str
    #: What it is called now, with its schema, quoted where needed.
    name: str
    #: From when its rows are; ``None`` where it had no begin.
    begins_at: datetime | None
    #: Until when, exclusively.
    ends_at: datetime


#: Called with a partition before it is dropped, to archive it; returns whether it may be dropped.
BeforeDrop = Callable[[Partition], bool]
