"""Values that are computed when the cache has none: once in a process, once in a fleet, in the background."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import redis

from rig import RedisServer, eventually
from surf_data import LampsDataLayer
from surf_data.errors import DatabaseError, DatabaseUnavailable, ValidationError
from surf_data.kernel import settings
from surf_data.kernel.cache import Entry, JsonCache
from surf_data.kernel.cache.loading import task
from surf_data.kernel.cache.single_flight import Pilot
from surf_data.kernel.redis import RedisManager

VALUE = {"n": 1}

Opener = Callable[..., JsonCache]


def value_of(entry: Entry) -> dict[str, Any]:
    """Return the value itself."""
    return entry.value


def counts(cache: JsonCache, *names: str) -> tuple[int | str, ...]:
    """Return some figures."""
    stats = cache.stats()
    return tuple(stats[name] for name in names)


class Source:
    """Computes numbers from 1 on; it can be held up, and told to fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()
        self.free.set()
        self.error: BaseException | None = None
        self._lock = threading.Lock()

    def __call__(self) -> dict[str, Any]:
        """Return the next number."""
        with self._lock:
            self.calls += 1
            number = self.calls
        self.begun.release()
        assert self.free.wait(30)
        if self.error:
            raise self.error
        return {"n": number}


@pytest.fixture
def source() -> Iterator[Source]:
    """Return a source; threads that it holds up are let go in the end."""
    source = Source()
    yield source
    source.free.set()


@pytest.fixture
def cache_of() -> Iterator[Opener]:
    """Return a function that returns a cache as one process has it, patient unless a test says otherwise."""
    with ExitStack() as stack:

        def open_cache(url: str, **keywords: Any) -> JsonCache:
            manager = RedisManager(settings.load({}, **{"redis_url": url, "cache_timeout": 20, **keywords}))
            stack.callback(manager.close)
            return JsonCache(manager)

        yield open_cache


@pytest.fixture
def cache(cache_of: Opener, redis_url: str) -> JsonCache:
    """Return a cache on the healthy server."""
    return cache_of(redis_url)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client that sees the healthy server as it is."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


def test_computed_once_and_then_found(cache: JsonCache, client: redis.Redis, source: Source) -> None:
    """The first call computes and stores, for as long as it says; the next ones find it."""
    assert [cache.get_or_load("key", value_of, source, 60) for _ in range(3)] == [VALUE] * 3
    assert cache.get("key", value_of) == VALUE
    assert 0 < int(client.pttl("key")) <= 60_000
    assert counts(cache, "loads", "writes", "hits", "misses") == (1, 1, 3, 1)


def test_nothing_is_not_stored(cache: JsonCache, client: redis.Redis) -> None:
    """A source that has nothing is asked each time."""
    assert [cache.get_or_load("key", value_of, lambda: None, 60) for _ in range(2)] == [None, None]
    assert client.dbsize() == 0
    assert counts(cache, "loads") == (2,)


def test_what_is_computed_is_checked(cache: JsonCache, client: redis.Redis, refused: Callable[..., Any]) -> None:
    """A value that the cache does not store, or the caller cannot use, is an error that names it."""
    error = refused(lambda: cache.get_or_load("key", value_of, lambda: {"a": {1}}, 60, field="stats"))
    assert error.field == "stats.a"

    def refuse(entry: Entry) -> None:
        raise ValidationError("no good")

    with pytest.raises(ValidationError, match="no good"):
        cache.get_or_load("key", refuse, lambda: VALUE, 60)


@pytest.mark.parametrize(
    ("ttl_seconds", "options", "field"),
    [
        (0, {}, "ttl_seconds"),
        (60, {"refresh_seconds": 61}, "refresh_seconds"),
        (60, {"refresh_seconds": -1}, "refresh_seconds"),
        (60, {"wait_seconds": 0}, "wait_seconds"),
        (60, {"wait_seconds": float("nan")}, "wait_seconds"),
    ],
)
def test_bad_options_are_refused(
    cache: JsonCache, source: Source, refused: Callable[..., Any], ttl_seconds: int, options: Any, field: str
) -> None:
    """An option out of range is an error that names it, and nothing is computed."""
    assert refused(lambda: cache.get_or_load("key", value_of, source, ttl_seconds, **options)).field == field
    assert source.calls == 0


def together(number: int, call: Callable[[], Any]) -> list[Any]:
    """Make a call in so many threads at once, and return the answers, errors included."""
    barrier = threading.Barrier(number)

    def one(_: int) -> Any:
        barrier.wait(30)
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - told to the test
            return error

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))


def test_each_caller_has_a_value_of_its_own(cache: JsonCache, source: Source) -> None:
    """Threads that share a computation do not share the object."""
    source.free.clear()
    threading.Thread(target=lambda: source.begun.acquire() and source.free.set()).start()
    answers = together(10, lambda: cache.get_or_load("key", value_of, source, 60))
    assert answers == [VALUE] * 10
    assert len({id(answer) for answer in answers}) == 10


def test_an_error_reaches_all_who_wait(cache: JsonCache, source: Source) -> None:
    """What the source raises is raised in each thread; it is not stored, and the next call asks again."""
    source.error = DatabaseUnavailable()
    source.free.clear()
    held = threading.Thread(target=lambda: source.begun.acquire() and source.free.set())
    held.start()
    answers = together(10, lambda: cache.get_or_load("key", value_of, source, 60))
    assert {type(answer) for answer in answers} == {DatabaseUnavailable}
    source.error = None
    assert cache.get_or_load("key", value_of, source, 60) == {"n": source.calls}


def test_an_interrupted_computation_is_taken_over(cache: JsonCache, source: Source) -> None:
    """When the computing thread is interrupted, one that waits computes instead."""
    source.error = KeyboardInterrupt()
    source.free.clear()
    interrupted: list[str] = []

    def first() -> None:
        try:
            cache.get_or_load("key", value_of, source, 60)
        except KeyboardInterrupt:
            interrupted.append("as it should be")

    one = threading.Thread(target=first)
    one.start()
    source.begun.acquire()
    with ThreadPoolExecutor(1) as threads:
        flight = cache._loader.flights.begin("key", Pilot())
        other = threads.submit(cache.get_or_load, "key", value_of, lambda: {"n": 7}, 60)
        eventually(lambda: counts(cache, "misses") == (2,))
        source.free.set()
        assert other.result(30) == {"n": 7}
    one.join(30)
    assert interrupted == ["as it should be"]
    assert flight.join(0) is None


def test_a_thread_that_has_waited_long_enough_computes(cache: JsonCache, source: Source) -> None:
    """No thread waits for another one for longer than it says."""
    source.free.clear()
    one = threading.Thread(target=cache.get_or_load, args=("key", value_of, source, 60))
    one.start()
    source.begun.acquire()
    assert cache.get_or_load("key", value_of, lambda: {"n": 7}, 60, wait_seconds=0.01) == {"n": 7}
    source.free.set()
    one.join(30)


def total(data: LampsDataLayer) -> dict[str, Any]:
    """Return how many entries the database has."""
    return {"total": data.activity.get_activity_statistics()["total"]}


def test_no_thread_waits_for_a_thread_beyond_its_deadline(data: LampsDataLayer, source: Source) -> None:
    """A thread waits for another one until its deadline, and then raises."""
    source.free.clear()
    one = threading.Thread(target=data.cache.get_or_load_system_stats, args=(source,))
    one.start()
    source.begun.acquire()
    with data.deadline(0.05), pytest.raises(DatabaseError):
        data.cache.get_or_load_system_stats(lambda: total(data), wait_seconds=3600)
    source.free.set()
    one.join(30)


def test_no_thread_waits_for_a_process_beyond_its_deadline(data: LampsDataLayer, client: redis.Redis) -> None:
    """A thread waits for another process until its deadline, and then raises; others go on."""
    client.set("lock:system_stats", "another")
    with data.deadline(0.05), pytest.raises(DatabaseError):
        data.cache.get_or_load_system_stats(lambda: total(data), across_processes=True, wait_seconds=3600)
    assert data.cache.get_or_load_system_stats(lambda: total(data)) == {"total": 0}


@pytest.mark.parametrize(
    "change",
    [
        lambda cache: cache.delete("key"),
        lambda cache: cache.set("key", {"n": 7}, 60),
        lambda cache: cache.set_many({"key": {"n": 7}}, 60),
    ],
    ids=["delete", "set", "set_many"],
)
def test_a_change_overtakes_a_computation(cache: JsonCache, source: Source, change: Callable[[JsonCache], Any]) -> None:
    """What was being computed when a key changed is not stored over the change, and later calls do not wait for it."""
    source.free.clear()
    one = threading.Thread(target=cache.get_or_load, args=("key", value_of, source, 60))
    one.start()
    source.begun.acquire()
    change(cache)
    after = cache.get("key", value_of)
    assert cache.get_or_load("key", value_of, lambda: {"n": 7}, 60) == {"n": 7}
    source.free.set()
    one.join(30)
    assert after in (None, {"n": 7})
    assert cache.get("key", value_of) == {"n": 7}


def test_what_was_stored_meanwhile_is_not_computed_again(cache: JsonCache, source: Source) -> None:
    """A thread that looked before another stored the value, and comes to compute after it, finds it."""

    def late() -> dict[str, Any]:
        raise AssertionError

    seen = cache._loader.flights.completed
    cache.get_or_load("key", value_of, source, 60)
    found = cache._manager.call(lambda client: client.get("key"), read=True, otherwise=None)
    todo = task("key", "key", late, 60, field="value", options={})
    assert cache._loader.load(todo, seen) == found


# In the background


def test_an_old_value_is_answered_and_computed_anew(cache: JsonCache, source: Source) -> None:
    """A value that is due is answered at once, and computed once in the background, however many ask."""
    cache.set("key", {"n": 0}, 60)
    source.free.clear()
    answers = together(10, lambda: cache.get_or_load("key", value_of, source, 60, refresh_seconds=0))
    assert answers == [{"n": 0}] * 10
    source.free.set()
    eventually(lambda: cache.get("key", value_of) == {"n": 1})
    assert counts(cache, "loads") == (1,)


def test_a_young_value_is_not_computed_anew(cache: JsonCache, source: Source) -> None:
    """A value that is not due is answered, and that is all."""
    cache.set("key", {"n": 0}, 60)
    assert cache.get_or_load("key", value_of, source, 60, refresh_seconds=60) == {"n": 0}
    assert source.calls == 0


@pytest.mark.parametrize(
    ("error", "reason"), [(DatabaseUnavailable("timed out"), "timed out"), (RuntimeError("sesame"), None)]
)
def test_a_failure_in_the_background_is_logged(
    cache: JsonCache, source: Source, caplog: pytest.LogCaptureFixture, error: Exception, reason: str | None
) -> None:
    """When the source fails in the background the old value goes on being answered, and a warning names the key.

    What an error of ours says is the reason; the text of another's may be anything.
    """
    cache.set("key", {"n": 0}, 60)
    source.error = error
    assert cache.get_or_load("key", value_of, source, 60, refresh_seconds=0) == {"n": 0}
    eventually(lambda: any(record.msg == "cached value not refreshed" for record in caplog.records))
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    logged = (vars(record)["key"], vars(record)["error"], vars(record)["reason"])
    assert logged == ("key", type(error).__name__, reason)
    assert "sesame" not in repr(vars(record))
    assert cache.get("key", value_of) == {"n": 0}


def test_few_values_are_computed_in_the_background(cache: JsonCache, source: Source) -> None:
    """Four at a time; what is due beside them is answered as it is, and its turn comes later."""
    names = [f"key {number}" for number in range(6)]
    cache.set_many({name: {"n": 0} for name in names}, 60)
    source.free.clear()
    for name in names:
        assert cache.get_or_load(name, value_of, source, 60, refresh_seconds=0) == {"n": 0}
    for _ in range(4):
        assert source.begun.acquire(timeout=30)
    assert source.calls == 4
    source.free.set()
    eventually(lambda: sum(value != {"n": 0} for value in cache.get_many(names, value_of).values()) == 4)


# Python 3.12 warns of every fork in a process with threads.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_child_refreshes_whatever_its_parent_did(cache: JsonCache) -> None:
    """A child that was forked while its parent computed as much as it may computes in the background, too."""
    cache.set("key", {"n": 0}, 60)
    permits = [cache._loader._refreshes.take() for _ in range(4)]
    assert None not in permits
    pilot = Pilot()
    assert cache._loader.flights.begin("key", pilot).is_of(pilot)
    child = os.fork()
    if child == 0:
        # The exit code is all that the parent gets to know.
        with suppress(BaseException):
            cache.get_or_load("key", value_of, lambda: VALUE, 60, refresh_seconds=0)
            eventually(lambda: cache.get("key", value_of) == VALUE)
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# Once in a fleet: each cache is a process of its own as far as Redis can tell


def test_one_process_computes_for_the_fleet(
    cache_of: Opener, redis_url: str, source: Source, client: redis.Redis
) -> None:
    """Ten caches that miss at once compute once; the lock is free and gone afterwards."""
    caches = [cache_of(redis_url) for _ in range(10)]
    turns = iter(caches)
    answers = together(10, lambda: next(turns).get_or_load("key", value_of, source, 60, across_processes=True))
    assert answers == [VALUE] * 10
    assert source.calls == 1
    assert sum(counts(cache, "shared")[0] for cache in caches) <= 9  # type: ignore[misc]
    assert sorted(client.scan_iter()) == [b"key"]


def test_a_failed_process_is_followed_by_another(cache_of: Opener, redis_url: str, source: Source) -> None:
    """When the source fails in the process that has the lock, another one takes it and computes."""
    one, other = cache_of(redis_url), cache_of(redis_url)
    source.error = DatabaseUnavailable()
    source.free.clear()
    with ThreadPoolExecutor(2) as threads:
        failing = threads.submit(one.get_or_load, "key", value_of, source, 60, across_processes=True)
        source.begun.acquire()
        waiting = threads.submit(other.get_or_load, "key", value_of, lambda: {"n": 7}, 60, across_processes=True)
        eventually(lambda: counts(other, "misses") == (1,))
        source.free.set()
        assert isinstance(failing.exception(30), DatabaseUnavailable)
        assert waiting.result(30) == {"n": 7}


def test_a_dead_process_is_not_waited_for_without_end(cache_of: Opener, redis_url: str, client: redis.Redis) -> None:
    """A lock that is never released holds others up for their waiting time, and then they compute."""
    client.set("lock:key", "another", px=3_600_000)
    cache = cache_of(redis_url)
    options: Any = {"across_processes": True, "wait_seconds": 0.05}
    assert cache.get_or_load("key", value_of, lambda: VALUE, 60, **options) == VALUE
    assert client.get("lock:key") == b"another"
    assert cache.get("key", value_of) == VALUE


def test_a_lock_that_was_lost_is_not_released(cache_of: Opener, redis_url: str, client: redis.Redis) -> None:
    """A holder that took longer than the lock lasts leaves the lock of the next one alone."""

    def slow() -> dict[str, Any]:
        client.set("lock:key", "the next one")
        return VALUE

    assert cache_of(redis_url).get_or_load("key", value_of, slow, 60, across_processes=True) == VALUE
    assert client.get("lock:key") == b"the next one"


def test_the_lock_s_time_is_the_waiting_time(cache_of: Opener, redis_url: str, client: redis.Redis) -> None:
    """A lock is free again by itself after the waiting time."""
    left: list[int] = []

    def look() -> dict[str, Any]:
        left.append(int(client.pttl("app:lock:key")))
        return VALUE

    cache_of(redis_url, cache_prefix="app:").get_or_load(
        "key", value_of, look, 60, across_processes=True, wait_seconds=5
    )
    assert 0 < left[0] <= 5000


def test_without_redis_nobody_waits_for_the_fleet(
    cache_of: Opener, own_redis: Callable[..., RedisServer], source: Source
) -> None:
    """While Redis is away each process computes by itself, at once."""
    server = own_redis()
    server.stop()
    cache = cache_of(server.url)
    options: Any = {"across_processes": True, "wait_seconds": 3600}
    answers = [cache.get_or_load("key", value_of, source, 60, **options) for _ in range(5)]
    assert answers == [{"n": number} for number in range(1, 6)]
