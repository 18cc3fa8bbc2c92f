"""Why a connection is refused, in whatever language the server and libpq speak.

libpq gives the text of a refusal alone, and only its trace has the SQLSTATE. So the connection is made while libpq
traces it to memory, which is forgotten at once: a password may be in it.
"""

import os
import re
from contextlib import suppress

import psycopg
from psycopg.abc import PQGenConn
from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus, PGconn, PollingStatus, Trace
from psycopg.pq.abc import PGconn as Server
from psycopg.waiting import Wait

_ERROR = re.compile(
    rb'ErrorResponse\t S "[^"]*" (?:V "[^"]*" )?C "([0-9A-Z]{5})".*?(?: R "(\w+)"[^"\n]*)?$', re.MULTILINE
)
_WAITS = {PollingStatus.READING: Wait.R, PollingStatus.WRITING: Wait.W}

#: What libpq itself refuses before it connects.
BAD_PARAMETER = "libpq refuses a parameter of the connection"
# By SQLSTATE and, where that leaves it open, the function of the server that refuses. Source: PostgreSQL's manual,
# appendix A.
_REASONS = {
    "28P01": "authentication failed",
    "28000 InitializeSessionUserId": "the role does not exist",
    "28000 ClientAuthentication": "refused by pg_hba.conf",
    "28000": "authentication failed",
    "3D000": "the database does not exist",
    "42501": "no permission for the database",
    "53300": "too many connections",
    "57P03": "the server is starting",
    "57P01": "the server is shutting down",
}


class Refused(psycopg.OperationalError):
    """The connection is refused, for a reason that is known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        #: The reason, in a few fixed words.
        self.reason = reason


def connecting(conninfo: str) -> PQGenConn[Server]:
    """Connect as `psycopg.generators.connect` does.

    Raises:
        Refused: the server or libpq has said why not.
        psycopg.OperationalError: it cannot be reached.
    """
    file = os.memfd_create("libpq") if hasattr(os, "memfd_create") else os.open(os.devnull, os.O_RDWR)
    try:
        server = PGconn.connect_start(conninfo.encode())
        if server.status == ConnStatus.BAD:
            raise _unreachable(server, BAD_PARAMETER if _is_bad(conninfo) else None)
        with suppress(psycopg.NotSupportedError):
            server.trace(file)
            server.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        while (wanted := _WAITS.get(status := PollingStatus(server.connect_poll()))) is not None:
            while not (yield server.socket, wanted):
                pass
        with suppress(psycopg.NotSupportedError):
            server.untrace()
        if status != PollingStatus.OK:
            raise _unreachable(server, _reason(os.pread(file, os.lseek(file, 0, os.SEEK_END), 0)))
        server.nonblocking = 1
        return server
    finally:
        os.close(file)


def _reason(traced: bytes) -> str | None:
    """Return why the server has refused; with several servers, the last one."""
    found = _ERROR.findall(traced)
    if not found:
        return None
    sqlstate, function = (each.decode() for each in found[-1])
    return _REASONS.get(f"{sqlstate} {function}") or _REASONS.get(sqlstate)


def _unreachable(server: Server, reason: str | None) -> psycopg.OperationalError:
    said = server.get_error_message()
    server.finish()
    return psycopg.OperationalError(said) if reason is None else Refused(reason)


def _is_bad(conninfo: str) -> bool:
    """Whether libpq would not even begin to connect to this machine with these parameters."""
    server = PGconn.connect_start(make_conninfo(conninfo, host="127.0.0.1", hostaddr="127.0.0.1", port=9).encode())
    try:
        return server.status == ConnStatus.BAD
    finally:
        server.finish()
