"""Prints by how many megabytes the peak memory of a process grows while all lamps are read: ``memory URL``."""

import re
import subprocess
import sys
from collections import deque
from itertools import islice
from pathlib import Path

import surf_data

_STATUS = Path("/proc/self/status")


def growth(url: str) -> float | None:
    """Measure it in a fresh process; ``None`` where the system does not tell."""
    if not _STATUS.exists():
        return None
    return float(subprocess.check_output([sys.executable, "-m", "benchmarks.memory", url]))


def main(url: str) -> None:
    """Read a thousand lamps, then the others."""
    with surf_data.open(url, pool_max_size=1) as data:
        lamps = data.lamps.iter_active_lamps()
        deque(islice(lamps, 1000), maxlen=0)
        before = _peak()
        deque(lamps, maxlen=0)
        sys.stdout.write(str(_peak() - before))


def _peak() -> float:
    [kilobytes] = re.findall(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text("utf-8"), re.MULTILINE)
    return int(kilobytes) * 1024 / 1_000_000


if __name__ == "__main__":
    main(sys.argv[1])
