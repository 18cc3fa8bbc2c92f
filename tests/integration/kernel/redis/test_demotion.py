"""A server that is no longer the one to ask: a demoted primary, a slot that has moved."""

import threading
from collections.abc import Callable

import redis

from rig import ClusterService, RedisServer, Relay, SentinelService, eventually
from rig.caching import manager_of, url_of, value_of
from surf_data.errors import RedisError, RedisUnavailable
from surf_data.kernel.cache import JsonCache

OwnRedis = Callable[..., RedisServer]


def demote(server: RedisServer) -> None:
    """Make it a replica of a server that does not exist."""
    with server.client() as client:
        client.replicaof("127.0.0.1", "1")


def test_an_address_leads_to_another_primary(own_redis: OwnRedis) -> None:
    """When a primary was demoted, one write fails, and from then on every connection leads to its successor."""
    old, new = own_redis(), own_redis()
    with Relay(old.path) as address:
        manager = manager_of(url_of(address), cache_breaker_failures=1000)
        cache = JsonCache(manager)
        barrier = threading.Barrier(3)

        def use(_: redis.Redis) -> None:
            barrier.wait(30)

        # So that several connections are open.
        threads = [
            threading.Thread(target=manager.call, args=(use,), kwargs={"read": True, "otherwise": None})
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert cache.set("key", {"n": 1}, 60)
        demote(old)
        address.lead_to(new.path)
        assert cache.set("key", {"n": 2}, 60) is False
        assert cache.get("key", value_of) is None
        for number in range(5):
            assert cache.set("key", {"n": number}, 60)
            assert cache.get("key", value_of) == {"n": number}
        with old.client() as client:
            assert len(client.client_list(_type="normal")) == 1
        manager.close()


def test_a_source_says_that_it_is_read_only(own_redis: OwnRedis, refused: Callable[..., RedisError]) -> None:
    """A demoted primary is an error of a source, with its code, and nothing was applied."""
    server = own_redis()
    manager = manager_of(server.url)
    demote(server)
    error = refused(lambda: manager.demand(lambda client: client.set("key", "1"), read=False), RedisError)
    assert (error.code, error.reason, error.ambiguous) == ("READONLY", "read-only", False)
    assert (manager.ping().reason, manager.ping().is_readable) == ("read-only", True)


def test_a_primary_that_sentinels_have_replaced(refused: Callable[..., RedisError]) -> None:
    """A connection to it is replaced by one to where the Sentinels say; what it refused was not applied."""
    with SentinelService() as service:
        manager = manager_of(service.url, cache_breaker_failures=1000)
        eventually(lambda: manager.call(lambda client: client.set("key", "1"), read=False, otherwise=None))
        for port in service.sentinels:
            service.servers[port].halt()
        demote(service.servers[service.primary])
        error = refused(
            lambda: manager.demand(lambda client: client.set("key", "2"), read=False, timeout=1), RedisUnavailable
        )
        assert not error.ambiguous
        manager.close()


def test_a_slot_that_is_elsewhere() -> None:
    """A node of a cluster that is asked as if it were all of it says so; that is a failure, and opens the breaker."""
    with ClusterService() as service:
        manager = manager_of(f"redis://127.0.0.1:{service.primaries[0]}")
        cache = JsonCache(manager)
        assert {cache.set(f"k{number}", {"n": 1}, 60) for number in range(50)} == {True, False}
        assert manager.stats()["opened"] == 1
        manager.close()
