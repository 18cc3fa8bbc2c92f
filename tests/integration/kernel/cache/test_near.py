"""The near cache on real Redis servers: what it answers is what Redis has, or it does not answer."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import attrs
import pytest
import redis

import surf_data
from rig import RedisServer, Relay, eventually
from rig.caching import manager_of, url_of
from surf_data.kernel import settings
from surf_data.kernel.cache import JsonCache, tracking
from surf_data.kernel.cache.json_values import Entry, dump
from surf_data.kernel.cache.near import NearCache
from surf_data.kernel.redis import RedisManager

OpenCache = Callable[..., JsonCache]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for long until Redis is asked whether it is there."""
    monkeypatch.setattr(tracking, "PING_INTERVAL", 0.02)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Start a server that no test harms."""
    started = RedisServer(str(tmp_path_factory.mktemp("r")))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    """Return another client of the server, which is empty."""
    with server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def open_cache(server: RedisServer) -> Iterator[OpenCache]:
    """Return a function that opens a near cache; it is used when the function returns, unless a test waits itself."""
    with ExitStack() as stack:

        def opened(url: str = server.url, *, key_prefixes: tuple[str, ...] = ("k", "o"), **keywords: Any) -> JsonCache:
            chosen = {"redis_url": url, "cache_timeout": 20, "near_cache_bytes": 10_000, **keywords}
            manager = RedisManager(settings.load({}, **chosen))
            stack.callback(manager.close)
            cache = JsonCache(manager, key_prefixes=key_prefixes)
            stack.callback(cache.close)
            assert cache.near_state == "idle"
            in_use(cache)
            return cache

        yield opened


def in_use(cache: JsonCache) -> None:
    """Wait until the near cache is used."""

    def on() -> bool:
        cache.get("k", value_of)
        return cache.near_state == "on"

    eventually(on)


def settle(cache: JsonCache) -> None:
    """Wait until Redis has told of all changes so far: it answers in order."""
    asked = time.monotonic() + tracking.LEASE
    eventually(lambda: cache._near is not None and cache._near._trusted_until > asked)


def value_of(entry: Entry) -> dict[str, Any]:
    """Return the value itself."""
    return entry.value


def near_hits(cache: JsonCache) -> int:
    """Return how many lookups the near cache has answered."""
    return int(cache.stats()["near_hits"])


def is_near(cache: JsonCache, key: str) -> bool:
    """Look a key up, and return whether the near cache answered."""
    before = near_hits(cache)
    cache.get(key, value_of)
    return near_hits(cache) > before


def document(**value: Any) -> bytes:
    """Return what the library stores for a value."""
    return dump("value", value, 60, time.time())


def test_what_was_read_is_answered_here(open_cache: OpenCache) -> None:
    """The second lookup does not ask Redis, however it is made, and counts as a hit."""
    cache = open_cache()
    cache.set("k", {"n": 1}, 60)
    cache.set("o", {"n": 2}, 60)
    settle(cache)
    assert cache.get("k", value_of) == {"n": 1}
    before = near_hits(cache)
    assert cache.get("k", value_of) == {"n": 1}
    assert cache.get_or_load("k", value_of, dict, 60) == {"n": 1}
    assert cache.get_many(["o", "k", "none"], value_of) == {"o": {"n": 2}, "k": {"n": 1}}
    assert cache.get_many(["o", "k"], value_of) == {"o": {"n": 2}, "k": {"n": 1}}
    assert near_hits(cache) - before == 5
    assert cache.stats()["hits"] == 7
    assert cache.get("k", lambda entry: entry.stored_at) == cache.get("k", lambda entry: entry.stored_at)
    assert near_hits(cache) - before == 5


@pytest.mark.parametrize("value", [{"n": [1, {"m": 2}], "d": {"e": None}}, {"n": 1, "m": "text"}], ids=["deep", "flat"])
def test_no_caller_can_change_it(open_cache: OpenCache, value: dict[str, Any]) -> None:
    """Each caller gets a value of its own, the first one, too."""
    cache = open_cache()
    cache.set("k", value, 60)
    for _ in range(3):
        found = cache.get("k", value_of)
        assert found == value
        assert found is not None
        found["n"] = found.pop("d", None)
        if found["n"]:
            found["n"]["e"] = "changed"
    many = cache.get_many(["k"], value_of)["k"]
    many["n"] = 0
    loaded = cache.get_or_load("k", value_of, dict, 60)
    assert loaded == value


@pytest.mark.parametrize(
    "change",
    [
        lambda client: client.set("k", document(n=2)),
        lambda client: client.delete("k"),
        lambda client: client.getdel("k"),
        lambda client: client.append("k", "x"),
        lambda client: client.rename("k", "other"),
        lambda client: client.set("x", document(n=2)) and client.rename("x", "k"),
        lambda client: client.set("x", document(n=2)) and client.copy("x", "k", replace=True),
        lambda client: client.move("k", 5),
        lambda client: client.expire("k", 0),
        lambda client: client.pexpire("k", 1),
        lambda client: client.flushall(),
        lambda client: client.flushdb(),
        lambda client: client.flushdb(asynchronous=True),
        lambda client: client.swapdb(0, 7),
        lambda client: client.pipeline(transaction=True).set("k", document(n=2)).execute(),
        lambda client: client.eval("redis.call('SET', KEYS[1], ARGV[1])", 1, "k", document(n=2)),
    ],
    ids=str.split(
        "set delete getdel append rename_away rename_onto copy move expire pexpire flushall flushdb flushdb_async "
        "swapdb multi script"
    ),
)
def test_what_another_client_changes_is_forgotten(
    open_cache: OpenCache, client: redis.Redis, change: Callable[[redis.Redis], object]
) -> None:
    """Redis tells, and the next lookup asks it; that another database takes its place is found out by asking."""
    cache = open_cache()
    cache.set("k", {"n": 1}, 60)
    settle(cache)
    assert cache.get("k", value_of) == {"n": 1}
    assert is_near(cache, "k")
    change(client)
    eventually(lambda: cache.get("k", value_of) != {"n": 1})


def test_eviction_is_a_change(own_redis: Callable[..., RedisServer], open_cache: OpenCache) -> None:
    """What Redis evicts is forgotten here, too."""
    server = own_redis("--maxmemory-policy", "allkeys-lru")
    cache = open_cache(server.url)
    cache.set("k", {"n": 1}, 60)
    settle(cache)
    assert cache.get("k", value_of) == {"n": 1}
    with server.client() as client:
        client.config_set("maxmemory", 1)
        eventually(lambda: client.dbsize() == 0)
    eventually(lambda: cache.get("k", value_of) is None)


def test_the_prefix_counts(open_cache: OpenCache, client: redis.Redis) -> None:
    """With a prefix, and for keys of any kind, it is as without."""
    cache = open_cache(cache_prefix="surf:", key_prefixes=("",))
    cache.set("k", {"n": 1}, 60)
    settle(cache)
    assert cache.get("k", value_of) == {"n": 1}
    assert is_near(cache, "k")
    client.set("surf:k", document(n=2))
    client.set(b"surf:\xff", 1)
    eventually(lambda: cache.get("k", value_of) == {"n": 2})


def test_what_this_process_changes_is_forgotten_at_once(open_cache: OpenCache) -> None:
    """No thread sees the old value after a call has returned, whatever Redis reports later."""
    cache = open_cache()
    changes: list[Callable[[int], object]] = [
        lambda n: cache.set("k", {"n": n}, 60),
        lambda n: cache.set_many({"k": {"n": n}}, 60),
        lambda n: (cache.delete("k"), cache.get_or_load("k", value_of, lambda: {"n": n}, 60)),
    ]
    for n in range(150):
        changes[n % 3](n)
        assert cache.get("k", value_of) == {"n": n}
        assert cache.get("k", value_of) == {"n": n}
    cache.delete("k")
    assert cache.get("k", value_of) is None


def test_an_absence_is_not_kept_here(open_cache: OpenCache) -> None:
    """That there is no value is found in Redis each time."""
    cache = open_cache()
    for _ in range(3):
        assert cache.get_or_load("k", value_of, lambda: None, 60, none_ttl_seconds=30) is None
    assert not is_near(cache, "k")
    assert cache.stats()["loads"] == 1


def test_other_keys_are_not_kept_here(open_cache: OpenCache, client: redis.Redis) -> None:
    """Of keys with other prefixes Redis reports no change; and a lock's look-alike has another name."""
    cache = open_cache(key_prefixes=("k", "lock:"))
    for key, kept in (("x", False), ("lock:k", True)):
        cache.set(key, {"n": 1}, 60)
        settle(cache)
        cache.get(key, value_of)
        assert is_near(cache, key) is kept
    client.set("value:lock:k", document(n=2))
    eventually(lambda: cache.get("lock:k", value_of) == {"n": 2})


def test_a_time_to_live_ends(open_cache: OpenCache) -> None:
    """Here as in Redis, also when the clock of who stored it was ahead."""
    cache = open_cache()
    cache.set("k", {"n": 1}, 1)
    assert cache.get("k", value_of) == {"n": 1}
    eventually(lambda: cache.get("k", value_of) is None)


def test_a_change_between_question_and_answer(server: RedisServer, open_cache: OpenCache, client: redis.Redis) -> None:
    """On a real server: the change is reported while the answer is under way, and the old value is not kept."""
    with Relay(server.path) as line:
        cache = open_cache(f"redis://127.0.0.1:{line.port}")
        client.set("k", document(n=1))
        told = threading.Event()
        forget = cache._near.forget  # type: ignore[union-attr]

        def forgotten(names: Any) -> None:
            forget(names)
            told.set()

        cache._near.forget = forgotten  # type: ignore[union-attr, method-assign]

        def decode(entry: Entry) -> dict[str, Any]:
            if entry.value == {"n": 1}:
                client.set("k", document(n=2))
                assert told.wait(30)
            return entry.value

        told.clear()
        assert cache.get("k", decode) == {"n": 1}
        assert cache.get("k", decode) == {"n": 2}


def test_a_lost_connection_is_found_and_made_anew(
    open_cache: OpenCache, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """When Redis ends it, everything is forgotten, and it is used again when Redis tells changes again."""
    cache = open_cache()
    cache.set("k", {"n": 1}, 60)
    assert cache.get("k", value_of) == {"n": 1}
    client.client_kill_filter(_type="pubsub")
    eventually(lambda: "near cache off" in [record.msg for record in caplog.records])
    in_use(cache)
    assert "near cache on" in [record.msg for record in caplog.records]
    cache.get("k", value_of)
    assert is_near(cache, "k")
    client.set("k", document(n=2))
    eventually(lambda: cache.get("k", value_of) == {"n": 2})


def test_a_silent_connection_is_not_trusted(
    server: RedisServer, open_cache: OpenCache, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing comes any more, what Redis was told meanwhile is not hidden for longer than the lease."""
    monkeypatch.setattr(tracking, "LEASE", 0.4)
    with Relay(server.path) as line:
        cache = open_cache(f"redis://127.0.0.1:{line.port}", cache_timeout=0.05, cache_breaker_failures=1000)
        cache.set("k", {"n": 1}, 60)
        assert cache.get("k", value_of) == {"n": 1}
        line.pause()
        client.set("k", document(n=2))
        eventually(lambda: cache.get("k", value_of) is None)
        eventually(lambda: cache.near_state == "lost")
        line.resume()
        eventually(lambda: cache.get("k", value_of) == {"n": 2} and cache.near_state == "on")


def test_a_connection_that_has_become_silent(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up when an answer has not come for as long as the lease, whatever other connections say."""
    monkeypatch.setattr(tracking, "LEASE", 0.2)
    with Relay(server.path) as line:
        manager = manager_of(url_of(line))
        tracker = tracking.Tracker(NearCache(1000), manager.dedicated_connection, int, ["k"])
        tracker.begin()
        eventually(lambda: tracker.state == "on")
        line.pause()
        eventually(lambda: tracker.state == "lost")
        line.resume()
        eventually(lambda: tracker.state == "on")
        tracker.close()


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_a_server_that_goes_away(
    own_redis: Callable[..., RedisServer], open_cache: OpenCache, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Nothing is answered while it is away, and nothing old when it is back."""
    monkeypatch.setattr(tracking, "LEASE", 0.6)
    server = own_redis()
    cache = open_cache(server.url, cache_timeout=0.05, cache_breaker_seconds=0.05)
    eventually(lambda: cache.set("k", {"n": 1}, 60))
    eventually(lambda: cache.get("k", value_of) == {"n": 1})
    if fault == "hung":
        server.halt()
    else:
        server.stop()
    eventually(lambda: cache.near_state == "lost")
    assert cache.get("k", value_of) is None
    if fault == "hung":
        server.resume()
    else:
        server.start()
    eventually(lambda: cache.get("k", value_of) == ({"n": 1} if fault == "hung" else None))
    in_use(cache)


def test_a_server_that_does_not_tell(own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture) -> None:
    """Without the permission, or on a server that is too old, the cache works without; the log says so, once."""
    server = own_redis()
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-client")  # type: ignore[no-untyped-call]
    with surf_data.open("host=/nowhere", server.url, near_cache_bytes=1000, cache_timeout=20) as data:
        data.cache.set_system_stats({"n": 1})
        assert data.stats()["cache"]["near"] == "idle"
        assert data.cache.get_system_stats() == {"n": 1}
        eventually(lambda: data.stats()["cache"]["near"] == "lost")
        assert data.health().cache.ok
        assert data.health().cache.reason == "near cache off: connection lost"
        eventually(lambda: data.stats()["cache"]["near"] == "lost")
        assert data.cache.get_system_stats() == {"n": 1}
    assert [record.msg for record in caplog.records].count("near cache off") == 1


def test_closing_ends_it(open_cache: OpenCache, client: redis.Redis) -> None:
    """The connection ends, nothing is answered, and nothing begins anew."""
    cache = open_cache()
    cache.set("k", {"n": 1}, 60)
    cache.get("k", value_of)
    cache.close()
    cache.close()
    assert not is_near(cache, "k")
    eventually(lambda: client.client_list(_type="pubsub") == [])
    unused = JsonCache(cache._manager, key_prefixes=("k",))
    unused.close()
    unused.get("k", value_of)
    assert unused.near_state == "idle"


def test_closing_while_it_connects(open_cache: OpenCache) -> None:
    """A connection that was made too late is not used."""
    near = NearCache(1000)
    tracker = tracking.Tracker(near, open_cache()._manager.dedicated_connection, object, ["k"])
    tracker.close()
    tracker._listen()
    assert tracker.state == "idle"


def test_no_thread_to_be_had(open_cache: OpenCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the cache works without, until there is one."""
    cache = open_cache()
    fresh = JsonCache(cache._manager, key_prefixes=("k",))

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    cache.set("k", {"n": 1}, 60)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert fresh.get("k", value_of) == {"n": 1}
        assert fresh.near_state == "idle"
    in_use(fresh)
    fresh.close()


def test_a_forked_child_has_its_own(open_cache: OpenCache, client: redis.Redis) -> None:
    """It begins with nothing, learns of changes by a connection of its own, and the parent's goes on."""
    cache = open_cache()
    cache.set("k", {"n": 1}, 60)
    assert cache.get("k", value_of) == {"n": 1}
    child = os.fork()
    if not child:
        failed = 1
        try:
            assert cache.near_state == "idle"
            assert near_hits(cache) == 0
            in_use(cache)
            cache.get("k", value_of)
            assert is_near(cache, "k")
            client.set("k", document(n=2))
            eventually(lambda: cache.get("k", value_of) == {"n": 2})
            cache.close()
            failed = 0
        finally:
            os._exit(failed)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    eventually(lambda: cache.get("k", value_of) == {"n": 2})
    assert cache.near_state == "on"


def test_threads_never_see_what_was_before(open_cache: OpenCache, client: redis.Redis) -> None:
    """While two clients write rising numbers, no thread sees a number fall, nor one older than its own write."""
    cache = open_cache()
    ended = threading.Event()
    faults: list[str] = []
    begun = near_hits(cache)

    def write() -> None:
        for n in range(1, 120):
            cache.set("k1", {"n": n}, 60)
            if (cache.get("k1", value_of) or {"n": 0})["n"] < n:
                faults.append("own write not seen")
            client.set("k2", document(n=n))
        ended.set()

    def read(seed: int) -> None:
        choice = random.Random(seed)  # noqa: S311 - no secret
        last = {"k1": 0, "k2": 0}
        while not ended.is_set():
            key = choice.choice(["k1", "k2"])
            n = (cache.get(key, value_of) or {"n": last[key]})["n"]
            if n < last[key]:
                faults.append(f"{key} fell")
            last[key] = n

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    threads.append(threading.Thread(target=write))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert near_hits(cache) > begun
    eventually(lambda: [cache.get(key, value_of) for key in ("k1", "k2")] == [{"n": 119}] * 2)


def test_surf_data_of_ones_own(server: RedisServer, client: redis.Redis) -> None:
    """Surf data from the near cache are those of Redis; what can be changed in them is the caller's own."""
    with surf_data.open("host=/nowhere", server.url, near_cache_bytes=10**6, cache_timeout=20) as data:
        eventually(lambda: data.cache.get_surf_data_cache(1) is None and data.stats()["cache"]["near"] == "on")
        for extra in ({}, {"tide": {"high": [1, 2]}}):
            data.cache.set_surf_data_cache(1, {"wave_height_m": 1.5, **extra})
            settle(data._values)
            first = data.cache.get_surf_data_cache(1)
            second = data.cache.get_surf_data_cache(1)
            assert first is not None
            assert second is not None
            assert first == second
            assert first.extra == extra
            if extra:
                second.extra["tide"]["high"].clear()
            assert data.cache.get_surf_data_many([1]) == {1: first}
            assert attrs.evolve(second, extra=extra) == first
        assert data.stats()["cache"]["near_hits"] == 4
        client.flushall()
        eventually(lambda: data.cache.get_surf_data_cache(1) is None)
