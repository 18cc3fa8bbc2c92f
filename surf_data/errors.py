"""Every error a caller can see, under one base class.

No message or attribute carries a parameter value, a row, a connection string or a password, and no driver error
travels along as ``__cause__`` or ``__context__``.
"""

import inspect
from collections.abc import Sequence


class SurfDataError(Exception):
    """The data layer could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class BackupError(SurfDataError):
    """A backup cannot be made or restored."""

    def __init__(self, message: str | None = None, *, file: str | None = None) -> None:
        super().__init__(f"{file}: {message}" if file and message else message)
        #: The file or folder at fault.
        self.file = file


class ConfigurationError(SurfDataError):
    """A setting is unknown, missing or malformed."""

    def __init__(self, message: str | None = None, *, setting: str | None = None) -> None:
        super().__init__(message)
        #: The keyword or environment variable at fault, never its value.
        self.setting = setting


class ValidationError(SurfDataError, ValueError):
    """The input was refused before anything was sent."""

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        #: The name of the refused argument or key, with its path where it is nested: ``entries[3].status``.
        self.field = field


class EncryptionError(SurfDataError):
    """A stored secret cannot be decrypted."""


class QueryFileError(SurfDataError):
    """A .sql file cannot be loaded."""

    def __init__(
        self,
        message: str | None = None,
        *,
        file: str | None = None,
        line: int | None = None,
        faults: Sequence["QueryFileError"] = (),
    ) -> None:
        place = f"{file}:{line}: " if line else f"{file}: " if file else ""
        super().__init__("\n".join(map(str, faults)) or (f"{place}{message}" if message else None))
        #: What is wrong, without file and line; ``None`` where several things are.
        self.problem: str | None = message
        #: The file at fault; of several faults that of the first.
        self.file = file
        #: The line at fault, counted from 1; of several faults that of the first.
        self.line = line
        #: Where several things are wrong, each by itself; else empty.
        self.faults: tuple[QueryFileError, ...] = tuple(faults)


class DatabaseError(SurfDataError):
    """PostgreSQL refused or failed a statement."""

    def __init__(
        self,
        message: str | None = None,
        *,
        query: str | None = None,
        sqlstate: str | None = None,
        constraint: str | None = None,
        retryable: bool = False,
        row: int | None = None,
    ) -> None:
        super().__init__(message)
        #: The name of the query in its .sql file, with its namespace: ``lamps.lamp_insert``.
        self.query = query
        #: The five characters of PostgreSQL's error code (its manual, appendix A); ``None`` for client-side failures.
        self.sqlstate = sqlstate
        #: The constraint that was violated, if one was.
        self.constraint = constraint
        #: Whether nothing was applied and the same again may well succeed: the statement, or the whole transaction.
        self.retryable = retryable
        #: Which row of a COPY was at fault, counted from 0; ``None`` if that is not known, or it was no COPY.
        self.row = row


class ConstraintViolation(DatabaseError):
    """A constraint of the schema refused the data."""


class DatabaseUnavailable(DatabaseError):
    """PostgreSQL cannot be reached, or the connection was lost."""


class CommitUnknown(DatabaseUnavailable):
    """The connection was lost while a write was under way: it may have been applied, and it may not."""


class DeadlineExceeded(DatabaseError):
    """The deadline passed before the server answered. What was under way may have been applied."""


class LockTimeout(DatabaseError):
    """A lock could not be had in time."""


class PoolTimeout(DatabaseUnavailable):
    """No connection became free in time."""

    def __init__(
        self,
        message: str | None = None,
        *,
        query: str | None = None,
        holders: Sequence[str] = (),
        cause: str | None = None,
    ) -> None:
        super().__init__(message, query=query)
        #: One line for each connection in use: the thread, what it runs, and for how many seconds.
        self.holders: tuple[str, ...] = tuple(holders)
        #: Why the last attempt to connect failed, if it did.
        self.cause = cause


class StatementTimeout(DatabaseError):
    """The statement was cancelled because it ran for too long."""


class TransactionConflict(DatabaseError):
    """A concurrent transaction got in the way: the whole transaction may be tried again."""


class RedisError(SurfDataError):
    """Redis refused or failed a command."""

    def __init__(
        self,
        message: str | None = None,
        *,
        reason: str | None = None,
        code: str | None = None,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(f"{inspect.getdoc(type(self))} ({reason})" if reason and not message else message)
        #: Why, in a few fixed words.
        self.reason = reason
        #: The code with which Redis refused the command, such as ``WRONGTYPE`` or ``READONLY``, if it gave one.
        self.code = code
        #: Whether a write may have been applied all the same: it was sent, and no reply came.
        self.ambiguous = ambiguous


class RedisUnavailable(RedisError):
    """Redis cannot be reached, or did not answer in time."""


class MigrationError(SurfDataError):
    """A migration cannot be applied."""

    def __init__(
        self,
        message: str | None = None,
        *,
        file: str | None = None,
        line: int | None = None,
        sqlstate: str | None = None,
    ) -> None:
        place = f"{file}:{line}: " if line else f"{file}: " if file else ""
        super().__init__(f"{place}{message}" if message else None)
        #: The migration file at fault.
        self.file = file
        #: The line at fault, counted from 1.
        self.line = line
        #: PostgreSQL's error code, when the server refused the migration.
        self.sqlstate = sqlstate


class ArchiveError(SurfDataError):
    """An archive is missing or was altered, or it cannot be written or restored."""

    def __init__(self, message: str | None = None, *, location: str | None = None) -> None:
        super().__init__(f"{location}: {message}" if location and message else message)
        #: The key of the object at fault.
        self.location = location


class StorageError(SurfDataError):
    """Object storage refused or failed an operation."""

    def __init__(self, message: str | None = None, *, operation: str | None = None, key: str | None = None) -> None:
        super().__init__(message)
        #: What was attempted: ``put``, ``get``, ``head``, ``delete``, ``list``, ``sign``, ``initialize``.
        self.operation = operation
        #: The key of the object, if the operation was about one.
        self.key = key
        #: Whether the same again may well succeed.
        self.retryable: bool = isinstance(self, StorageUnavailable)


class ObjectExists(StorageError):
    """There is an object of this key already."""


class ObjectNotFound(StorageError):
    """There is no object of this key."""


class SignedUrlInvalid(StorageError):
    """The URL was not signed here, or was changed since."""


class SignedUrlExpired(SignedUrlInvalid):
    """The time of the signed URL has passed."""


class StorageDenied(StorageError):
    """Object storage refused the credentials: wrong, without the right, or this machine's clock is minutes off."""


class StorageUnavailable(StorageError):
    """Object storage cannot be reached, has no room, or did not answer in time."""


class EmbeddedServerError(SurfDataError):
    """An embedded server cannot be started."""
