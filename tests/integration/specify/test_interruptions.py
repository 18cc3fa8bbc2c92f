"""A process that dies in the middle of an import or a bulk creation: the next run ends as an undisturbed one."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from surf_data.specify import SpecifyDataLayer
from surf_data.specify.importing import import_history

# Dies with the given statement, counted from 1, or not at all.
PROGRAM = """
import os, signal, sys
from datetime import UTC, datetime
from surf_data import specify
from surf_data.specify.importing import import_history

url, what, point = sys.argv[1], sys.argv[2], int(sys.argv[3])
left = point

def die(event):
    global left
    left -= event.kind == "statement"
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

with specify.open(url, pool_min_size=1, pool_max_size=1, observer=die) as data:
    if what == "import":
        lines = [f": {1764400000 + n}:1;make {n}\\n".encode() for n in range(2500)]
        import_history(data.database, "zsh", lines, host="here", read_at=datetime(2026, 3, 1, tzinfo=UTC))
    else:
        data.commands.bulk_create([{"name": f"make {n}"} for n in range(2500)])
"""


def _run(url: str, what: str, point: int) -> int:
    return subprocess.run([sys.executable, "-c", PROGRAM, url, what, f"{point}"], check=False).returncode


@pytest.mark.parametrize(("what", "points"), [("import", 3), ("bulk", 2)])
def test_killed(app_url: str, data: SpecifyDataLayer, what: str, points: int) -> None:
    """After each death there is nothing of it, and then all of it, once."""
    for point in range(1, points + 1):
        assert _run(app_url, what, point) == -9
        assert data.commands.queries.count() == 0
    assert _run(app_url, what, points + 1) in {-9, 0}
    assert data.commands.queries.count() == 2500 or _run(app_url, what, 0) == 0
    assert data.commands.queries.count() == 2500


def test_an_error_in_the_middle(data: SpecifyDataLayer) -> None:
    """A file whose reading fails leaves nothing."""

    def lines() -> Iterator[bytes]:
        for number in range(1500):
            yield f": {1764400000 + number}:1;make\n".encode()
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the test's own
        import_history(data.database, "zsh", lines(), host="here", read_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert data.commands.queries.count() == 0
