"""Whether an object store does what it should."""

import secrets

from surf_data.errors import StorageError
from surf_data.kernel.storage.objects import ObjectStore


def trial(store: ObjectStore) -> None:
    """Write, read and delete an object.

    Raises:
        StorageError: it did not come back as it was.
    """
    key, content = f"check/{secrets.token_hex(8)}", secrets.token_bytes(64)
    store.put(key, content)
    try:
        returned = store.get(key).read()
    finally:
        store.delete_many([key])
    if returned != content:
        raise StorageError("a trial object came back changed", operation="check", key=key)
