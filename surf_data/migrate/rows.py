"""The rows of what the runner asks of the server: a field for each column, in the order of the columns."""

from datetime import datetime, timedelta
from typing import Literal

import attrs

#: Which section of a file: ``up`` applies it, ``down`` reverts it.
Direction = Literal["up", "down"]


@attrs.frozen
class Record:
    """A migration that was applied, or begun."""

    #: The number in the file's name.
    number: int
    #: The name in the file's name.
    name: str
    #: SHA-256 of the file as it was applied.
    checksum: str
    #: When it was applied; ``None`` while it is on its way up.
    applied_at: datetime | None
    #: How long it took.
    duration: timedelta
    #: Which section has begun and not ended; only one without a transaction can.
    unfinished: Direction | None
    #: How many statements of the unfinished section are done.
    statements_done: int
    #: When the next statement began, if that is one that could not run in a transaction together with its record.
    begun_at: datetime | None


@attrs.frozen
class IndexState:
    """How an index stands."""

    #: Its schema.
    schema_name: str
    #: Its name, as it is stored.
    index_name: str
    #: The backend that is building it; ``None`` when none is.
    builder: int | None
    #: Whether it is complete, and so in use.
    valid: bool


@attrs.frozen
class SessionState:
    """What a migration may set for itself."""

    #: Who the session belongs to.
    session_authorization: str
    #: Whose rights it has; ``none`` for its owner's.
    role: str
    #: What is set in it, by name, as JSON.
    settings: str
