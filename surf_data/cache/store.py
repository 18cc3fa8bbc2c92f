"""The cache itself: JSON values under keys, each with a time to live."""

import functools
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

import redis

from surf_data.cache.connection import RedisManager
from surf_data.cache.json_values import Entry, dump, load, time_to_live
from surf_data.errors import ValidationError

_T = TypeVar("_T")

_logger = logging.getLogger(__name__)

# How many keys one SCAN looks at: a fraction of a millisecond of the server's time.
_SCAN_COUNT = 1000


class JsonCache:
    """Keeps JSON values in Redis; finds nothing and keeps nothing when Redis is unavailable. Thread-safe.

    Every key gets the setting ``cache_prefix`` in front of it.

    Arguments:
        manager: the way to Redis.
    """

    def __init__(self, manager: RedisManager) -> None:
        self._manager = manager
        self._prefix = manager.settings.cache_prefix

    def get(self, key: str, decode: Callable[[Entry], _T]) -> _T | None:
        """Return what ``decode`` makes of the value under ``key``, or ``None``.

        A value that is too old, not what this class stores, or refused by ``decode`` is deleted.

        Arguments:
            key: the key without the prefix.
            decode: makes of an entry what the caller wants; it refuses one by raising `ValidationError`.
        """
        name = self._prefix + key
        document = self._manager.call(lambda client: _get(client, name), read=True, otherwise=None)
        return self._decoded({key: document}, decode).get(key)

    def get_many(self, keys: Iterable[str], decode: Callable[[Entry], _T]) -> dict[str, _T]:
        """Return what ``decode`` makes of the values under ``keys``, in one round trip; missing ones are left out.

        Otherwise like `get`.
        """
        keys = list(dict.fromkeys(keys))
        if not keys:
            return {}
        names = [self._prefix + key for key in keys]
        nothing: Mapping[str, object] = dict.fromkeys(keys)
        # A key of another type reads as missing here; the next `set` overwrites it.
        documents = self._manager.call(
            lambda client: dict(zip(keys, client.mget(names), strict=True)), read=True, otherwise=nothing
        )
        return self._decoded(documents, decode)

    def set(self, key: str, value: Mapping[str, Any], ttl_seconds: int, *, field: str = "value") -> bool:
        """Store ``value`` under ``key`` for ``ttl_seconds``; return whether it was stored.

        Arguments:
            key: the key without the prefix.
            value: what `surf_data.validation.json_text` accepts, with text keys.
            ttl_seconds: seconds, 1 to `surf_data.cache.json_values.MAX_TTL_SECONDS`.
            field: what an error calls the value.

        Raises:
            ValidationError: the value or ``ttl_seconds`` is refused; the error names it, and nothing was sent.
        """
        ttl_seconds = time_to_live(ttl_seconds)
        name, document = self._prefix + key, dump(field, value, ttl_seconds, time.time())
        stored = self._manager.call(
            lambda client: bool(client.set(name, document, ex=ttl_seconds)), read=False, otherwise=False
        )
        self._manager.count(writes=int(stored))
        return stored

    def set_many(
        self, values: Mapping[str, Mapping[str, Any]], ttl_seconds: int, *, fields: Mapping[str, str] | None = None
    ) -> int:
        """Store all of ``values`` for ``ttl_seconds``, in one round trip, or none; return how many were stored.

        Arguments:
            values: the values by their keys without the prefix.
            ttl_seconds: seconds, 1 to `surf_data.cache.json_values.MAX_TTL_SECONDS`.
            fields: what an error calls each value, by key; the key itself when not given.

        Raises:
            ValidationError: a value or ``ttl_seconds`` is refused; the error names it, and nothing was sent.
        """
        ttl_seconds, now = time_to_live(ttl_seconds), time.time()
        documents = {
            self._prefix + key: dump(fields[key] if fields else key, value, ttl_seconds, now)
            for key, value in values.items()
        }
        if not documents:
            return 0

        def store(client: redis.Redis) -> int:
            with client.pipeline(transaction=True) as pipeline:
                for name, document in documents.items():
                    pipeline.set(name, document, ex=ttl_seconds)
                return len(pipeline.execute())

        stored = self._manager.call(store, read=False, otherwise=0)
        self._manager.count(writes=stored)
        return stored

    def delete(self, *keys: str) -> int:
        """Delete ``keys``, given without the prefix; return how many there were, 0 when Redis is unavailable."""
        if not keys:
            return 0
        return self._unlink([self._prefix + key for key in keys])

    def delete_matching(self, globs: Iterable[str], exact: re.Pattern[str]) -> int:
        """Delete keys by pattern; return how many there were, as far as Redis was available.

        Walks the whole keyspace once for each of ``globs``, a thousand keys at a time: for an operator, not for
        everyday use.

        Arguments:
            globs: Redis glob patterns that the keys without the prefix match; the server looks for them.
            exact: what such a key must match in full as well.
        """
        # The prefix is text, not a pattern.
        prefix = re.sub(r"([*?\[\]\\])", r"\\\1", self._prefix)
        return sum(self._delete_glob(prefix + glob, exact) for glob in globs)

    def _delete_glob(self, glob: str, exact: re.Pattern[str]) -> int:
        end: tuple[int, list[str]] = (0, [])
        deleted, cursor, start = 0, 0, len(self._prefix)
        while True:
            scan = functools.partial(_scan, cursor=cursor, glob=glob)
            cursor, found = self._manager.call(scan, read=True, otherwise=end)
            names = [name for name in found if exact.fullmatch(name, start)]
            if names:
                deleted += self._unlink(names)
            if cursor == 0:
                return deleted

    def _unlink(self, names: list[str]) -> int:
        return self._manager.call(lambda client: int(client.unlink(*names)), read=False, otherwise=0)

    def _decoded(self, documents: Mapping[str, object], decode: Callable[[Entry], _T]) -> dict[str, _T]:
        now = time.time()
        found: dict[str, _T] = {}
        faults: dict[str, str] = {}
        for key, document in documents.items():
            if document is None:
                continue
            entry = load(document, now)
            if isinstance(entry, Entry):
                try:
                    found[key] = decode(entry)
                    continue
                except ValidationError:
                    entry = "poisoned"
            faults[key] = entry
            _logger.debug("cached value refused", extra={"key": key, "fault": entry})
        self._manager.count(hits=len(found), misses=len(documents) - len(found), **Counter(faults.values()))
        if faults:
            self.delete(*faults)
        return found


def _get(client: redis.Redis, name: str) -> object:
    try:
        return client.get(name)
    except redis.ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
    # A key of another type is as poisoned as an empty document.
    return b""


def _scan(client: redis.Redis, cursor: int, glob: str) -> tuple[int, list[str]]:
    following, names = client.scan(cursor, match=glob, count=_SCAN_COUNT)
    # Whatever is not UTF-8 is nobody's key here, and matches nothing.
    return int(following), [name.decode(errors="surrogateescape") for name in cast("list[bytes]", names)]
