"""The embedded servers as their users see them: started by the first, shared by all, stopped by the last."""

import logging
import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from surf_data.embedded.child import collect, start_supervisor
from surf_data.embedded.cleanup import clear, clear_stale
from surf_data.embedded.folder import Folder, State
from surf_data.embedded.lock import Lock
from surf_data.embedded.presence import FolderGone, ServerLease, exclusive_turn
from surf_data.errors import EmbeddedServerError

_log = logging.getLogger("surf_data.embedded.servers")  # noqa: TID251 - the kernel stands on it


def start(
    directory: str | os.PathLike[str] | None = None, *, postgres_version: int = 18, redis: bool = True
) -> "EmbeddedServers":
    """Start the servers of a folder, or join those that run there already.

    They stop when their last user stops using them or ends, in whatever way. A child process made by ``fork`` is a
    user, too, until it ends or stops using them; a program started from here is not.

    Arguments:
        directory: the folder for the data, which is kept; created if it is missing. ``None`` takes a private temporary
            folder, which is removed in the end.
        postgres_version: the PostgreSQL version for new data, 16 or 18. Data that exists keeps the version it has.
        redis: whether Redis is wanted as well.

    Raises:
        EmbeddedServerError: the servers cannot be started; the message says why, and what to do about it.
    """
    wanted = _Wanted(temporary=directory is None, redis=redis, postgres_version=postgres_version)
    try:
        folder, state, lease = _use(directory, wanted)
    except OSError as error:
        raise EmbeddedServerError(f"{directory or 'the temporary folder'} cannot be used: {error}") from error
    _log.info(
        "embedded servers in use",
        extra={"directory": str(folder.path), "postgres_version": state.postgres_version, "redis": state.redis},
    )
    return EmbeddedServers(folder, state if redis else attrs.evolve(state, redis=False), lease)


class EmbeddedServers:
    """PostgreSQL and Redis, until this object is stopped. Made by `start`; safe to share between threads."""

    def __init__(self, folder: Folder, state: State, lease: ServerLease) -> None:
        #: The URL of the database ``surf_data`` for its superuser ``surf_data``, by a socket that only this account can
        #: reach.
        self.database_url: str = state.database_url
        #: The URL of Redis, ``None`` if it was not wanted.
        self.redis_url: str | None = state.redis_url
        #: The folder of the data.
        self.directory: Path = folder.path
        #: The folder of PostgreSQL's data within it.
        self.postgres_data: Path = folder.postgres
        #: The folder with the programs of the PostgreSQL that runs: ``psql``, ``pg_dump`` and the rest.
        self.postgres_bin: Path = Path(state.postgres_bin)
        self._folder = folder
        self._leases = [lease]

    def stop(self) -> None:
        """Stop using the servers. If no other process uses them, return when they have stopped. Idempotent."""
        # One thread only can take it out of the list.
        with suppress(IndexError):
            _leave(self._folder, self._leases.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<EmbeddedServers {str(self.directory)!r}>"


@attrs.frozen(kw_only=True)
class _Wanted:
    temporary: bool
    redis: bool
    postgres_version: int


def _use(directory: str | os.PathLike[str] | None, wanted: _Wanted) -> tuple[Folder, State, ServerLease]:
    while True:
        folder = Folder.kept(directory) if directory is not None else Folder.temporary()
        # A temporary folder that was joined by its path may go away at any time.
        with suppress(FolderGone), ExitStack() as failed:
            if directory is None:
                failed.callback(shutil.rmtree, folder.path, ignore_errors=True)
                clear_stale(folder)
            state, lease = _join(folder, wanted)
            failed.pop_all()
            return folder, state, lease


def _join(folder: Folder, wanted: _Wanted) -> tuple[State, ServerLease]:
    with exclusive_turn(folder) as mine:
        while mine.is_current():
            with ExitStack() as failed:
                lease = ServerLease(folder)
                failed.callback(lease.end)
                with folder.lock("supervisor") as supervisor:
                    free = supervisor.take(wait=False)
                    state = _start(folder, wanted, supervisor) if free else folder.read_state()
                if state and state.ready and lease.in_time:
                    if wanted.redis and not state.redis:
                        raise EmbeddedServerError(
                            f"the servers in {folder.path} run without Redis: stop all their users first, or do "
                            "without it as well"
                        )
                    failed.pop_all()
                    return state, lease
            # The supervisor is stopping its servers, or is starting them for a user that was killed, and then stops.
            with folder.lock("supervisor") as supervisor:
                supervisor.take()
    raise FolderGone


def _start(folder: Folder, wanted: _Wanted, supervisor: Lock) -> State | None:
    """Start servers where there is no supervisor; ``None`` if there is one after all."""
    left = folder.read_state()
    clear(folder, left)
    if left and left.temporary:
        raise FolderGone
    state = folder.new_state(temporary=wanted.temporary, redis=wanted.redis, postgres_version=wanted.postgres_version)
    supervisor.release()
    answer = start_supervisor(folder)
    if "error" in answer:
        # The supervisor has cleared up, unless it was killed.
        collect(folder)
        supervisor.take()
        clear(folder, state)
        raise EmbeddedServerError(answer["error"])
    return folder.read_state()


def _leave(folder: Folder, lease: ServerLease) -> None:
    try:
        with exclusive_turn(folder) as mine, folder.lock("users") as users, folder.lock("supervisor") as supervisor:
            lease.end()
            if users.take(wait=False):
                supervisor.take()
                collect(folder)
                # Nothing is left, unless the supervisor was killed. If the folder is another one now, it is another's.
                if mine.is_current():
                    clear(folder, folder.read_state())
    except FolderGone:
        pass
    finally:
        lease.end()
