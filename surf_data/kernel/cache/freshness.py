"""Whether what was found in Redis may be used: Redis decides, whose clock is the same for all."""

import time
from collections.abc import Sequence
from typing import Any

from surf_data.kernel.cache import commands
from surf_data.kernel.cache.json_values import Absence, Entry, is_doubtful, load
from surf_data.kernel.redis.manager import RedisManager

#: Redis has a key that does not expire, or has the key no more.
PERSISTENT, GONE = -1, -2


def fresh(manager: RedisManager, name: str) -> tuple[bytes | None, Entry | Absence | None]:
    """Return the document under a key and what it holds, ``None`` twice when there is none that may be used."""
    document: Any = manager.call(lambda client: commands.get(client, name), read=True, otherwise=None)
    stored = None if document is None else load(document)
    if stored is None or (is_doubtful(stored, time.time()) and expired(manager, [name])):
        return None, None
    return document, stored


def expired(manager: RedisManager, names: Sequence[str]) -> dict[str, int]:
    """Return those of the keys that Redis will not remove in time, each with `PERSISTENT` or `GONE`.

    When Redis cannot say, all are as good as gone.
    """
    left = manager.call(lambda client: commands.times_to_live(client, names), read=True, otherwise=[GONE] * len(names))
    return {name: milliseconds for name, milliseconds in zip(names, left, strict=True) if milliseconds < 0}
