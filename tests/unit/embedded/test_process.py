"""Processes: recognized, and stopped with as much force as it takes."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from surf_data.embedded import redis
from surf_data.embedded.account import account_for
from surf_data.embedded.folder import Folder
from surf_data.embedded.postgres import available_locale, reason, stop_forgotten
from surf_data.embedded.process import command_line, environment, read_pid, stop_child

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


@contextmanager
def running(script: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python script until the end of the block."""
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_command_line_of_a_process(tmp_path: Path) -> None:
    """The command line is found with and without a folder of processes, each word with a space behind it."""
    with running(SLEEP, "first", "last") as process:
        assert (command_line(process.pid) or "").endswith(" first last ")
        assert (command_line(process.pid, tmp_path) or "").endswith(" first last ")


def test_command_line_of_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is unknown for a process that does not exist, and where there is no way to ask."""
    with running(SLEEP) as process:
        pass
    assert command_line(process.pid) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_line(os.getpid(), tmp_path) is None


@pytest.mark.parametrize("text", ["", "soon", "-7", "0", "1", "\0"])
def test_no_process_id(tmp_path: Path, text: str) -> None:
    """A file that holds no id of a process, or that of the first one, is not taken for one."""
    (tmp_path / "pid").write_text(text)
    assert read_pid(tmp_path / "pid") is None


def test_process_id(tmp_path: Path) -> None:
    """The first line is the id."""
    (tmp_path / "pid").write_text("4711 \n/data\n")
    assert read_pid(tmp_path / "pid") == 4711


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment for a server has what it needs of the caller's, and no more."""
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("PATH", "/bin")
    for name in ("DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    assert environment() == {"HOME": "/home/me", "LC_ALL": "C", "PATH": "/bin"}


def test_stopping_a_stubborn_process() -> None:
    """A process that does not heed the first signal is sent the next, and none is sent to one that has ended."""
    with running(STUBBORN) as process:
        assert stop_child(process, [(signal.SIGTERM, 0.1)]) is False
        assert stop_child(process, [(signal.SIGTERM, 0.1), (signal.SIGKILL, 60), (signal.SIGTERM, 60)]) is True
        assert process.returncode == -signal.SIGKILL


def test_id_of_another_process(tmp_path: Path) -> None:
    """When PostgreSQL's old id is another process's now, that one is left alone, and the way is clear for a new one."""
    folder = Folder(tmp_path, account_for(tmp_path))
    folder.postgres.mkdir()
    pid_file = folder.postgres / "postmaster.pid"
    with running(SLEEP) as process:
        pid_file.write_text(f"{process.pid}\n")
        stop_forgotten(folder)
        assert process.poll() is None
        assert not pid_file.exists()


def test_server_started_by_hand(tmp_path: Path) -> None:
    """A PostgreSQL that was started by hand in the folder is left alone, and keeps its lock on the data."""
    folder = Folder(tmp_path, account_for(tmp_path))
    folder.postgres.mkdir()
    pid_file = folder.postgres / "postmaster.pid"
    with running(SLEEP, "-D", str(folder.postgres)) as process:
        pid_file.write_text(f"{process.pid}\n")
        stop_forgotten(folder)
        assert process.poll() is None
        assert pid_file.exists()


def test_reason() -> None:
    """The reason is the last errors with their hints, or else the last lines, or a word that there is none."""
    log = "2026-01-01 UTC [7] LOG:  starting\n2026-01-01 UTC [7] FATAL:  no room\nHINT:  Make some.\nLOG:  bye\n"
    assert reason(log) == "FATAL:  no room; HINT:  Make some."
    assert reason("one\ntwo\nthree\nfour\n") == "two; three; four"
    assert reason("") == "it does not say why"


def test_locale() -> None:
    """A locale that the system does not have is replaced by the one that every system has."""
    assert available_locale("C") == "C"
    assert available_locale("tlh_QO.UTF-8") == "C"


def test_socket_that_does_not_answer(tmp_path: Path) -> None:
    """A server that closes the connection instead of answering is no Redis that is ready."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "redis.sock"))
        server.listen()

        def refuse() -> None:
            connection, _ = server.accept()
            connection.close()

        refusing = threading.Thread(target=refuse)
        refusing.start()
        assert redis._answers(tmp_path / "redis.sock") is False
        refusing.join()


def test_redis_that_is_still_starting(tmp_path: Path) -> None:
    """A socket without the id of its server is left alone."""
    folder = Folder(tmp_path, account_for(tmp_path))
    state = folder.new_state(temporary=True, redis=True, postgres_version=18)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(state.redis_socket))
        server.listen()
        redis.stop_forgotten(folder, attrs.evolve(state, ready=True))
