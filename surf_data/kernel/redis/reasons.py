"""Why Redis failed, in fixed words: the driver's own texts may repeat what was sent."""

import socket
import ssl

import redis
from redis.exceptions import (
    ClusterDownError,
    ExecAbortError,
    MaxConnectionsError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    TryAgainError,
)
from redis.sentinel import MasterNotFoundError

# Looked up in this order, for the error and what it came from.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (redis.AuthenticationError, "authentication failed"),
    (NoPermissionError, "permission denied"),
    (redis.BusyLoadingError, "loading its data"),
    (MasterNotFoundError, "the Sentinels know no primary"),
    (ClusterDownError, "the cluster is down"),
    (RedisClusterException, "not a cluster in working order"),
    (ReadOnlyError, "read-only"),
    (OutOfMemoryError, "out of memory"),
    (MovedError, "the slot has moved"),
    (TryAgainError, "the slot is moving"),
    (ExecAbortError, "transaction refused"),
    (MaxConnectionsError, "no connection became free"),
    (redis.TimeoutError, "timed out"),
    (redis.ResponseError, "refused the command"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (FileNotFoundError, "file not found"),
    (PermissionError, "permission denied"),
    (socket.gaierror, "host name not resolved"),
    (OSError, "connection failed"),
    (redis.ConnectionError, "connection lost"),
)
# Replies whose code the driver leaves in the text.
_CODES = {
    "BUSY": "busy with a script",
    "MISCONF": "cannot persist",
    "NOREPLICAS": "too few replicas",
    "WRONGTYPE": "the key holds another type",
}
# What Redis itself is known to answer: a script may say anything.
_KNOWN = frozenset(_CODES) | {
    "ASK",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "ERR",
    "EXECABORT",
    "LOADING",
    "MASTERDOWN",
    "MOVED",
    "NOAUTH",
    "NOPERM",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
}
# After these nothing was applied, whatever was asked.
_UNSENT = frozenset(
    {
        "authentication failed",
        "loading its data",
        "the Sentinels know no primary",
        "no connection became free",
        "connection refused",
        "file not found",
        "permission denied",
        "host name not resolved",
        "TLS failed",
        "too many clients",
    }
)


def reason_of(error: BaseException) -> str:
    """Return why Redis failed, in a few fixed words."""
    # No node could be asked where the others are; this is what the last one answered.
    if isinstance(error, RedisClusterException) and error.__cause__:
        error = error.__cause__
    text = str(error)
    # The one case that has no class of its own.
    if "max number of clients" in text:
        return "too many clients"
    if type(error) is redis.ResponseError and (reason := _CODES.get(text.split(" ", 1)[0])):
        return reason
    for kind, reason in _REASONS:
        if isinstance(error, kind) or isinstance(error.__context__, kind):
            return reason
    return "unexpected reply"


def code_of(error: BaseException) -> str | None:
    """Return the code with which Redis refused a command, such as ``WRONGTYPE``; ``None`` when it gave none."""
    if not isinstance(error, redis.ResponseError | redis.AuthenticationError | redis.BusyLoadingError):
        return None
    code = getattr(error, "status_code", None) or str(error).split(" ", 1)[0]
    return code if code in _KNOWN else None


def may_be_applied(error: BaseException) -> bool:
    """Return whether a write that failed so may have been applied: it was sent, and the reply is missing."""
    return not isinstance(error, redis.ResponseError) and reason_of(error) not in _UNSENT
