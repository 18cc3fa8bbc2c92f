"""Hosts whose clocks differ: each uses what the other has stored, and deletes none of it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from rig.caching import VALUE, figures, manager_of, value_of
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.redis import RedisManager

# Seconds by which the clock of a host is ahead, and the time to live of what it stores.
CASES = [(60, 30), (-60, 30), (3600, 30), (-3600, 30), (90, 60), (-90, 60), (86_400, 3600), (-86_400, 3600)]


def shifted(client: redis.Redis, seconds: float, ttl_seconds: int, value: dict[str, Any] | None) -> None:
    """Store as a host does whose clock is ahead."""
    document = {"version": 1, "stored_at": time.time() + seconds, "ttl_seconds": ttl_seconds, "value": value}
    client.set("key", json.dumps(document), ex=ttl_seconds)


LOOKUPS: dict[str, Callable[[JsonCache], object]] = {
    "get": lambda cache: cache.get("key", value_of),
    "get_many": lambda cache: cache.get_many(["key"], value_of).get("key"),
    "load": lambda cache: cache.get_or_load("key", value_of, dict, 60),
    "fleet": lambda cache: cache.get_or_load("key", value_of, dict, 60, across_processes=True),
}


@pytest.mark.parametrize(("ahead", "ttl_seconds"), CASES)
def test_what_another_host_stored_is_used(
    cache: JsonCache, client: redis.Redis, ahead: float, ttl_seconds: int
) -> None:
    """As long as Redis has it, whatever the clocks say."""
    shifted(client, ahead, ttl_seconds, VALUE)
    assert [look(cache) for look in LOOKUPS.values()] == [VALUE] * 4
    assert client.exists("key") == 1
    assert figures(cache) == {"hits": 4}
    shifted(client, ahead, ttl_seconds, None)
    assert cache.get_or_load("key", value_of, dict, 60) is None
    assert client.exists("key") == 1


@pytest.mark.parametrize("ahead", [-60, 60, -3600, 3600])
def test_what_redis_was_made_to_keep_is_stale(cache: JsonCache, client: redis.Redis, ahead: float) -> None:
    """Where Redis would not remove it, its own time counts, and it is deleted."""
    shifted(client, ahead, 30, VALUE)
    client.persist("key")
    assert cache.get("key", value_of) is None
    assert client.exists("key") == 0
    assert figures(cache) == {"misses": 1, "stale": 1}


def test_what_redis_has_no_more_is_stale(cache: JsonCache, client: redis.Redis, manager: RedisManager) -> None:
    """When it expires while it is doubted, or Redis cannot say, it is a miss, and nothing is deleted."""
    shifted(client, -60, 30, VALUE)
    from surf_data.kernel.cache import freshness  # noqa: PLC0415 - for this one alone

    assert freshness.fresh(manager, "none") == (None, None)
    assert freshness.expired(manager, ["key", "none"]) == {"none": freshness.GONE}
    manager.close()
    assert freshness.expired(manager, ["key"]) == {"key": freshness.GONE}
    assert client.exists("key") == 1


def test_without_the_permission_a_doubt_counts(redis_url: str, client: redis.Redis) -> None:
    """A user who may not ask for times to live misses what is doubtful, and deletes nothing."""
    client.execute_command("ACL", "SETUSER", "few", "reset", "on", ">pw", "~*", "+get", "+unlink")
    try:
        manager = manager_of(redis_url.replace("://", "://few:pw@"))
        cache = JsonCache(manager)
        shifted(client, -60, 30, VALUE)
        assert cache.get("key", value_of) is None
        assert client.exists("key") == 1
        assert cache.stats()["stale"] == 1
        manager.close()
    finally:
        client.execute_command("ACL", "DELUSER", "few")
