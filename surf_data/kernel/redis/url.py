"""The Redis URL: checked when it is given, and kept out of every error."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.cluster import REDIS_ALLOWED_KEYS
from redis.connection import Connection, parse_url
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError

from surf_data.errors import ConfigurationError
from surf_data.kernel.redis.topology import Address, Cluster, Sentinels, Single, Topology
from surf_data.kernel.secret import Secret

# What a URL may say. Timeouts, retries and the like are settings of their own and must not come in by a side door.
_ALLOWED = frozenset({"connection_class", "db", "host", "password", "path", "port", "username"})
# redis-py has no URLs for these two; the forms are the ones that other clients take.
_SEVERAL = re.compile(
    r"(?P<scheme>rediss?)\+(?P<kind>sentinel|cluster)://(?:(?P<user>[^/?#]*)@)?(?P<hosts>[^/?#@]+)(?P<path>/[^?#]*)?"
    r"(?:\?(?P<query>[^#]*))?"
)
_SERVICE = re.compile(r"/(?P<service>[^/]+)(?P<database>/\d+)?", re.ASCII)
_SENTINEL_CREDENTIALS = ("sentinel_username", "sentinel_password")
_SENTINEL_PORT, _PORT = 26379, 6379
_PROBLEM = (
    "redis_url (SURF_DATA_REDIS_URL) must be redis://[[user]:password@]host[:port][/database], the same with "
    "rediss://, unix://[[user]:password@]/path[?db=database], "
    "redis+sentinel://[[user]:password@]host[:port][,host...]/service[/database] or "
    "redis+cluster://[[user]:password@]host[:port][,host...], with special characters percent-encoded"
)


class _Credentials(CredentialProvider):
    """Hands the password to the driver when it connects, so that no options or arguments carry it in plain text."""

    def __init__(self, username: str | None, password: Secret) -> None:
        self._username = username
        self._password = password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = self._password.reveal()
        return (self._username, password) if self._username else (password,)


def topology_of(url: Secret) -> Topology:
    """Return where ``url`` leads; nothing is connected.

    Arguments:
        url: ``redis://``, ``rediss://`` or ``unix://`` for a server; ``redis+sentinel://`` or ``rediss+sentinel://``
            with several hosts and the name of the service, and ``sentinel_username`` and ``sentinel_password`` in the
            query if the Sentinels want them; ``redis+cluster://`` or ``rediss+cluster://`` with several hosts. Beside
            user, password, place and database it may carry the driver's ``ssl_*`` options in its query, such as
            ``?ssl_ca_certs=/etc/ca.pem``.

    Raises:
        ConfigurationError: the URL is malformed. The error does not repeat any of it.
    """
    text = url.reveal()
    several = _SEVERAL.fullmatch(text)
    topology = _several(several.groupdict(default="")) if several else _single(text)
    if topology is None:
        # Raised outside any handler: the driver's own error holds parts of the URL.
        raise ConfigurationError(_PROBLEM, setting="redis_url")
    return topology


def _single(text: str) -> Single | None:
    options = _parsed(text)
    return None if options is None else Single(options=options)


def _several(parts: Mapping[str, str]) -> Topology | None:
    query = parse_qsl(parts["query"], keep_blank_values=True)
    rest = urlencode([(name, value) for name, value in query if name not in _SENTINEL_CREDENTIALS])
    place = _SERVICE.fullmatch(parts["path"])
    sentinel = parts["kind"] == "sentinel"
    if (place is None) if sentinel else parts["path"] not in {"", "/"}:
        return None
    user = f"{parts['user']}@" if parts["user"] else ""
    database = (place["database"] or "") if sentinel and place else ""
    members = [
        _parsed(f"{parts['scheme']}://{user}{host}{database}" + (f"?{rest}" if rest else ""))
        for host in parts["hosts"].split(",")
    ]
    known = [member for member in members if member is not None]
    if len(known) < len(members):
        return None
    addresses = tuple(_address(member, _SENTINEL_PORT if sentinel else _PORT) for member in known)
    # They are the same for all.
    options = known[0]
    if sentinel and place:
        asking = {name: value for name, value in options.items() if name.startswith("ssl_")}
        given = dict(query)
        _add_credentials(asking, *(given.get(name) for name in _SENTINEL_CREDENTIALS))
        service = unquote(place["service"])
        return Sentinels(addresses=addresses, service=service, options=options, sentinel_options=asking)
    # A cluster has one database, and the driver leaves out what it does not know.
    if options.pop("db", 0) or len(rest) < len(urlencode(query)) or not set(options) <= set(REDIS_ALLOWED_KEYS):
        return None
    return Cluster(addresses=addresses, options=options)


def _address(options: dict[str, Any], port: int) -> Address:
    return options.pop("host"), options.pop("port", port)


def _add_credentials(options: dict[str, Any], username: str | None, password: str | None) -> None:
    if username or password:
        options["credential_provider"] = _Credentials(username, Secret(password or ""))


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        parts = urlsplit(text)
        parsed: dict[str, Any] = parse_url(text)  # type: ignore[no-untyped-call]
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
        _add_credentials(options, options.pop("username", None), options.pop("password", None))
        # The driver checks its options no earlier than this, and opens nothing here.
        options["connection_class"](**{name: value for name, value in options.items() if name != "connection_class"})
    except (AttributeError, RedisError, TypeError, ValueError):
        return None
    return options
