"""Makes connections: where to, with which safeguards, set up how."""

from contextlib import suppress
from functools import cache
from typing import Any, ClassVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from surf_data import resources
from surf_data.errors import ConfigurationError, DatabaseUnavailable, SurfDataError
from surf_data.postgres.adaptation import ADAPTERS
from surf_data.postgres.queries import load_queries
from surf_data.postgres.session import Session
from surf_data.postgres.translation import reason
from surf_data.settings import Settings

# A silent peer is noticed by three different means, each of which misses what the others catch: a dead peer while
# sending (tcp_user_timeout), while waiting (keepalives), while connecting (connect_timeout). Seconds, but for the first.
_SAFEGUARDS: dict[str, Any] = {
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# Where a connection leads; `surf_data.postgres.DatabaseManager.connection_info` says it of the one in use.
_PLACE = frozenset({"dbname", "host", "hostaddr", "port", "user"})


@cache
def session_queries() -> Any:
    """Return what this library asks of a session itself: ``sql/kernel``."""
    return load_queries(resources.directory("sql") / "kernel", namespace="kernel")


def connection_parameters(settings: Settings) -> dict[str, Any]:
    """Return libpq's parameters for ``settings``; those of the URL win over the safeguards.

    Raises:
        ConfigurationError: the URL is malformed. It is not repeated.
    """
    return {
        **_SAFEGUARDS,
        "connect_timeout": settings.connect_timeout,
        "application_name": settings.application_name,
        **_url_parameters(settings),
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
        for keyword, value in _url_parameters(settings).items()
        if keyword not in _PLACE and (variable := variables[keyword])
    }


def _url_parameters(settings: Settings) -> dict[str, Any]:
    url = "" if settings.database_url is None else settings.database_url.reveal()
    try:
        given: dict[str, Any] | None = dict(conninfo_to_dict(url))
    except psycopg.Error:
        given = None
    # An unescaped @ in a password makes its rest part of the host, which error messages repeat.
    if given is None or any(letter in str(given.get("host", "")) for letter in "@ ?#"):
        raise ConfigurationError(
            "database_url is not a PostgreSQL URL or connection string; percent-encode special characters",
            setting="database_url",
        )
    return given


class Connector:
    """Connects and sets up; remembers why the last attempt failed. psycopg_pool takes it for a connection class.

    Arguments:
        settings: where to connect, and how.

    Raises:
        ConfigurationError: the URL is malformed.
    """

    #: psycopg_pool asks its connection class for this.
    __name__: ClassVar[str] = "Connector"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parameters = connection_parameters(settings)
        #: Why the last attempt to connect failed; ``None`` when it worked.
        self.failure: str | None = None
        #: Whether a pooler was seen between us and the server.
        self.behind_pooler = False

    def connect(self, conninfo: str = "", **parameters: Any) -> psycopg.Connection[Any]:
        """Return a new connection in autocommit mode, set up.

        Arguments:
            conninfo: ignored, there for psycopg_pool.
            parameters: override libpq's parameters.

        Raises:
            psycopg.OperationalError: with the reason in our own words; psycopg_pool logs it.
        """
        connection = None
        try:
            connection = psycopg.Connection[Any].connect(
                context=ADAPTERS,
                autocommit=True,
                # Not even the set-up is prepared before it is known who is at the other end.
                prepare_threshold=None,
                **{**self._parameters, **parameters},
            )
            self._set_up(connection)
        except (psycopg.Error, SurfDataError) as error:
            if connection is not None:
                connection.close()
            self.failure = reason(error) if isinstance(error, psycopg.Error) else str(error)
            connection = None
        if connection is None:
            # Outside the handler: libpq's own text holds what it was given.
            raise psycopg.OperationalError(self.failure or "connection failed")
        self.failure = None
        return connection

    def direct(self) -> psycopg.Connection[Any]:
        """Return a new connection that the caller closes.

        Raises:
            DatabaseUnavailable: the server cannot be reached; with the reason.
        """
        with suppress(psycopg.OperationalError):
            return self.connect()
        raise DatabaseUnavailable(f"cannot connect: {self.failure}")

    def _set_up(self, connection: psycopg.Connection[Any]) -> None:
        direct, *_ = session_queries().session_configure(
            Session(connection),
            backend_pid=connection.info.backend_pid,
            jit="on" if self._settings.jit else "off",
            statement_timeout=f"{round(self._settings.statement_timeout * 1000)}ms",
        )
        self.behind_pooler = not direct
        wanted = self._settings.prepared_statements
        # A pooler in transaction mode hands prepared statements to the wrong client.
        if wanted == "on" or (wanted == "auto" and direct):
            connection.prepare_threshold = 0
