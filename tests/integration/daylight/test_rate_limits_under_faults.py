"""Rate limits of eight processes with eight threads each while Redis is killed, hangs, or is replaced."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from rig import RedisServer, SentinelService, eventually
from surf_data import daylight
from surf_data.daylight.rate_limits import ALGORITHMS

PROCESSES = THREADS = 8
LIMIT = 400
#: Of each thread, in each phase: before the fault, when it happens, meanwhile, and after it.
CALLS = (5, 6, 8, 8)
MONTH = 2_592_000_000

Phase = Callable[[], dict[str, int]]


@contextmanager
def asking(settings: dict[str, str]) -> Iterator[tuple[Callable[[], None], Phase]]:
    """Yield what begins a phase of calls, and what waits for its end and returns the answers."""
    pipe = subprocess.PIPE
    script = str(Path(__file__).with_name("counting_limits.py"))
    order = {"settings": settings, "processes": PROCESSES, "threads": THREADS, "calls": CALLS}
    with subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        print(json.dumps(order), file=stdin, flush=True)
        yield lambda: print(file=stdin, flush=True), lambda: json.loads(stdout.readline())
        stdin.close()


class Fault:
    """A Redis, what happens to it, and how it comes back."""

    def __init__(self, name: str, stack: ExitStack, own_redis: Callable[..., RedisServer]) -> None:
        self.name = name
        if name == "failed over":
            self.service = stack.enter_context(SentinelService())
            self.url, self.server = self.service.url, self.service.servers[self.service.primary]
        else:
            self.server = own_redis()
            self.url = self.server.url

    def happen(self) -> None:
        """Kill the server, or let it hang."""
        (self.server.halt if self.name == "hung" else self.server.kill)()

    def pass_by(self) -> None:
        """Bring it back: with what it had counted, with nothing, or with what its replica knows."""
        if self.name == "hung":
            self.server.resume()
        elif self.name == "killed":
            self.server.start()
        else:
            with daylight.open("postgresql://127.0.0.1:1/nowhere", self.url, pool_min_size=0) as data:
                # Sentinels that find themselves out of time, as on a busy machine, do nothing for half a minute.
                eventually(lambda: data.redis.call(lambda client: client.set("x", 1), read=False, otherwise=None), 120)


def test_more_than_the_limit_is_admitted_by_no_store(
    owner_url: str, admin: psycopg.Connection[Any], own_redis: Callable[..., RedisServer], sweep: Iterator[int]
) -> None:
    """Each store admits its limit at the most, over all processes: what changes is which store, never by how much."""
    cases = [(fault, algorithm) for fault in ("killed", "hung", "failed over") for algorithm in ALGORITHMS]
    for point in sweep:
        if point > len(cases):
            break
        name, algorithm = cases[point - 1]
        admin.execute("DELETE FROM daylight.rate_limits; DELETE FROM daylight.rate_limit_states")
        with ExitStack() as stack:
            fault = Fault(name, stack, own_redis)
            with daylight.open(owner_url, fault.url, pool_min_size=0) as data:
                data.limits.set_limit(
                    {"name": "L", "algorithm": algorithm, "requests": LIMIT, "window_ms": MONTH, "scope": "user"}
                )
            begin, answers = stack.enter_context(asking({"database_url": owner_url, "redis_url": fault.url}))
            begin()
            before = answers()
            begin()
            time.sleep(0.02)
            fault.happen()
            during = answers()
            begin()
            meanwhile = answers()
            fault.pass_by()
            # All breakers have closed again.
            time.sleep(1.3)
            begin()
            after = answers()
        shown = f"{name} {algorithm}: {before}, {during}, {meanwhile}, {after}"
        # A bucket gets a drop every hour and a half.
        assert before == {"redis": PROCESSES * THREADS * CALLS[0]}, shown
        redis, postgresql = [
            [part.get(source, 0) for part in (before, during, meanwhile, after)] for source in ("redis", "postgresql")
        ]
        # While Redis is away, PostgreSQL admits its limit, and as it forgets nothing, no more.
        assert sum(postgresql) == LIMIT if name != "failed over" else sum(postgresql) <= LIMIT, shown
        # A Redis that was killed, or whose replica was behind, admits its limit once more.
        assert sum(redis[:2]) <= LIMIT, shown
        assert redis[3] <= LIMIT - (sum(redis[:3]) if name == "hung" else 0), shown
        assert after.get("default", 0) == 0, shown
