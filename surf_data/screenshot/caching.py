"""Cached values in Redis, as plain JSON under the keys that other clients of the application use."""

import functools
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict

import redis

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.cache import commands
from surf_data.kernel.redis import RedisManager
from surf_data.screenshot.cache_pipeline import MAX_KEY, Pipeline, checked_key, checked_ttl
from surf_data.screenshot.cached_values import dump, load
from surf_data.screenshot.redis_sessions import RedisSessions
from surf_data.screenshot.settings import ScreenshotSettings

_SCAN_COUNT = 1_000
_MAX_MANY = 100_000
_PATTERN = re.compile(r"[^*?\[\]\\\s]{2}[^\[\]\\\s]*")
_INFO = {
    "redis_version": "redis_version",
    "memory_used_bytes": "used_memory",
    "memory_limit_bytes": "maxmemory",
    "evicted_keys": "evicted_keys",
    "expired_keys": "expired_keys",
    "connected_clients": "connected_clients",
}


class SetOptions(TypedDict, total=False):
    """How a value is stored, in the original's form."""

    #: Seconds until it is gone.
    ttl: int | None
    #: What its key begins with, behind the application's; a colon follows.
    prefix: str | None


class CacheManager(RedisSessions):
    """Keeps JSON values and sessions in Redis; an unavailable Redis is an empty cache. Thread-safe.

    A key is ``stc:<key>``, or ``stc:<prefix>:<key>``: ``redis_key_prefix`` says what ``stc`` is. ``null`` reads as
    nothing.

    Arguments:
        manager: the way to Redis.
        settings: ``redis_key_prefix``, ``cache_compress_bytes``, ``session_ttl``.
    """

    def __init__(self, manager: RedisManager, settings: ScreenshotSettings) -> None:
        super().__init__(manager, settings)
        self._threshold = settings.cache_compress_bytes
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter({"hits": 0, "misses": 0, "writes": 0, "deletes": 0})

    def get(self, key: str, *, prefix: str | None = None) -> Any | None:
        """Return the value under a key; ``None`` where there is none, and where it is no JSON."""
        name = self._name(key, prefix)
        value = load(self._manager.call(lambda client: commands.get(client, name), read=True, otherwise=None))
        self._count(**{"misses" if value is None else "hits": 1})
        return value

    def set(self, key: str, value: Any, ttl: int | SetOptions | None = None, *, prefix: str | None = None) -> bool:
        """Store a JSON value; return whether it was stored.

        Arguments:
            key: 1 to 200 printable characters without spaces and braces.
            value: any JSON value of at most 1,000,000 bytes.
            ttl: seconds until it is gone, 1 to 31,622,400; ``None`` for none; or a mapping with ``ttl`` and ``prefix``.
            prefix: what the key begins with, behind the application's.

        Raises:
            ValidationError: an argument is refused; nothing was sent.
        """
        if ttl is not None and not isinstance(ttl, int):
            options = validation.mapping("ttl", ttl)
            validation.check_keys("ttl", options, required=(), optional=("ttl", "prefix"))
            ttl, prefix = options.get("ttl"), options.get("prefix", prefix)
        name, seconds = self._name(key, prefix), None if ttl is None else checked_ttl(ttl)
        document = dump("value", value, self._threshold)
        stored = self._manager.call(
            lambda client: bool(client.set(name, document, ex=seconds)), read=False, otherwise=False
        )
        self._count(writes=int(stored))
        return stored

    def delete(self, *keys: str, prefix: str | None = None) -> int:
        """Delete keys; return how many there were."""
        names = [self._name(key, prefix) for key in keys]
        if not names:
            return 0
        deleted = self._manager.call(lambda client: int(client.unlink(*names)), read=False, otherwise=0)
        self._count(deletes=deleted)
        return deleted

    def exists(self, key: str, *, prefix: str | None = None) -> bool:
        """Return whether there is a key."""
        name = self._name(key, prefix)
        return self._manager.call(lambda client: bool(client.exists(name)), read=True, otherwise=False)

    def expire(self, key: str, ttl: int, *, prefix: str | None = None) -> bool:
        """Let a key live for so many seconds from now; return whether there is such a key."""
        name, seconds = self._name(key, prefix), checked_ttl(ttl)
        return self._manager.call(lambda client: bool(client.expire(name, seconds)), read=False, otherwise=False)

    def ttl(self, key: str, *, prefix: str | None = None) -> int | None:
        """Return for how many seconds a key still lives; ``None`` if for good, or if there is none."""
        name = self._name(key, prefix)
        left = self._manager.call(lambda client: int(client.ttl(name)), read=True, otherwise=-2)
        return left if left >= 0 else None

    def increment(self, key: str, by: int = 1, *, ttl: int | None = None, prefix: str | None = None) -> int | None:
        """Add to a whole number, 0 where there is none; return it, ``None`` when it cannot be done.

        Arguments:
            key: as for `set`.
            by: what to add.
            ttl: seconds for which a new number lives.
            prefix: as for `set`.
        """
        name, step = self._name(key, prefix), validation.integer("by", by, minimum=-(2**53), maximum=2**53)
        seconds = None if ttl is None else checked_ttl(ttl)

        def add(client: redis.Redis) -> int:
            number = int(client.incrby(name, step))
            # Only the one that made it says how long it lives.
            if seconds is not None and number == step:
                client.expire(name, seconds)
            return number

        return self._manager.call(add, read=False, otherwise=None)

    def get_many(self, keys: Iterable[str], *, prefix: str | None = None) -> dict[str, Any]:
        """Return the values under up to 100,000 keys, in one round trip; missing ones are left out."""
        wanted: dict[str, str] = {}
        for key in validation.items("keys", keys, of="texts"):
            wanted[key] = self._name(key, prefix)
            if len(wanted) > _MAX_MANY:
                raise validation.invalid("keys", f"must be {_MAX_MANY:,} at the most")
        if not wanted:
            return {}
        nothing: list[Any] = [None] * len(wanted)
        documents = self._manager.call(
            lambda client: commands.get_many(client, list(wanted.values())), read=True, otherwise=nothing
        )
        values = zip(wanted, map(load, documents), strict=True)
        found = {key: value for key, value in values if value is not None}
        self._count(hits=len(found), misses=len(wanted) - len(found))
        return found

    def set_many(self, values: Mapping[str, Any], ttl: int | None = None, *, prefix: str | None = None) -> int:
        """Store values, in one round trip; return how many were stored."""
        items = validation.mapping("values", values).items()
        with self.pipeline() as pipeline:
            results = [pipeline.set(key, value, ttl, prefix=prefix) for key, value in items]
        return sum(result.value for result in results)

    def keys(self, pattern: str, *, limit: int = 10_000) -> list[str]:
        """Return the full names of keys that match a pattern, in no order: for an operator, as `delete_pattern`."""
        validation.integer("limit", limit, minimum=1, maximum=1_000_000)
        names: list[str] = []
        for found in self._scan(self._glob(pattern)):
            names += found
            if len(names) >= limit:
                break
        return names[:limit]

    def delete_pattern(self, pattern: str) -> int:
        """Delete keys by pattern; return how many there were, as far as Redis was available.

        Walks the whole keyspace, a thousand keys at a time: for an operator, not for everyday use.

        Arguments:
            pattern: of keys behind the application's prefix: at least two characters, then ``*`` for any and ``?`` for
                one.
        """
        return sum(self._unlink(found) for found in self._scan(self._glob(pattern)))

    def flush(self) -> int:
        """Delete all keys of this application, and no other; return how many there were."""
        return sum(self._unlink(found) for found in self._scan(f"{_escaped(self._prefix)}*"))

    @contextmanager
    def pipeline(self) -> Iterator[Pipeline]:
        """Collect commands, and send them in one round trip when the block exits; each returns a `Result`."""
        collected = Pipeline(self._name, self._threshold)
        yield collected
        collected.execute(self._manager)

    def health(self) -> bool:
        """Return whether Redis answers."""
        return self._manager.ping().reason is None

    def stats(self) -> dict[str, Any]:
        """Return counts of this process (``hits``, ``misses``, ``hit_rate``, ...) and what Redis says of itself.

        ``info``, ``memory`` and ``stats`` are what the original had; of an unavailable Redis they are empty.
        """
        with self._lock:
            counts = dict(self._counts)
        lookups = counts["hits"] + counts["misses"]
        unknown: dict[str, Any] = {}
        info = self._manager.call(_info, read=True, otherwise=unknown)
        memory = {name: value for name, value in info.items() if name.endswith("memory") or name == "maxmemory"}
        return {
            **counts,
            "hit_rate": counts["hits"] / lookups if lookups else None,
            **{name: info.get(of) for name, of in _INFO.items()},
            "info": info,
            "memory": memory,
            "stats": self._manager.stats(),
        }

    def _name(self, key: object, prefix: object) -> str:
        checked = checked_key("key", key)
        return (
            f"{self._prefix}{checked}" if prefix is None else f"{self._prefix}{checked_key('prefix', prefix)}:{checked}"
        )

    def _glob(self, pattern: object) -> str:
        if not isinstance(pattern, str) or not _PATTERN.fullmatch(pattern) or len(pattern) > MAX_KEY:
            raise ValidationError(
                "pattern must begin with two characters of a key, and may have * and ? behind them", field="pattern"
            )
        return _escaped(self._prefix) + pattern

    def _scan(self, glob: str) -> Iterator[list[str]]:
        walk = commands.Walk()
        end: tuple[commands.Walk, list[str]] = (commands.Walk({}), [])
        while not walk.is_over:
            step = functools.partial(commands.scan, walk=walk, glob=glob, count=_SCAN_COUNT)
            walk, found = self._manager.call(step, read=True, otherwise=end)
            yield found

    def _unlink(self, names: Sequence[str]) -> int:
        if not names:
            return 0
        return self._manager.call(lambda client: int(client.unlink(*names)), read=False, otherwise=0)

    def _count(self, **counts: int) -> None:
        with self._lock:
            self._counts.update(counts)


def _escaped(prefix: str) -> str:
    return re.sub(r"([*?\[\]\\])", r"\\\1", prefix)


def _info(client: redis.Redis) -> dict[str, Any]:
    answer: Any = client.info()
    # A cluster answers for each of its nodes.
    first = next(iter(answer.values()), None)
    return dict(first) if isinstance(first, dict) and "redis_version" in first else dict(answer)
