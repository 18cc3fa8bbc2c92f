"""Signed URLs of objects on local disk: the holder of one may read one object until a moment."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

import attrs

from surf_data.errors import ConfigurationError, SignedUrlExpired, SignedUrlInvalid
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage.objects import checked_key, checked_method, checked_seconds
from surf_data.kernel.validation import text

_VERSION = "1"
_MIN_KEY_BYTES = 32
_MAX_URL = 8_000
# Strict: each parameter once, in this order, and nothing else. Two spellings of one URL are two URLs.
_QUERY = re.compile(r"v=1&k=([0-9a-f]{8})&m=(GET|PUT)&e=(0|[1-9][0-9]{0,11})&sig=([A-Za-z0-9_-]{43})", re.ASCII)


@attrs.frozen(kw_only=True)
class SignedAccess:
    """What a signed URL allows."""

    #: The object.
    key: str
    #: ``GET``, which allows ``HEAD`` as well, or ``PUT``.
    method: str
    #: When it ends, in seconds since 1970.
    expires_at: int


class UrlSigner:
    """Signs URLs by HMAC-SHA256, and verifies them.

    A URL ends by the clock of the machine that verifies it, with no leeway: so much earlier if the clock of the
    one that signed is behind.

    Arguments:
        keys: one or more keys of 32 bytes at least, separated by commas, the newest first: it signs, and all verify.
        base_url: where a service serves the objects, ``https://example.org/objects``.
        clock: seconds since 1970.

    Raises:
        ConfigurationError: a key is too short, or the URL is none.
    """

    def __init__(self, keys: Secret, base_url: str, *, clock: Callable[[], float] = time.time) -> None:
        if not isinstance(keys, Secret):
            raise ConfigurationError("storage_signing_keys must be a Secret", setting="storage_signing_keys")
        secrets = [key.strip().encode() for key in keys.reveal().split(",")]
        if any(len(secret) < _MIN_KEY_BYTES for secret in secrets):
            problem = f"storage_signing_keys must be keys of {_MIN_KEY_BYTES} bytes or more, separated by commas"
            raise ConfigurationError(problem, setting="storage_signing_keys")
        given: object = base_url
        parts = urlsplit(given if isinstance(given, str) else "")
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
            problem = "storage_public_url must be an http or https URL without a query"
            raise ConfigurationError(problem, setting="storage_public_url")
        self._base = base_url.rstrip("/")
        self._path = parts.path.rstrip("/")
        self._keys = {hashlib.sha256(secret).hexdigest()[:8]: secret for secret in secrets}
        self._newest = next(iter(self._keys))
        self._clock = clock

    def url(self, key: str) -> str:
        """Return the URL of an object without a signature."""
        return f"{self._base}/{quote(checked_key(key))}"

    def sign(self, key: str, seconds: int, *, method: str = "GET") -> str:
        """Return the URL of an object for ``GET`` or ``PUT``, for ``seconds``, 1 to 604,800. It is a secret."""
        expires, method = int(self._clock()) + checked_seconds(seconds), checked_method(method)
        signature = self._signature(self._newest, method, checked_key(key), expires)
        return f"{self.url(key)}?v={_VERSION}&k={self._newest}&m={method}&e={expires}&sig={signature}"

    def verify(self, method: str, url: str) -> SignedAccess:
        """Return what ``url`` allows, after checking that it was signed here and has not expired.

        Arguments:
            method: the method of the request: ``GET``, ``HEAD`` or ``PUT``.
            url: the URL of the request, or its path and query.

        Raises:
            SignedUrlInvalid: it was not signed here, for another method or object, or was changed.
            SignedUrlExpired: its time has passed.
        """
        path, _, query = text("url", url, maximum=_MAX_URL, minimum=0).partition("?")
        key, match = None, _QUERY.fullmatch(query)
        with suppress(ValueError):
            path = urlsplit(path).path if "://" in path else path
            # Another spelling of the path is another URL.
            decoded = checked_key(unquote(path.removeprefix(f"{self._path}/"), errors="strict"))
            key = decoded if path == f"{self._path}/{quote(decoded)}" else None
        if key is None or match is None or match[1] not in self._keys or match[2] != _allowing(method):
            raise SignedUrlInvalid
        expires = int(match[3])
        # The signature before the time, so that a forger learns nothing.
        if not hmac.compare_digest(match[4], self._signature(match[1], match[2], key, expires)):
            raise SignedUrlInvalid
        if expires <= self._clock():
            raise SignedUrlExpired
        return SignedAccess(key=key, method=match[2], expires_at=expires)

    def _signature(self, key_id: str, method: str, key: str, expires: int) -> str:
        # Each value behind its length, so that no two sets of values are one text.
        values = (_VERSION, key_id, method, key, str(expires))
        message = b"".join(len(raw).to_bytes(4) + raw for raw in map(str.encode, values))
        digest = hmac.digest(self._keys[key_id], message, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _allowing(method: str) -> str:
    return "GET" if method == "HEAD" else method
