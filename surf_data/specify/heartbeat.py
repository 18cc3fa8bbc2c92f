"""A thread that says again and again that a command is alive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from surf_data.errors import DatabaseError
from surf_data.kernel.log_messages import error_facts, get_logger

_log = get_logger("surf_data.specify.heartbeat")

# Heartbeats in the time of one lease: two may be lost.
_BEATS = 3


@contextmanager
def heartbeats(beat: Callable[[int, float], bool], command_id: int, lease_seconds: float | None) -> Iterator[None]:
    """Send heartbeats while the block runs; none without a lease.

    Arguments:
        beat: sends one; returns whether the command still runs.
        command_id: the command that is alive.
        lease_seconds: its lease.
    """
    if lease_seconds is None:
        yield
        return
    ended = Event()
    thread = Thread(target=_beat, args=(beat, command_id, lease_seconds, ended), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(beat: Callable[[int, float], bool], command_id: int, lease_seconds: float, ended: Event) -> None:
    alive = True
    while alive and not ended.wait(lease_seconds / _BEATS):
        try:
            alive = beat(command_id, lease_seconds)
        except DatabaseError as error:
            # The next one may arrive; and if none does, the command is only taken for dead until it completes.
            _log.warning("heartbeat failed", extra={"command_id": command_id, **error_facts(error)})
