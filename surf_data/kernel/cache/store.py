"""The cache itself: JSON values under keys, each with a time to live."""

import functools
import logging
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import redis

from surf_data.errors import ConfigurationError, ValidationError
from surf_data.kernel.cache import commands
from surf_data.kernel.cache.counts import CacheCounts
from surf_data.kernel.cache.json_values import Entry, copy_json, dump, entry_of, json_copier, load, validated_ttl
from surf_data.kernel.cache.loading import Loader, LoadOptions, Source, task
from surf_data.kernel.cache.near import NearCache, NearEntry, PendingRead
from surf_data.kernel.redis.manager import RedisManager

if TYPE_CHECKING:
    from surf_data.kernel.cache.tracking import Tracker

T = TypeVar("T")

_log = logging.getLogger(__name__)

# How many keys one SCAN looks at: a fraction of a millisecond of the server's time.
_SCAN_COUNT = 1000


class JsonCache:
    """Keeps JSON values in Redis; finds nothing and keeps nothing when Redis is unavailable. Thread-safe.

    Every key gets the setting ``cache_prefix`` in front of it.

    Arguments:
        manager: the way to Redis.
        current_deadline: returns until when the calling thread is ready to wait for a value that another computes, by
            ``time.monotonic()``; not given, only ``wait_seconds`` counts.
        key_prefixes: what the keys begin with, after the prefix; none may begin with another one. With the setting
            ``near_cache_bytes`` only such keys may be used.

    Raises:
        ConfigurationError: ``near_cache_bytes`` is set, and there are several servers.
    """

    def __init__(
        self,
        manager: RedisManager,
        *,
        current_deadline: Callable[[], float] | None = None,
        key_prefixes: Sequence[str] = ("",),
    ) -> None:
        self._manager = manager
        self._prefix = manager.settings.cache_prefix
        self._counts = CacheCounts()
        self._loader = Loader(manager, self._counts, self._prefix, self._store, current_deadline or _never)
        self._near: NearCache | None = None
        self._tracker: Tracker | None = None
        if (limit := manager.settings.near_cache_bytes) and manager.is_configured:
            self._near = NearCache(limit)
            self._tracker = _tracker(self._near, manager, [self._prefix + prefix for prefix in key_prefixes])

    @property
    def near_state(self) -> str:
        """``off``: there is no near cache. ``idle``: nothing was read yet. ``on``: it is used. ``lost``: it is not."""
        return "off" if self._tracker is None else self._tracker.state

    def stats(self) -> dict[str, int | str]:
        """Return the counts since the start of the process.

        ``hits`` and ``misses`` are lookups. Among the hits, ``near_hits`` were answered by the near cache. Among the
        misses, ``stale`` and ``corrupt`` are values that were found but not used. ``loads`` are values that
        `get_or_load` computed, ``shared`` those that it got from another thread or process instead. ``writes`` are
        values stored. ``near`` is `near_state`.
        """
        counts = self._counts.snapshot()
        near_hits = 0 if self._near is None else self._near.hits
        return {**counts, "hits": counts["hits"] + near_hits, "near_hits": near_hits, "near": self.near_state}

    def close(self) -> None:
        """End what keeps the near cache right. Idempotent."""
        if self._tracker is not None:
            self._tracker.close()

    def get(self, key: str, decode: Callable[[Entry], T], copy: Callable[[T], T] | None = None) -> T | None:
        """Return what ``decode`` makes of the value under ``key``, or ``None``.

        A value that is too old, not what this class stores, or refused by ``decode`` is deleted.

        Arguments:
            key: the key without the prefix.
            decode: makes of an entry what the caller wants; it refuses one by raising `ValidationError`. The near
                cache knows it again: it should be the same function each time.
            copy: makes of a value that the near cache has one that the caller may change; `copy_json` when not given,
                which knows what JSON can say.
        """
        if self._near is not None and (kept := self._near.find(self._prefix + key, decode)) is not None:
            found_near: T = kept.copy(kept.value)
            return found_near
        found = self._read([key], decode, copy or copy_json, _get).get(key)
        return None if found is None else found[0]

    def get_or_load(
        self,
        key: str,
        decode: Callable[[Entry], T],
        source: Source,
        ttl_seconds: int,
        *,
        field: str = "value",
        copy: Callable[[T], T] | None = None,
        **options: Unpack[LoadOptions],
    ) -> T | None:
        """Return what ``decode`` makes of the value under ``key``; when there is none, of one that ``source`` computes.

        However many threads want the same value, one computes it, and the others get what it returns or raises. A
        computed value is stored, unless the key was set or deleted meanwhile in this process. While Redis cannot be
        used every value is computed. Otherwise like `get`.

        Arguments:
            key: the key without the prefix.
            decode: makes of an entry what the caller wants; it refuses one by raising `ValidationError`.
            source: computes the value; ``None`` means that there is none, which is not stored.
            ttl_seconds: for how many seconds the value may be used, as for `set`.
            field: what an error calls the value.
            copy: as for `get`.
            options: `surf_data.kernel.cache.LoadOptions`.

        Raises:
            ValidationError: ``ttl_seconds``, an option or the computed value is refused.
            Exception: what ``source`` raises, in each thread that waits for it.
        """
        todo = task(key, self._prefix + key, source, ttl_seconds, field=field, options=options)
        seen = self._loader.flights.completed
        found: tuple[T, float] | None = self._find(key, decode, copy or copy_json)
        if found is None:
            document = self._loader.load(todo, seen)
            return None if document is None else decode(entry_of(document))
        if todo.is_due(found[1]):
            self._loader.refresh(todo, seen)
        return found[0]

    def get_many(
        self, keys: Iterable[str], decode: Callable[[Entry], T], copy: Callable[[T], T] | None = None
    ) -> dict[str, T]:
        """Return what ``decode`` makes of the values under ``keys``, in one round trip; missing ones are left out.

        Otherwise like `get`.
        """
        keys = list(dict.fromkeys(keys))
        near = {key: value for key in keys if (value := self._find_near(key, decode)) is not None}
        missing = [key for key in keys if key not in near]
        # A key of another type reads as missing here; the next `set` overwrites it.
        found = near | (self._read(missing, decode, copy or copy_json, commands.get_many) if missing else {})
        return {key: found[key][0] for key in keys if key in found}

    def set(self, key: str, value: Mapping[str, Any], ttl_seconds: int, *, field: str = "value") -> bool:
        """Store ``value`` under ``key`` for ``ttl_seconds``; return whether it was stored.

        Arguments:
            key: the key without the prefix.
            value: what `surf_data.kernel.validation.json_text` accepts, with text keys.
            ttl_seconds: seconds, 1 to `surf_data.kernel.cache.json_values.MAX_TTL_SECONDS`.
            field: what an error calls the value.

        Raises:
            ValidationError: the value or ``ttl_seconds`` is refused; the error names it, and nothing was sent.
        """
        ttl_seconds = validated_ttl(ttl_seconds)
        document = dump(field, value, ttl_seconds, time.time())
        self._loader.flights.forget([key])
        return self._store(self._prefix + key, document, ttl_seconds)

    def set_many(
        self, values: Mapping[str, Mapping[str, Any]], ttl_seconds: int, *, fields: Mapping[str, str] | None = None
    ) -> int:
        """Store all of ``values`` for ``ttl_seconds``, in one round trip, or none; return how many were stored.

        In a Redis Cluster each value is stored by itself, and what is returned is 0 if one could not be.

        Arguments:
            values: the values by their keys without the prefix.
            ttl_seconds: seconds, 1 to `surf_data.kernel.cache.json_values.MAX_TTL_SECONDS`.
            fields: what an error calls each value, by key; the key itself when not given.

        Raises:
            ValidationError: a value or ``ttl_seconds`` is refused; the error names it, and nothing was sent.
        """
        ttl_seconds, now = validated_ttl(ttl_seconds), time.time()
        documents = {
            self._prefix + key: dump(fields[key] if fields else key, value, ttl_seconds, now)
            for key, value in values.items()
        }
        if not documents:
            return 0
        self._loader.flights.forget(values)

        with self._changing(documents):
            stored = self._manager.call(
                lambda client: commands.set_many(client, documents, ttl_seconds), read=False, otherwise=0
            )
        self._counts.add(writes=stored)
        return stored

    def delete(self, *keys: str) -> int:
        """Delete ``keys``, given without the prefix; return how many there were, 0 when Redis is unavailable."""
        if not keys:
            return 0
        self._loader.flights.forget(keys)
        return self._unlink([self._prefix + key for key in keys])

    def delete_matching(self, globs: Iterable[str], exact: re.Pattern[str]) -> int:
        """Delete keys by pattern; return how many there were, as far as Redis was available.

        Walks the whole keyspace once for each of ``globs``, a thousand keys at a time: for an operator, not for
        everyday use.

        Arguments:
            globs: Redis glob patterns that the keys without the prefix match; the server looks for them.
            exact: what such a key must match in full as well.
        """
        # In the prefix is nothing that stands for something else in a glob.
        return sum(self._delete_glob(self._prefix + glob, exact) for glob in globs)

    def _store(self, name: str, document: bytes, ttl_seconds: int) -> bool:
        with self._changing([name]):
            stored = self._manager.call(
                lambda client: bool(client.set(name, document, ex=ttl_seconds)), read=False, otherwise=False
            )
        self._counts.add(writes=int(stored))
        return stored

    def _delete_glob(self, glob: str, exact: re.Pattern[str]) -> int:
        deleted, walk, start = 0, commands.Walk(), len(self._prefix)
        end: tuple[commands.Walk, list[str]] = (commands.Walk({}), [])
        while not walk.is_over:
            step = functools.partial(commands.scan, walk=walk, glob=glob, count=_SCAN_COUNT)
            walk, found = self._manager.call(step, read=True, otherwise=end)
            names = [name for name in found if exact.fullmatch(name, start)]
            if names:
                deleted += self._unlink(names)
        return deleted

    def _unlink(self, names: list[str]) -> int:
        with self._changing(names):
            return self._manager.call(lambda client: int(client.unlink(*names)), read=False, otherwise=0)

    @contextmanager
    def _changing(self, names: Iterable[str]) -> Iterator[None]:
        """Forget keys when the block, which changes them, has ended, however it did."""
        try:
            yield
        finally:
            # Not before: a reader could still get the old value, and keep it.
            if self._near is not None:
                self._near.forget(names)

    def _find(self, key: str, decode: Callable[[Entry], T], copy: Callable[[T], T]) -> tuple[T, float] | None:
        """Return a value, and when it was stored, seconds since 1970-01-01 UTC; ``None`` when there is none."""
        return self._find_near(key, decode) or self._read([key], decode, copy, _get).get(key)

    def _find_near(self, key: str, decode: Callable[[Entry], T]) -> tuple[T, float] | None:
        if self._near is None or (kept := self._near.find(self._prefix + key, decode)) is None:
            return None
        return kept.copy(kept.value), kept.stored_at

    def _read(
        self,
        keys: Sequence[str],
        decode: Callable[[Entry], T],
        copy: Callable[[T], T],
        fetch: Callable[[redis.Redis, Sequence[str]], list[Any]],
    ) -> dict[str, tuple[T, float]]:
        """Return the values that Redis has, and have the near cache keep them."""
        names = [self._prefix + key for key in keys]
        readings = self._begin(names)
        kept: dict[str, NearEntry] = {}
        try:
            nothing: Mapping[str, Any] = dict.fromkeys(keys)
            documents = self._manager.call(
                lambda client: dict(zip(keys, fetch(client, names), strict=True)), read=True, otherwise=nothing
            )
            found = self._decoded(documents, decode)
            if readings:
                kept = {
                    self._prefix + key: _kept(value, entry, copy, decode, documents[key])
                    for key, (value, entry) in found.items()
                }
        finally:
            if self._near is not None:
                for name, reading in readings.items():
                    self._near.finish(name, reading, kept.get(name))
        return {key: (value, entry.stored_at) for key, (value, entry) in found.items()}

    def _begin(self, names: Iterable[str]) -> dict[str, PendingRead]:
        if self._near is None or self._tracker is None:
            return {}
        self._tracker.begin()
        return {name: reading for name in names if (reading := self._near.begin(name)) is not None}

    def _decoded(self, documents: Mapping[str, object], decode: Callable[[Entry], T]) -> dict[str, tuple[T, Entry]]:
        now = time.time()
        found: dict[str, tuple[T, Entry]] = {}
        faults: dict[str, str] = {}
        for key, document in documents.items():
            if document is None:
                continue
            entry = load(document, now)
            if isinstance(entry, Entry):
                try:
                    found[key] = decode(entry), entry
                    continue
                except ValidationError:
                    entry = "corrupt"
            faults[key] = entry
            _log.debug("cached value refused", extra={"key": key, "fault": entry})
        self._counts.add(hits=len(found), misses=len(documents) - len(found))
        if faults:
            self._counts.add(**Counter(faults.values()))
            self._unlink([self._prefix + key for key in faults])
        return found


def _tracker(near: NearCache, manager: RedisManager, prefixes: Sequence[str]) -> "Tracker":
    # Not with this module: a near cache is off by default.
    from surf_data.kernel.cache.tracking import Tracker  # noqa: PLC0415

    # With Sentinels the one that reports changes may be another than the one that is read, and in a cluster each
    # reports its own keys alone.
    if not manager.is_single_server:
        raise ConfigurationError(
            "near_cache_bytes is for a single Redis server, not for Sentinels or a cluster", setting="near_cache_bytes"
        )
    return Tracker(near, manager.dedicated_connection, prefixes)


def _never() -> float:
    return math.inf


def _kept(value: T, entry: Entry, copy: Callable[[T], T], decode: Callable[[Entry], T], document: bytes) -> NearEntry:
    # Whatever the clock of who stored it says: not longer than its time to live from now.
    left = min(entry.ttl_seconds, entry.stored_at + entry.ttl_seconds - time.time())
    return NearEntry(
        value=copy(value),
        copy=json_copier(value) if copy is copy_json else copy,
        decode=decode,
        stored_at=entry.stored_at,
        expires_at=time.monotonic() + left,
        size=len(document),
        version=hash(document),
    )


def _get(client: redis.Redis, names: Sequence[str]) -> list[Any]:
    [name] = names
    try:
        return [commands.get(client, name)]
    except redis.ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
    # A key of another type is as corrupt as an empty document.
    return [b""]
