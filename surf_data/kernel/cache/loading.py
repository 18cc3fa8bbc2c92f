"""Values that are computed when the cache has none: by one thread, by one process if that is asked for."""

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, cast

import attrs

from surf_data.kernel import forking, threads, validation
from surf_data.kernel.backoff import Backoff
from surf_data.kernel.cache.counts import CacheCounts
from surf_data.kernel.cache.freshness import fresh
from surf_data.kernel.cache.json_values import Document, document_of, validated_jitter, validated_ttl
from surf_data.kernel.cache.single_flight import Flight, Pilot, SingleFlight
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.redis.lock import RedisLock
from surf_data.kernel.redis.manager import RedisManager
from surf_data.kernel.redis.permits import Permit, Permits

_log = get_logger(__name__)

#: What computes a value: it takes nothing, and returns ``None`` when there is none.
Source = Callable[[], Mapping[str, Any] | None]

# Values that are computed in the background at the same time; while there are more, the old ones are answered.
_REFRESHES = 4
# Between two looks at what another process computes.
_BACKOFF = Backoff(0.005, 0.1)


class LoadOptions(TypedDict, total=False):
    """How a value is computed when the cache has none that is fresh."""

    #: Seconds after which a value is computed anew in the background, while it is still answered until its time to live
    #: ends; 0 to the time to live. Not given, it is computed anew when its time to live has ended, and callers wait.
    refresh_seconds: float | None
    #: Whether one process of all that share the Redis computes, and the others wait for its value. Costs three round
    #: trips each time a value is computed.
    across_processes: bool
    #: Seconds to wait for a value that another thread or process computes, 0.001 to 3600; then it is computed here as
    #: well. 10 when not given.
    wait_seconds: float
    #: By what part of it, 0 to 0.9, a time to live is shortened at random, so that what was stored together does not
    #: expire together. 0 when not given.
    ttl_jitter: float
    #: For how many seconds it is remembered that there is no value, 1 to 31536000. Not given, ``source`` is called each
    #: time.
    none_ttl_seconds: int | None


@attrs.frozen(kw_only=True, eq=False)
class Task:
    """A value that is to be computed."""

    #: The key without the prefix.
    key: str
    #: Its key in Redis.
    name: str
    #: Computes it.
    source: Source
    #: For how many seconds it may be used.
    ttl_seconds: int
    #: What an error calls it.
    field: str
    #: Seconds after which it is computed in the background; ``None`` means never.
    refresh_seconds: float | None
    #: Whether one process of the fleet computes it.
    across_processes: bool
    #: Seconds to wait for another thread or process.
    wait_seconds: float
    #: By what part of it a time to live is shortened at random.
    ttl_jitter: float
    #: For how many seconds it is remembered that there is no value, if it is.
    none_ttl_seconds: int | None

    def document(self, value: Mapping[str, Any] | None) -> Document | None:
        """Return what is stored of a value; ``None`` when nothing is.

        Raises:
            ValidationError: the value is not what the cache stores.
        """
        ttl = self.none_ttl_seconds if value is None else self.ttl_seconds
        return None if ttl is None else document_of(self.field, value, ttl, self.ttl_jitter)

    def is_due(self, stored_at: float) -> bool:
        """Return whether a value that was stored then should be computed anew in the background."""
        return self.refresh_seconds is not None and time.time() - stored_at >= self.refresh_seconds


_OPTIONS = LoadOptions.__optional_keys__
# What options were called before, and what they are called.
_FORMER = {"once_per_fleet": "across_processes"}


def checked_options(options: Mapping[str, object]) -> LoadOptions:
    """Return ``options`` if each has a known name; a former one is taken for its successor, with a warning.

    Raises:
        ValidationError: one has not; the error names it.
    """
    for former, name in _FORMER.items():
        if former in options and name not in options:
            warnings.warn(f"the option {former} is called {name}", DeprecationWarning, stacklevel=2)
            options = {name if each == former else each: value for each, value in options.items()}
    for name in options:
        if name not in _OPTIONS:
            raise validation.invalid(name[:40], f"is not an option; there are {', '.join(sorted(_OPTIONS))}")
    return cast("LoadOptions", options)


def task(key: str, name: str, source: Source, ttl_seconds: int, *, field: str, options: Mapping[str, object]) -> Task:
    """Return what is to be done for a key.

    Raises:
        ValidationError: ``source`` is no function, or ``ttl_seconds`` or an option is out of range or unknown.
    """
    ttl_seconds = validated_ttl(ttl_seconds)
    given = checked_options(options)
    refresh, none_ttl = given.get("refresh_seconds"), given.get("none_ttl_seconds")
    return Task(
        key=key,
        name=name,
        source=validation.function("source", source),
        ttl_seconds=ttl_seconds,
        field=field,
        refresh_seconds=None if refresh is None else _number("refresh_seconds", refresh, 0, ttl_seconds),
        across_processes=validation.boolean("across_processes", given.get("across_processes", False)),
        wait_seconds=_number("wait_seconds", given.get("wait_seconds", 10.0), 0.001, 3600),
        ttl_jitter=validated_jitter(given.get("ttl_jitter", 0.0)),
        none_ttl_seconds=None if none_ttl is None else validated_ttl(none_ttl, "none_ttl_seconds"),
    )


class Loader:
    """Computes values and stores them, each once at a time. Thread-safe.

    Arguments:
        manager: the way to Redis.
        counts: where ``loads`` and ``shared`` are counted.
        lock_name: returns the key of the lock for a key.
        store: stores a document under a name.
        current_deadline: returns until when the calling thread is ready to wait, by ``time.monotonic()``.
    """

    def __init__(
        self,
        manager: RedisManager,
        counts: CacheCounts,
        lock_name: Callable[[str], str],
        store: Callable[[str, Document], bool],
        current_deadline: Callable[[], float],
    ) -> None:
        self._manager = manager
        self._counts = counts
        self._current_deadline = current_deadline
        self._lock_name = lock_name
        self._store = store
        self.reset_after_fork()
        forking.register(self)
        #: What is under way. The outcome is a document, so that each caller has a value of its own.
        self.flights: SingleFlight[bytes | None] = SingleFlight(current_deadline)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        self._refreshes = Permits(_REFRESHES)

    def load(self, task: Task, seen: int) -> bytes | None:
        """Return the document of a value, ``None`` when there is none.

        Arguments:
            task: what is to be done.
            seen: ``flights.completed`` from before the caller looked for the value.

        Raises:
            ValidationError: the value is not what the cache stores.
            Exception: what the source raises.
        """
        deadline = min(time.monotonic() + task.wait_seconds, self._current_deadline())
        while True:
            pilot = Pilot()
            try:
                flight = self.flights.begin(task.key, pilot)
                if flight.is_of(pilot):
                    return self.flights.complete(task.key, flight, lambda flight: self._compute(task, flight, seen))
            finally:
                pilot.is_over = True
            remaining = deadline - time.monotonic()
            if outcome := self.flights.join(flight, max(0.0, remaining)):
                self._counts.add(shared=1)
                return outcome[0]
            if remaining <= 0:
                return self._compute_here(task, flight)

    def refresh(self, task: Task, seen: int) -> None:
        """Compute a value in the background, unless that is under way, or enough other values are; as `load`.

        Where no thread can be started it is computed in this one.
        """
        permit: Permit | None = None
        pilot, is_handed_on = Pilot(), False
        try:
            permit = self._refreshes.take()
            if permit is None:
                return
            flight = self.flights.begin(task.key, pilot)
            if flight.is_of(pilot):
                arguments = (task, flight, pilot, permit, seen)
                try:
                    threads.start(self._refresh, *arguments)
                    is_handed_on = True
                except RuntimeError:
                    self._refresh(*arguments)
        finally:
            if not is_handed_on:
                pilot.is_over = True
                if permit is not None:
                    permit.is_over = True
                    self._refreshes.give_back(permit)

    def _refresh(self, task: Task, flight: Flight[bytes | None], pilot: Pilot, permit: Permit, seen: int) -> None:
        try:
            self.flights.complete(task.key, flight, lambda flight: self._compute(task, flight, seen))
        except Exception as error:  # noqa: BLE001 - no caller waits; the next one tries again
            _log.warning("cached value not refreshed", extra={"key": task.key, **error_facts(error)})
        finally:
            pilot.is_over = permit.is_over = True
            self._refreshes.give_back(permit)

    def _compute(self, task: Task, flight: Flight[bytes | None], seen: int) -> bytes | None:
        if task.across_processes:
            return self._compute_across_processes(task, flight)
        # Another thread may have stored the value since the caller looked for it.
        document = self._fresh(task) if self.flights.completed != seen else None
        return self._compute_here(task, flight) if document is None else document

    def _compute_here(self, task: Task, flight: Flight[bytes | None]) -> bytes | None:
        self._counts.add(loads=1)
        document = task.document(task.source())
        if document is not None and not flight.outdated:
            self._store(task.name, document)
        return None if document is None else document.text

    def _compute_across_processes(self, task: Task, flight: Flight[bytes | None]) -> bytes | None:
        lock = RedisLock(self._manager, self._lock_name(task.key), task.wait_seconds)
        deadline, attempts = min(time.monotonic() + task.wait_seconds, self._current_deadline()), 0
        while (taken := lock.take()) is False and deadline > time.monotonic():
            attempts += 1
            _BACKOFF.pause(attempts, deadline)
            if (document := self._fresh(task)) is not None:
                self._counts.add(shared=1)
                return document
        try:
            # Another may have stored the value after the last look and before the lock was taken.
            document = self._fresh(task) if taken else None
            return self._compute_here(task, flight) if document is None else document
        finally:
            if taken:
                lock.release()

    def _fresh(self, task: Task) -> bytes | None:
        document, entry = fresh(self._manager, task.name)
        if entry is None or task.is_due(entry.stored_at):
            return None
        return document


def _number(field: str, value: object, minimum: float, maximum: float) -> float:
    seconds = validation.number(field, value)
    if not minimum <= seconds <= maximum:
        raise validation.invalid(field, f"must be from {minimum} to {maximum}")
    return seconds
