"""Guards the query path by instruction counts: ``python -m benchmarks.instructions``, with --write to accept them.

valgrind counts what the client executes for a statement, which is the same on a busy machine as on an idle one.
Compared with the figures beside this file are the ratios to a bare cursor in the same run, so that another driver or
processor changes both sides.
"""

import argparse
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

import surf_data
from benchmarks import peer_psycopg
from benchmarks.ground import lamp_id, prepare
from surf_data import embedded
from surf_data.kernel import resources
from surf_data.kernel.postgres import load_queries

_FIGURES = Path(__file__).with_suffix(".json")
_PYTHON = ".".join(platform.python_version_tuple()[:2])
#: By how much a ratio may grow.
_TOLERANCE = 1.05
#: Calls in the two phases of a side, of which the difference counts: what a phase costs by itself falls out.
_FEW, _MANY = 20, 120
_SUMMARY = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)
#: valgrind ends a phase where this function of the C library is called, and nothing else calls it.
_MARK = "sched_yield"


def main() -> None:
    """Count, and exit with an error if a ratio has grown."""
    parser = argparse.ArgumentParser(prog="nox -s instructions --", description=__doc__)
    parser.add_argument("--write", action="store_true", help="accept what is counted")
    parser.add_argument("--count", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.count:
        count(given.count)
        return
    valgrind = shutil.which("valgrind") or sys.exit("there is no valgrind")
    with embedded.start(redis=False) as servers:
        prepare(servers.database_url, 10)
        counted = counts(valgrind, servers.database_url)
    ratios = {name: round(value / counted["bare"], 3) for name, value in counted.items() if name != "bare"}
    figures = json.loads(_FIGURES.read_text("utf-8"))
    if given.write:
        figures[_PYTHON] = ratios
        _FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", "utf-8")
    sys.exit(judge(counted, ratios, figures.get(_PYTHON)))


def judge(counted: dict[str, float], ratios: dict[str, float], accepted: dict[str, float] | None) -> int:
    """Print what was counted, and return whether it is too much."""
    grown = 0
    for name, ratio in ratios.items():
        said = f"{name}: {counted[name]:,.0f} instructions a call, {ratio:.3f} x a bare cursor"
        if accepted is None:
            said += f"; nothing to compare with for Python {_PYTHON}"
        else:
            said += f", {ratio / accepted[name] - 1:+.1%} against {accepted[name]:.3f}"
            grown |= ratio > accepted[name] * _TOLERANCE
        sys.stdout.write(said + "\n")
    if grown:
        sys.stdout.write("the query path has grown by more than 5 %: find out why, or accept it with --write\n")
    return grown


def counts(valgrind: str, url: str) -> dict[str, float]:
    """Return the instructions of one call of each side."""
    with TemporaryDirectory() as folder:
        command = [
            *(valgrind, "--tool=callgrind", f"--dump-before={_MARK}", f"--callgrind-out-file={folder}/out"),
            *(sys.executable, "-m", "benchmarks.instructions", f"--count={url}"),
        ]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        if done.returncode:
            sys.exit(f"counting failed\n{done.stdout}\n{done.stderr}")
        names = done.stdout.split()
        parts = [summary(Path(folder, f"out.{number}")) for number in range(1, 1 + 3 * len(names))]
    # The first of each three is what was done before.
    few, many = parts[1::3], parts[2::3]
    return {name: (more - less) / (_MANY - _FEW) for name, less, more in zip(names, few, many, strict=True)}


def summary(part: Path) -> int:
    """Return the instructions in a file of valgrind's."""
    [*_, total] = _SUMMARY.findall(part.read_text("utf-8"))
    return int(total)


def count(url: str) -> None:
    """Under valgrind: make the calls, and mark where phases end."""
    queries = load_queries(resources.directory("sql") / "lamps", namespace="bench")
    sql = peer_psycopg.statement("lamp_configuration")
    parameters: dict[str, object] = {"lamp_id": lamp_id(1)}
    with (
        # A deadline of valgrind's time.
        surf_data.open(url, pool_max_size=1, pool_timeout=300, connect_timeout=300) as data,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        phases("bare", lambda: peer_psycopg.bare_row(connection, sql, parameters))
        phases("pooled", lambda: queries.lamp_configuration(data.database, **parameters))
        with data.database.connection() as session:
            phases("held", lambda: queries.lamp_configuration(session, **parameters))


def phases(name: str, call: Callable[[], object]) -> None:
    """Make a few calls, and then many."""
    for _ in range(_FEW):
        call()
    gc.collect()
    gc.disable()
    for calls in (_FEW, _MANY):
        os.sched_yield()
        for _ in range(calls):
            call()
    os.sched_yield()
    gc.enable()
    sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
