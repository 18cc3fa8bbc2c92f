"""The fleet lock: of all processes that share a Redis, one at most does something at a time."""

import secrets
from typing import Any, cast

import redis

from surf_data.kernel.redis.manager import RedisManager

# A holder that took too long may find that the lock is another's by now.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end return 0"


class RedisLock:
    """A lock in Redis that is held until it is released or its time is up.

    It keeps others from doing the same work, and is no promise that they do not: when Redis loses it, two hold it.

    Arguments:
        manager: the way to Redis.
        name: the key of the lock.
        seconds: after how many seconds the lock is free again without having been released.
    """

    def __init__(self, manager: RedisManager, name: str, seconds: float) -> None:
        self._manager = manager
        self._name = name
        self._milliseconds = max(1, int(seconds * 1000))
        self._token = secrets.token_hex(16)

    def take(self) -> bool | None:
        """Take the lock if it is free; return whether it was, ``None`` when Redis cannot say."""
        return self._manager.call(self._take, read=False, otherwise=None)

    def release(self) -> None:
        """Release the lock if it is still held here."""
        self._manager.call(self._release, read=False, otherwise=None)

    def _take(self, client: redis.Redis) -> bool | None:
        return bool(client.set(self._name, self._token, nx=True, px=self._milliseconds))

    def _release(self, client: redis.Redis) -> Any:
        return cast("Any", client).eval(_RELEASE, 1, self._name, self._token)
