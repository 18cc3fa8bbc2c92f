"""Why Redis failed, in fixed words: the driver's own texts may repeat what was sent."""

import socket
import ssl

import redis
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ExecAbortError,
    MaxConnectionsError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    TryAgainError,
)
from redis.sentinel import MasterNotFoundError

from surf_data.errors import SurfDataError
from surf_data.kernel.redis import exchange

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
    (AskError, "the slot has moved"),
    (TryAgainError, "the slot is moving"),
    (ExecAbortError, "transaction refused"),
    (MaxConnectionsError, "no connection became free"),
    (redis.WatchError, "changed meanwhile"),
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
# What this server can give to no client, whatever the command.
_ASTRAY = (AskError, ClusterDownError, TryAgainError)
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
        "read-only",
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
    if is_demoted(error):
        return "read-only"
    # Of what is answered with a code, this alone becomes an error of the connection.
    if type(error) is redis.ConnectionError and getattr(error, "status_code", None) == "ERR":
        return "too many clients"
    if type(error) is redis.ResponseError and (reason := _CODES.get(_first_word(error))):
        return reason
    for kind, reason in _REASONS:
        if isinstance(error, kind) or isinstance(error.__context__, kind):
            return reason
    return "unexpected reply"


def code_of(error: BaseException) -> str | None:
    """Return the code with which Redis refused a command, such as ``WRONGTYPE``; ``None`` when it gave none."""
    if not isinstance(error, redis.ResponseError | redis.AuthenticationError | redis.BusyLoadingError):
        return None
    code = getattr(error, "status_code", None) or _first_word(error)
    return code if code in _KNOWN else None


def may_be_applied(error: BaseException) -> bool:
    """Return whether a write that failed so may have been applied: it was sent, and the reply is missing."""
    return not isinstance(error, redis.ResponseError) and reason_of(error) not in _UNSENT


def is_refusal(error: BaseException) -> bool:
    """Return whether the server is well, has answered everything, and does not like the command."""
    return isinstance(error, redis.ResponseError | redis.WatchError) and not isinstance(error, _ASTRAY)


def is_demoted(error: BaseException) -> bool:
    """Return whether the server is a replica that no longer takes what a primary does."""
    # With Sentinel the driver raises another error in its place.
    return isinstance(error, ReadOnlyError) or (
        isinstance(error, redis.ConnectionError) and isinstance(error.__context__, ReadOnlyError)
    )


def is_callers(error: BaseException) -> bool:
    """Return whether the caller is at fault, or the caller's process: the server has done nothing wrong."""
    if isinstance(error, SurfDataError | RecursionError | MemoryError | UnicodeEncodeError | redis.DataError):
        return True
    # Replies that are not Redis's come as ValueError, TypeError and others; without a reply these are the operation's.
    known = isinstance(error, redis.RedisError | RedisClusterException | OSError)
    return not known and not exchange.has_arrived()


def _first_word(error: redis.RedisError) -> str:
    # That of an error reply is its code: Redis' manual, "RESP protocol specification". The rest is for people.
    return str(error).split(" ", 1)[0]
