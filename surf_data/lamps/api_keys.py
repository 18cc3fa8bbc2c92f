"""The keys of the sources of surf data, encrypted where they are stored."""

from surf_data.errors import EncryptionError
from surf_data.kernel.crypto import KeyRing, is_encrypted


def opened(ring: KeyRing | None, identity: int, api_key: str | None) -> str | None:
    """Return a stored API key in plain text; one that is stored so is returned as it is.

    Arguments:
        ring: the keys that open it.
        identity: its row in ``api_configuration``.
        api_key: what is stored.

    Raises:
        EncryptionError: it cannot be decrypted.
    """
    if api_key is None or not is_encrypted(api_key):
        return api_key
    if ring is None:
        raise EncryptionError(f"{context(identity)} is encrypted, and encryption_keys is not set")
    return ring.decrypt(context(identity), api_key)


def context(identity: int) -> str:
    """Return where a key is stored, as `KeyRing.encrypt` wants it."""
    return f"api_configuration|api_key|{identity}"
