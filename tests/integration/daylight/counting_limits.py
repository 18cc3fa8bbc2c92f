"""Asks a rate limiter from many threads of many processes at a time.

Each line of standard input is an order: JSON with ``settings`` of the data layer, ``processes``, ``threads`` and
``calls``, how many each thread makes in each phase. A phase begins with an empty line; its answer is a line of JSON:
how many calls were admitted, by what decided, and how many were refused.
"""

import json
import multiprocessing
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from surf_data import daylight


def work(order: dict[str, Any], begin: Any, answers: Any) -> None:
    """Make the calls of a process."""
    threads = order["threads"]
    with (
        daylight.open(**order["settings"], pool_min_size=1, pool_max_size=4, cache_timeout=0.25) as data,
        ThreadPoolExecutor(threads) as pool,
    ):

        def call(number: int) -> list[str]:
            decisions = [data.limits.check("kai") for _ in range(number)]
            return [each.source if each.allowed else "refused" for each in decisions]

        for number in order["calls"]:
            begin.wait(60)
            answers.put(Counter(each for part in pool.map(call, [number] * threads) for each in part))


def main() -> None:
    """Follow the orders."""
    # All is imported that the children need, and nothing is open that a fork could do harm to.
    daylight.open("postgresql://127.0.0.1:1/nowhere", "redis://127.0.0.1:1", pool_min_size=0).close()
    context = multiprocessing.get_context("fork")
    for line in sys.stdin:
        order = json.loads(line)
        begin, answers = context.Barrier(order["processes"] + 1), context.SimpleQueue()
        children = [context.Process(target=work, args=(order, begin, answers)) for _ in range(order["processes"])]
        for child in children:
            child.start()
        for _ in order["calls"]:
            sys.stdin.readline()
            begin.wait(60)
            total: Counter[str] = Counter()
            for _ in children:
                total += answers.get()
            sys.stdout.write(f"{json.dumps(total)}\n")
            sys.stdout.flush()
        for child in children:
            child.join(60)


main()
