"""The folder of the servers: what lies where, who may use it, and what is known of the servers that use it."""

import json
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

import attrs

from surf_data.embedded.account import Account, account_for
from surf_data.embedded.lock import Lock
from surf_data.errors import EmbeddedServerError

#: How the private folder for the sockets begins.
RUNTIME_PREFIX = "surf_data-"

# What fits into a socket's address on every system, with the zero that ends it: macOS has 104 bytes, Linux 108.
_LONGEST_SOCKET = 103

# What mkdtemp creates there is private, although other accounts use the same folder.
_SHORT = Path("/tmp")  # noqa: S108 - a socket path must be short; the folder in it is private


@attrs.frozen(kw_only=True)
class State:
    """What the users of a folder have to know of its servers."""

    #: The folder this was written for: a copy of the folder must not meddle with the servers of the original.
    folder: str
    #: The short private folder of the sockets, removed when the servers have stopped.
    runtime: str
    #: Whether the folder itself is removed, too.
    temporary: bool
    #: Whether Redis runs.
    redis: bool
    #: The PostgreSQL version for a folder without data, then the one that runs.
    postgres_version: int
    #: The folder of the PostgreSQL programs, empty until the servers run.
    postgres_bin: str = ""
    #: Whether the servers run, and have not been asked to stop.
    ready: bool = False

    @property
    def redis_socket(self) -> Path:
        """The socket of Redis."""
        return Path(self.runtime, "redis.sock")

    @property
    def redis_pid_file(self) -> Path:
        """The file with the process id of Redis."""
        return Path(self.runtime, "redis.pid")

    @property
    def database_url(self) -> str:
        """The libpq URL of the database."""
        return f"postgresql://surf_data@/surf_data?host={quote(self.runtime, safe='')}&port=5432"

    @property
    def redis_url(self) -> str | None:
        """The URL of Redis, ``None`` if it does not run."""
        return f"unix://{quote(str(self.redis_socket))}" if self.redis else None


@attrs.frozen
class Folder:
    """One data folder.

    Arguments:
        path: where it is, absolute and without symbolic links.
        account: who runs its servers and owns its files.
    """

    path: Path
    account: Account

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the folder at a path, as it is."""
        return cls(path, account_for(path))

    @classmethod
    def kept(cls, directory: str | os.PathLike[str]) -> Self:
        """Return the folder for data that is kept, and create it if it is missing.

        Raises:
            EmbeddedServerError: it is not usable for the account that runs the servers.
            OSError: it cannot be created.
        """
        path = Path(os.path.realpath(directory))
        folder = cls.at(path)
        # Path.is_dir fails where the way is closed.
        existing = next(place for place in (path, *path.parents) if os.path.isdir(place))  # noqa: PTH112
        if not folder.account.can("-x", existing):
            raise EmbeddedServerError(
                f"the account {folder.account.name}, which runs the embedded servers, cannot reach {path}: choose a "
                "folder that is open to it, such as one under /var/lib or /srv, or let others pass through every "
                "folder on the way (chmod o+x)"
            )
        if (path / "PG_VERSION").exists():
            raise EmbeddedServerError(f"{path} is itself a data folder of PostgreSQL: choose another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            folder.account.give(path)
        return folder

    @classmethod
    def temporary(cls) -> Self:
        """Create a private folder for data that is not kept."""
        account = account_for(None)
        return cls(_private_folder(account), account)

    @property
    def postgres(self) -> Path:
        """The data folder of PostgreSQL."""
        return self.path / "postgres"

    @property
    def redis(self) -> Path:
        """The data folder of Redis."""
        return self.path / "redis"

    def log_path(self, name: str) -> Path:
        """Return the path of a log."""
        return self.path / f"{name}.log"

    def new_log(self, name: str) -> IO[bytes]:
        """Open an empty log; the last one is kept beside it."""
        path = self.log_path(name)
        with suppress(FileNotFoundError):
            path.replace(path.with_name(f"{name}.log.1"))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self.account.give(descriptor)
        return os.fdopen(descriptor, "ab")

    def lock(self, name: str) -> Lock:
        """Open one of the folder's locks.

        Arguments:
            name: ``start``, held by a process that joins or leaves the users; ``users`` and ``alive``, shared by all
                users; ``supervisor``, held by the supervisor for as long as its process exists.

        Raises:
            FileNotFoundError: the folder was temporary and is gone.
        """
        lock = Lock(self.path / f"{name}.lock")
        self.account.give(lock.fileno())
        return lock

    def new_state(self, *, temporary: bool, redis: bool, postgres_version: int) -> State:
        """Create the folder for the sockets, and write and return the state of servers that do not run yet.

        Raises:
            EmbeddedServerError: there is no folder with a path that is short enough.
        """
        state = State(
            folder=str(self.path),
            runtime=str(self.path if temporary else _private_folder(self.account)),
            temporary=temporary,
            redis=redis,
            postgres_version=postgres_version,
        )
        self.write_state(state)
        return state

    def write_state(self, state: State) -> None:
        """Replace the state at once, so that no reader ever sees half of it."""
        with tempfile.NamedTemporaryFile("w", dir=self.path, delete=False) as file:
            json.dump(attrs.asdict(state), file)
        self.account.give(Path(file.name))
        Path(file.name).replace(self.path / "servers.json")

    def read_state(self) -> State | None:
        """Return the state of the servers, ``None`` if none run."""
        try:
            fields: dict[str, Any] = json.loads((self.path / "servers.json").read_text())
            state = State(**fields)
        except (FileNotFoundError, TypeError, ValueError):
            return None
        return state if state.folder == str(self.path) else None

    def remove(self, state: State) -> None:
        """Remove what must not outlive the servers: the folder of the sockets, and this one if it is temporary."""
        runtime = Path(state.runtime)
        with suppress(FileNotFoundError):
            if state.temporary:
                # Out of reach first: a process that waits for one of its locks must not put a new file into it.
                runtime = self.path.rename(self.path.with_name(f"{self.path.name}.removed"))
            else:
                (self.path / "servers.json").unlink()
        # The state may have been written by others: remove nothing that is not the account's own folder for sockets.
        with suppress(FileNotFoundError):
            owner = os.geteuid() if self.account.user is None else self.account.user
            if runtime.name.startswith(RUNTIME_PREFIX) and runtime.lstat().st_uid == owner:
                shutil.rmtree(runtime, ignore_errors=True)


def _private_folder(account: Account) -> Path:
    """Create a folder that only the account can enter, with a path that leaves room for the name of a socket."""
    for place in (Path(tempfile.gettempdir()).resolve(), _SHORT.resolve()):
        socket = place / f"{RUNTIME_PREFIX}12345678" / ".s.PGSQL.5432"
        if len(os.fsencode(socket)) <= _LONGEST_SOCKET and account.can("-x", place):
            path = Path(tempfile.mkdtemp(prefix=RUNTIME_PREFIX, dir=place))
            account.give(path)
            return path
    raise EmbeddedServerError(
        f"the folder for temporary files, {tempfile.gettempdir()}, has too long a path for a socket or is closed to "
        f"the account {account.name}, and so is {_SHORT}: set TMPDIR to a short path that is open to it"
    )
