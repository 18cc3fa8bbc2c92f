"""The driver's connections, with a bound on the time that they take in all."""

from functools import cache
from typing import Any

from surf_data.kernel.redis import deadlines


class _Bounded:
    """Ends what a connection does by the thread's deadline, if there is one; the parsers do so for what it reads."""

    socket_connect_timeout: float
    socket_timeout: float
    _sock: Any

    def _connect(self) -> Any:
        connection: Any = super()
        if not deadlines.is_set():
            return connection._connect()  # noqa: SLF001 - the driver's own step
        timeout = self.socket_connect_timeout
        self.socket_connect_timeout = deadlines.seconds_left(timeout)
        try:
            return connection._connect()  # noqa: SLF001 - the driver's own step
        finally:
            self.socket_connect_timeout = timeout

    def send_packed_command(self, *arguments: Any, **keywords: Any) -> Any:
        connection: Any = super()
        opened = self._sock
        if opened is None or not deadlines.is_set():
            return connection.send_packed_command(*arguments, **keywords)
        opened.settimeout(deadlines.seconds_left(self.socket_timeout))
        try:
            return connection.send_packed_command(*arguments, **keywords)
        finally:
            opened.settimeout(self.socket_timeout)


@cache
def bounded(kind: type) -> type:
    """Return the driver's class of connections with a bound."""
    return type(f"Bounded{kind.__name__}", (_Bounded, kind), {})
