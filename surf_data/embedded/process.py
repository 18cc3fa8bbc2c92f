"""Processes: what one is, what one may inherit, and how one is stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

# The servers need no more, and must not see the rest: PG* would change what they do, others are secrets.
_INHERITED = ("DYLD_LIBRARY_PATH", "HOME", "LD_LIBRARY_PATH", "PATH", "TMPDIR")


def command_line(pid: int, system: Path = Path("/proc")) -> str | None:
    """Return the command line of a process, a space behind each of its words; ``None`` if it cannot be told.

    It is empty for a process that has ended and was not yet collected by its parent.

    Arguments:
        pid: the id of the process.
        system: where the kernel shows processes as files, if it does.
    """
    try:
        return os.fsdecode((system / str(pid) / "cmdline").read_bytes().replace(b"\0", b" "))
    except OSError:
        pass
    try:
        listing = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    except OSError:
        return None
    return os.fsdecode(listing.stdout.strip() + b" ") if listing.returncode == 0 else None


def environment() -> dict[str, str]:
    """Return the environment variables for a server."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # Without any locale macOS starts a thread to find one, with which PostgreSQL refuses to start.
    return inherited | {"LC_ALL": "C"}


def read_pid(path: Path) -> int | None:
    """Return the process id in the first line of a file, ``None`` if there is none."""
    try:
        first = path.read_text(errors="replace").partition("\n")[0].strip()
    except OSError:
        return None
    return int(first) if first.isdecimal() and int(first) > 1 else None


def stop(
    running: Callable[[], int | None],
    signals: Iterable[tuple[signal.Signals, float]],
    send: Callable[[int, signal.Signals], None] = os.kill,
) -> bool:
    """Stop a process: politely first, then less so. Say whether it has ended.

    Arguments:
        running: returns its id as long as it runs, then ``None``.
        signals: what to send, and the seconds to wait for the effect.
        send: sends a signal to a process.
    """
    for number, seconds in signals:
        if (pid := running()) is None:
            break
        with suppress(ProcessLookupError):
            send(pid, number)
        deadline = time.monotonic() + seconds
        while running() is not None and time.monotonic() < deadline:
            time.sleep(0.02)
    return running() is None


def stop_child(child: subprocess.Popen[bytes], signals: Iterable[tuple[signal.Signals, float]]) -> bool:
    """Stop a process that this one has started, see `stop`."""
    return stop(lambda: child.pid if child.poll() is None else None, signals)
