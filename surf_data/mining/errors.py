"""The errors of the access objects, which callers know by these names.

What a failed statement raises is both a `PgsqlConnectionError` and a `DataAccessError`: callers catch the one for
everything, and the documentation names the other.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from surf_data.errors import CommitUnknown, SurfDataError, ValidationError


class AccessError(SurfDataError):
    """An access object could not do what was asked."""

    def __init__(
        self,
        message: str | None = None,
        original_exception: BaseException | None = None,
        connection_details: Mapping[str, Any] | None = None,
        *,
        operation: str | None = None,
    ) -> None:
        #: The data layer's own error, without anything of the driver's; ``None`` when nothing was sent.
        self.original_exception = original_exception
        #: Where the server is: host, port and database, never a password; ``None`` when that plays no part.
        self.connection_details: dict[str, Any] | None = dict(connection_details) if connection_details else None
        #: The method that was called.
        self.operation = operation
        text = message or inspect.getdoc(type(self))
        details = f" (Connection Details: {self.connection_details})" if self.connection_details else ""
        super().__init__(f"{text}{details}")

    @property
    def query(self) -> str | None:
        """The name of the query."""
        return getattr(self.original_exception, "query", None)

    @property
    def sqlstate(self) -> str | None:
        """PostgreSQL's error code."""
        return getattr(self.original_exception, "sqlstate", None)

    @property
    def constraint(self) -> str | None:
        """The constraint that was violated, if one was."""
        return getattr(self.original_exception, "constraint", None)

    @property
    def row(self) -> int | None:
        """The position of the record of a batch that was refused, counted from 0; ``None`` if that is not known."""
        return getattr(self.original_exception, "row", None)

    @property
    def retryable(self) -> bool:
        """Whether nothing was applied and the same again may well succeed."""
        return bool(getattr(self.original_exception, "retryable", False))

    @property
    def outcome_unknown(self) -> bool:
        """Whether what was written may have been applied, and may not."""
        return isinstance(self.original_exception, CommitUnknown) or bool(
            getattr(self.original_exception, "ambiguous", False)
        )


class PgsqlConnectionError(AccessError):
    """PostgreSQL cannot be reached, or failed a statement."""


class RedisConnectionError(AccessError):
    """Redis cannot be reached, or failed a command."""


class DataAccessError(AccessError):
    """Data could not be read or written."""


class StatementFailed(PgsqlConnectionError, DataAccessError):
    """PostgreSQL refused or failed a statement."""


class TableAccessDenied(StatementFailed, ValidationError):
    """The table is not one that may be read."""


class RedisReadFailed(RedisConnectionError, DataAccessError):
    """Redis answered, but with what cannot be used."""


class NoFinalTable(ValidationError, AttributeError):
    """Records of this class have no final table."""
