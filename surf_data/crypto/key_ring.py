"""Texts that are encrypted where they are stored, each for one place alone."""

from contextlib import suppress
from types import ModuleType

from surf_data.errors import ConfigurationError, EncryptionError
from surf_data.settings import Secret

# What tells a sealed text from one that was stored as it is; no key of a weather service begins so.
_MARK = "fernet:"


class KeyRing:
    """Seals texts with the newest of several keys, and opens them with whichever it was (Fernet: AES-128-CBC, HMAC).

    Fernet authenticates a text but not where it is, so the place is sealed with it: a text that was copied into
    another row does not open there.

    Arguments:
        keys: Fernet keys as `new_key` makes them, separated by commas, the newest first.

    Raises:
        ConfigurationError: a key is malformed, or the extra ``crypto`` is not installed.
    """

    def __init__(self, keys: Secret) -> None:
        fernet = _fernet()
        with suppress(ValueError):
            ring = [fernet.Fernet(key.strip()) for key in keys.reveal().split(",")]
            self._newest = ring[0]
            self._all = fernet.MultiFernet(ring)
            self._refusals = (fernet.InvalidToken, ValueError)
            return
        raise ConfigurationError(
            "encryption_keys must be Fernet keys, separated by commas: surf-data keys new", setting="encryption_keys"
        )

    def seal(self, place: str, text: str) -> str:
        """Return ``text`` sealed for one place.

        Arguments:
            place: where it is stored, without line breaks: ``table|column|id``.
            text: what to seal.
        """
        return _MARK + str(self._newest.encrypt(f"{place}\n{text}".encode()).decode())

    def open(self, place: str, sealed: str) -> str:
        """Return what was sealed for ``place``.

        Raises:
            EncryptionError: no key of the ring opens it, it was altered, or it was sealed for another place.
        """
        with suppress(*self._refusals):
            found, _, text = self._all.decrypt(sealed.removeprefix(_MARK)).decode().partition("\n")
            if found == place:
                return str(text)
        # Outside of any handler, so that nothing is chained to it.
        raise EncryptionError(f"{place} cannot be decrypted: no key opens it, or it was sealed for another place")

    def is_newest(self, sealed: str) -> bool:
        """Tell whether a text is sealed with the newest key."""
        with suppress(*self._refusals):
            self._newest.decrypt(sealed.removeprefix(_MARK))
            return True
        return False


def is_sealed(text: str) -> bool:
    """Tell whether a text looks as `KeyRing.seal` returns it."""
    return text.startswith(_MARK)


def new_key() -> str:
    """Return a new random key.

    Raises:
        ConfigurationError: the extra ``crypto`` is not installed.
    """
    return str(_fernet().Fernet.generate_key().decode())


def _fernet() -> ModuleType:
    # An extra: imported only where it is asked for.
    with suppress(ImportError):
        from cryptography import fernet  # noqa: PLC0415

        return fernet
    raise ConfigurationError('encryption needs the extra crypto: pip install "surf-data[crypto]"')
