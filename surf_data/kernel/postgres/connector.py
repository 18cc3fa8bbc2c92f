"""Makes connections: where to, with which safeguards, set up how."""

import math
import os
import re
import socket
import weakref
from contextlib import suppress
from time import monotonic
from typing import Any, ClassVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from surf_data.errors import ConfigurationError, DatabaseUnavailable, SurfDataError
from surf_data.kernel.postgres import refusal, trace_context
from surf_data.kernel.postgres.adaptation import Adapters
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.session import Session
from surf_data.kernel.postgres.session_queries import session_queries
from surf_data.kernel.settings import Settings

# A silent peer is noticed by three different means, each of which misses what the others catch: a dead peer while
# sending (tcp_user_timeout, milliseconds), while waiting (keepalives, seconds), while connecting (connect_timeout).
_SAFEGUARDS: dict[str, Any] = {
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# An unescaped @ or / in a password makes its rest part of the host, port or database, which logs and messages repeat.
_AMBIGUOUS_URL = re.compile(r"postgres(?:ql)?://(?:[^?@]*@[^?]*@|[^?@/]*/[^?]*@)")
_HOSTS = re.compile(r"[^@ ?#]*")
_PORTS = re.compile(r"[0-9,]*")
# What another attempt will not mend, unlike a server that starts, is full or cannot be reached.
_REFUSALS = frozenset(
    {
        "authentication failed",
        "refused by pg_hba.conf",
        "the database does not exist",
        "the role does not exist",
        "no permission for the database",
        refusal.BAD_OPTION,
        refusal.BAD_PARAMETER,
        refusal.NO_CONNECTIONS,
        refusal.TLS_FAILED,
    }
)
#: The oldest PostgreSQL that works, as the server numbers its versions: GRANT ... WITH INHERIT, SET, which the
#: migrations of roles need, came with 16.
OLDEST_SERVER = 160_000

# Where a connection leads; `surf_data.kernel.postgres.DatabaseManager.connection_info` says it of the one in use.
_PLACE = frozenset({"dbname", "host", "hostaddr", "port", "user"})


def connection_parameters(settings: Settings, setting: str = "database_url") -> dict[str, Any]:
    """Return libpq's parameters for ``settings``; those of the URL win over the safeguards.

    Arguments:
        settings: where to connect, and how.
        setting: what the URL came from, for the error.

    Raises:
        ConfigurationError: the URL is malformed. It is not repeated.
    """
    return {
        **_SAFEGUARDS,
        "connect_timeout": settings.connect_timeout,
        "application_name": settings.application_name,
        **_url_parameters(settings, setting),
        # JSON is sent as UTF-8, and with SQL_ASCII text would come back as bytes; a locale must not change that.
        "client_encoding": "UTF8",
    }


def client_environment(settings: Settings) -> dict[str, str]:
    """Return libpq's environment variables for what the URL says beside host, port, user and database.

    A parameter that has no variable is left out.

    Raises:
        ConfigurationError: the URL is malformed. It is not repeated.
    """
    variables = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults()}
    return {
        variable.decode(): value
        for keyword, value in _url_parameters(settings, "database_url").items()
        if keyword not in _PLACE and (variable := variables[keyword])
    }


def _url_parameters(settings: Settings, setting: str) -> dict[str, Any]:
    url = "" if settings.database_url is None else settings.database_url.reveal()
    if url.startswith("embedded:"):
        raise ConfigurationError(f"{setting}: only surf_data.open starts embedded servers", setting=setting)
    with suppress(psycopg.Error):
        given = conninfo_to_dict(url)
        host, port = str(given.get("host", "")), str(given.get("port", ""))
        if not _AMBIGUOUS_URL.match(url) and _HOSTS.fullmatch(host) and _PORTS.fullmatch(port):
            return dict(given)
    problem = "is not a PostgreSQL URL or connection string; percent-encode special characters"
    with suppress(psycopg.Error):
        # The parameter is not named: it may be a part of a password.
        if "?" in url and conninfo_to_dict(url.partition("?")[0]) and not _AMBIGUOUS_URL.match(url):
            problem = "has a parameter that libpq does not know, or one that must be percent-encoded"
    raise ConfigurationError(f"{setting} {problem}", setting=setting)


class Connector:
    """Connects and sets up; remembers why the last attempt failed. psycopg_pool takes it for a connection class.

    Arguments:
        settings: where to connect, and how.
        setting: what the URL came from, for the error.

    Raises:
        ConfigurationError: the URL is malformed, or what ``trace_context`` needs is not installed.
    """

    #: psycopg_pool asks its connection class for this.
    __name__: ClassVar[str] = "Connector"

    def __init__(self, settings: Settings, setting: str = "database_url") -> None:
        self._settings = settings
        if settings.trace_context:
            trace_context.check()
        self._parameters = connection_parameters(settings, setting)
        #: What each session is set to.
        self.configuration: dict[str, str] = {
            "jit": "on" if settings.jit else "off",
            # Rounded up, because 0 is without limit.
            "statement_timeout": f"{math.ceil(settings.statement_timeout * 1000)}ms",
        }
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        #: Why the last attempt to connect failed; ``None`` when it worked.
        self.failure: str | None = None
        #: How often the server has refused us for a reason that only a person can mend.
        self.permanent_failures: int = 0
        #: Whether a pooler was seen between us and the server.
        self.behind_pooler: bool = False

    def reset_after_fork(self) -> None:
        """In a forked child: cut this process off the parent's connections, so that nothing it does reaches them."""
        ours, theirs = socket.socketpair()
        theirs.close()
        for connection in self._connections:
            if not connection.closed:
                # The file descriptor is the child's own, so the parent's connection stays as it is.
                os.dup2(ours.fileno(), connection.fileno(), inheritable=False)
        ours.close()
        self._connections = weakref.WeakSet()

    def connect(self, conninfo: str = "", **parameters: Any) -> Connection:
        """Return a new connection in autocommit mode, set up.

        Arguments:
            conninfo: ignored, there for psycopg_pool.
            parameters: override libpq's parameters.

        Raises:
            refusal.Refused: with the reason in our own words; psycopg_pool logs it.
        """
        started = monotonic()
        parameters = {**self._parameters, **parameters}
        try:
            connection = Connection.connect(
                # Made anew, for what an application has registered with psycopg meanwhile.
                context=Adapters(),
                autocommit=True,
                # Unprepared until it is known whether a pooler sits between.
                prepare_threshold=None,
                **parameters,
            )
            connection.connected_at = started
            self._set_up(connection)
        except refusal.Refused as error:
            failure = error.reason
        except psycopg.Error as error:
            failure = refusal.unattempted(error, parameters)
        except UnicodeError:
            # So Python says that no host can have this name.
            failure = refusal.UNKNOWN_HOST
        except SurfDataError as error:
            failure = str(error)
        else:
            self.failure = None
            self._connections.add(connection)
            return connection
        self.failure = failure
        self.permanent_failures += failure in _REFUSALS
        # Outside the handlers: libpq's own text holds what it was given.
        raise refusal.because(failure)(failure)

    def direct(self, **parameters: Any) -> Connection:
        """Return a new connection that the caller closes; it prepares nothing, so it takes several statements at once.

        Arguments:
            parameters: override libpq's parameters.

        Raises:
            DatabaseUnavailable: the server cannot be reached; with the reason.
        """
        with suppress(psycopg.OperationalError):
            connection = self.connect(**parameters)
            connection.prepare_threshold = None
            # A migration may take its time.
            connection.response_timeout = math.inf
            return connection
        raise DatabaseUnavailable(f"cannot connect: {self.failure}")

    def _set_up(self, connection: Connection) -> None:
        if connection.info.server_version < OLDEST_SERVER:
            major, minor = divmod(connection.info.server_version, 10_000)
            connection.close()
            self.permanent_failures += 1
            oldest = OLDEST_SERVER // 10_000
            raise DatabaseUnavailable(f"PostgreSQL {major}.{minor} is too old: {oldest} or newer is needed")
        # A server that hangs now is one that cannot be connected to.
        connection.response_timeout = self._settings.connect_timeout
        try:
            direct, connection.server, connection.stats_epoch, connection.identity, *_ = (
                session_queries().session_configure(
                    Session(connection),
                    backend_pid=connection.info.backend_pid,
                    **self.configuration,
                )
            )
        except BaseException:
            connection.close()
            raise
        # What was set here is what the session is lent with.
        connection.doubtful.clear()
        connection.response_timeout = self._settings.deadline or math.inf
        self.behind_pooler = not direct
        # A pooler in transaction mode hands prepared statements to the wrong client.
        if self._settings.prepared_statements == "on" or (direct and self._settings.prepared_statements == "auto"):
            connection.prepare_threshold = 0
        if self._settings.trace_context:
            trace_context.attach(connection)
