"""The manager on real Redis servers, healthy and not."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from rig import RedisServer, Relay, eventually
from rig.caching import figures, manager_of, url_of, value_of
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.redis import CircuitBreaker, RedisManager


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
    assert figures(manager) == {"errors": 1, "opened": 1, "rejected": 19}


def test_interruption_is_passed_on(manager: RedisManager) -> None:
    """Ctrl-C during a call reaches the caller, says nothing against the server, and keeps nothing busy."""

    def interrupt(client: redis.Redis) -> None:
        raise KeyboardInterrupt

    now = [0.0]
    manager._breaker = CircuitBreaker(1, 1.0, clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            manager.call(interrupt, read=True, otherwise=None)
        assert manager.stats()["breaker"] == "closed"
    manager._breaker.failed(manager._breaker.admit() or 0)
    now[0] = 10.0
    with pytest.raises(KeyboardInterrupt):
        manager.call(interrupt, read=True, otherwise=None)
    assert manager.stats()["breaker"] == "half-open"
    assert manager.call(lambda client: client.ping(), read=True, otherwise=False) is True
    assert manager.stats()["breaker"] == "closed"


def test_interruption_before_there_is_a_client(manager: RedisManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a client is looked for reaches the caller, and nothing stays busy."""

    def interrupt() -> redis.Redis:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manager._lines, "take", interrupt)
        with pytest.raises(KeyboardInterrupt):
            manager.call(lambda client: client.ping(), read=True, otherwise=None)
    assert manager.call(lambda client: client.ping(), read=True, otherwise=False) is True
    assert figures(manager) == {}


def test_settings_reach_the_driver(redis_url: str) -> None:
    """The time-out is that of the settings, and the driver tries nothing again by itself."""
    manager = manager_of(redis_url, cache_timeout=0.25)
    assert manager._lines is not None
    client: Any = manager._lines.take()
    connection = client.connection_pool.make_connection()
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
    """Return a TCP port on which nothing listens."""
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
        (b"-MISCONF sesame\r\n", "cannot persist"),
        (b"-SESAME open\r\n", "refused the command"),
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
