"""Texts that are encrypted where they are stored, each for one place alone."""

from contextlib import suppress
from types import ModuleType

from surf_data.errors import ConfigurationError, EncryptionError
from surf_data.kernel import validation
from surf_data.kernel.secret import Secret

# What distinguishes an encrypted text from one that was stored in the clear; no key of an API begins so.
_MARK = "fernet:"


class KeyRing:
    """Encrypts texts with the newest of several keys, and decrypts them with any (Fernet: AES-128-CBC, HMAC).

    Fernet authenticates a text but not where it is stored, so this context is encrypted with it: a text that was copied
    into another row cannot be decrypted there.

    Arguments:
        keys: Fernet keys as `new_key` makes them, separated by commas, the newest first.

    Raises:
        ConfigurationError: a key is malformed, or the extra ``crypto`` is not installed.
    """

    def __init__(self, keys: Secret) -> None:
        fernet = _fernet()
        ring_of: object = keys
        given = str(ring_of.reveal()) if isinstance(ring_of, Secret) else ""
        with suppress(ValueError):
            ring = [fernet.Fernet(key.strip()) for key in given.split(",")]
            self._newest = ring[0]
            self._all = fernet.MultiFernet(ring)
            self._refusals = (fernet.InvalidToken, ValueError)
            return
        raise ConfigurationError(
            "encryption_keys must be Fernet keys, separated by commas: surf-data keys new", setting="encryption_keys"
        )

    def encrypt(self, context: str, text: str) -> str:
        """Return ``text`` encrypted for one context.

        Arguments:
            context: where it is stored, without line breaks: ``table|column|id``.
            text: what to encrypt.
        """
        said = f"{validation.unicode('context', context)}\n{validation.unicode('text', text)}"
        return _MARK + str(self._newest.encrypt(said.encode()).decode())

    def decrypt(self, context: str, encrypted: str) -> str:
        """Return the text that was encrypted for ``context``.

        Raises:
            EncryptionError: no key of the ring decrypts it, it was altered, or it was encrypted for another context.
        """
        with suppress(*self._refusals):
            found, _, text = (
                self._all.decrypt(validation.unicode("encrypted", encrypted).removeprefix(_MARK))
                .decode()
                .partition("\n")
            )
            if found == context:
                return str(text)
        # Outside of any handler, so that nothing is chained to it.
        raise EncryptionError(f"{context} cannot be decrypted: no key fits, or it was encrypted for another context")

    def is_newest(self, encrypted: str) -> bool:
        """Return whether a text is encrypted with the newest key."""
        with suppress(*self._refusals):
            self._newest.decrypt(validation.unicode("encrypted", encrypted).removeprefix(_MARK))
            return True
        return False


def is_encrypted(text: str) -> bool:
    """Return whether a text has the form that `KeyRing.encrypt` returns."""
    return validation.unicode("text", text).startswith(_MARK)


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
