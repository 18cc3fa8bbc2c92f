"""Values in the cache, on a healthy server: stored, found, refused and deleted."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from rig import RedisServer
from rig.caching import VALUE, figures, manager_of, value_of
from surf_data.errors import ValidationError
from surf_data.kernel.cache import Entry, JsonCache
from surf_data.kernel.redis import RedisManager


def test_round_trip(cache: JsonCache, manager: RedisManager) -> None:
    """What was stored is found, with the time at which it was stored."""
    before = time.time()
    assert cache.set("key", VALUE, 60) is True
    entry = cache.get("key", lambda entry: entry)
    assert entry is not None
    assert entry.value == VALUE
    assert before <= entry.stored_at <= time.time()
    assert entry.ttl_seconds == 60
    assert figures(cache) == {"hits": 1, "writes": 1}


def test_unknown_key_is_a_miss(cache: JsonCache, manager: RedisManager) -> None:
    """What was never stored is not found, alone or among others."""
    assert cache.get("key", value_of) is None
    assert cache.get_many(["a", "b"], value_of) == {}
    assert figures(cache) == {"misses": 3}


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
    assert figures(cache) == {"hits": 2, "misses": 1, "writes": 2}


def test_many_of_nothing(cache: JsonCache, manager: RedisManager) -> None:
    """Nothing to do is done without asking the server."""
    assert cache.get_many([], value_of) == {}
    assert cache.set_many({}, 60) == 0
    assert cache.delete() == 0
    assert figures(cache) == {}


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
    cache = JsonCache(manager_of(server.url))
    with server.client() as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 2_000_000)
        assert cache.set_many({str(n): {"text": "x" * 100_000} for n in range(50)}, 60) == 0
        assert client.dbsize() == 0
    assert figures(cache) == {"errors": 1}


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
    assert figures(cache) == {}


def test_set_many_checks_the_time_to_live_of_nothing(cache: JsonCache) -> None:
    """A time to live is refused even when there is nothing to store."""
    with pytest.raises(ValidationError):
        cache.set_many({}, 0)


@pytest.mark.parametrize(
    "document",
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
def test_corrupt_values_are_deleted(
    cache: JsonCache, manager: RedisManager, client: redis.Redis, document: bytes
) -> None:
    """A value that is not what the cache stores is a miss, and is gone afterwards."""
    client.set("one", document)
    client.set("two", document)
    assert cache.get("one", value_of) is None
    assert cache.get_many(["two"], value_of) == {}
    assert client.dbsize() == 0
    assert figures(cache) == {"misses": 2, "corrupt": 2}


def test_decode_may_refuse(cache: JsonCache, manager: RedisManager, client: redis.Redis) -> None:
    """A value that the caller cannot use is corrupt too."""

    def refuse(entry: Entry) -> None:
        raise ValidationError("no good")

    cache.set("key", VALUE, 60)
    assert cache.get("key", refuse) is None
    assert client.dbsize() == 0
    assert figures(cache) == {"misses": 1, "corrupt": 1, "writes": 1}


def test_stale_values_are_deleted(cache: JsonCache, manager: RedisManager, client: redis.Redis) -> None:
    """A value whose own time is up is a miss and deleted, even if Redis was made to keep it."""
    cache.set("key", VALUE, 60)
    document = json.loads(client.get("key") or b"")
    client.persist("key")
    assert cache.get("key", value_of) == VALUE
    client.set("key", json.dumps({**document, "stored_at": document["stored_at"] - 60}))
    assert cache.get("key", value_of) is None
    assert client.dbsize() == 0
    assert figures(cache) == {"hits": 1, "misses": 1, "stale": 1, "writes": 1}


def test_wrong_type_is_deleted(cache: JsonCache, manager: RedisManager, client: redis.Redis) -> None:
    """A key that holds a list is a miss and deleted; among many it is a miss, and the next value replaces it."""
    client.rpush("one", "x")
    client.rpush("two", "x")
    assert cache.get("one", value_of) is None
    assert client.exists("one") == 0
    assert cache.get_many(["two"], value_of) == {}
    assert cache.set("two", VALUE, 60) is True
    assert cache.get("two", value_of) == VALUE
    assert figures(cache) == {"hits": 1, "misses": 2, "corrupt": 1, "writes": 1}


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
