"""Reads a lamp's history again and again in a process of its own, which nothing but the server keeps waiting."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from statistics import quantiles
from time import monotonic, process_time, sleep
from typing import TextIO

import attrs

import surf_data
from benchmarks.ground import lamp_id
from benchmarks.measuring import Timing


@attrs.frozen
class Reads:
    """The reads of some time."""

    #: Microseconds that each of them took.
    times: list[float]

    @property
    def longest(self) -> Timing:
        """The longest of them."""
        return Timing(max(self.times), None)

    @property
    def percentile(self) -> Timing:
        """What a hundredth of them took longer than."""
        return Timing(quantiles(self.times, n=100, method="inclusive")[98], None)


class Reader:
    """The process, which reads on request."""

    def __init__(self, told: TextIO, says: TextIO) -> None:
        self._told = told
        self._says = says

    def during(self, work: Callable[[], object]) -> tuple[Timing, Reads, Reads]:
        """Do some work; return what it took, the reads meanwhile, and those of as long afterwards."""
        gc.collect()
        self._tell()
        began, cpu = monotonic(), process_time()
        work()
        ended, cpu = monotonic(), process_time() - cpu
        sleep(ended - began)
        # A read that began before the work ended may have waited for it.
        reads = [(begin < ended, (end - begin) * 1e6) for begin, end in self._tell() if end > began]
        meanwhile, afterwards = ([took for during, took in reads if during is which] for which in (True, False))
        return Timing((ended - began) * 1e6, cpu * 1e6), Reads(meanwhile), Reads(afterwards)

    def _tell(self) -> list[tuple[float, float]]:
        self._told.write("\n")
        self._told.flush()
        reads: list[tuple[float, float]] = json.loads(self._says.readline())
        return reads


@contextmanager
def reader(url: str) -> Iterator[Reader]:
    """Begin the process, and end it."""
    command = [sys.executable, "-m", "benchmarks.reading", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Reader(process.stdin, process.stdout)
        process.stdin.close()


def main(url: str) -> None:
    """Begin to read at a line of the input, end at the next one and say when each read began and ended, and so on."""
    with surf_data.open(url, pool_max_size=1) as data:
        while sys.stdin.readline():
            reads = [_read(data)]
            _say([])
            while not select([sys.stdin], [], [], 0)[0]:
                reads.append(_read(data))
            sys.stdin.readline()
            _say(reads)


def _read(data: surf_data.LampsDataLayer) -> tuple[float, float]:
    began = monotonic()
    data.activity.get_lamp_activity_history(lamp_id(1), 10)
    return began, monotonic()


def _say(reads: list[tuple[float, float]]) -> None:
    sys.stdout.write(json.dumps(reads) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
