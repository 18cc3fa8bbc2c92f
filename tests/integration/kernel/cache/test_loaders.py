"""What loaders may ask for, what is remembered of them, and where they run."""

import _thread
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from rig import eventually
from rig.caching import VALUE, figures, manager_of, value_of
from surf_data.errors import DatabaseUnavailable, ValidationError
from surf_data.kernel.cache import JsonCache

Refused = Callable[..., Any]


# A loader that waits for itself


@pytest.mark.parametrize("options", [{}, {"across_processes": True}], ids=["process", "fleet"])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_loader_that_asks_for_its_own_key(
    cache: JsonCache, refused: Refused, length: int, options: dict[str, Any]
) -> None:
    """Directly or through others it fails at once, instead of waiting for an hour; the key can be loaded later."""

    def load(step: int) -> dict[str, Any] | None:
        def source() -> dict[str, Any] | None:
            return load((step + 1) % length)

        return cache.get_or_load(f"k{step}", value_of, source, 60, wait_seconds=3600, **options)

    assert refused(lambda: load(0)).field == "source"
    assert cache.get_or_load("k0", value_of, lambda: VALUE, 60, wait_seconds=3600, **options) == VALUE


@pytest.mark.parametrize("options", [{}, {"across_processes": True}], ids=["process", "fleet"])
@pytest.mark.parametrize("length", [2, 3])
def test_loaders_of_threads_that_ask_for_each_others_keys(
    cache: JsonCache, length: int, options: dict[str, Any]
) -> None:
    """Threads that would wait for each other in a circle fail at once."""
    barrier = threading.Barrier(length)

    def work(step: int) -> str:
        def source() -> dict[str, Any] | None:
            barrier.wait(30)
            return cache.get_or_load(f"k{(step + 1) % length}", value_of, dict, 60, wait_seconds=3600, **options)

        try:
            cache.get_or_load(f"k{step}", value_of, source, 60, wait_seconds=3600, **options)
        except ValidationError as error:
            return str(error.field)
        return "loaded"

    with ThreadPoolExecutor(length) as threads:
        assert "source" in list(threads.map(work, range(length)))
    assert cache.get_or_load("k0", value_of, lambda: VALUE, 60) is not None


def test_loaders_that_share_a_third(cache: JsonCache) -> None:
    """To wait for what another one waits for as well is no circle."""
    barrier = threading.Barrier(2)

    def work(key: str) -> Any:
        def source() -> Any:
            barrier.wait(30)
            return cache.get_or_load("shared", value_of, lambda: VALUE, 60)

        return cache.get_or_load(key, value_of, source, 60)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(work, ["one", "two"])) == [VALUE] * 2


# Locks and values


@pytest.mark.parametrize("key", ["lock:report", "value:lock:report", "value:report", "lock:", "locker"])
def test_a_value_is_never_taken_for_a_lock(cache: JsonCache, client: redis.Redis, key: str) -> None:
    """Whatever a key is called, its value does not keep anyone waiting, and reading it touches no lock."""
    assert cache.set(key, VALUE, 60)

    def source() -> dict[str, Any]:
        assert cache.get(key, value_of) == VALUE
        assert cache.delete("lock:other", "value:lock:other") == 0
        return {"held": client.exists("lock:report")}

    found = cache.get_or_load("report", value_of, source, 60, across_processes=True, wait_seconds=3600)
    assert found == {"held": 1}
    assert cache.get(key, value_of) == VALUE


# Where they run


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no thread be started."""

    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", refuse)
        yield


@pytest.mark.usefixtures("no_threads")
def test_without_a_thread_the_call_computes(cache: JsonCache, caplog: pytest.LogCaptureFixture) -> None:
    """Then a value that is due is computed in the call, again and again, and its failure logged."""
    cache.set("key", {"n": 0}, 60)
    for number in range(1, 7):
        assert cache.get_or_load("key", value_of, lambda n=number: {"n": n}, 60, refresh_seconds=0) is not None
        assert cache.get("key", value_of) == {"n": number}

    def fail() -> None:
        raise DatabaseUnavailable

    assert cache.get_or_load("key", value_of, fail, 60, refresh_seconds=0) == {"n": 6}
    assert "cached value not refreshed" in [record.msg for record in caplog.records]
    assert cache._loader._refreshes._value == 4


# What is remembered


def test_that_there_is_none_is_remembered(cache: JsonCache, client: redis.Redis) -> None:
    """For so long as was said, for every way of asking; then, or when it is set or deleted, it is asked again."""
    calls: list[int] = []

    def source() -> None:
        calls.append(1)

    for _ in range(3):
        assert cache.get_or_load("key", value_of, source, 60, none_ttl_seconds=30) is None
    assert calls == [1]
    assert 0 < int(client.pttl("key")) <= 30_000
    assert cache.get("key", value_of) is None
    assert cache.get_many(["key"], value_of) == {}
    assert figures(cache) == {"hits": 4, "misses": 1, "loads": 1, "writes": 1}
    cache.delete("key")
    assert cache.get_or_load("key", value_of, source, 60) is None
    assert cache.get_or_load("key", value_of, source, 60) is None
    assert len(calls) == 3
    cache.get_or_load("key", value_of, source, 60, none_ttl_seconds=30)
    cache.set("key", VALUE, 60)
    assert cache.get_or_load("key", value_of, source, 60) == VALUE


def test_an_absence_is_refreshed(cache: JsonCache) -> None:
    """That there is none is asked again in the background, like a value."""
    assert cache.get_or_load("key", value_of, lambda: None, 60, none_ttl_seconds=30) is None
    assert cache.get_or_load("key", value_of, lambda: VALUE, 60, refresh_seconds=0) is None
    eventually(lambda: cache.get("key", value_of) == VALUE)


def test_an_absence_is_shared_by_processes(redis_url: str) -> None:
    """What one process found out, another one receives, also while it waits."""
    caches = [JsonCache(manager_of(redis_url)) for _ in range(2)]
    options: Any = {"across_processes": True, "none_ttl_seconds": 30, "wait_seconds": 30}
    begun, free, calls = threading.Event(), threading.Event(), list[int]()

    def source() -> None:
        calls.append(1)
        begun.set()
        assert free.wait(30)

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(caches[0].get_or_load, "key", value_of, source, 60, **options)
        assert begun.wait(30)
        other = threads.submit(caches[1].get_or_load, "key", value_of, source, 60, **options)
        eventually(lambda: caches[1].stats()["misses"] == 1)
        free.set()
        assert (one.result(30), other.result(30)) == (None, None)
    assert calls == [1]


@pytest.mark.parametrize(
    "store",
    [
        lambda cache, key: cache.set(key, VALUE, 1000, ttl_jitter=0.9),
        lambda cache, key: cache.set_many({key: VALUE}, 1000, ttl_jitter=0.9),
        lambda cache, key: cache.get_or_load(key, value_of, lambda: VALUE, 1000, ttl_jitter=0.9),
        lambda cache, key: cache.get_or_load(key, value_of, lambda: None, 5, ttl_jitter=0.9, none_ttl_seconds=1000),
    ],
    ids=["set", "set_many", "load", "absence"],
)
def test_times_to_live_are_spread(
    cache: JsonCache, client: redis.Redis, store: Callable[[JsonCache, str], object]
) -> None:
    """What was stored together does not expire together, if that was asked for."""
    for number in range(40):
        store(cache, f"k{number}")
    left = [int(client.ttl(f"k{number}")) for number in range(40)]
    assert 90 <= min(left) < max(left) <= 1000
    assert max(left) - min(left) > 100


@pytest.mark.parametrize("jitter", [1, -0.1, "0.5", None, True, float("nan")])
def test_a_jitter_is_checked(cache: JsonCache, refused: Refused, jitter: Any) -> None:
    """It is a part below the whole."""
    assert refused(lambda: cache.set("key", VALUE, 60, ttl_jitter=jitter)).field == "ttl_jitter"
    assert refused(lambda: cache.set_many({"key": VALUE}, 60, ttl_jitter=jitter)).field == "ttl_jitter"
