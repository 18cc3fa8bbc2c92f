"""The command line as a process that is forked, not started.

Starting Python and importing the command line takes most of the CPU time of most commands. One process does it once,
and forks for each command: that has arguments, an environment, a folder and streams of its own, and ends as any process
does. What a signal or a terminal does to a command is tried with processes that are started.
"""

import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rig.waiting import eventually

#: What counts when Python starts, and so cannot be changed by forking.
_AT_START = ("PYTHON", "LC_", "LANG", "COVERAGE_")
_LARGEST = 2**20
#: The folder that has this package.
_HERE = str(Path(__file__).parents[1])
#: A program that stands in for ``surf-data`` where a shell looks for it: without site-packages it starts at once.
_PROGRAM = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect({path!r})
    request = [sys.argv[1:], dict(os.environ), os.getcwd()]
    socket.send_fds(server, [json.dumps(request).encode()], [0, 1, 2])
    sys.exit(int(server.recv(16)) & 255)
"""


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: bytes
    err: bytes


class CommandLine:
    """Runs ``surf-data`` in forks of one process, which has this process's environment.

    Attributes:
        programs: a folder with a program ``surf-data`` that does so, too.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="surf")
        self.programs = Path(self._folder.name)
        self._path = str(self.programs / "socket")
        program = self.programs / "surf-data"
        program.write_text(_PROGRAM.format(python=sys.executable, path=self._path))
        program.chmod(0o755)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rig.command_line", self._path],
            env={**os.environ, "PYTHONPATH": _HERE},
            stdin=subprocess.DEVNULL,
        )
        eventually(lambda: Path(self._path).exists() or self._process.poll() is not None)

    def runs(self, environment: Mapping[str, str]) -> bool:
        """Return whether a fork can have this environment."""
        names = {name for name in {*environment, *os.environ} if name.startswith(_AT_START)}
        return all(environment.get(name) == os.environ.get(name) for name in names)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], stdin: bytes, seconds: float) -> Ended:
        """Run a command in the current folder, as `subprocess.run` does, and wait until it ends."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
                server.settimeout(seconds)
                server.connect(self._path)
                request = [*arguments], {**environment}, str(Path.cwd())
                socket.send_fds(server, [json.dumps(request).encode()], [each.fileno() for each in (given, out, err)])
                code = int(server.recv(16))
            out.seek(0)
            err.seek(0)
            return Ended(code, out.read(), err.read())

    def close(self) -> None:
        """End the process that forks."""
        self._process.terminate()
        self._process.wait(60)
        self._folder.cleanup()


class _Server:
    """Forks for each request, until it is terminated."""

    def __init__(self, path: str) -> None:
        self._running: dict[int, socket.socket] = {}
        self._woken, self._waker = socket.socketpair()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(path)
        self._listening.listen(64)
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Go on until terminated; in a fork, run its command."""
        self._waker.setblocking(False)  # noqa: FBT003 - the standard library's
        signal.set_wakeup_fd(self._waker.fileno())
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        # What the forks share is not looked through, and so not copied.
        gc.freeze()
        for each in (self._listening, self._woken):
            self._selector.register(each, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._woken:
                    self._answer()
                elif signal.SIGTERM in self._woken.recv(4096):
                    return
                else:
                    self._reap()

    def _answer(self) -> None:
        client, _ = self._listening.accept()
        message, streams, _, _ = socket.recv_fds(client, _LARGEST, 3)
        process = os.fork()
        if not process:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            for each in (self._selector, self._listening, self._woken, self._waker, client, *self._running.values()):
                each.close()
            _become(*json.loads(message), streams)
        self._running[process] = client
        for stream in streams:
            os.close(stream)

    def _reap(self) -> None:
        while self._running:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            with self._running.pop(process) as client:
                client.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(arguments: list[str], environment: dict[str, str], folder: str, streams: list[int]) -> None:
    from surf_data.cli import main  # noqa: PLC0415 - imported before the fork

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # What was opened when the process began takes itself to be where other files were.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    # As `python -m surf_data` begins.
    sys.path[:] = [folder, *(place for place in sys.path[1:] if place != _HERE)]
    sys.argv = ["surf-data", *arguments]
    sys.exit(main())


if __name__ == "__main__":
    import surf_data.cli.program  # noqa: F401 - what each command would import

    _Server(sys.argv[1]).serve()
