"""What servers leave behind when their supervisor was killed, or when they have stopped."""

from contextlib import ExitStack, suppress

from surf_data.embedded import postgres, redis
from surf_data.embedded.folder import RUNTIME_PREFIX, Folder, State


def clear(folder: Folder, state: State | None) -> None:
    """Stop servers that have lost their supervisor, and remove what must not outlive them.

    Arguments:
        folder: the folder, of which the caller holds the lock ``supervisor``.
        state: the last known state of its servers, if there is one.
    """
    postgres.stop_forgotten(folder)
    if state:
        redis.stop_forgotten(folder, state)
        folder.remove(state)


def clear_stale(folder: Folder) -> None:
    """Clear the temporary folders beside this one whose users and supervisor were all killed.

    Arguments:
        folder: a temporary folder. Folders of other accounts than its own are left alone.
    """
    for path in folder.path.parent.glob(f"{RUNTIME_PREFIX}*"):
        other = Folder(path, folder.account)
        # One that is being removed, or that this account may not read.
        with suppress(OSError), ExitStack() as locks:
            if path.lstat().st_uid == folder.path.lstat().st_uid and (state := other.read_state()):
                names = ("start", "users", "supervisor")
                if all(locks.enter_context(other.lock(name)).take(wait=False) for name in names):
                    clear(other, state)
