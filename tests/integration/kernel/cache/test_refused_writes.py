"""A Redis that does not store: no older value is answered as if it were new, and it is said what a write would meet."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

import surf_data
from rig import RedisServer, eventually
from rig.caching import figures, manager_of, value_of
from surf_data.kernel import settings
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.cache.outdated import OutdatedKeys
from surf_data.kernel.redis import RedisManager

OwnRedis = Callable[..., RedisServer]

#: What a server can be made to refuse every write by, and what it says then.
STATES = {
    "full": ("CONFIG SET maxmemory 1", "out of memory"),
    "a replica": ("REPLICAOF 127.0.0.1 1", "read-only"),
    "without replicas": ("CONFIG SET min-replicas-to-write 1", "too few replicas"),
    "forbidden": ("ACL SETUSER default -set", None),
    "forbidden altogether": ("ACL SETUSER default -set -unlink", None),
}
WRITES: dict[str, Callable[[JsonCache], object]] = {
    "set": lambda cache: cache.set("key", {"n": 2}, 60),
    "set_many": lambda cache: cache.set_many({"key": {"n": 2}}, 60),
    "delete": lambda cache: cache.delete("key"),
    "load": lambda cache: cache._loader._store("key", cache_document()),
}


def cache_document() -> Any:
    """Return a newer document."""
    from surf_data.kernel.cache.json_values import document_of  # noqa: PLC0415 - for one of these alone

    return document_of("value", {"n": 2}, 60, 0.0)


@pytest.mark.parametrize(("command", "reason"), STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_no_older_value_is_answered(
    own_redis: OwnRedis, write: Callable[[JsonCache], object], command: str, reason: str | None
) -> None:
    """After a write that was refused, the value of before is missing; lookups of others go on, and writes later on."""
    server = own_redis("--maxmemory-policy", "noeviction", "--repl-diskless-load", "disabled")
    manager = manager_of(server.url)
    cache = JsonCache(manager)
    assert cache.set_many({"key": {"n": 1}, "other": {"n": 1}}, 60) == 2
    with server.client() as client:
        client.execute_command(*command.split())
        write(cache)
        assert cache.get("key", value_of) is None
        assert cache.get_many(["key", "other"], value_of) == {"other": {"n": 1}}
        ping = manager.ping()
        assert (ping.reason, ping.is_readable) == (reason, True)
        for restore in ("CONFIG SET maxmemory 0", "CONFIG SET min-replicas-to-write 0", "REPLICAOF NO ONE"):
            client.execute_command(*restore.split())
        client.execute_command("ACL", "SETUSER", "default", "+@all")
    assert manager.ping().reason is None
    assert cache.set("key", {"n": 3}, 60)
    assert cache.get("key", value_of) == {"n": 3}
    manager.close()


def test_a_full_redis_deletes_for_all(own_redis: OwnRedis) -> None:
    """A value that does not fit any more is deleted, so that no other process uses the older one either."""
    server = own_redis("--maxmemory-policy", "noeviction")
    cache, other = (JsonCache(manager_of(server.url)) for _ in range(2))
    assert cache.set_many({"one": {"n": 1}, "two": {"n": 1}}, 60) == 2
    with server.client() as client:
        client.config_set("maxmemory", 1)
        assert cache.set("one", {"n": 2}, 60) is False
        assert cache.set_many({"two": {"n": 2}}, 60) == 0
        assert client.dbsize() == 0
    assert other.get_many(["one", "two"], value_of) == {}


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_a_redis_that_was_away(own_redis: OwnRedis, fault: str) -> None:
    """What was changed while it was away is missing when it is back, and not what it was before."""
    server = own_redis("--appendonly", "yes", "--appendfsync", "always")
    manager = manager_of(server.url, cache_timeout=0.2, cache_breaker_seconds=0.05)
    cache = JsonCache(manager)
    eventually(lambda: cache.set_many({"key": {"n": 1}, "gone": {"n": 1}, "other": {"n": 1}}, 60))
    server.stop() if fault == "stopped" else server.halt()
    assert cache.set("key", {"n": 2}, 60) is False
    assert cache.delete("gone") == 0
    server.start() if fault == "stopped" else server.resume()
    eventually(lambda: cache.get("other", value_of))
    assert cache.get("key", value_of) in (None, {"n": 2})
    assert cache.get("gone", value_of) is None
    manager.close()


def test_health_says_what_a_write_would_meet(own_redis: OwnRedis) -> None:
    """A full or read-only Redis is no cache that works, and the reason is given."""
    server = own_redis("--maxmemory-policy", "noeviction")
    with (
        surf_data.open("host=/nowhere", server.url, cache_timeout=20, pool_min_size=0) as data,
        server.client() as client,
    ):
        for command, reason in (("CONFIG SET maxmemory 1", "out of memory"), ("REPLICAOF 127.0.0.1 1", "read-only")):
            client.execute_command(*command.split())
            client.config_set("maxmemory", 1 if reason == "out of memory" else 0)
            cache = data.health().cache
            assert (cache.ok, cache.reason) == (False, reason)


def test_the_question_changes_nothing(manager: RedisManager, client: redis.Redis) -> None:
    """To ask whether a write would be taken leaves no key, nor is one that has its name touched."""
    assert manager.ping().reason is None
    assert client.dbsize() == 0
    assert figures(manager) == {}


def test_many_outdated_keys() -> None:
    """When there are more than can be remembered, everything of before is outdated."""
    outdated = OutdatedKeys()
    outdated.add(["a"], 10.0)
    assert [outdated.covers("a", moment) for moment in (9.0, 10.0, 11.0)] == [True, False, False]
    assert not outdated.covers("b", 9.0)
    outdated.discard(["a", "b"])
    assert not outdated.covers("a", 9.0)
    outdated.add((str(number) for number in range(10_001)), 20.0)
    assert [outdated.covers("b", moment) for moment in (19.0, 20.0)] == [True, False]
    outdated.reset_after_fork()
    assert outdated.covers("b", 19.0)


def test_without_redis_nothing_is_remembered() -> None:
    """What cannot be found again is not outdated."""
    cache = JsonCache(RedisManager(settings.load({})))
    assert cache.set("key", {"n": 1}, 60) is False
    assert cache.delete("key") == 0
    assert cache._outdated._since == {}
