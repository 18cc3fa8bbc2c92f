"""Why a connection cannot be made, in whatever language the server and libpq speak.

libpq gives the text of a failure alone, and only its trace has the SQLSTATE of a refusal. So the connection is made
while libpq traces it to memory, which is forgotten at once: a password may be in it. What has no SQLSTATE is known by
how far the connection came, and by trying the address again.
"""

import errno
import os
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar

import psycopg
from psycopg.abc import PQGenConn
from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus, PGconn, PollingStatus, Trace
from psycopg.pq.abc import PGconn as Server
from psycopg.waiting import Wait

_ERROR = re.compile(
    rb'ErrorResponse\t S "[^"]*" (?:V "[^"]*" )?C "([0-9A-Z]{5})".*?(?: R "(\w+)"[^"\n]*)?$', re.MULTILINE
)
# The last that the server sends before it waits for a statement.
_READY = re.compile(rb"^B\t\d+\tReadyForQuery", re.MULTILINE)
_WAITS = {PollingStatus.READING: Wait.R, PollingStatus.WRITING: Wait.W}
# How far a connection is that has not reached the server.
_ON_THE_WAY = frozenset({ConnStatus.BAD, ConnStatus.NEEDED, ConnStatus.STARTED})
# Seconds to try an address again that has failed.
_TRIAL = 1.0

#: What libpq itself refuses before it connects.
BAD_PARAMETER = "libpq refuses a parameter of the connection"
#: No TLS where it is wanted, or a certificate that is not good enough.
TLS_FAILED = "TLS failed"
#: No name server knows the host.
UNKNOWN_HOST = "unknown host"
#: A setting in ``options``, or another that the server is sent, which it does not know or take.
BAD_OPTION = "the server refuses an option of the connection"
#: ``ALLOW_CONNECTIONS false``, as of template0.
NO_CONNECTIONS = "the database takes no connections"
_FAILED = "connection failed"
_UNAUTHENTICATED = "authentication failed"
# By SQLSTATE and, where that leaves it open, the function of the server that refuses. Source: PostgreSQL's manual,
# appendix A.
_REASONS = {
    "28P01": _UNAUTHENTICATED,
    "28000 InitializeSessionUserId": "the role does not exist",
    "28000 ClientAuthentication": "refused by pg_hba.conf",
    "28000": _UNAUTHENTICATED,
    "3D000": "the database does not exist",
    "42501": "no permission for the database",
    "22023": BAD_OPTION,
    "42601": BAD_OPTION,
    "42704": BAD_OPTION,
    "55000": NO_CONNECTIONS,
    "53300": "too many connections",
    "57P03": "the server is starting",
    "57P01": "the server is shutting down",
}
_BY_ERRNO = {
    errno.ECONNREFUSED: "connection refused",
    errno.ENOENT: "no server at that socket",
    errno.ENOTDIR: "no server at that socket",
    errno.EACCES: "no permission for that socket",
    errno.ETIMEDOUT: "timed out",
}


class Refused(psycopg.OperationalError):
    """There is no connection, and its class knows why."""

    #: The reason, in a few fixed words.
    reason: ClassVar[str]


@cache
def because(reason: str) -> type[Refused]:
    """Return the class of error for a reason."""
    # Where several hosts have failed, psycopg makes an error of the last one's class, with a text of its own.
    return type("Refused", (Refused,), {"reason": reason})


def connecting(conninfo: str) -> PQGenConn[Server]:
    """Connect as `psycopg.generators.connect` does.

    Raises:
        Refused: there is no connection.
    """
    file = os.memfd_create("libpq") if hasattr(os, "memfd_create") else os.open(os.devnull, os.O_RDWR)
    server = None
    try:
        server = PGconn.connect_start(conninfo.encode())
        reached: int = ConnStatus.BAD
        status = PollingStatus.FAILED
        if server.status != ConnStatus.BAD:
            with suppress(psycopg.NotSupportedError):
                server.trace(file)
                server.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
            status = PollingStatus.WRITING
        while (wanted := _WAITS.get(status)) is not None:
            reached = server.status
            while not (yield server.socket, wanted):
                pass
            status = PollingStatus(server.connect_poll())
        with suppress(psycopg.NotSupportedError):
            server.untrace()
        if status == PollingStatus.OK:
            server.nonblocking = 1
            connected, server = server, None
            return connected
        reason = _reason(server, reached, os.pread(file, os.lseek(file, 0, os.SEEK_END), 0), conninfo)
        raise because(reason)(reason)
    finally:
        os.close(file)
        if server is not None:
            server.finish()


def _reason(server: Server, reached: int, traced: bytes, conninfo: str) -> str:
    """Return why there is no connection; with several servers, what is said of the last one.

    Arguments:
        server: what has failed.
        reached: its last status before it did.
        traced: what it and the server have said to each other.
        conninfo: what it was made of.
    """
    # As long as there is a socket, it is libpq that has had enough, and not the server.
    by_libpq = _has_socket(server)
    reason = _FAILED
    if reached == ConnStatus.SSL_STARTUP and by_libpq:
        reason = TLS_FAILED
    elif found := _ERROR.findall(traced):
        sqlstate, function = (each.decode() for each in found[-1])
        reason = _REASONS.get(f"{sqlstate} {function}") or _REASONS.get(sqlstate) or _FAILED
    elif reached in _ON_THE_WAY:
        reason = BAD_PARAMETER if reached == ConnStatus.BAD and _is_bad(conninfo) else _unreached(server)
    elif _READY.search(traced):
        reason = "the server is not of the kind that target_session_attrs names"
    elif server.needs_password or (by_libpq and _is_choosy(server)):
        reason = _UNAUTHENTICATED
    elif not by_libpq:
        reason = "connection lost"
    return reason


def _has_socket(server: Server) -> bool:
    try:
        return server.socket >= 0
    except psycopg.OperationalError:
        return False


def _is_choosy(server: Server) -> bool:
    """Whether libpq may have left for the way in which the server authenticates a client, or itself."""
    options = {option.keyword: option.val for option in server.info}
    return server.used_password or bool(options.get(b"require_auth")) or options.get(b"channel_binding") == b"require"


def _is_bad(conninfo: str) -> bool:
    """Whether libpq would not even begin to connect to this machine with these parameters."""
    server = PGconn.connect_start(make_conninfo(conninfo, host="127.0.0.1", hostaddr="127.0.0.1", port=9).encode())
    try:
        return server.status == ConnStatus.BAD
    finally:
        server.finish()


def _unreached(server: Server) -> str:
    """Return why there is no way to where ``server`` leads, by trying it."""
    host, port = server.host.decode(), int(server.port or 5432)
    try:
        if host.startswith("/"):
            with socket.socket(socket.AF_UNIX) as trial:
                trial.settimeout(_TRIAL)
                trial.connect(f"{host}/.s.PGSQL.{port}")
        else:
            socket.create_connection((server.hostaddr.decode() or host, port), _TRIAL).close()
    except socket.gaierror:
        return UNKNOWN_HOST
    except TimeoutError:
        return "timed out"
    except OSError as error:
        return _BY_ERRNO.get(error.errno or 0, _FAILED)
    return _FAILED


def unattempted(error: psycopg.Error, parameters: Mapping[str, Any]) -> str:
    """Return why psycopg has not even tried to connect.

    Arguments:
        error: what it raised.
        parameters: what it was given.
    """
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return "timed out"
    hosts, addresses, ports = (_count(parameters, name) for name in ("host", "hostaddr", "port"))
    mismatched = (hosts and addresses and hosts != addresses) or 1 < ports != max(hosts, addresses)
    if mismatched or not isinstance(error, psycopg.OperationalError):
        return BAD_PARAMETER
    return UNKNOWN_HOST


def _count(parameters: Mapping[str, Any], name: str) -> int:
    value = str(parameters.get(name) or os.environ.get(f"PG{name.upper()}") or "")
    return value.count(",") + 1 if value else 0
