"""The cache while its server is stopped, hung, full or forbidden: a miss, and never an error."""

import json
import logging
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from rig import RedisServer, Relay, eventually
from rig.caching import VALUE, figures, manager_of, url_of, value_of
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.redis import CircuitBreaker, RedisManager


def everything(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that was logged, attributes included."""
    return caplog.text + repr([vars(record) for record in caplog.records])


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
    assert [(record.name, record.msg) for record in warnings] == [
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
    assert figures(cache) == {"misses": 2}
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


def test_out_of_memory(own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture) -> None:
    """A full server refuses values, which is counted and no more; reading goes on, the breaker stays closed."""
    caplog.set_level(logging.DEBUG)
    server = own_redis("--maxmemory-policy", "noeviction")
    cache = JsonCache(manager_of(server.url))
    cache.set("key", VALUE, 60)
    with server.client() as client:
        client.config_set("maxmemory", 1)
    assert [cache.set("other", {"text": "sesame"}, 60) for _ in range(5)] == [False] * 5
    assert cache.set_many({"other": {"text": "sesame"}}, 60) == 0
    assert cache.get("key", value_of) == VALUE
    assert figures(cache) == {"errors": 6, "hits": 1, "writes": 1}
    assert "sesame" not in everything(caplog)


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


def test_missing_permission(own_redis: Callable[..., RedisServer]) -> None:
    """A command that the user may not run is a counted miss; what is allowed goes on working."""
    server = own_redis()
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "+get")
    cache = JsonCache(manager := manager_of(f"unix://app:pw@{server.path}"))
    assert [cache.set("key", VALUE, 60) for _ in range(5)] == [False] * 5
    assert cache.get("key", value_of) is None
    assert manager.ping().reason == "permission denied"
    assert figures(cache) == {"errors": 5, "misses": 1}


def test_forbidden_reading(own_redis: Callable[..., RedisServer]) -> None:
    """A value that the user may not read is a miss and is left alone."""
    server = own_redis()
    cache = JsonCache(manager_of(f"unix://app:pw@{server.path}"))
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "+unlink")
        client.set("key", "x")
        assert cache.get("key", value_of) is None
        assert client.dbsize() == 1
    assert figures(cache) == {"errors": 1, "misses": 1}


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
    assert figures(cache) == {"hits": 1, "writes": 1}
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
    assert figures(cache) == {"errors": 1}
    assert cache.set("key", VALUE, 60) is True
    manager.close()


def test_specific_refusal_is_not_tried_again(between: Relay) -> None:
    """A server that says why it cannot be used is not asked twice."""
    cache = JsonCache(manager := manager_of(url_of(between)))
    between.answers.append(b"-LOADING Redis is loading the dataset in memory\r\n")
    assert cache.get("key", value_of) is None
    assert len(between.requests) == 1
    manager.close()


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
    assert figures(cache) == {"hits": 400, "writes": 400}
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
    assert figures(cache) == {"errors": 4, "misses": 4}
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
    assert figures(cache) == {"errors": 1, "misses": 1, "opened": 1}
    manager.close()


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
        cache.stats()["hits"],
    ]

cache.set("key", {"n": 1}, 60)
before = look()
# As if other threads held the locks and the connection at the moment of the fork.
manager._lock.acquire()
manager._breaker._lock.acquire()
permit = manager._slots.take()
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.write(writer, json.dumps(look()).encode())
    manager.close()
    os._exit(0)
manager._lock.release()
manager._breaker._lock.release()
manager._slots.give_back(permit)
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
