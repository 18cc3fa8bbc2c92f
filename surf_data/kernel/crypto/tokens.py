"""Session tokens: random, known to their holder alone, stored as a hash."""

import hashlib
import secrets

from surf_data.kernel.secret import Secret


def new_token() -> Secret:
    """Return a token that nobody guesses: 256 random bits, in 43 letters that fit a header or a cookie."""
    return Secret(secrets.token_urlsafe(32))


def token_digest(token: str) -> str:
    """Return what is stored of a token: its SHA-256, in hexadecimal.

    A slow hash is for what people choose. Nobody can try 256 random bits, so a fast one serves, and the server may
    look it up by index.

    Arguments:
        token: what its holder presents.
    """
    return hashlib.sha256(token.encode()).hexdigest()
