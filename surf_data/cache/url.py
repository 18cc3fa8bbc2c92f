"""The Redis URL: checked when it is given, and kept out of every error."""

import re
from typing import Any
from urllib.parse import urlsplit

from redis.connection import Connection, parse_url
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError

from surf_data.errors import ConfigurationError
from surf_data.settings import Secret

# What a URL may say. Timeouts, retries and the like are settings of their own and must not come in by a side door.
_ALLOWED = frozenset({"connection_class", "db", "host", "password", "path", "port", "username"})
_PROBLEM = (
    "redis_url (SURF_DATA_REDIS_URL) must be redis://[[user]:password@]host[:port][/database], the same with "
    "rediss://, or unix://[[user]:password@]/path[?db=database], with special characters percent-encoded"
)


class _Credentials(CredentialProvider):
    """Hands the password to the driver when it connects, so that no options or arguments carry it in plain text."""

    def __init__(self, username: str | None, password: Secret) -> None:
        self._username = username
        self._password = password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = self._password.reveal()
        return (self._username, password) if self._username else (password,)


def connection_options(url: Secret) -> dict[str, Any]:
    """Return the driver's connection options for ``url``; nothing is connected.

    Arguments:
        url: ``redis://``, ``rediss://`` or ``unix://``. Beside user, password, place and database it may carry the
            driver's ``ssl_*`` options in its query, such as ``?ssl_ca_certs=/etc/ca.pem``.

    Raises:
        ConfigurationError: the URL is malformed. The error does not repeat any of it.
    """
    options = _parsed(url)
    if options is None:
        # Raised outside any handler: the driver's own error holds parts of the URL.
        raise ConfigurationError(_PROBLEM, setting="redis_url")
    return options


def _parsed(url: Secret) -> dict[str, Any] | None:
    try:
        parts = urlsplit(url.reveal())
        parsed: dict[str, Any] = parse_url(url.reveal())  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {"connection_class": Connection, **parsed}
        if parts.scheme == "unix":
            complete = bool(parts.path.strip("/")) and not parts.hostname
        else:
            complete = bool(parts.hostname) and re.fullmatch(r"/?|/\d+", parts.path, re.ASCII) is not None
        known = all(name in _ALLOWED or name.startswith("ssl_") for name in options)
        # A fragment is a password with a "#" in it.
        if parts.fragment or not complete or not known:
            return None
        # The driver would find out when it connects, with an error of another kind.
        options.get("host", "").encode("idna")
        username, password = options.pop("username", None), options.pop("password", None)
        if username or password:
            options["credential_provider"] = _Credentials(username, Secret(password or ""))
        # The driver checks its options no earlier than this, and opens nothing here.
        options["connection_class"](**{name: value for name, value in options.items() if name != "connection_class"})
    except (AttributeError, RedisError, TypeError, ValueError):
        return None
    return options
