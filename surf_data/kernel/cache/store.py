"""The cache itself: JSON values under keys, each with a time to live."""

import functools
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import redis

from surf_data.errors import ConfigurationError, RedisError
from surf_data.kernel import validation
from surf_data.kernel.cache import commands
from surf_data.kernel.cache.counts import CacheCounts
from surf_data.kernel.cache.json_values import (
    Document,
    Entry,
    copy_json,
    document_of,
    loaded,
    validated_jitter,
    validated_ttl,
)
from surf_data.kernel.cache.loading import Loader, LoadOptions, Source, task
from surf_data.kernel.cache.names import Names
from surf_data.kernel.cache.near import NearCache
from surf_data.kernel.cache.outdated import OutdatedKeys
from surf_data.kernel.cache.reading import ABSENT, Found, Reader, get_one
from surf_data.kernel.redis.manager import RedisManager

if TYPE_CHECKING:
    from surf_data.kernel.cache.tracking import Tracker

T = TypeVar("T")

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
        self._names = Names(manager.settings.cache_prefix)
        self._known = self._names.known
        self._counts = CacheCounts(manager.observation)
        self._outdated = OutdatedKeys()
        self._loader = Loader(manager, self._counts, self._names.lock, self._store, current_deadline or _never)
        starts = tuple(self._names.start(prefix) for prefix in key_prefixes)
        self._near: NearCache | None = None
        self._tracker: Tracker | None = None
        if (limit := manager.settings.near_cache_bytes) and manager.is_configured:
            self._near = NearCache(limit)
            self._tracker = _tracker(self._near, manager, self._names.identity, starts)
        self._reader = Reader(
            manager,
            counts=self._counts,
            outdated=self._outdated,
            near=self._near,
            tracker=self._tracker,
            starts=starts,
            delete=self._unlink,
        )

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
        # As fast as a dictionary is: of what the near cache answers, this is the larger part.
        try:
            name: str | None = self._known[key]
        except (KeyError, TypeError):
            name = None
        if name is None:
            name = self._names.value(key)
        if self._near is not None and (entry := self._near.find(name, decode)) is not None:
            near: T = entry.copy(entry.value)
            return near
        found = self._reader.find({key: name}, decode, copy or copy_json, get_one).get(key)
        return None if found is None or found[0] is ABSENT else found[0]

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
        name = self._names.value(key)
        todo = task(key, name, source, ttl_seconds, field=field, options=options)
        seen = self._loader.flights.completed
        found: Found[T] | None = self._find(key, name, decode, copy or copy_json)
        if found is None:
            document = self._loader.load(todo, seen)
            entry = None if document is None else loaded(document)
            return decode(entry) if isinstance(entry, Entry) else None
        if todo.is_due(found[1]):
            self._loader.refresh(todo, seen)
        return None if found[0] is ABSENT else found[0]

    def get_many(
        self, keys: Iterable[str], decode: Callable[[Entry], T], copy: Callable[[T], T] | None = None
    ) -> dict[str, T]:
        """Return what ``decode`` makes of the values under ``keys``, in one round trip; missing ones are left out.

        Otherwise like `get`.
        """
        if not isinstance(keys, Iterable):
            raise validation.invalid("keys", "must be iterable")
        names = {key: self._names.value(key) for key in keys}
        found = {key: near for key, name in names.items() if (near := self._reader.find_near(name, decode)) is not None}
        missing = {key: name for key, name in names.items() if key not in found}
        if missing:
            # A key of another type reads as missing here; the next `set` overwrites it.
            found |= self._reader.find(missing, decode, copy or copy_json, commands.get_many)
        return {key: found[key][0] for key in names if key in found and found[key][0] is not ABSENT}

    def set(
        self, key: str, value: Mapping[str, Any], ttl_seconds: int, *, field: str = "value", ttl_jitter: float = 0.0
    ) -> bool:
        """Store ``value`` under ``key`` for ``ttl_seconds``; return whether it was stored.

        If it was not, the value of before is deleted where Redis lets that be, and this process uses it no more.

        Arguments:
            key: the key without the prefix.
            value: what `surf_data.kernel.validation.json_text` accepts, with text keys.
            ttl_seconds: seconds, 1 to `surf_data.kernel.cache.json_values.MAX_TTL_SECONDS`.
            field: what an error calls the value.
            ttl_jitter: by what part of it the time to live is shortened at random, 0 to 0.9.

        Raises:
            ValidationError: an argument is refused; the error names it, and nothing was sent.
        """
        name = self._names.value(key)
        value = validation.mapping(field, value)
        document = document_of(field, value, validated_ttl(ttl_seconds), validated_jitter(ttl_jitter))
        self._loader.flights.forget([key])
        return self._store(name, document)

    def set_many(
        self,
        values: Mapping[str, Mapping[str, Any]],
        ttl_seconds: int,
        *,
        fields: Mapping[str, str] | None = None,
        ttl_jitter: float = 0.0,
    ) -> int:
        """Store all of ``values`` for ``ttl_seconds``, in one round trip, or none; return how many were stored.

        In a Redis Cluster each value is stored by itself, and what is returned is 0 if one could not be.

        Arguments:
            values: the values by their keys without the prefix.
            ttl_seconds: seconds, 1 to `surf_data.kernel.cache.json_values.MAX_TTL_SECONDS`.
            fields: what an error calls each value, by key; the key itself when not given.
            ttl_jitter: by what part of it each time to live is shortened at random, 0 to 0.9.

        Raises:
            ValidationError: an argument is refused; the error names it, and nothing was sent.
        """
        ttl_seconds, jitter = validated_ttl(ttl_seconds), validated_jitter(ttl_jitter)
        documents: dict[str, Document] = {}
        for key, value in validation.mapping("values", values).items():
            name = self._names.value(key)
            field = fields[key] if fields else key
            documents[name] = document_of(field, validation.mapping(field, value), ttl_seconds, jitter)
        if not documents:
            return 0
        self._loader.flights.forget(values)
        stored = self._write(documents, lambda client: commands.set_many(client, documents))
        self._counts.add(writes=stored)
        return stored

    def delete(self, *keys: str) -> int:
        """Delete ``keys``, given without the prefix; return how many there were, 0 when Redis is unavailable."""
        if not keys:
            return 0
        names = [self._names.value(key) for key in keys]
        self._loader.flights.forget(keys)
        return self._unlink(names)

    def delete_matching(self, globs: Iterable[str], exact: re.Pattern[str]) -> int:
        """Delete keys by pattern; return how many there were, as far as Redis was available.

        Walks the whole keyspace once for each of ``globs``, a thousand keys at a time: for an operator, not for
        everyday use.

        Arguments:
            globs: Redis glob patterns that the keys without the prefix match; the server looks for them.
            exact: what such a key must match in full as well.
        """
        # In the prefix is nothing that stands for something else in a glob.
        return sum(self._delete_glob(self._names.start(glob), exact) for glob in globs)

    def _store(self, name: str, document: Document) -> bool:
        stored = self._write(
            {name: document}, lambda client: int(bool(client.set(name, document.text, ex=document.ttl_seconds)))
        )
        self._counts.add(writes=stored)
        return bool(stored)

    def _write(self, documents: Mapping[str, Document], operation: Callable[[redis.Redis], int]) -> int:
        """Return how many of the documents ``operation`` stored."""
        names = list(documents)
        with self._changing(names):
            outcome = self._manager.outcome(operation, read=False)
            if not isinstance(outcome, RedisError):
                self._outdated.discard(names)
                return outcome[0]
            self._note_outdated(names, min(document.stored_at for document in documents.values()))
        if outcome.code == "OOM":
            # A Redis that is full still deletes.
            self._unlink(names)
        return 0

    def _note_outdated(self, names: list[str], moment: float) -> None:
        if self._manager.is_configured:
            self._outdated.add(names, moment)

    def _delete_glob(self, glob: str, exact: re.Pattern[str]) -> int:
        deleted, walk = 0, commands.Walk()
        end: tuple[commands.Walk, list[str]] = (commands.Walk({}), [])
        while not walk.is_over:
            step = functools.partial(commands.scan, walk=walk, glob=glob, count=_SCAN_COUNT)
            walk, found = self._manager.call(step, read=True, otherwise=end)
            keys = ((name, self._names.key(name)) for name in found)
            names = [name for name, key in keys if key is not None and exact.fullmatch(key)]
            if names:
                deleted += self._unlink(names)
        return deleted

    def _unlink(self, names: list[str]) -> int:
        now = time.time()
        with self._changing(names):
            outcome = self._manager.outcome(lambda client: int(client.unlink(*names)), read=False)
            if isinstance(outcome, RedisError):
                self._note_outdated(names, now)
                return 0
            self._outdated.discard(names)
            return outcome[0]

    @contextmanager
    def _changing(self, names: Iterable[str]) -> Iterator[None]:
        """Forget keys when the block, which changes them, has ended, however it did."""
        try:
            yield
        finally:
            # Not before: a reader could still get the old value, and keep it.
            if self._near is not None:
                self._near.forget(names)

    def _find(self, key: str, name: str, decode: Callable[[Entry], T], copy: Callable[[T], T]) -> Found[T] | None:
        """Return a value, and when it was stored, seconds since 1970-01-01 UTC; ``None`` when there is none."""
        near = self._reader.find_near(name, decode)
        return near if near is not None else self._reader.find({key: name}, decode, copy, get_one).get(key)


def _tracker(near: NearCache, manager: RedisManager, name: str, prefixes: Sequence[str]) -> "Tracker":
    # Not with this module: a near cache is off by default.
    from surf_data.kernel.cache.tracking import Tracker, identity  # noqa: PLC0415

    # With Sentinels the one that reports changes may be another than the one that is read, and in a cluster each
    # reports its own keys alone.
    if not manager.is_single_server:
        raise ConfigurationError(
            "near_cache_bytes is for a single Redis server, not for Sentinels or a cluster", setting="near_cache_bytes"
        )
    return Tracker(near, manager.dedicated_connection, functools.partial(identity, manager, name), prefixes)


def _never() -> float:
    return math.inf
