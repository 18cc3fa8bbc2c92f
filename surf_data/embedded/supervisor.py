"""The process that owns the servers of a folder: it starts them, and stops them when the last user is gone.

Started by the first user, see `surf_data.embedded.child`, with FOLDER and DESCRIPTOR. It finds what is wanted in the
folder's state, and writes one line of JSON to the descriptor: ``{"ready": true}``, ``{"busy": true}`` if there is
another supervisor, or ``{"error": "..."}``.
"""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import attrs

from surf_data.embedded import postgres, redis
from surf_data.embedded.cleanup import clear
from surf_data.embedded.folder import Folder, State
from surf_data.embedded.lock import Lock
from surf_data.embedded.process import stop_child
from surf_data.errors import EmbeddedServerError

# Not a signal: the users have gone, or PostgreSQL has ended.
_ENDED = b"\0"
_ENDS = (_ENDED[0], signal.SIGTERM)


class Pipe(NamedTuple):
    """A pipe: unlike a queue it wakes a reader whatever thread a signal finds, and in whatever state."""

    #: The descriptor to read from.
    reading: int
    #: The descriptor to write to.
    writing: int


def supervise(folder: Folder, state: State, announce: Callable[[], None], end: Pipe) -> None:
    """Start the servers of a folder, wait until no process uses them any more, and stop them.

    Arguments:
        folder: the folder, of which the caller holds the lock ``supervisor``.
        state: what to start.
        announce: called when the servers run.
        end: a pipe for the numbers of signals, of which ``SIGTERM`` ends them, too.

    Raises:
        EmbeddedServerError: a server does not start; nothing is left running.
    """
    with ExitStack() as cleaning:
        cleaning.callback(clear, folder, state)
        runtime = Path(state.runtime)
        cache = redis.usable_program(redis.program(), folder.account, runtime) if state.redis else None
        available = postgres.installations()
        version = postgres.version_of(folder.postgres, state.postgres_version, available)
        programs = postgres.usable_programs(available[version], folder.account, runtime)
        postgres.initialize(folder, programs, version, durable=not state.temporary)
        database = postgres.launch(folder, state, programs)
        cleaning.callback(stop_child, database, postgres.STOP_SIGNALS)
        if cache:
            cleaning.callback(stop_child, redis.launch(folder, state, cache), redis.STOP_SIGNALS)
        ready = attrs.evolve(state, ready=True, postgres_version=version, postgres_bin=str(available[version]))
        folder.write_state(ready)
        cleaning.callback(_withdraw, folder, state)
        announce()
        threading.Thread(target=_await_users, args=(folder.lock("alive"), end), daemon=True).start()
        threading.Thread(target=_await_end, args=(database, end), daemon=True).start()
        while os.read(end.reading, 1)[0] not in _ENDS:
            pass


def main(arguments: Sequence[str]) -> None:
    """Be the supervisor.

    Arguments:
        arguments: the folder, and the descriptor for the answer to the user that started this process.
    """
    path, descriptor = arguments
    os.chdir("/")
    os.umask(0o077)
    # The user may have started this process with signals blocked or ignored, and the servers would inherit that.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end = Pipe(*os.pipe())
    os.set_blocking(end.writing, False)
    signal.set_wakeup_fd(end.writing)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)

    def answer(**facts: str | bool) -> None:
        # The user may be gone.
        with suppress(BrokenPipeError):
            os.write(int(descriptor), json.dumps(facts).encode() + b"\n")

    folder = Folder.at(Path(path))
    if not folder.lock("supervisor").take(wait=False):
        return answer(busy=True)
    # The lock is never released: a process that gets it knows that this one is gone.
    state = folder.read_state()
    if state is None:
        return answer(error=f"no process asked for servers in {folder.path}")
    try:
        supervise(folder, state, lambda: answer(ready=True), end)
    except EmbeddedServerError as error:
        answer(error=str(error))
    except Exception as error:
        answer(error=f"{type(error).__name__}: {error}")
        raise


def _await_users(alive: Lock, end: Pipe) -> None:
    alive.take()
    os.write(end.writing, _ENDED)


def _await_end(server: subprocess.Popen[bytes], end: Pipe) -> None:
    server.wait()
    os.write(end.writing, _ENDED)


def _withdraw(folder: Folder, state: State) -> None:
    # A process that joins now waits for a new start. The folder may have been removed by hand.
    with suppress(OSError):
        folder.write_state(state)
