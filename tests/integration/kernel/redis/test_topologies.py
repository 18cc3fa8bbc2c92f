"""The cache on a service that Sentinels watch, and on a Redis Cluster, by URL."""

import gc
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import redis
from redis.cluster import RedisCluster

from rig import ClusterService, SentinelService, eventually
from surf_data.errors import ConfigurationError
from surf_data.kernel import settings
from surf_data.kernel.cache import Entry, JsonCache
from surf_data.kernel.redis import RedisManager
from surf_data.kernel.redis.lines import SharedLines
from surf_data.kernel.redis.topology import Cluster, Sentinels
from surf_data.kernel.redis.url import topology_of
from surf_data.kernel.secret import Secret
from surf_data.lamps import RedisCacheManager

Opener = Callable[..., RedisManager]


def value_of(entry: Entry) -> dict[str, Any]:
    """Return the value itself."""
    return entry.value


@pytest.fixture(scope="module")
def sentinel_service() -> Iterator[SentinelService]:
    """Start a primary, its replica and their Sentinels."""
    with SentinelService() as service:
        yield service


@pytest.fixture(scope="module")
def cluster_service() -> Iterator[ClusterService]:
    """Start a cluster."""
    with ClusterService() as service:
        yield service


@pytest.fixture(params=["sentinel", "cluster"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the URL of each, empty."""
    service: SentinelService | ClusterService = request.getfixturevalue(f"{request.param}_service")
    for port in service.primaries:
        with redis.Redis(port=port) as client:
            client.flushall()
    return service.url


@pytest.fixture
def open_manager() -> Iterator[Opener]:
    """Return a function that opens a manager, patient unless a test says otherwise; all are closed in the end."""
    with ExitStack() as stack:

        def opened(url: str, **keywords: Any) -> RedisManager:
            manager = RedisManager(settings.load({}, **{"redis_url": url, "cache_timeout": 20, **keywords}))
            stack.callback(manager.close)
            return manager

        yield opened


def test_round_trips(open_manager: Opener, url: str) -> None:
    """Values are stored, found, counted and deleted, one by one and many at once, wherever their keys belong."""
    cache = JsonCache(manager := open_manager(url))
    many = {f"n:{number}": {"n": number} for number in range(200)}
    assert manager.ping().reason is None
    assert cache.set("one", {"n": 1}, 60) is True
    assert cache.get("one", value_of) == {"n": 1}
    assert cache.set_many(many, 60) == 200
    assert cache.get_many(["n:none", *many], value_of) == many
    assert cache.delete("one", "n:0", "n:none") == 2
    assert cache.delete_matching(["n:*"], re.compile(r"n:\d+")) == 199
    assert cache.get_or_load("two", value_of, lambda: {"n": 2}, 60, across_processes=True) == {"n": 2}
    assert cache.delete_matching(["*"], re.compile(".*")) == 1
    stats = {**manager.stats(), **cache.stats()}
    assert (stats["errors"], stats["hits"], stats["misses"], stats["writes"]) == (0, 201, 2, 202)


def test_a_key_of_another_type_is_deleted(open_manager: Opener, url: str) -> None:
    """A key that holds a list is a miss and deleted, also among others."""
    cache = JsonCache(manager := open_manager(url))
    manager.call(lambda client: client.rpush("one", "x"), read=False, otherwise=0)
    assert cache.get("one", value_of) is None
    assert manager.call(lambda client: client.exists("one"), read=True, otherwise=None) == 0
    assert cache.stats()["corrupt"] == 1


def test_settings_reach_every_connection(open_manager: Opener, url: str) -> None:
    """Time-outs are those of the settings wherever a connection leads, and the driver tries nothing again by itself."""
    manager = open_manager(url, cache_timeout=7.5)
    assert manager.ping().reason is None
    assert manager._lines is not None
    client: Any = manager._lines.take()
    if isinstance(client, RedisCluster):
        assert client.retry.get_retries() == 0
        pools = [node.redis_connection.connection_pool for node in client.get_nodes()]
    else:
        pools = [client.connection_pool]
        pools += [client.connection_pool.sentinel_manager._connect(host="a", port=1).connection_pool]
    for pool in pools:
        connection = pool.make_connection()
        assert (connection.socket_timeout, connection.socket_connect_timeout) == (7.5, 7.5)
        assert connection.retry.get_retries() == 0


def test_closed(open_manager: Opener, url: str) -> None:
    """Closing closes the connections, also before there are any; afterwards nothing is found, nothing is connected."""
    unused, used = open_manager(url), open_manager(url)
    cache = JsonCache(used)
    assert cache.set("key", {"n": 1}, 60)
    for manager in (unused, used):
        manager.close()
        assert manager.ping().reason == "closed"
    assert cache.get("key", value_of) is None


# Python 3.12 warns of every fork in a process with threads.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_child_has_connections_of_its_own(open_manager: Opener, url: str) -> None:
    """A child that is forked while another thread holds all locks reads over connections of its own, and ends."""
    cache = JsonCache(manager := open_manager(url))
    cache.set("key", {"n": 1}, 60)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        client: Any = manager._lines.take()  # type: ignore[union-attr]
        locks = [manager._lock, manager._slots._lock]
        locks += [client.nodes_manager._lock, client._lock] if isinstance(client, RedisCluster) else []
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    child = os.fork()
    if child == 0:
        # Instead of hanging.
        signal.alarm(60)
        with suppress(BaseException):
            gc.collect()
            os._exit(0 if cache.get("key", value_of) == {"n": 1} else 2)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    done.set()
    holder.join(30)
    assert os.waitstatus_to_exitcode(status) == 0
    assert cache.get("key", value_of) == {"n": 1}
    assert manager.stats()["errors"] == 0


def test_others_do_not_wait_for_a_cluster_to_be_found(open_manager: Opener, cluster_service: ClusterService) -> None:
    """While one thread finds out where a cluster is, the others wait for a time-out and no longer."""
    manager = open_manager(cluster_service.url, cache_timeout=0.05)
    lines = manager._lines
    assert isinstance(lines, SharedLines)
    permit = lines._opening.take()
    assert permit is not None
    assert manager.call(lambda client: client.ping(), read=True, otherwise=None) is None
    lines._opening.give_back(permit)
    assert manager.stats()["errors"] == 1
    eventually(lambda: manager.call(lambda client: client.ping(), read=True, otherwise=None))


def test_one_thread_at_a_time_looks_for_the_slots(open_manager: Opener, cluster_service: ClusterService) -> None:
    """After a failure one thread asks the nodes where the slots are now; others neither wait for it nor ask again."""
    manager = open_manager(cluster_service.url)
    client: Any = manager._lines.take()  # type: ignore[union-attr]
    nodes = client.nodes_manager
    entered = []

    def reset() -> None:
        entered.append(1)
        # As another thread would meanwhile.
        nodes.initialize()

    nodes.reset = reset
    epoch = nodes._epoch
    nodes.initialize()
    assert (entered, nodes._epoch - epoch) == ([1], 1)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis+sentinel://127.0.0.1:1/surf", "the Sentinels know no primary"),
        ("redis+cluster://127.0.0.1:1", "connection refused"),
        ("redis+cluster://name.invalid:1", "host name not resolved"),
    ],
)
def test_ping_says_why_not(open_manager: Opener, url: str, reason: str) -> None:
    """Where no server answers the cache is unhealthy for a stated reason, and nothing is found."""
    manager = open_manager(url)
    assert manager.ping().reason == reason
    assert JsonCache(manager).get("key", value_of) is None


def test_ping_of_an_unknown_service(open_manager: Opener, sentinel_service: SentinelService) -> None:
    """A service that no Sentinel knows has no primary."""
    manager = open_manager(sentinel_service.url.replace("/surf", "/nobody"))
    assert manager.ping().reason == "the Sentinels know no primary"


def test_ping_of_what_is_no_cluster(open_manager: Opener, sentinel_service: SentinelService) -> None:
    """A server that is no part of a cluster is unhealthy when a cluster is asked for."""
    manager = open_manager(f"redis+cluster://127.0.0.1:{sentinel_service.primary}")
    assert manager.ping().reason == "not a cluster in working order"


def test_password(open_manager: Opener, sentinel_service: SentinelService) -> None:
    """Sentinels and servers may each want a password; a wrong one is reported as such, and shown nowhere."""
    for port in (*sentinel_service.primaries, *sentinel_service.sentinels):
        with redis.Redis(port=port) as client:
            client.execute_command("ACL", "SETUSER", "surf", "on", ">open sesame", "~*", "&*", "+@all")
    right = sentinel_service.url.replace("://", "://surf:open%20sesame@")
    right += "?sentinel_username=surf&sentinel_password=open%20sesame"
    assert open_manager(right).ping().reason is None
    wrong = open_manager(right.replace("surf:open", "surf:shut"))
    assert wrong.ping().reason == "authentication failed"
    assert "sesame" not in repr([wrong, vars(wrong)])


# What docs/how-to/connect.md says.
PERMITTED = ["~surf_data:*", "~location_meta:*", "~lamp_status:*", "~system_stats", "resetchannels", "-@all"]
PERMITTED += [
    "+get",
    "+mget",
    "+set",
    "+unlink",
    "+pttl",
    "+scan",
    "+ping",
    "+multi",
    "+exec",
    "~lock:*",
    "+eval",
    "+cluster|slots",
    "+command",
]


def test_few_permissions_suffice(open_manager: Opener, url: str, request: pytest.FixtureRequest) -> None:
    """A user who may do what the documentation says, and nothing else, can do everything that the cache does."""
    service: Any = request.getfixturevalue("cluster_service" if "cluster" in url else "sentinel_service")
    for port in service.servers if "cluster" in url else (service.primary, service.replica):
        with redis.Redis(port=port) as client:
            client.execute_command("ACL", "SETUSER", "few", "reset", "on", ">pw", *PERMITTED)
    manager = open_manager(url.replace("://", "://few:pw@"))
    cache = RedisCacheManager(JsonCache(manager))
    assert manager.ping().reason is None
    assert cache.warm_surf_data({number: {} for number in range(50)}) == 50
    assert len(cache.get_surf_data_many(range(50))) == 50
    assert cache.get_or_load_system_stats(lambda: {"a": 1}, across_processes=True) == {"a": 1}
    cache.invalidate_cache(7)
    assert cache.flush() == 50
    assert manager.stats()["errors"] == 0


# URLs


def test_sentinels_of_a_url() -> None:
    """A URL for Sentinels names them, the service and its database; their port is 26379 unless it says otherwise."""
    topology = topology_of(Secret("redis+sentinel://10.0.0.1,[::1]:26380,c/my%20surf/3"))
    assert isinstance(topology, Sentinels)
    assert topology.addresses == (("10.0.0.1", 26379), ("::1", 26380), ("c", 26379))
    assert topology.service == "my surf"
    assert topology.options["db"] == 3


def test_cluster_of_a_url() -> None:
    """A URL for a cluster names some of its nodes; their port is 6379 unless it says otherwise."""
    topology = topology_of(Secret("rediss+cluster://surf:pw@a,b:7001/?ssl_ca_certs=/etc/ca.pem"))
    assert isinstance(topology, Cluster)
    assert topology.addresses == (("a", 6379), ("b", 7001))
    assert topology.options["ssl_ca_certs"] == "/etc/ca.pem"


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://host",
        "redis+sentinel://host/",
        "redis+sentinel:///surf",
        "redis+sentinel://host,/surf",
        "redis+sentinel://host:sesame/surf",
        "redis+sentinel://host/surf/sesame",
        "redis+sentinel://host/surf/1/2",
        "redis+sentinel://:ses/ame@host/surf",
        "redis+sentinel://:ses#ame@host/surf",
        "redis+sentinel://host/surf?socket_timeout=30",
        "redis+sentinel://host/surf?sentinel_sesame=1",
        "redis+sentinel://host/surf?ssl_ca_certs=/sesame",
        "unix+sentinel://host/surf",
        "redis+cluster://",
        "redis+cluster://host/1",
        "redis+cluster://host?db=1",
        "redis+cluster://host,host:99999",
        "redis+cluster://host?sentinel_password=sesame",
        "rediss+cluster://host?ssl_ciphers=sesame",
        "redis+sesame://host",
    ],
)
def test_malformed_urls_are_refused(url: str) -> None:
    """A URL that cannot be right is a configuration error that repeats none of it, and nothing travels along."""
    with pytest.raises(ConfigurationError) as raised:
        topology_of(Secret(url))
    assert raised.value.setting == "redis_url"
    assert "sesame" not in str(raised.value)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
