"""Password hashes, for services that have no hash of their own."""

import hmac
from contextlib import suppress
from types import ModuleType

from surf_data.errors import ConfigurationError
from surf_data.kernel import validation


class PasswordHasher:
    """Hashes passwords with Argon2id, as RFC 9106 recommends for machines with little memory. Thread-safe.

    Each hash has a salt of its own, so it cannot be compared with another: fetch the stored one and `verify`.

    Raises:
        ConfigurationError: the extra ``passwords`` is not installed.
    """

    def __init__(self) -> None:
        argon2 = _argon2()
        self._hasher = argon2.PasswordHasher()
        self._refusals = (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError)
        # Made with the parameters of all others, so that refusing an unknown user takes as long as refusing a known
        # one.
        self._unknown_user: str = self._hasher.hash("")

    def hash(self, password: str) -> str:
        """Return a hash of ``password`` with its salt and parameters: 97 characters."""
        return str(self._hasher.hash(validation.unicode("password", password)))

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether ``stored`` is a hash of ``password``.

        Arguments:
            stored: the hash; ``None`` when there is no such user: the same work is done, and the answer is no.
            password: what was typed.
        """
        validation.unicode("password", password)
        validation.unicode("stored", "" if stored is None else stored)
        with suppress(*self._refusals):
            self._hasher.verify(self._unknown_user if stored is None else stored, password)
            return stored is not None
        return False

    @staticmethod
    def matches(stored: str | bytes | None, given: str | bytes) -> bool:
        """Return whether a hash that the caller made is the stored one, compared in constant time.

        For callers that hash passwords themselves, without a salt per hash; needs no extra.

        Arguments:
            stored: the hash, text counting as its UTF-8; ``None`` when there is no such user: the same work is done,
                and the answer is no.
            given: what the caller made of the password.
        """
        # How long it takes depends on the length of the second text alone.
        equal = hmac.compare_digest(b"" if stored is None else _bytes("stored", stored), _bytes("given", given))
        return equal and stored is not None


def _bytes(field: str, value: str | bytes) -> bytes:
    if not isinstance(value, (str, bytes)):
        raise validation.invalid(field, "must be a text or bytes")
    return value.encode(errors="surrogatepass") if isinstance(value, str) else value


def _argon2() -> ModuleType:
    # An extra: imported only where it is asked for.
    with suppress(ImportError):
        import argon2  # noqa: PLC0415

        return argon2
    raise ConfigurationError('password hashes need the extra passwords: pip install "surf-data[passwords]"')
