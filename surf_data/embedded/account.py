"""The account that runs the servers: the caller's own, or an unprivileged one because PostgreSQL refuses root."""

import os
import pwd
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import attrs

from surf_data.embedded.process import environment
from surf_data.errors import EmbeddedServerError

#: Used for root, in this order, where no folder has an owner to go by.
UNPRIVILEGED = ("postgres", "nobody")


@attrs.frozen(kw_only=True)
class Account:
    """Who runs the servers and owns their files."""

    #: Its name, for messages.
    name: str
    #: Its user id, ``None`` for the caller's own account.
    user: int | None = None
    #: Its group id, ``None`` for the caller's own account.
    group: int | None = None

    def can(self, access: str, path: Path) -> bool:
        """Say whether this account may use ``path`` in this way.

        Arguments:
            access: ``"-r"``, ``"-w"`` or ``"-x"``, as of the command ``test``. The account itself tries it, as only
                the kernel knows of access lists, modes of all the parents, and mount options.
            path: the file or folder.
        """
        return self.run(["/bin/sh", "-c", f'test {access} "$1"', "sh", str(path)]).returncode == 0

    def give(self, path: Path | int) -> None:
        """Make this account the owner of a file, folder or open file that was just created."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group, follow_symlinks=isinstance(path, int))

    def kill(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a process, which is without effect if it is another account's or gone."""
        self.run(["/bin/sh", "-c", 'kill -"$1" "$2"', "sh", str(int(number)), str(pid)])

    def run(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Arguments:
            command: the program and its arguments.
            text: its standard input.

        Raises:
            EmbeddedServerError: the program cannot be executed.
        """
        try:
            return subprocess.run(
                command,
                input=text,
                capture_output=True,
                text=True,
                errors="replace",
                cwd="/",
                env=environment(),
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
                check=False,
            )
        except OSError as error:
            raise self._refused(command, error) from error

    def spawn(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a server as a child of this process.

        Arguments:
            command: the program and its arguments.
            log: the file for what it writes.

        Raises:
            EmbeddedServerError: the program cannot be executed.
        """
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment(),
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
            )
        except OSError as error:
            raise self._refused(command, error) from error

    def _refused(self, command: Sequence[str], error: OSError) -> EmbeddedServerError:
        return EmbeddedServerError(f"the account {self.name} cannot run {command[0]}: {error.strerror}")


def account_for(folder: Path | None) -> Account:
    """Return the account that runs the servers of a folder.

    Arguments:
        folder: the data folder, which need not exist; ``None`` for a temporary one.

    Raises:
        EmbeddedServerError: the caller is root, and there is no other account.
    """
    if os.geteuid() != 0:
        return Account(name=_named(os.geteuid()))
    # A folder that exists has an owner, who may want to use it without being root.
    data, whole = (_status(folder / "postgres"), _status(folder)) if folder else (None, None)
    if data is not None and data.st_uid != 0:
        return Account(name=_named(data.st_uid), user=data.st_uid, group=_group(data))
    # initdb refuses an account without a name, such as the owner of a folder mounted into a container.
    if whole is not None and whole.st_uid != 0 and _entry(whole.st_uid):
        return Account(name=_named(whole.st_uid), user=whole.st_uid, group=_group(whole))
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, user=entry.pw_uid, group=entry.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL must not run as root, and no other account was found: create an account named "
        f"{' or '.join(UNPRIVILEGED)}, or run as another user"
    )


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _named(uid: int) -> str:
    entry = _entry(uid)
    return entry.pw_name if entry else str(uid)


def _group(status: os.stat_result) -> int:
    entry = _entry(status.st_uid)
    return entry.pw_gid if entry else status.st_gid


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
