"""The environment of a process whose clock is wrong, by libfaketime."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest


def shifted(seconds: int) -> dict[str, str]:
    """Return the environment of a process whose clock is ahead by ``seconds``, behind if they are negative.

    How long something takes is measured as ever. Skips the test where libfaketime is not to be had.
    """
    found = find_spec("libfaketime")
    if found is None or found.origin is None:
        pytest.skip("libfaketime is not installed: there is no wheel of it for this machine")
    library = Path(found.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{seconds:+d}",
        "DONT_FAKE_MONOTONIC": "1",
    }
