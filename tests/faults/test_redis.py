"""Redis at its worst: the caller gets an answer, soon, and it is right."""

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

import surf_data
from rig import PostgresServer, RedisServer, Relay, eventually
from rig.secrecy import LOGIN
from rig.users import user_data

Redis = Callable[..., RedisServer]
Opener = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]

SURF = {"wave_height_m": 1.5, "data_source": "a buoy"}
THREADS = 20


def register(data: surf_data.LampsDataLayer, brightness: int) -> UUID:
    """Register a lamp, and return its id."""
    lamp_id = uuid4()
    assert data.lamps.register_new_lamp(user_data(lamp_id=lamp_id, brightness=brightness))
    return lamp_id


def from_database(data: surf_data.LampsDataLayer, lamp_id: UUID) -> dict[str, Any]:
    """Return what the database says of a lamp."""
    lamp = data.lamps.get_lamp_configuration(lamp_id)
    assert lamp is not None
    return {"brightness": lamp.brightness}


def read(data: surf_data.LampsDataLayer, lamp_id: UUID) -> dict[str, Any] | None:
    """Return the same, from the cache if it is there."""
    return data.cache.get_or_load_lamp_status(lamp_id, lambda: from_database(data, lamp_id))


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def percentile(seconds: list[float], per_cent: float) -> float:
    """Return the time within which so many of the calls were done."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * per_cent / 100))]


def figure(data: surf_data.LampsDataLayer, name: str) -> int:
    """Return a count of the cache's."""
    return data.stats()["cache"][name]


# Python 3.12 warns of every fork in a process with threads.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_fork_in_the_middle_of_use(redis_url: str, open_data: Opener, application_url: str, measure: Measure) -> None:
    """19. Parent and children that read from Redis at the same time each get their own answers, on own connections."""
    data = open_data(application_url, redis_url, cache_timeout=20, cache_max_connections=2)

    def ask(name: str) -> list[Any]:
        key = f"of {name}"
        wrong = 0
        for number in range(300):
            data.redis.call(lambda client, n=number: client.set(key, n), read=False, otherwise=None)
            wrong += data.redis.call(lambda client: client.get(key), read=True, otherwise=None) != str(number).encode()
        return [wrong, data.redis.call(lambda client: client.client_id(), read=True, otherwise=0)]

    before = ask("parent")
    children = []
    for number in range(2):
        reading, writing = os.pipe()
        if os.fork() == 0:
            with suppress(BaseException):
                os.write(writing, json.dumps(ask(f"child {number}")).encode())
            os._exit(0)
        os.close(writing)
        children.append(reading)
    answers = [before, ask("parent")]
    for reading in children:
        with os.fdopen(reading, "rb") as pipe:
            answers.append(json.loads(pipe.read()))
        os.wait()
    assert [wrong for wrong, _ in answers] == [0] * 4
    assert len({connection for _, connection in answers}) == 3
    measure("Fork while Redis is in use", ("wrong answers", 0, "of 1,200"), ("connections shared", 0, ""))


def test_redis_is_down(own_redis: Redis, open_data: Opener, application_url: str, measure: Measure) -> None:
    """21. While Redis is down a cached read returns what the database says, and pays a refusal for it at the most."""
    server = own_redis()
    data = open_data(application_url, server.url)
    lamp_id = register(data, 7)
    read(data, lamp_id)
    alone = [timed(lambda: from_database(data, lamp_id)) for _ in range(500)]
    server.kill()
    answers: list[Any] = []
    cached = [timed(lambda: answers.append(read(data, lamp_id))) for _ in range(500)]
    assert answers == [{"brightness": 7}] * 500
    added = percentile(cached, 50) - percentile(alone, 50)
    measure(
        "Redis is killed",
        ("added to a read, median", added, "s"),
        ("slowest of 500 reads", max(cached), "s"),
        ("reads that tried Redis", figure(data, "errors"), ""),
    )


def test_redis_refuses(own_redis: Redis, open_data: Opener, application_url: str, measure: Measure) -> None:
    """21. While Redis has no place for another client a cached read returns what the database says."""
    server = own_redis("--maxclients", "3")
    data = open_data(application_url, server.url)
    lamp_id = register(data, 7)
    with ExitStack() as guests:
        for _ in range(3):
            guests.enter_context(server.client()).ping()
        answers: list[Any] = []
        cached = [timed(lambda: answers.append(read(data, lamp_id))) for _ in range(500)]
        assert not data.health().cache.ok
    assert answers == [{"brightness": 7}] * 500
    measure("Redis refuses clients (maxclients)", ("slowest of 500 reads", max(cached), "s"))


def test_the_password_is_wrong(own_redis: Redis, open_data: Opener, application_url: str, measure: Measure) -> None:
    """21. While Redis refuses the password a cached read returns what the database says."""
    server = own_redis()
    data = open_data(application_url, server.url.replace("://:", "://:wrong-"))
    lamp_id = register(data, 7)
    answers: list[Any] = []
    cached = [timed(lambda: answers.append(read(data, lamp_id))) for _ in range(500)]
    assert answers == [{"brightness": 7}] * 500
    assert data.health().cache.reason == "authentication failed"
    measure("Redis refuses the password", ("slowest of 500 reads", max(cached), "s"))


def test_redis_hangs(own_redis: Redis, open_data: Opener, application_url: str, measure: Measure) -> None:
    """22. While Redis hangs twenty threads get what the database says: each pays a time-out, then one call a second."""
    server = own_redis()
    data = open_data(application_url, server.url, pool_max_size=THREADS, pool_timeout=60)
    lamps = [register(data, number) for number in range(THREADS)]
    barrier = threading.Barrier(THREADS + 1)

    def reads(number: int) -> list[float]:
        read(data, lamps[number])
        barrier.wait(60)
        barrier.wait(60)
        answers: list[Any] = []
        seconds = [timed(lambda: answers.append(read(data, lamps[number]))) for _ in range(250)]
        assert answers == [{"brightness": number}] * 250
        return seconds

    with ThreadPoolExecutor(THREADS) as threads:
        running = [threads.submit(reads, number) for number in range(THREADS)]
        barrier.wait(60)
        errors = figure(data, "errors")
        server.halt()
        started = time.monotonic()
        barrier.wait(60)
        seconds = [one for thread in running for one in thread.result(120)]
    paid, probes = figure(data, "errors") - errors, 1 + int((time.monotonic() - started) / 0.8)
    # Each thread may be under way when the breaker opens, and have a write to do.
    assert paid <= 2 * THREADS + probes
    measure(
        "Redis hangs (SIGSTOP), 20 threads",
        ("cached read, p50", percentile(seconds, 50), "s"),
        ("p99", percentile(seconds, 99), "s"),
        ("slowest", max(seconds), "s"),
        ("time-outs paid", paid, f"of {len(seconds):,} reads"),
    )


def test_redis_is_full(own_redis: Redis, open_data: Opener, application_url: str, measure: Measure) -> None:
    """23. Values that a full Redis refuses are counted and not kept; no caller sees an error, and lookups go on."""
    server = own_redis("--maxmemory-policy", "noeviction")
    data = open_data(application_url, server.url, cache_timeout=20)
    data.cache.set_surf_data_cache(0, SURF)
    with server.client() as client:
        client.config_set("maxmemory", 1)
    seconds = [timed(partial(data.cache.set_surf_data_cache, number, SURF)) for number in range(1, 101)]
    assert list(data.cache.get_surf_data_many(range(101))) == [0]
    assert figure(data, "errors") == 100
    measure(
        "Redis is out of memory", ("refused and counted", 100, "of 100 writes"), ("slowest write", max(seconds), "s")
    )


def hits(data: surf_data.LampsDataLayer, lamp_id: UUID) -> bool:
    """Read, and return whether the cache has ever been hit."""
    return read(data, lamp_id) == {"brightness": 7} and figure(data, "hits") > 0


GARBAGE = {
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "an array of a thousand million": b"*1000000000\r\n",
    "a text of a thousand million bytes": b"$1000000000\r\n",
    "a truncated reply": b"$300\r\n{",
    "another command's reply": b":5\r\n",
    "nested arrays": b"*1\r\n" * 5000,
    "noise": bytes(range(256)),
}


def test_replies_are_garbage(
    own_redis: Redis, relay: Callable[..., Relay], application_url: str, measure: Measure
) -> None:
    """24. Whatever comes instead of a reply is a miss: the read returns what the database says, after two time-outs."""
    server = own_redis()
    between = relay(server.path)
    slowest: dict[str, float] = {}
    for name, garbage in GARBAGE.items():
        with surf_data.open(application_url, server.url_through(between), cache_timeout=0.2) as data:
            lamp_id = register(data, 7)
            between.answers.extend([garbage] * 2)
            started = time.perf_counter()
            assert read(data, lamp_id) == {"brightness": 7}
            slowest[name] = time.perf_counter() - started
            between.answers.clear()
            eventually(partial(hits, data, lamp_id))
    name = max(slowest, key=lambda one: slowest[one])
    measure(
        f"Garbage instead of a reply ({len(GARBAGE)} kinds), a time-out of 200 ms",
        ("slowest read", slowest[name], f"s ({name})"),
    )


@pytest.mark.parametrize(
    ("fault", "corrupt"),
    [
        ("A corrupt value", lambda client, key: client.set(key, b"\x80\x04N.")),
        ("A truncated value", lambda client, key: client.set(key, client.get(key)[:-5])),
        ("A key of another type", lambda client, key: client.delete(key) and client.rpush(key, "x")),
    ],
    ids=["corrupt", "truncated", "type"],
)
def test_a_value_is_no_good(
    own_redis: Redis,
    open_data: Opener,
    application_url: str,
    measure: Measure,
    fault: str,
    corrupt: Callable[[redis.Redis, str], Any],
) -> None:
    """24. A value that the cache has not written is a miss: it is deleted, and replaced by what the database says."""
    server = own_redis()
    data = open_data(application_url, server.url, cache_timeout=20)
    lamp_id = register(data, 7)
    read(data, lamp_id)
    with server.client() as client:
        key = f"lamp_status:{lamp_id}"
        assert corrupt(client, key)
        assert data.cache.get_lamp_status(lamp_id) is None
        assert client.exists(key) == 0
        corrupt(client, key) if fault == "A corrupt value" else client.rpush(key, "x")
        assert read(data, lamp_id) == {"brightness": 7}
        assert data.cache.get_lamp_status(lamp_id) == {"brightness": 7}
    measure(fault, ("wrong answers", 0, "of 3"))


def test_redis_restarts(own_redis: Redis, open_data: Opener, application_url: str, measure: Measure) -> None:
    """25. When Redis is back after a crash the cache fills again within the time for which the breaker stays open."""
    server = own_redis()
    data = open_data(application_url, server.url)
    lamp_id = register(data, 7)
    read(data, lamp_id)
    server.kill()
    while figure(data, "opened") == 0:
        assert read(data, lamp_id) == {"brightness": 7}
    server.start()
    started, hits = time.perf_counter(), figure(data, "hits")
    wrong = 0

    def hit() -> bool:
        nonlocal wrong
        wrong += read(data, lamp_id) != {"brightness": 7}
        return figure(data, "hits") > hits

    eventually(hit)
    back = time.perf_counter() - started
    assert wrong == 0
    measure("Redis is killed and restarted, empty", ("first hit after its return", back, "s"))


def test_replies_are_lost(
    own_redis: Redis, relay: Callable[..., Relay], open_data: Opener, application_url: str, measure: Measure
) -> None:
    """26. A write whose reply is lost is not sent again: a counter counts no call twice."""
    server = own_redis()
    between = relay(server.path)
    data = open_data(application_url, server.url_through(between), cache_timeout=20, cache_breaker_failures=1000)
    between.lose_replies(b"INCR", times=50)
    answers = [data.redis.call(lambda client: client.incr("n"), read=False, otherwise=None) for _ in range(100)]
    assert answers == [None] * 50 + list(range(51, 101))
    with server.client() as client:
        assert client.get("n") == b"100"
    measure("Replies are lost", ("calls", 100, ""), ("replies lost", 50, ""), ("counted", 100, ""))


def test_both_are_down(
    own_redis: Redis, own_postgres: Callable[..., PostgresServer], open_data: Opener, measure: Measure
) -> None:
    """27. With Redis and PostgreSQL down a cached read raises DatabaseUnavailable, when the pool's time-out is over."""
    postgres, server = own_postgres(), own_redis()
    data = open_data(postgres.url_for(LOGIN), server.url, pool_timeout=0.5, pool_min_size=1)
    lamp_id = register(data, 7)
    assert read(data, lamp_id) == {"brightness": 7}
    server.kill()
    postgres.kill()
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        with pytest.raises(surf_data.DatabaseUnavailable):
            read(data, lamp_id)
        seconds.append(time.perf_counter() - started)
    postgres.start()
    eventually(lambda: data.health().database.ok)
    assert read(data, lamp_id) == {"brightness": 7}
    measure("Redis and PostgreSQL are killed, a pool time-out of 0.5 s", ("slowest error", max(seconds), "s"))


def test_both_hang(
    own_redis: Redis, own_postgres: Callable[..., PostgresServer], open_data: Opener, measure: Measure
) -> None:
    """27. With Redis and PostgreSQL hung a cached read raises a DatabaseError when its deadline has passed."""
    postgres, server = own_postgres(), own_redis()
    data = open_data(postgres.url_for(LOGIN), server.url, pool_min_size=1)
    lamp_id = register(data, 7)
    assert read(data, lamp_id) == {"brightness": 7}
    server.halt()
    postgres.halt()
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        with data.deadline(0.5), pytest.raises(surf_data.DatabaseError):
            read(data, lamp_id)
        seconds.append(time.perf_counter() - started)
    server.resume()
    postgres.resume()
    eventually(lambda: data.health().overall.reason is None)
    assert read(data, lamp_id) == {"brightness": 7}
    measure("Redis and PostgreSQL hang (SIGSTOP), a deadline of 0.5 s", ("slowest error", max(seconds), "s"))
