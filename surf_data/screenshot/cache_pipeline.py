"""Commands for Redis that are collected and sent in one round trip."""

from collections.abc import Callable
from typing import Any

import redis

from surf_data.kernel import validation
from surf_data.kernel.redis import RedisManager
from surf_data.screenshot.cached_values import dump, load

#: Characters of a key at the most.
MAX_KEY = 200
_MAX_TTL = 31_622_400


class Result:
    """What a command of a pipeline will have returned when the pipeline has ended."""

    def __init__(self, default: Any) -> None:
        #: The answer; before the end, and when Redis was unavailable, that of an empty cache.
        self.value: Any = default


class Pipeline:
    """Commands that are sent together.

    Arguments:
        name: returns the name of a key in Redis.
        threshold: bytes from which on a value is compressed.
    """

    def __init__(self, name: Callable[[object, object], str], threshold: int) -> None:
        self._name = name
        self._threshold = threshold
        self._commands: list[tuple[Any, Any, Result]] = []

    def get(self, key: str, *, prefix: str | None = None) -> Result:
        """Ask for a value."""
        name = self._name(key, prefix)
        return self._add(lambda pipe: pipe.get(name), load, None)

    def set(self, key: str, value: Any, ttl: int | None = None, *, prefix: str | None = None) -> Result:
        """Store a value."""
        name = self._name(key, prefix)
        document, seconds = dump("value", value, self._threshold), None if ttl is None else checked_ttl(ttl)
        return self._add(lambda pipe: pipe.set(name, document, ex=seconds), bool, default=False)

    def delete(self, key: str, *, prefix: str | None = None) -> Result:
        """Delete a key."""
        name = self._name(key, prefix)
        return self._add(lambda pipe: pipe.unlink(name), bool, default=False)

    def expire(self, key: str, ttl: int, *, prefix: str | None = None) -> Result:
        """Let a key live for so many seconds from now."""
        name, seconds = self._name(key, prefix), checked_ttl(ttl)
        return self._add(lambda pipe: pipe.expire(name, seconds), bool, default=False)

    def increment(self, key: str, by: int = 1, *, prefix: str | None = None) -> Result:
        """Add to a whole number."""
        name, step = self._name(key, prefix), validation.integer("by", by, minimum=-(2**53), maximum=2**53)
        return self._add(lambda pipe: pipe.incrby(name, step), int, None)

    def execute(self, manager: RedisManager) -> None:
        """Send what was collected. Each result has its value afterwards, unless Redis is unavailable."""

        def send(client: redis.Redis) -> list[Any]:
            # Not a transaction: in a cluster the keys are on several servers.
            with client.pipeline(transaction=False) as pipe:
                for command, _, _ in self._commands:
                    command(pipe)
                return pipe.execute(raise_on_error=False)

        nothing: list[Any] = []
        answers = self._manager_call(manager, send, nothing)
        for (_, convert, result), answer in zip(self._commands, answers, strict=False):
            if not isinstance(answer, Exception):
                result.value = convert(answer)

    def _manager_call(self, manager: RedisManager, send: Any, nothing: list[Any]) -> list[Any]:
        return manager.call(send, read=False, otherwise=nothing) if self._commands else nothing

    def _add(self, command: Any, convert: Any, default: Any) -> Result:
        result = Result(default)
        self._commands.append((command, convert, result))
        return result


def checked_key(field: str, value: object) -> str:
    """Return ``value`` if it can be a key: 1 to 200 printable characters without spaces and braces."""
    text = validation.text(field, value, maximum=MAX_KEY)
    if not text.isprintable() or any(letter in " {}" for letter in text):
        raise validation.invalid(field, "must be printable, without spaces and braces")
    return text


def checked_ttl(value: object) -> int:
    """Return ``value`` if it is a time to live in seconds: 1 to 31,622,400."""
    return validation.integer("ttl", value, minimum=1, maximum=_MAX_TTL)
