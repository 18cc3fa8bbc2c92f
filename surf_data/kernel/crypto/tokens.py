"""Session tokens and API keys: random, known to their holder alone, stored as a hash."""

import hashlib
import secrets
from typing import NamedTuple

from surf_data.kernel import validation
from surf_data.kernel.secret import Secret

#: How many of an API key's last characters are stored, so that its holder knows it again in a list.
PREVIEW = 4


class NewApiKey(NamedTuple):
    """An API key, and what is stored of it."""

    #: The key itself, to be shown once.
    secret: Secret
    #: What it is found by: `token_digest`.
    digest: str
    #: Its last four characters.
    preview: str


def new_api_key(prefix: str = "") -> NewApiKey:
    """Return a new API key with 256 random bits.

    Arguments:
        prefix: what it begins with, so that scanners for leaked keys recognize it: ``dlt_``. 43 letters follow.
    """
    key = validation.unicode("prefix", prefix) + new_token().reveal()
    return NewApiKey(Secret(key), token_digest(key), key[-PREVIEW:])


def new_token() -> Secret:
    """Return a token that cannot be guessed: 256 random bits, in 43 letters that fit a header or a cookie."""
    return Secret(secrets.token_urlsafe(32))


def token_digest(token: str) -> str:
    """Return what is stored of a token: its SHA-256, in hexadecimal.

    A slow hash is for what people choose. 256 random bits cannot be searched, so a fast one serves, and the server may
    look it up by index.

    Arguments:
        token: what its holder presents.
    """
    return hashlib.sha256(validation.unicode("token", token).encode()).hexdigest()
