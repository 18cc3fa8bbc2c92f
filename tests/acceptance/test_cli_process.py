"""The command line as a process: terminals, pipes, signals."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from surf_data.cli import signals

Cli = Callable[..., Any]
Process = subprocess.Popen[bytes]
Start = Callable[..., Process]
Terminal = Callable[..., str]

COMMAND = (sys.executable, "-m", "surf_data")
ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


@pytest.fixture
def reading(interruptible: Mapping[str, str], redis_url: str) -> Iterator[Start]:
    """Return a function that starts a command and returns its process while it waits for standard input."""
    started: list[Process] = []

    def start(**options: Any) -> Process:
        process = subprocess.Popen(
            [*COMMAND, "cache", "warm", "-"],
            env={**interruptible, "SURF_DATA_REDIS_URL": redis_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        started.append(process)
        assert process.stdin is not None
        # More than a pipe and Python's buffers hold: this returns when the command reads.
        process.stdin.write(b"\n" * 300_000)
        process.stdin.flush()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals(reading: Start, number: signal.Signals, code: int) -> None:
    """A signal ends a command with 128 and its number, and without a word."""
    process = reading()
    process.send_signal(number)
    assert process.communicate(timeout=60) == (b"", b"")
    assert code == process.returncode


def test_nohup(reading: Start) -> None:
    """A signal that is to be ignored is ignored."""
    process = reading(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(b'{"location_index": 1}\n', timeout=60)
    assert (process.returncode, out, err) == (0, b"Stored the surf data of 1 location for 1,800 seconds.\n", b"")


def test_cleaning_up_is_not_interrupted() -> None:
    """After the first signal later ones count no more, and afterwards the process's own handlers are back."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    cleaned = False
    with pytest.raises(signals.Stopped) as caught, signals.raised():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            cleaned = True
    assert cleaned
    assert caught.value.exit_code == 143
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_beginning_is_not_interrupted() -> None:
    """A signal waits until what is being made can be cleaned up; who insists need not wait."""
    made = False
    with pytest.raises(signals.Stopped), signals.raised(), signals.deferred():
        signal.raise_signal(signal.SIGINT)
        made = True
    assert made
    with pytest.raises(signals.Stopped), signals.raised(), signals.deferred():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second signal waited, too")


@pytest.mark.parametrize("arguments", [["migrate", "up"], ["migrate", "status"], ["migrate", "status", "--json"]])
def test_nobody_reads_on(environment: Mapping[str, str], database_url: str, cli: Cli, arguments: list[str]) -> None:
    """A reader that goes away changes nothing of the work, and is no error."""
    readable, writable = os.pipe()
    os.close(readable)
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**environment, "SURF_DATA_DATABASE_URL": database_url},
        stdout=writable,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writable)
    assert (done.returncode, done.stderr) == (0, b"")
    pending = "pending" in cli("migrate", "status", database=database_url).out
    assert pending == (arguments != ["migrate", "up"])


@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(cli: Cli, migrated_url: str, closing: str) -> None:
    """A command does its work when standard output or standard error is closed."""
    shell = ("bash", "-c", f'"$0" "$@" {closing}', *COMMAND)
    done = cli("migrate", "status", database=migrated_url, command=shell)
    assert (done.code, done.err) == (0, "")


def test_full_disk(cli: Cli, migrated_url: str) -> None:
    """An answer that cannot be written is a failure."""
    shell = ("bash", "-c", '"$0" "$@" >/dev/full', *COMMAND)
    assert cli("migrate", "status", database=migrated_url, command=shell).error() == "No space left on device"


def test_poor_terminals(cli: Cli, data: Any, migrated_url: str) -> None:
    """Where a letter cannot be shown another one is, and the tables stand."""
    data.activity.log_activity(None, "Größe", "success")
    done = cli("stats", database=migrated_url, variables={"PYTHONIOENCODING": "ascii"})
    assert (done.code, done.err) == (0, "")
    assert "type Gr??e" in done.out
    assert "----" in done.out


def test_colours_are_for_terminals(cli: Cli, terminal: Terminal, migrated_url: str) -> None:
    """A terminal gets colours, unless NO_COLOR is set; a pipe gets none."""
    url = {"SURF_DATA_DATABASE_URL": migrated_url}
    assert COLOUR.search(terminal("health", **url))
    assert not COLOUR.search(terminal("health", **url, NO_COLOR="1"))
    assert ESCAPE not in cli("health", variables=url).out


def test_width(cli: Cli, migrated_url: str) -> None:
    """Tables have the width that COLUMNS says."""
    done = cli("stats", "--hours", "1", database=migrated_url, variables={"COLUMNS": "60"})
    assert max(map(len, done.out.splitlines())) <= 60
