"""The cache kernel on real Redis servers, healthy and not."""

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from rig import RedisServer, Relay, eventually
from surf_data.errors import ConfigurationError, ValidationError
from surf_data.kernel import settings
from surf_data.kernel.cache import Entry, JsonCache
from surf_data.kernel.redis import CircuitBreaker, RedisManager

VALUE = {"wave_height_m": 1.5, "name": "Māili Point", "tags": [1, None, {"a": True}]}


def manager_of(url: str | None, **keywords: Any) -> RedisManager:
    """Return a manager that is patient, since the servers share a machine, unless a test says otherwise."""
    return RedisManager(settings.load({}, **{"redis_url": url, "cache_timeout": 20, **keywords}))


def value_of(entry: Entry) -> dict[str, Any]:
    """Return the value itself."""
    return entry.value


def url_of(relay: Relay) -> str:
    """Return the URL that leads through a relay."""
    return f"redis://127.0.0.1:{relay.port}"


@pytest.fixture
def manager(redis_url: str) -> Iterator[RedisManager]:
    """Return a manager on the healthy server."""
    manager = manager_of(redis_url)
    yield manager
    manager.close()


@pytest.fixture
def cache(manager: RedisManager) -> JsonCache:
    """Return a cache on the healthy server."""
    return JsonCache(manager)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client that sees the healthy server as it is."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def between(redis_url: str) -> Iterator[Relay]:
    """Return a relay in front of the healthy server."""
    with Relay(urlsplit(redis_url).path) as relay:
        yield relay


# Values


def test_round_trip(cache: JsonCache, manager: RedisManager) -> None:
    """What was stored is found, with the time at which it was stored."""
    before = time.time()
    assert cache.set("key", VALUE, 60) is True
    entry = cache.get("key", lambda entry: entry)
    assert entry is not None
    assert entry.value == VALUE
    assert before <= entry.stored_at <= time.time()
    assert entry.ttl_seconds == 60
    assert counts(manager) == {"hits": 1, "writes": 1}


def counts(manager: RedisManager) -> dict[str, int | str]:
    """Return the figures that are not zero, while the breaker is closed."""
    stats = manager.stats()
    assert stats.pop("breaker") == "closed"
    return {name: figure for name, figure in stats.items() if figure}


def test_unknown_key_is_a_miss(cache: JsonCache, manager: RedisManager) -> None:
    """What was never stored is not found, alone or among others."""
    assert cache.get("key", value_of) is None
    assert cache.get_many(["a", "b"], value_of) == {}
    assert counts(manager) == {"misses": 3}


def test_time_to_live_is_set_on_the_key(cache: JsonCache, client: redis.Redis) -> None:
    """Redis itself removes a value when its time is up."""
    cache.set("one", VALUE, 60)
    cache.set_many({"two": VALUE}, 3600)
    assert 0 < int(client.pttl("one")) <= 60_000
    assert 60_000 < int(client.pttl("two")) <= 3_600_000


def test_set_many_and_get_many(cache: JsonCache, manager: RedisManager) -> None:
    """Many values are stored and found at once; each counts, those that are missing are left out."""
    assert cache.set_many({"a": {"n": 1}, "b": {"n": 2}}, 60) == 2
    assert cache.get_many(["b", "c", "a", "b"], value_of) == {"b": {"n": 2}, "a": {"n": 1}}
    assert counts(manager) == {"hits": 2, "misses": 1, "writes": 2}


def test_many_of_nothing(cache: JsonCache, manager: RedisManager) -> None:
    """Nothing to do is done without asking the server."""
    assert cache.get_many([], value_of) == {}
    assert cache.set_many({}, 60) == 0
    assert cache.delete() == 0
    assert counts(manager) == {}


def test_prefix_comes_first(redis_url: str, client: redis.Redis) -> None:
    """Every key begins with the prefix from the settings, and only with it can it be found."""
    cache = JsonCache(manager_of(redis_url, cache_prefix="app:"))
    cache.set("one", VALUE, 60)
    cache.set_many({"two": VALUE}, 60)
    assert sorted(client.scan_iter()) == [b"app:one", b"app:two"]
    assert cache.get("one", value_of) == VALUE
    assert list(cache.get_many(["one", "two"], value_of)) == ["one", "two"]
    assert cache.delete("one", "two", "three") == 2


def test_nothing_is_half_applied(own_redis: Callable[..., RedisServer]) -> None:
    """When the server runs out of memory among many values, none is stored."""
    server = own_redis("--maxmemory-policy", "noeviction")
    cache = JsonCache(manager := manager_of(server.url))
    with server.client() as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 2_000_000)
        assert cache.set_many({str(n): {"text": "x" * 100_000} for n in range(50)}, 60) == 0
        assert client.dbsize() == 0
    assert counts(manager) == {"errors": 1}


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    ("value", "ttl_seconds", "field"),
    [
        ({"a": b""}, 60, "key.a"),
        ({"a": float("inf")}, 60, "key.a"),
        (VALUE, 0, "ttl_seconds"),
        (VALUE, 2.5, "ttl_seconds"),
    ],
)
def test_refused_values_are_not_sent(
    manager: RedisManager, *, many: bool, value: Any, ttl_seconds: Any, field: str
) -> None:
    """A value or time to live that cannot be stored is an error, and the server hears nothing of it."""
    cache = JsonCache(manager)
    with pytest.raises(ValidationError) as raised:
        cache.set_many({"key": value}, ttl_seconds) if many else cache.set("key", value, ttl_seconds, field="key")
    assert raised.value.field == field
    assert counts(manager) == {}


def test_set_many_checks_the_time_to_live_of_nothing(cache: JsonCache) -> None:
    """A time to live is refused even when there is nothing to store."""
    with pytest.raises(ValidationError):
        cache.set_many({}, 0)


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"not JSON",
        b'{"wave_height_m": 1.5}',
        b'{"version":2,"stored_at":0,"ttl_seconds":60,"value":{}}',
        b'{"version":1,"stored_at":NaN,"ttl_seconds":60,"value":{}}',
        b"[" * 100_000,
        b"\x80\x04N.",
        b"x" * 2_000_000,
    ],
)
def test_poisoned_values_are_deleted(
    cache: JsonCache, manager: RedisManager, client: redis.Redis, poison: bytes
) -> None:
    """A value that is not what the cache stores is a miss, and is gone afterwards."""
    client.set("one", poison)
    client.set("two", poison)
    assert cache.get("one", value_of) is None
    assert cache.get_many(["two"], value_of) == {}
    assert client.dbsize() == 0
    assert counts(manager) == {"misses": 2, "poisoned": 2}


def test_decode_may_refuse(cache: JsonCache, manager: RedisManager, client: redis.Redis) -> None:
    """A value that the caller cannot use is poisoned too."""

    def refuse(entry: Entry) -> None:
        raise ValidationError("no good")

    cache.set("key", VALUE, 60)
    assert cache.get("key", refuse) is None
    assert client.dbsize() == 0
    assert counts(manager) == {"misses": 1, "poisoned": 1, "writes": 1}


def test_stale_values_are_deleted(cache: JsonCache, manager: RedisManager, client: redis.Redis) -> None:
    """A value whose own time is up is a miss and deleted, even if Redis was made to keep it."""
    cache.set("key", VALUE, 60)
    document = json.loads(client.get("key") or b"")
    client.persist("key")
    assert cache.get("key", value_of) == VALUE
    client.set("key", json.dumps({**document, "stored_at": document["stored_at"] - 60}))
    assert cache.get("key", value_of) is None
    assert client.dbsize() == 0
    assert counts(manager) == {"hits": 1, "misses": 1, "stale": 1, "writes": 1}


def test_wrong_type_is_deleted(cache: JsonCache, manager: RedisManager, client: redis.Redis) -> None:
    """A key that holds a list is a miss and deleted; among many it is a miss, and the next value replaces it."""
    client.rpush("one", "x")
    client.rpush("two", "x")
    assert cache.get("one", value_of) is None
    assert client.exists("one") == 0
    assert cache.get_many(["two"], value_of) == {}
    assert cache.set("two", VALUE, 60) is True
    assert cache.get("two", value_of) == VALUE
    assert counts(manager) == {"hits": 1, "misses": 2, "poisoned": 1, "writes": 1}


def test_delete_matching_takes_the_prefix_literally(redis_url: str, client: redis.Redis) -> None:
    """Only keys under the very prefix that match glob and pattern are deleted."""
    cache = JsonCache(manager_of(redis_url, cache_prefix="{a.b}:"))
    cache.set_many({f"n:{n}": VALUE for n in range(3000)}, 60)
    others = [b"a.b:n:1", b"n:1", b"{a.b}:n:x", b"{a.b}:m:1", b"{axb}:n:1", b"{a.b}:n:\xff"]
    for other in others:
        client.set(other, "x")
    assert cache.delete_matching(["n:*", "n:1*"], re.compile(r"n:\d+")) == 3000
    # While the server makes its table smaller it may name a key twice.
    assert set(client.scan_iter()) == set(others)


# Failures


def test_stopped_server(own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture) -> None:
    """While the server is away every call answers, and after its return the cache works again by itself."""
    server = own_redis()
    cache = JsonCache(manager := manager_of(server.url, cache_breaker_seconds=0.05))
    cache.set("key", VALUE, 60)
    server.stop()
    answers: list[object] = [
        cache.get("key", value_of),
        cache.set("key", VALUE, 60),
        cache.delete("key"),
        cache.get_many(["key"], value_of),
        cache.set_many({"key": VALUE}, 60),
        cache.delete_matching(["*"], re.compile(".*")),
    ]
    assert answers == [None, False, 0, {}, 0, 0]
    stats = manager.stats()
    assert stats["breaker"] in {"open", "half-open"}
    assert stats["opened"] == 1
    assert stats["rejected"] + stats["errors"] == 6  # type: ignore[operator]
    server.start()
    eventually(lambda: cache.set("key", VALUE, 60))
    assert cache.get("key", value_of) == VALUE
    assert manager.stats()["breaker"] == "closed"
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.name, record.message) for record in warnings] == [
        ("surf_data.kernel.redis.manager", "cache breaker opened"),
        ("surf_data.kernel.redis.manager", "cache breaker closed"),
    ]


def test_halted_server(own_redis: Callable[..., RedisServer]) -> None:
    """While the server hangs every call answers, at first after the time-out and then without asking it."""
    server = own_redis()
    cache = JsonCache(manager := manager_of(server.url, cache_timeout=0.05, cache_breaker_seconds=0.05))
    eventually(lambda: cache.set("key", VALUE, 60))
    server.halt()
    assert [cache.get("key", value_of) for _ in range(20)] == [None] * 20
    assert manager.stats()["opened"] == 1
    server.resume()
    eventually(lambda: cache.get("key", value_of) == VALUE)
    assert manager.stats()["breaker"] == "closed"


def test_never_configured() -> None:
    """Without a Redis URL nothing is found, nothing is kept, and nothing is an error."""
    cache = JsonCache(manager := manager_of(None))
    assert cache.set("key", VALUE, 60) is False
    assert cache.set_many({"key": VALUE}, 60) == 0
    assert cache.get("key", value_of) is None
    assert cache.get_many(["key"], value_of) == {}
    assert cache.delete("key") == 0
    assert manager.ping().reason == "not configured"
    assert counts(manager) == {"misses": 2}
    manager.close()
    assert manager.ping().reason == "not configured"


def test_closed(redis_url: str, client: redis.Redis) -> None:
    """Closing closes the connections; afterwards nothing is found and nothing is connected."""
    cache = JsonCache(manager := manager_of(redis_url))
    cache.set("key", VALUE, 60)
    before = len(client.client_list())
    manager.close()
    manager.close()
    eventually(lambda: len(client.client_list()) == before - 1)
    assert cache.get("key", value_of) is None
    assert manager.ping().reason == "closed"


def test_closed_during_a_call(redis_url: str, client: redis.Redis) -> None:
    """A call that is under way when the cache is closed ends as it should, and then its connection closes."""
    manager = manager_of(redis_url)
    manager.ping()
    before = len(client.client_list())

    def operation(inner: redis.Redis) -> bytes:
        with inner.pipeline() as pipeline:
            pipeline.watch("key")
            manager.close()
            return pipeline.echo("done")  # type: ignore[return-value]

    assert manager.call(operation, read=True, otherwise=b"") == b"done"
    eventually(lambda: len(client.client_list()) == before - 1)


def test_out_of_memory(own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture) -> None:
    """A full server refuses values, which is counted and no more; reading goes on, the breaker stays closed."""
    caplog.set_level(logging.DEBUG)
    server = own_redis("--maxmemory-policy", "noeviction")
    cache = JsonCache(manager := manager_of(server.url))
    cache.set("key", VALUE, 60)
    with server.client() as client:
        client.config_set("maxmemory", 1)
    assert [cache.set("other", {"text": "sesame"}, 60) for _ in range(5)] == [False] * 5
    assert cache.set_many({"other": {"text": "sesame"}}, 60) == 0
    assert cache.get("key", value_of) == VALUE
    assert counts(manager) == {"errors": 6, "hits": 1, "writes": 1}
    assert "sesame" not in everything(caplog)


def everything(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that was logged, attributes included."""
    return caplog.text + repr([vars(record) for record in caplog.records])


@pytest.mark.parametrize("user", ["", "default"])
def test_wrong_password_is_kept_secret(
    own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture, user: str
) -> None:
    """A password that the server refuses stands in no log, no repr and no answer."""
    caplog.set_level(logging.DEBUG)
    server = own_redis("--requirepass", "right")
    manager = manager_of(f"unix://{user}:open%20sesame@{server.path}")
    cache = JsonCache(manager)
    assert [cache.get("key", value_of) for _ in range(5)] == [None] * 5
    assert cache.set_many({"key": VALUE}, 60) == 0
    ping = manager.ping()
    assert ping.reason == "authentication failed"
    shown = everything(caplog) + repr([manager, vars(manager), manager.stats(), ping, cache, vars(cache)])
    assert "sesame" not in shown
    assert manager.stats()["opened"] == 1


@pytest.mark.parametrize("user", ["", "default"])
def test_right_password(own_redis: Callable[..., RedisServer], user: str) -> None:
    """A password, also one with special characters, lets the cache in."""
    server = own_redis("--requirepass", "p@ss /#%w")
    manager = manager_of(f"unix://{user}:p%40ss%20%2F%23%25w@{server.path}")
    assert manager.ping().reason is None


def test_missing_password(own_redis: Callable[..., RedisServer]) -> None:
    """A server that wants a password and gets none is unavailable."""
    server = own_redis("--requirepass", "right")
    assert manager_of(server.url).ping().reason == "authentication failed"


def test_missing_permission(own_redis: Callable[..., RedisServer]) -> None:
    """A command that the user may not run is a counted miss; what is allowed goes on working."""
    server = own_redis()
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "+get")
    cache = JsonCache(manager := manager_of(f"unix://app:pw@{server.path}"))
    assert [cache.set("key", VALUE, 60) for _ in range(5)] == [False] * 5
    assert cache.get("key", value_of) is None
    assert manager.ping().reason == "permission denied"
    assert counts(manager) == {"errors": 5, "misses": 1}


def test_forbidden_reading(own_redis: Callable[..., RedisServer]) -> None:
    """A value that the user may not read is a miss and is left alone."""
    server = own_redis()
    cache = JsonCache(manager := manager_of(f"unix://app:pw@{server.path}"))
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "+unlink")
        client.set("key", "x")
        assert cache.get("key", value_of) is None
        assert client.dbsize() == 1
    assert counts(manager) == {"errors": 1, "misses": 1}


def test_database_number(own_redis: Callable[..., RedisServer]) -> None:
    """The URL's database number is the one used."""
    server = own_redis()
    assert JsonCache(manager_of(f"{server.url}?db=3")).set("key", VALUE, 60) is True
    with server.client(db=3) as client:
        assert client.dbsize() == 1


def test_dropped_connection_is_read_again_at_once(between: Relay) -> None:
    """A read whose connection is lost is made again, once, and the caller does not notice."""
    cache = JsonCache(manager := manager_of(url_of(between)))
    cache.set("key", VALUE, 60)
    between.requests.clear()
    between.answers.append(b"")
    assert cache.get("key", value_of) == VALUE
    assert len(between.requests) == 2
    assert counts(manager) == {"hits": 1, "writes": 1}
    between.answers.extend([b"", b""])
    assert cache.get("key", value_of) is None
    assert len(between.requests) == 4
    manager.close()


def test_dropped_connection_is_not_written_again(between: Relay) -> None:
    """A write whose reply is lost is not sent again."""
    cache = JsonCache(manager := manager_of(url_of(between)))
    between.answers.append(b"")
    assert cache.set("key", VALUE, 60) is False
    assert len(between.requests) == 1
    assert counts(manager) == {"errors": 1}
    assert cache.set("key", VALUE, 60) is True
    manager.close()


def test_time_out_is_not_tried_again(own_redis: Callable[..., RedisServer]) -> None:
    """A read that timed out is not made again: it would cost the caller as much once more."""
    server = own_redis()
    manager = manager_of(server.url, cache_timeout=0.05)
    server.halt()
    tries: list[int] = []

    def operation(client: redis.Redis) -> None:
        tries.append(1)
        client.ping()

    manager.call(operation, read=True, otherwise=None)
    assert tries == [1]


def test_specific_refusal_is_not_tried_again(between: Relay) -> None:
    """A server that says why it cannot be used is not asked twice."""
    cache = JsonCache(manager := manager_of(url_of(between)))
    between.answers.append(b"-LOADING Redis is loading the dataset in memory\r\n")
    assert cache.get("key", value_of) is None
    assert len(between.requests) == 1
    manager.close()


def test_slow_failure_is_not_tried_again(redis_url: str) -> None:
    """A connection that took as long as the time-out to fail is not tried again: it would cost as much once more."""
    manager = manager_of(redis_url, cache_timeout=0.001)
    tries: list[int] = []

    def operation(client: redis.Redis) -> None:
        tries.append(1)
        time.sleep(0.002)
        raise redis.ConnectionError

    manager.call(operation, read=True, otherwise=None)
    assert tries == [1]


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"?\r\n",
        b":x\r\n",
        b"$x\r\n",
        b"\xff\x00\r\n",
        b"$3\r\nab",
        b"*1\r\n" * 5000,
        b"*1000000000\r\n",
        b"*1\r\n*1000000000\r\n",
        b"+OK\r\n",
        b":5\r\n",
        b"*0\r\n",
        b"*2\r\n:1\r\n:2\r\n",
        b"%1\r\n:1\r\n:2\r\n",
        b"$-1\r\n:1\r\n:2\r\n",
        b"-ERR who knows\r\n",
    ],
)
@pytest.mark.parametrize(
    ("call", "nothing"),
    [
        (lambda cache: cache.get("key", value_of), None),
        (lambda cache: cache.get_many(["key"], value_of), {}),
        (lambda cache: cache.delete_matching(["*"], re.compile("x")), 0),
    ],
    ids=["get", "get_many", "delete_matching"],
)
def test_garbage_is_a_miss(
    between: Relay, garbage: bytes, call: Callable[[JsonCache], object], nothing: object
) -> None:
    """Whatever stands in for a reply, a call finds nothing and raises nothing; the next calls work as ever."""
    cache = JsonCache(manager := manager_of(url_of(between), cache_timeout=0.5))
    between.answers.append(garbage)
    assert call(cache) == nothing
    between.answers.clear()
    eventually(lambda: cache.set("key", VALUE, 60) and cache.get("key", value_of) == VALUE)
    manager.close()


# Threads and processes


def test_half_open_lets_one_call_through(manager: RedisManager) -> None:
    """Of twenty threads that call when the time is up, one tries the server and nineteen are answered at once."""
    now = [0.0]
    manager._breaker = CircuitBreaker(1, 1.0, clock=lambda: now[0])
    barrier, answered, calls = threading.Barrier(20), threading.Semaphore(0), list[int]()

    def fail(client: redis.Redis) -> str:
        raise redis.TimeoutError

    def operation(client: redis.Redis) -> str:
        calls.append(1)
        for _ in range(19):
            assert answered.acquire(timeout=30)
        return "made" if client.ping() else ""

    def call(_: int) -> str:
        barrier.wait(30)
        answer = manager.call(operation, read=True, otherwise="not made")
        answered.release()
        return answer

    assert manager.call(fail, read=True, otherwise="failed") == "failed"
    now[0] = 10.0
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(call, range(20)))
    assert sorted(answers) == ["made"] + ["not made"] * 19
    assert calls == [1]
    assert counts(manager) == {"errors": 1, "opened": 1, "rejected": 19}


def test_more_threads_than_connections(redis_url: str, client: redis.Redis) -> None:
    """Twenty threads share two connections: all are served, and no third connection is made."""
    cache = JsonCache(manager := manager_of(redis_url, cache_max_connections=2))
    barrier = threading.Barrier(20)

    def work(number: int) -> bool:
        barrier.wait(30)
        for turn in range(20):
            value = {"number": number, "turn": turn}
            if not cache.set(str(number), value, 60) or cache.get(str(number), value_of) != value:
                return False
        return True

    before = client.info("stats")["total_connections_received"]
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(work, range(20))) == [True] * 20
    assert client.info("stats")["total_connections_received"] - before <= 2
    assert counts(manager) == {"hits": 400, "writes": 400}
    manager.close()


class Occupation:
    """Keeps the only connection of a manager busy, from another thread, until told to let go."""

    def __init__(self, manager: RedisManager) -> None:
        self._begun, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=manager.call, args=(self._occupy,), kwargs={"read": True, "otherwise": False}
        )
        self._thread.start()
        assert self._begun.wait(30)

    def end(self) -> None:
        """Let go."""
        self._over.set()
        self._thread.join(30)

    def _occupy(self, client: redis.Redis) -> bool:
        self._begun.set()
        return self._over.wait(20) and client.ping() is True


def test_no_connection_becomes_free(redis_url: str) -> None:
    """Waiting in vain for a connection is a counted miss and says nothing against the server."""
    cache = JsonCache(manager := manager_of(redis_url, cache_max_connections=1, cache_timeout=0.05))
    occupation = Occupation(manager)
    assert [cache.get("key", value_of) for _ in range(4)] == [None] * 4
    assert manager.ping().reason == "no connection became free"
    assert counts(manager) == {"errors": 4, "misses": 4}
    occupation.end()
    manager.close()


def test_nobody_waits_for_a_suspect_server(redis_url: str) -> None:
    """While one call finds out whether the server is back, others do not wait for its connection."""
    cache = JsonCache(manager := manager_of(redis_url, cache_max_connections=1, cache_timeout=60))
    now = [0.0]
    manager._breaker = CircuitBreaker(1, 1.0, clock=lambda: now[0])
    manager._breaker.failed(manager._breaker.admit() or 0)
    now[0] = 10.0
    occupation = Occupation(manager)
    assert cache.get("key", value_of) is None
    assert manager.stats()["breaker"] == "half-open"
    occupation.end()
    assert counts(manager) == {"errors": 1, "misses": 1, "opened": 1}
    manager.close()


def test_interruption_is_passed_on(manager: RedisManager) -> None:
    """Ctrl-C during a call reaches the caller, counts as a failure and keeps neither connection nor breaker busy."""

    def interrupt(client: redis.Redis) -> None:
        raise KeyboardInterrupt

    now = [0.0]
    manager._breaker = CircuitBreaker(1, 1.0, clock=lambda: now[0])
    with pytest.raises(KeyboardInterrupt):
        manager.call(interrupt, read=True, otherwise=None)
    assert manager.stats()["breaker"] == "open"
    now[0] = 10.0
    assert manager.call(lambda client: client.ping(), read=True, otherwise=False) is True
    assert manager.stats()["breaker"] == "closed"


def test_an_interrupted_lookup_leaves_its_answer_to_nobody(between: Relay) -> None:
    """After Ctrl-C during a lookup the next one gets its own answer, not the one that was still to come."""
    manager = manager_of(url_of(between))
    cache = JsonCache(manager)
    assert [cache.set(key, {"is": key}, 60) for key in ("first", "second")] == [True, True]
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        eventually(lambda: b"first" in between.requests[-1])
        signal.pthread_kill(main, signal.SIGINT)

    between.requests.append(b"")
    between.pause()
    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        cache.get("first", value_of)
    interrupting.join()
    # The server has answered the first question before it is asked the second.
    between.resume()
    assert cache.get("second", value_of) == {"is": "second"}
    manager.close()


FORKING = """
import json, os, sys
from surf_data.kernel import settings
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.redis import RedisManager

manager = RedisManager(settings.load({}, redis_url=sys.argv[1], cache_timeout=20, cache_max_connections=1))
cache = JsonCache(manager)

def look():
    return [
        manager.call(lambda client: client.client_id(), read=True, otherwise=0),
        cache.get("key", lambda entry: entry.value),
        manager.stats()["hits"],
    ]

cache.set("key", {"n": 1}, 60)
before = look()
# As if other threads held the locks and the connection at the moment of the fork.
manager._lock.acquire()
manager._breaker._lock.acquire()
manager._slots.acquire()
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.write(writer, json.dumps(look()).encode())
    manager.close()
    os._exit(0)
manager._lock.release()
manager._breaker._lock.release()
manager._slots.release()
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps([before, json.loads(os.read(reader, 10_000)), look(), status]))
"""


def test_fork(redis_url: str) -> None:
    """A forked child uses the cache over a connection of its own, whatever was locked, and its parent keeps its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, redis_url],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    before, child, after, status = json.loads(done.stdout)
    assert status == 0
    assert before[1:] == [{"n": 1}, 1]
    assert child[1:] == [{"n": 1}, 1]
    assert after == [before[0], {"n": 1}, 2]
    assert child[0] not in (0, before[0])


# The way there


def test_settings_reach_the_driver(redis_url: str) -> None:
    """Time-out and number of connections are those of the settings, and the driver tries nothing again by itself."""
    manager = manager_of(redis_url, cache_timeout=0.25, cache_max_connections=7)
    client = manager._open()
    # As for a thread that waited while another one opened it.
    assert manager._open() is client
    pool = client.connection_pool
    connection = pool.make_connection()
    assert pool.max_connections == 7
    assert connection.socket_timeout == 0.25
    assert connection.socket_connect_timeout == 0.25
    assert connection.retry.get_retries() == 0


def test_ping_tells_how_long_it_took(manager: RedisManager) -> None:
    """A healthy server has a latency and no reason to complain."""
    ping = manager.ping()
    assert ping.reason is None
    assert ping.seconds > 0


def test_ping_asks_whatever_the_breaker_says(own_redis: Callable[..., RedisServer]) -> None:
    """The health check sees that the server is back while the breaker is still open."""
    server = own_redis()
    manager = manager_of(server.url, cache_breaker_failures=1, cache_breaker_seconds=3600)
    server.stop()
    JsonCache(manager).get("key", value_of)
    assert manager.ping().reason == "file not found"
    server.start()
    assert manager.ping().reason is None
    assert manager.stats()["breaker"] == "open"


def free_port() -> int:
    """Return a TCP port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://127.0.0.1:{port}", "connection refused"),
        ("rediss://127.0.0.1:{port}", "connection refused"),
        ("unix:///nowhere/redis.sock", "file not found"),
        ("unix:///dev/null", "connection refused"),
        ("unix:///" + "x" * 200, "connection failed"),
        ("redis://name.invalid", "host name not resolved"),
    ],
)
def test_ping_says_why_not(url: str, reason: str) -> None:
    """A server that cannot be reached is unhealthy for a stated reason."""
    assert manager_of(url.format(port=free_port())).ping().reason == reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "loading its data"),
        (b"-ERR max number of clients reached\r\n", "too many clients"),
        (b"-MISCONF sesame\r\n", "refused the command"),
        (b"+sesame\r\n", "unexpected reply"),
        (b"sesame\r\n", "unexpected reply"),
        (b":sesame\r\n", "unexpected reply"),
    ],
)
def test_ping_says_why_not_from_the_reply(between: Relay, reply: bytes, reason: str) -> None:
    """A server that answers but cannot be used is unhealthy for a stated reason."""
    manager = manager_of(url_of(between))
    between.answers.extend([reply, reply])
    assert manager.ping().reason == reason
    manager.close()


def test_ping_of_a_lost_connection(between: Relay) -> None:
    """A server that hangs up again and again is unhealthy."""
    manager = manager_of(url_of(between))
    between.answers.extend([b"", b""])
    assert manager.ping().reason == "connection lost"
    manager.close()


def test_ping_of_a_server_without_tls(between: Relay) -> None:
    """A server that does not speak TLS is unhealthy when TLS is asked for."""
    between.answers.extend([b"-ERR what\r\n"] * 2)
    assert manager_of(url_of(between).replace("redis:", "rediss:")).ping().reason == "TLS failed"


def test_ping_of_a_halted_server(own_redis: Callable[..., RedisServer]) -> None:
    """A server that hangs is unhealthy after the time-out."""
    server = own_redis()
    server.halt()
    assert manager_of(server.url, cache_timeout=0.05).ping().reason == "timed out"


@pytest.mark.parametrize(
    "url",
    [
        "sesame",
        "http://sesame",
        "redis:",
        "redis://",
        "redis://:6379",
        "redis://:sesame@",
        "redis://:ses/ame@host",
        "redis://:12/sesame@host",
        "redis://:ses#ame@host",
        "redis://user#:sesame@host",
        "redis://:ses?ame@host",
        "redis://:ses[ame@host",
        "redis://host:sesame",
        "redis://host:99999",
        "redis://host/sesame",
        "redis://host/1/2",
        "redis://host?db=sesame",
        "redis://host?sesame=1",
        "redis://host?socket_timeout=30",
        "redis://host?ssl_ca_certs=/sesame",
        "rediss://host?ssl_sesame=1",
        "rediss://host?ssl_cert_reqs=sesame",
        "redis://" + "sesame" * 20,
        "unix://",
        "unix:///",
        "unix://sesame/redis.sock",
        "unix://:sesame@",
    ],
)
def test_malformed_urls_are_refused(url: str) -> None:
    """A URL that cannot be right is a configuration error that repeats none of it, and nothing travels along."""
    with pytest.raises(ConfigurationError) as raised:
        manager_of(url)
    error = raised.value
    assert error.setting == "redis_url"
    assert "redis_url (SURF_DATA_REDIS_URL)" in str(error)
    assert "ses" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost/",
        "redis://localhost:6380/15",
        "redis://user:pass@[::1]:6379/0",
        "rediss://user@localhost?ssl_cert_reqs=required&ssl_check_hostname=true",
        "unix:///run/redis.sock?db=1&username=user&password=pass",
    ],
)
def test_well_formed_urls_are_taken(url: str) -> None:
    """What the documentation shows is accepted, and nothing is connected for it."""
    assert counts(manager_of(url)) == {}
