"""Redis with a stand-in: after the primary's end the cache is back as soon as the stand-in is, and never wrong."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.crc import key_slot

import surf_data
from rig import ClusterService, RedisServer, SentinelService, eventually

Opener = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]
Service = SentinelService | ClusterService

SERVICES = [
    pytest.param(SentinelService, "Sentinel, down-after 1 s", id="sentinel"),
    pytest.param(ClusterService, "cluster of 6 nodes, node time-out 1 s", id="cluster"),
]
THREADS = 20


def lamp_on(service: Service) -> UUID:
    """Return a lamp whose key belongs on the first primary."""
    while True:
        lamp_id = uuid4()
        if isinstance(service, SentinelService) or key_slot(f"lamp_status:{lamp_id}".encode()) < 16384 // 3:
            return lamp_id


@pytest.mark.parametrize(("start", "name"), SERVICES)
@pytest.mark.parametrize(
    ("end", "fault"), [(RedisServer.kill, "killed"), (RedisServer.halt, "hung (SIGSTOP)")], ids=["kill", "hang"]
)
def test_a_primary_fails(
    open_data: Opener,
    application_url: str,
    measure: Measure,
    start: Callable[[], Service],
    name: str,
    end: Callable[[RedisServer], None],
    fault: str,
) -> None:
    """25. When a primary fails every read is answered, and values are stored again when its replica took over."""
    with start() as service:
        data = open_data(application_url, service.url)
        lamp_id = lamp_on(service)
        key = f"lamp_status:{lamp_id}"

        def read() -> dict[str, Any] | None:
            return data.cache.get_or_load_lamp_status(lamp_id, lambda: {"brightness": 7})

        eventually(lambda: read() and data.cache.get_lamp_status(lamp_id))
        end(service.servers[service.primaries[0]])
        seconds: list[float] = []
        ended = time.perf_counter()

        def is_back() -> bool:
            started = time.perf_counter()
            assert read() == {"brightness": 7}
            seconds.append(time.perf_counter() - started)
            return data.redis.call(lambda client: bool(client.set(key, b"")), read=False, otherwise=False)

        # Sentinels that find themselves out of time, as on a busy machine, do nothing for half a minute.
        eventually(is_back, 120)
        back = time.perf_counter() - ended
        # The empty value is no good: it is deleted, computed and stored on the new primary.
        assert read() == {"brightness": 7}
        eventually(lambda: data.cache.get_lamp_status(lamp_id) == {"brightness": 7})
        data.close()
    measure(
        f"A primary is {fault} ({name})",
        ("first write after", back, "s"),
        ("slowest read meanwhile", max(seconds), "s"),
        ("wrong answers", 0, f"of {len(seconds):,}"),
    )


@pytest.mark.parametrize(("start", "name"), SERVICES)
def test_all_hang(
    open_data: Opener, application_url: str, measure: Measure, start: Callable[[], Service], name: str
) -> None:
    """22. While every server hangs twenty threads are answered, each call after a time-out for each server at most."""
    with start() as service:
        data = open_data(application_url, service.url, pool_max_size=THREADS, pool_timeout=60)
        barrier = threading.Barrier(THREADS + 1)

        def reads(number: int) -> list[float]:
            lamp_id = uuid4()
            data.cache.get_or_load_lamp_status(lamp_id, lambda: {"brightness": number})
            barrier.wait(60)
            barrier.wait(60)
            seconds = []
            for _ in range(250):
                started = time.perf_counter()
                status = data.cache.get_or_load_lamp_status(lamp_id, lambda: {"brightness": number})
                seconds.append(time.perf_counter() - started)
                assert status == {"brightness": number}
            return seconds

        with ThreadPoolExecutor(THREADS) as threads:
            running = [threads.submit(reads, number) for number in range(THREADS)]
            barrier.wait(60)
            errors = data.stats()["cache"]["errors"]
            for server in service.servers.values():
                server.halt()
            barrier.wait(60)
            seconds = sorted(one for thread in running for one in thread.result(120))
        paid = data.stats()["cache"]["errors"] - errors
        data.close()
    assert paid <= 3 * THREADS
    measure(
        f"All servers hang (SIGSTOP), 20 threads ({name})",
        ("read p99", seconds[int(len(seconds) * 0.99)], "s"),
        ("slowest", seconds[-1], "s"),
        ("failed calls", paid, f"of {len(seconds):,} reads"),
    )
