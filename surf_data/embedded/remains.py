"""What servers leave behind when their supervisor was killed, or when they have stopped."""

from surf_data.embedded import postgres, redis
from surf_data.embedded.folder import Folder, State


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
