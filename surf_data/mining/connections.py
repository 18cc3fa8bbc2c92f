"""The data layer that the access objects of a process share when they are given none."""

import atexit
import threading

from surf_data.mining import layer
from surf_data.mining.layer import MiningDataLayer

_lock = threading.Lock()
_shared: list[MiningDataLayer] = []


def shared_layer() -> MiningDataLayer:
    """Return the process's data layer, opened from the environment at the first call.

    Raises:
        ConfigurationError: a setting is unknown or malformed.
    """
    with _lock:
        if not _shared:
            _shared.append(layer.open())
        return _shared[0]


def close_all_connections() -> None:
    """Close the process's data layer; an access object that is used later opens another one. Idempotent."""
    with _lock:
        opened, _shared[:] = list(_shared), []
    for data in opened:
        data.close()


atexit.register(close_all_connections)
