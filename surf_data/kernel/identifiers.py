"""Ids that this library makes: UUIDs of version 7, which begin with the time."""

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562): milliseconds since 1970, then 74 bits of which 62 are random.

    Rows that are inserted one after the other stand side by side in an index. Ids of one process rise unless its clock
    goes back or two are made within a quarter of a microsecond.
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)
