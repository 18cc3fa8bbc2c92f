"""The stampede: a popular value has expired, and everybody wants it at the same moment."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import surf_data
from rig import RedisServer

Redis = Callable[..., RedisServer]
Measure = Callable[..., None]

THREADS, PROCESSES = 100, 4
# What computing costs: long enough for everybody to find nothing.
SECONDS = 0.3

PROCESS = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import surf_data

url, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
data = surf_data.open("postgresql://localhost:1/nothing", url, pool_min_size=0, cache_timeout=20)
assert data.redis.ping().reason is None

def source():
    data.redis.call(lambda client: client.incr("computed"), read=False, otherwise=None)
    time.sleep(seconds)
    return {"n": 1}

def one(_):
    return data.cache.get_or_load_system_stats(source, across_processes=True, wait_seconds=60)

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(threads) as pool:
    print(sum(answer == {"n": 1} for answer in pool.map(one, range(threads))), flush=True)
"""


def test_in_a_process(
    own_redis: Redis, open_data: Callable[..., surf_data.LampsDataLayer], application_url: str, measure: Measure
) -> None:
    """29. A hundred threads that miss the same key at once compute its value once, and all get it."""
    data = open_data(application_url, own_redis().url, cache_timeout=20)
    barrier = threading.Barrier(THREADS)
    computed: list[int] = []

    def source() -> dict[str, Any]:
        computed.append(1)
        return {"total": data.activity.get_activity_statistics()["total"]}

    def one(_: int) -> Any:
        barrier.wait(60)
        return data.cache.get_or_load_system_stats(source)

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(one, range(THREADS)))
    assert answers == [data.cache.get_system_stats()] * THREADS
    assert len(computed) == 1
    measure(f"{THREADS} threads want one expired value", ("computed", len(computed), "time"))


def test_in_a_fleet(own_redis: Redis, measure: Measure) -> None:
    """29. Four processes of 25 threads that miss the same key at once compute its value once, if they are asked to."""
    server = own_redis()
    command = [sys.executable, "-c", PROCESS, server.url, str(THREADS // PROCESSES), str(SECONDS)]
    with ExitStack() as stack:
        fleet = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(PROCESSES)
        ]
        for process in fleet:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in fleet:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=120)[0] for process in fleet]
    with server.client() as client:
        computed = int(client.get("computed") or 0)
        assert sorted(client.scan_iter()) == [b"computed", b"system_stats"]
    assert answers == [f"{THREADS // PROCESSES}\n"] * PROCESSES
    assert computed == 1
    measure(f"{PROCESSES} processes of {THREADS // PROCESSES} threads want it", ("computed", computed, "time"))
