"""Finding values: in the near cache, then in Redis; and deciding what may be used of what is found."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import redis

from surf_data.errors import ValidationError
from surf_data.kernel.cache import commands
from surf_data.kernel.cache.counts import CacheCounts
from surf_data.kernel.cache.freshness import GONE, PERSISTENT, expired
from surf_data.kernel.cache.json_values import Absence, Entry, copy_json, is_doubtful, json_copier, load
from surf_data.kernel.cache.near import NearCache, NearEntry, PendingRead
from surf_data.kernel.cache.outdated import OutdatedKeys
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.redis.manager import RedisManager
from surf_data.kernel.redis.reasons import code_of

if TYPE_CHECKING:
    from surf_data.kernel.cache.tracking import Tracker

T = TypeVar("T")

_log = get_logger(__name__)

#: What is found where it was stored that there is no value.
ABSENT: Any = object()

# What was found under a name, and when it was stored, seconds since 1970-01-01 UTC.
Found = tuple[T, float]


class Reader:
    """Finds values. Thread-safe.

    Arguments:
        manager: the way to Redis.
        counts: where ``hits``, ``misses``, ``corrupt`` and ``stale`` are counted.
        outdated: the keys whose stored values are not to be used.
        near: the near cache, if there is one.
        tracker: what keeps it right.
        starts: what the names begin with that the near cache may keep.
        delete: deletes names.
    """

    def __init__(
        self,
        manager: RedisManager,
        *,
        counts: CacheCounts,
        outdated: OutdatedKeys,
        near: NearCache | None,
        tracker: "Tracker | None",
        starts: tuple[str, ...],
        delete: Callable[[list[str]], object],
    ) -> None:
        self._manager = manager
        self._counts = counts
        self._outdated = outdated
        self._near = near
        self._tracker = tracker
        self._starts = starts
        self._delete = delete

    def find_near(self, name: str, decode: Callable[[Entry], T]) -> Found[T] | None:
        """Return what the near cache has under a name, for a caller that may change it."""
        if self._near is None or (entry := self._near.find(name, decode)) is None:
            return None
        return entry.copy(entry.value), entry.stored_at

    def find(
        self,
        names: Mapping[str, str],
        decode: Callable[[Entry], T],
        copy: Callable[[T], T],
        fetch: Callable[[redis.Redis, Sequence[str]], list[Any]],
    ) -> dict[str, Found[T]]:
        """Return what Redis has, by key, and have the near cache keep it.

        Arguments:
            names: the names by key.
            decode: makes of an entry what the caller wants; it refuses one by raising `ValidationError`.
            copy: makes of a value that the near cache has one that the caller may change.
            fetch: asks Redis for names.
        """
        reads = self._begin(names.values())
        kept: dict[str, NearEntry] = {}
        try:
            wanted = list(names.values())
            answer: Sequence[Any] = self._manager.call(
                lambda client: _as_many(fetch(client, wanted), wanted), read=True, otherwise=()
            )
            documents = dict(zip(names, answer, strict=False))
            entries = self._usable(names, documents)
            found = self._decoded(names, entries, decode)
            self._counts.add(hits=len(found), misses=len(names) - len(found))
            for key in found if reads else ():
                if isinstance(entry := entries[key], Entry):
                    kept[names[key]] = _near_entry(found[key][0], entry, copy, decode, documents[key])
        finally:
            if self._near is not None:
                for name, read in reads.items():
                    self._near.finish(name, read, kept.get(name))
        return found

    def _begin(self, names: Iterable[str]) -> dict[str, PendingRead]:
        if self._near is None or self._tracker is None:
            return {}
        self._tracker.begin()
        # Of other names no change is reported.
        tracked = (name for name in names if name.startswith(self._starts))
        return {name: read for name in tracked if (read := self._near.begin(name)) is not None}

    def _usable(self, names: Mapping[str, str], documents: Mapping[str, Any]) -> dict[str, Entry | Absence]:
        now = time.time()
        usable: dict[str, Entry | Absence] = {}
        doubtful: dict[str, Entry | Absence] = {}
        corrupt: list[str] = []
        stale: list[str] = []
        for key, document in documents.items():
            if document is None:
                continue
            stored = load(document)
            if stored is None:
                corrupt.append(key)
            elif self._outdated.covers(names[key], stored.stored_at):
                stale.append(key)
            else:
                (doubtful if is_doubtful(stored, now) else usable)[key] = stored
        if doubtful:
            over = expired(self._manager, [names[key] for key in doubtful])
            usable |= {key: stored for key, stored in doubtful.items() if names[key] not in over}
            stale += [key for key in doubtful if over.get(names[key]) == PERSISTENT]
            self._counts.add(stale=sum(over.get(names[key]) == GONE for key in doubtful))
        self._refuse(names, corrupt=corrupt)
        self._refuse(names, stale=stale)
        return usable

    def _refuse(self, names: Mapping[str, str], **faults: list[str]) -> None:
        for fault, keys in faults.items():
            for key in keys:
                _log.debug("cached value refused", extra={"key": key, "fault": fault})
            if keys:
                self._counts.add(**{fault: len(keys)})
                self._delete([names[key] for key in keys])

    def _decoded(
        self, names: Mapping[str, str], entries: Mapping[str, Entry | Absence], decode: Callable[[Entry], T]
    ) -> dict[str, Found[T]]:
        found: dict[str, Found[T]] = {}
        refused: list[str] = []
        for key, stored in entries.items():
            if isinstance(stored, Absence):
                found[key] = ABSENT, stored.stored_at
                continue
            try:
                found[key] = decode(stored), stored.stored_at
            except ValidationError:
                refused.append(key)
        self._refuse(names, corrupt=refused)
        return found


def get_one(client: redis.Redis, names: Sequence[str]) -> list[Any]:
    """Return the value of a single name; a key of another type is as corrupt as an empty document."""
    [name] = names
    try:
        return [commands.get(client, name)]
    except redis.ResponseError as error:
        if code_of(error) != "WRONGTYPE":
            raise
    return [b""]


def _as_many(answer: Sequence[Any], names: Sequence[str]) -> Sequence[Any]:
    if len(answer) != len(names):
        raise redis.InvalidResponse
    return answer


def _near_entry(
    value: T, entry: Entry, copy: Callable[[T], T], decode: Callable[[Entry], T], document: bytes
) -> NearEntry:
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
