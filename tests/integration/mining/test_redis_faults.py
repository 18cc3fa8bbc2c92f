"""Redis at its worst: an error of ours, in time, and no password in it."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from rig import RedisServer
from surf_data import mining
from surf_data.mining import (
    DataAccessError,
    MiningDataLayer,
    RedisBaseDAO,
    RedisConnectionError,
    RedisKeyPattern,
    RedisSourceDAO,
    RegionData,
)

PASSWORD = "tube-ride-8211"
REGION = RegionData("north", "points", "2026-01-01")
Start = Callable[..., tuple[RedisServer, MiningDataLayer]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a Redis with a password, and opens a data layer on it that has a second."""
    with ExitStack() as stack:

        def started(*options: str, password: str = PASSWORD) -> tuple[RedisServer, MiningDataLayer]:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="surf"))
            server = RedisServer(folder, *options, password=PASSWORD)
            server.start()
            stack.callback(server.stop)
            url = server.url.replace(PASSWORD, password)
            data = stack.enter_context(
                mining.open("host=/nowhere", url, cache_timeout=0.2, redis_total_timeout=1.0, cache_breaker_seconds=60)
            )
            return server, data

        yield started


def calls(data: MiningDataLayer) -> dict[str, Callable[[], Any]]:
    """Return every method that asks Redis."""
    source, versioned = RedisSourceDAO(data), RedisSourceDAO(data, layout="versioned")
    return {
        "connect": source.connect,
        "string": lambda: source.get_data_by_key_pattern(RedisKeyPattern("x")),
        "site": lambda: source.get_asset_site("truck"),
        "site regions": lambda: source.get_site_regions("site", "dump"),
        "regions": lambda: source.pull_region_based_asset("truck"),
        "versions": lambda: versioned.get_asset_regions("truck", include_all_versions=True),
        "put": lambda: versioned.put_region("truck", REGION, 1),
    }


def assert_fails(data: MiningDataLayer, caplog: pytest.LogCaptureFixture, *, but: tuple[str, ...] = ()) -> None:
    """Check that every method raises an error of ours, within its time, that shows no password."""
    for name, call in calls(data).items():
        if name in but:
            call()
            continue
        started = time.monotonic()
        with pytest.raises((RedisConnectionError, DataAccessError)) as caught:
            call()
        # Twice what is allowed: the machine may be busy.
        assert time.monotonic() - started < 2, name
        error = caught.value
        assert (error.__cause__, error.__context__) == (None, None)
        assert error.original_exception is not None
        shown = f"{error!r} {vars(error)} {vars(error.original_exception)} {caplog.text} {data!r}"
        assert PASSWORD not in shown, name


def test_hung(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A Redis that hangs is an error within REDIS_TOTAL_TIMEOUT; then the breaker answers at once."""
    server, data = start()
    calls(data)["connect"]()
    server.halt()
    assert_fails(data, caplog)
    started = time.monotonic()
    with pytest.raises(RedisConnectionError):
        RedisSourceDAO(data).get_asset_site("truck")
    assert time.monotonic() - started < 0.5
    assert data.redis.stats()["breaker"] == "open"


def test_away(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A Redis that is away is an error; so is one that was never there, or not configured."""
    server, data = start()
    calls(data)["connect"]()
    server.kill()
    assert_fails(data, caplog)
    with mining.open("host=/nowhere") as unconfigured, pytest.raises(RedisConnectionError):
        RedisSourceDAO(unconfigured).connect()


def test_back_again(start: Start) -> None:
    """A read on a connection that was dropped meanwhile is made again, on a new one."""
    server, data = start()
    source = RedisSourceDAO(data)
    assert source.get_asset_site("truck") is None
    server.stop()
    server.start()
    assert source.get_asset_site("truck") is None
    assert source.ping() is True


def test_read_only(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A replica is read, and refuses to be written to."""
    _, data = start("--replicaof", "127.0.0.1", "1")
    assert_fails(data, caplog, but=("connect", "string", "site", "site regions", "regions", "versions"))


def test_read_only_with_regions(start: Start) -> None:
    """A replica, which refuses to sort, tells an asset's site all the same."""
    server, data = start()
    with redis.Redis(unix_socket_path=server.path, password=PASSWORD) as client:
        client.sadd("asset:truck:regions", "a", "b", "gone")
        client.hset("region:a", mapping={"site_guid": "old", "created_date": "2025-09-01"})
        client.hset("region:b", mapping={"site_guid": "new", "created_date": "2025-10-1"})
        assert RedisSourceDAO(data).get_asset_site("truck") == "new"
        client.replicaof("127.0.0.1", 1)
        assert RedisSourceDAO(data).get_asset_site("truck") == "new"


def test_wrong_type(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Keys of another type are an error of every method that reads them."""
    server, data = start()
    with redis.Redis(unix_socket_path=server.path, password=PASSWORD) as client:
        client.lpush("x", "1")
        for key in (
            "asset:truck:regions",
            "site:site:regions",
            "asset:{truck}:regions",
            "asset:{truck}:region_versions",
        ):
            client.set(key, "1")
    assert_fails(data, caplog, but=("connect",))
    assert data.redis.stats()["breaker"] == "closed"


def test_wrong_password(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A password that Redis does not know is an error that shows neither the right one nor the wrong one."""
    _, data = start(password="wrong-8212")
    assert_fails(data, caplog)
    assert "wrong-8212" not in caplog.text


def test_no_permission(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A user without the right to a key gets an error."""
    server, data = start()
    with redis.Redis(unix_socket_path=server.path, password=PASSWORD) as client:
        client.execute_command("ACL", "SETUSER", "default", "resetkeys")
    assert_fails(data, caplog, but=("connect",))


def test_health(start: Start) -> None:
    """Health says whether Redis answers, and warns of a source that evicts what it holds."""
    server, data = start()
    dao = RedisBaseDAO(data)
    assert {**dao.health_check(), "latency_ms": 0} == {"ok": True, "latency_ms": 0, "reason": None, "warning": None}
    with redis.Redis(unix_socket_path=server.path, password=PASSWORD) as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert "noeviction" in str(dao.health_check()["warning"])
        client.config_set("maxmemory-policy", "noeviction")
        assert dao.health_check()["warning"] is None
        client.execute_command("ACL", "SETUSER", "default", "-info")
        assert dao.health_check()["warning"] is None
    server.stop()
    health = dao.health_check()
    assert (health["ok"], health["warning"]) == (False, None)
    assert health["reason"] is not None


def test_metrics(start: Start) -> None:
    """Calls and errors are counted by method; an object is used again after it was closed."""
    server, data = start()
    with RedisSourceDAO(data) as source:
        source.get_asset_site("truck")
    source.close()
    source.close_connection()
    source.get_asset_site("truck")
    server.stop()
    with pytest.raises(RedisConnectionError):
        source.get_asset_site("truck")
    metrics = source.get_metrics()
    assert metrics["operations"] == {"get_asset_site": {"count": 3, "errors": 1}}
    assert metrics["redis"]["errors"] > 0


@pytest.mark.parametrize(
    ("url", "details"),
    [
        (None, {"host": "", "port": None, "database": "", "user": "", "ssl": False}),
        ("redis://h", {"host": "h", "port": None, "database": "", "user": "", "ssl": False}),
        ("rediss://u:secret@h:1/2", {"host": "h", "port": "1", "database": "2", "user": "u", "ssl": True}),
        ("redis://:secret@[::1]:1/2", {"host": "[::1]", "port": "1", "database": "2", "user": "", "ssl": False}),
        ("unix://:secret@/a/b", {"host": "/a/b", "port": None, "database": "", "user": "", "ssl": False}),
    ],
)
def test_connection_details(url: str | None, details: dict[str, Any]) -> None:
    """Where Redis is, as it is configured, without the password."""
    with mining.open("host=/nowhere", url) as data:
        assert RedisBaseDAO(data).connection_details == details
