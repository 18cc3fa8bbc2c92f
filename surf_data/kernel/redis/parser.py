"""The parsers of Redis's replies, with bounds on the arrays that they announce and on the time that they take."""

import re
from typing import Any

from redis._parsers import _HiredisParser, _RESP2Parser
from redis.connection import DefaultParser
from redis.exceptions import InvalidResponse

from surf_data.kernel.redis import deadlines

# No command of this library has a reply of ten million elements.
_TOO_LARGE = re.compile(rb"(?:\*\d{1,7}\r\n)*\*\d{8}")


class BoundedHiredisParser(_HiredisParser):
    """Refuses a reply that begins with the announcement of a huge array, and keeps the thread's deadline.

    hiredis makes room for the whole array at once, and clearing away a thousand million empty places keeps every thread
    of the process waiting for seconds, whatever the time-out is.
    """

    def read_from_socket(self, *arguments: Any, **keywords: Any) -> Any:
        """Read once, until the deadline at most."""
        if deadlines.is_set():
            # The socket's own time-out begins anew with each byte.
            keywords["timeout"] = deadlines.seconds_left(self._socket_timeout)
        # The driver annotates its parsers in part.
        arrived = super().read_from_socket(*arguments, **keywords)  # type: ignore[no-untyped-call]
        if _TOO_LARGE.match(self._buffer):
            raise InvalidResponse("array too large")
        return arrived


class BoundedPythonParser(_RESP2Parser):
    """The driver's own parser, which makes room as elements arrive; it keeps the thread's deadline."""

    def on_connect(self, connection: Any) -> None:
        """Read from this connection from now on."""
        super().on_connect(connection)  # type: ignore[no-untyped-call]
        buffer: Any = self._buffer
        buffer._sock = _DeadlinedSocket(connection._sock)  # noqa: SLF001 - the driver has no other way


class _DeadlinedSocket:
    """The socket of a connection, as far as the driver's parser uses it."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self.settimeout = wrapped.settimeout

    def recv(self, size: int) -> Any:
        # Zero, as the driver asks whether something has arrived, is no time to wait.
        if not deadlines.is_set() or not (timeout := self._wrapped.gettimeout()):
            return self._wrapped.recv(size)
        self._wrapped.settimeout(deadlines.seconds_left(timeout))
        try:
            return self._wrapped.recv(size)
        finally:
            self._wrapped.settimeout(timeout)


#: hiredis where it is installed, the driver's own parser elsewhere.
PARSER: type = BoundedHiredisParser if DefaultParser is _HiredisParser else BoundedPythonParser
