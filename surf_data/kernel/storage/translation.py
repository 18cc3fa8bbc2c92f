"""Errors of the file system and of obstore become `StorageError` here, and nowhere else.

What obstore says holds the URL, the key and the server's answer, what the file system says a path; none of it goes on.
"""

import errno
import re
from collections.abc import Iterable
from types import TracebackType
from typing import Literal

from surf_data.errors import (
    ObjectExists,
    ObjectNotFound,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    SurfDataError,
)

_BY_ERRNO: dict[int, tuple[type[StorageError], str]] = {
    errno.EACCES: (StorageDenied, "no permission for the folder"),
    errno.EDQUOT: (StorageUnavailable, "the disk quota is used up"),
    errno.EEXIST: (ObjectExists, "there is an object of this key"),
    errno.EFBIG: (StorageUnavailable, "the file system takes no file of this size"),
    errno.ELOOP: (StorageDenied, "a symbolic link is in the way"),
    errno.ENOENT: (ObjectNotFound, "there is no such object"),
    errno.ENOSPC: (StorageUnavailable, "the disk is full"),
    errno.EPERM: (StorageDenied, "no permission for the folder"),
    errno.EROFS: (StorageDenied, "the file system is read-only"),
}
# By the name of obstore's class; what is not here is the server's or the network's.
_BY_NAME: dict[str, tuple[type[StorageError], str]] = {
    "AlreadyExistsError": (ObjectExists, "there is an object of this key"),
    "FileNotFoundError": (ObjectNotFound, "there is no such object, bucket or container"),
    "NotSupportedError": (StorageError, "the backend cannot do this"),
    "PermissionDeniedError": (StorageDenied, "access denied"),
    "PreconditionError": (ObjectExists, "there is an object of this key"),
    "UnauthenticatedError": (StorageDenied, "the credentials were refused"),
}
# A conflict is another's bucket.
_DENIALS = frozenset({401, 403, 409})
# obstore's errors have a class and nothing else: status, answer and how the network failed are in the text alone,
# in what Rust writes of an error for debugging, a fact a line. Nothing but these lines is read, and of an answer its
# code and what it says of it. A key can look like none of them: it is on one line there, behind its name.
_DEBUGGING = "\nDebug source:\n"
_FACT = re.compile(r'^ +(?:(?:\w+: )?(Timeout|TimedOut|Connect)|status: ([0-9]{3})|"(.*)"),$', re.MULTILINE)
_SAID = re.compile(r"<(?:Code|Message|AuthenticationErrorDetail)>([^<]*)")
# In these facts; the first one counts.
_REASONS: tuple[tuple[str, type[StorageError], str], ...] = (
    (
        # By S3, by Azure, and by S3 of a URL that was signed a moment ago.
        r"RequestTimeTooSkewed|Request date header too|Request has expired|Request is not valid yet",
        StorageDenied,
        "the clock of this machine differs too much from the server's",
    ),
    # Of credentials that were lent for a time: S3's by token, Azure's by shared access signature.
    (
        r"ExpiredToken|Signature not valid in the specified time frame",
        StorageDenied,
        "the credentials have expired, or are not valid yet",
    ),
    (r"InvalidAccessKeyId|SignatureDoesNotMatch|AuthenticationFailed", StorageDenied, "the credentials were refused"),
    (r"NoSuchBucket|ContainerNotFound", StorageUnavailable, "the bucket or container does not exist"),
    (r"^(?:Timeout|TimedOut)$", StorageUnavailable, "no answer in time"),
    (r"^Connect$", StorageUnavailable, "the server cannot be reached"),
    (r"^40[13]$", StorageDenied, "access denied"),
)


def from_os(error: OSError, operation: str, key: str | None) -> StorageError:
    """Return what a caller receives of an error of the file system."""
    kind, reason = _BY_ERRNO.get(
        error.errno or 0, (StorageUnavailable, f"the file system failed (errno {error.errno})")
    )
    if error.errno == errno.ENOTDIR:
        kind, reason = (ObjectNotFound, "there is no such object")
        if operation in {"delete", "initialize", "put"}:
            kind, reason = (StorageDenied, "a file or a symbolic link is in the way")
    return _error(kind, operation, key, reason)


def from_obstore(error: Exception, operation: str, key: str | None) -> StorageError:
    """Return what a caller receives of an error of obstore."""
    facts = _FACT.findall(str(error).rpartition(_DEBUGGING)[2])
    told = [each for how, status, answer in facts for each in (how, status, *_SAID.findall(answer))]
    kind, reason = _reason(told) or _BY_NAME.get(type(error).__name__, (StorageUnavailable, "the server failed"))
    return _error(kind, operation, key, reason)


def from_answer(status: int, said: bytes, operation: str) -> StorageError:
    """Return what a caller receives of an answer to a request that was sent without obstore.

    Arguments:
        status: the HTTP status, 0 if there was no answer.
        said: the body of the answer.
        operation: what was attempted.
    """
    kind: type[StorageError] = StorageDenied if status in _DENIALS else StorageUnavailable
    found = _reason(_SAID.findall(said.decode(errors="replace")))
    kind, reason = found or (kind, f"HTTP status {status}" if status else "no answer")
    return _error(kind, operation, None, reason)


def _reason(facts: Iterable[str]) -> tuple[type[StorageError], str] | None:
    said = "\n".join(facts)
    return next(((kind, reason) for pattern, kind, reason in _REASONS if re.search(pattern, said, re.MULTILINE)), None)


def _error(kind: type[StorageError], operation: str, key: str | None, reason: str) -> StorageError:
    return kind(f"{operation} failed: {reason}", operation=operation, key=key)


class Translation:
    """A context manager that translates what leaves its block.

    Arguments:
        operation: what the error says was attempted.
        key: the key of the object, if there is one.
        cloud: whether obstore's errors are meant, which may be of any class; otherwise those of the file system.
    """

    __slots__ = ("_cloud", "_key", "_operation")

    def __init__(self, operation: str, key: str | None = None, *, cloud: bool = False) -> None:
        self._operation, self._key, self._cloud = operation, key, cloud

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        if isinstance(error, SurfDataError) or not isinstance(error, Exception if self._cloud else OSError):
            return False
        if not self._cloud and isinstance(error, OSError):
            ours = from_os(error, self._operation, self._key)
        else:
            ours = from_obstore(error, self._operation, self._key)
        del error, traceback
        try:
            raise ours
        finally:
            # As in `surf_data.kernel.postgres.translation`: nothing of the other error is kept.
            ours.__context__ = None
            del ours
