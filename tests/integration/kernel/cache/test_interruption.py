"""An exception that a signal handler raises, wherever it comes, loses no slot, lock or connection."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rig

IS_NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
# Every step at night, otherwise one in ten; and how often by signals.
EVERY, TIMES = (1, 3000) if IS_NIGHTLY else (10, 100)


def interrupt(url: str, how: str, number: int) -> dict[str, int]:
    """Interrupt each operation in a process that is ended if a call hangs; return how often each was."""
    done = subprocess.run(
        [sys.executable, "-m", "rig.interruption", url, how, str(number)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(rig.__file__).parents[1])])},
        check=False,
        capture_output=True,
        text=True,
        timeout=1800 if IS_NIGHTLY else 120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: int(times) for name, times in map(str.split, done.stdout.splitlines())}


def test_at_each_step(redis_url: str) -> None:
    """At each step after which the interpreter looks for signals: every later call is answered, and nothing is busy."""
    times = interrupt(redis_url, "steps", EVERY)
    assert len(times) == 11
    assert min(times.values()) > 5


@pytest.mark.skipif(sys.version_info[:2] == (3, 14), reason="Python 3.14 may leave what a with statement has taken")
def test_by_signals(redis_url: str) -> None:
    """By real signals, at random moments: the same."""
    times = interrupt(redis_url, "signals", TIMES)
    assert len(times) == 11
    assert set(times.values()) == {TIMES}
