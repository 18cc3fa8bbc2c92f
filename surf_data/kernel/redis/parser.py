"""The parser of Redis's replies, with a bound on the arrays that they announce."""

import re
from typing import Any

from redis._parsers import _HiredisParser
from redis.connection import DefaultParser
from redis.exceptions import InvalidResponse

# No command of this library has a reply of ten million elements.
_TOO_LARGE = re.compile(rb"(?:\*\d{1,7}\r\n)*\*\d{8}")


class _BoundedParser(_HiredisParser):
    """Refuses a reply that begins with the announcement of a huge array.

    hiredis makes room for the whole array at once, and clearing away a thousand million empty places keeps every thread
    of the process waiting for seconds, whatever the time-out is.
    """

    def read_from_socket(self, *arguments: Any, **keywords: Any) -> Any:
        # The driver annotates its parsers in part.
        arrived = super().read_from_socket(*arguments, **keywords)  # type: ignore[no-untyped-call]
        if _TOO_LARGE.match(self._buffer):
            raise InvalidResponse("array too large")
        return arrived


#: hiredis with a bound where it is installed, the driver's own parser elsewhere, which makes room as elements arrive.
PARSER: type = _BoundedParser if DefaultParser is _HiredisParser else DefaultParser
