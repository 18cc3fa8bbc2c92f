"""The rows of the statements of retention: a field for each column, in the order of the columns."""

from datetime import datetime

import attrs


@attrs.frozen
class MissingPartition:
    """A partition that is to be created, and the commands that do it."""

    name: str
    commands: list[str]


@attrs.frozen
class DetachedPartition:
    """A partition that was detached from its table, and is to be dropped once it has been archived."""

    name: str
    begins_at: datetime | None
    ends_at: datetime
    drop_command: str


@attrs.frozen
class ExpiredPartition:
    """A partition with rows from before a moment, and the commands that remove them."""

    name: str
    begins_at: datetime | None
    ends_at: datetime | None
    is_over: bool
    drop_commands: list[str]
    detach_commands: list[str]
    count_command: str
    delete_command: str
