"""The parsers of Redis's replies, with bounds on the arrays that they announce and on the time that they take."""

import re
from typing import Any

from redis._parsers import _HiredisParser, _RESP2Parser
from redis.connection import DefaultParser
from redis.exceptions import InvalidResponse

from surf_data.kernel.redis import exchange

# No command of this library has a reply of ten million elements.
_TOO_LARGE = re.compile(rb"(?:\*\d{1,7}\r\n)*\*\d{8}")
# Nor one that is nested as deeply as hiredis allows.
_MAX_DEPTH = 9


class BoundedHiredisParser(_HiredisParser):
    """Refuses a reply that begins with the announcement of a huge array, and keeps the deadline of the exchange.

    hiredis makes room for the whole array at once, and clearing away a thousand million empty places keeps every thread
    of the process waiting for seconds, whatever the time-out is.
    """

    def read_from_socket(self, *arguments: Any, **keywords: Any) -> Any:
        """Read once, until the deadline at most."""
        if exchange.has_deadline():
            # The socket's own time-out begins anew with each byte.
            keywords["timeout"] = exchange.seconds_left(self._socket_timeout)
        # The driver annotates its parsers in part.
        arrived = super().read_from_socket(*arguments, **keywords)  # type: ignore[no-untyped-call]
        exchange.note_arrival()
        if _TOO_LARGE.match(self._buffer):
            raise InvalidResponse("array too large")
        return arrived


class BoundedPythonParser(_RESP2Parser):
    """The driver's own parser, which makes room as elements arrive; with a bound on their depth, and the deadline."""

    def on_connect(self, connection: Any) -> None:
        """Read from this connection from now on."""
        super().on_connect(connection)  # type: ignore[no-untyped-call]
        buffer: Any = self._buffer
        buffer._sock = _DeadlinedSocket(connection._sock)  # noqa: SLF001 - the driver has no other way
        self._depth = 0

    def read_response(self, *arguments: Any, **keywords: Any) -> Any:
        """Read a reply."""
        self._depth = 0
        return super().read_response(*arguments, **keywords)

    def _read_response(self, *arguments: Any, **keywords: Any) -> Any:
        if self._depth > _MAX_DEPTH:
            raise InvalidResponse("nested too deeply")
        self._depth += 1
        reply = super()._read_response(*arguments, **keywords)
        self._depth -= 1
        return reply


class _DeadlinedSocket:
    """The socket of a connection, as far as the driver's parser uses it."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self.settimeout = wrapped.settimeout

    def recv(self, size: int) -> Any:
        # Zero, as the driver asks whether something has arrived, is no time to wait.
        timeout = self._wrapped.gettimeout()
        if not timeout or not exchange.has_deadline():
            arrived = self._wrapped.recv(size)
        else:
            self._wrapped.settimeout(exchange.seconds_left(timeout))
            try:
                arrived = self._wrapped.recv(size)
            finally:
                self._wrapped.settimeout(timeout)
        exchange.note_arrival()
        return arrived


#: hiredis where it is installed, the driver's own parser elsewhere.
PARSER: type = BoundedHiredisParser if DefaultParser is _HiredisParser else BoundedPythonParser
