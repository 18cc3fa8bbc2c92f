"""Connections: where they lead, how they are set up, what is said when they fail, and who may sit between."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from rig import Relay, as_pooler
from surf_data.errors import ConfigurationError, DatabaseUnavailable, PoolTimeout
from surf_data.kernel import settings
from surf_data.kernel.postgres import DatabaseManager, Json, connector

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]
SECRET = "planted-7f3a"


@pytest.fixture
def queries(load: Callable[..., Any]) -> Any:
    """Load queries about the session itself."""
    return load(
        {
            "setting(name)$": "SELECT current_setting(:name::text);",
            "prepared()$": "SELECT count(*) FROM pg_prepared_statements;",
            "backend()$": "SELECT pg_backend_pid();",
            "echo(text, json, moment)^": "SELECT :text::text, :json::jsonb, :moment::timestamptz;",
        }
    )


@pytest.fixture
def place(watcher: Connection, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that points libpq's variables at the empty database."""

    def point(**more: str) -> None:
        info = watcher.info
        variables = {"PGHOST": info.host, "PGPORT": str(info.port), "PGUSER": info.user, "PGDATABASE": info.dbname}
        for variable, value in {**variables, **more}.items():
            monkeypatch.setenv(variable, value)

    return point


def reason(database: DatabaseManager, refused: Callable[..., Any]) -> str:
    """Return why ``database`` cannot be reached, after checking that all ways of asking say the same."""
    error = refused(database.connect, DatabaseUnavailable)
    waiting = refused(lambda: database.ping(timeout=0.3), PoolTimeout)
    assert str(error) == f"cannot connect: {waiting.cause}"
    assert str(waiting).endswith(f"; the last attempt to connect failed: {waiting.cause}")
    return str(waiting.cause)


def test_a_connection_is_set_up(open_database: Opener, queries: Any) -> None:
    """The settings of the session are those that were asked for."""
    database = open_database(jit=True, statement_timeout=12.5, application_name="nightly")
    assert queries.setting(database, name="jit") == "on"
    assert queries.setting(database, name="statement_timeout") == "12500ms"
    assert queries.setting(database, name="application_name") == "nightly"
    assert queries.setting(database, name="timezone") == "UTC"
    assert queries.setting(open_database(), name="jit") == "off"
    assert not database._connector.behind_pooler


def test_libpq_s_variables_lead_to_the_server(
    open_database: Opener, queries: Any, watcher: Connection, place: Callable[..., None]
) -> None:
    """Without a URL, PGHOST, PGPORT, PGUSER and PGDATABASE say where the server is, and PGOPTIONS is heeded."""
    place(PGOPTIONS="-c search_path=elsewhere")
    database = open_database(database_url=None)
    assert queries.setting(database, name="search_path") == "elsewhere"
    assert database.connection_info() == {
        "host": watcher.info.host,
        "port": watcher.info.port,
        "database": watcher.info.dbname,
        "user": watcher.info.user,
    }
    assert database.client_environment() == {}


def test_a_url_wins_over_libpq_s_variables(
    open_database: Opener, queries: Any, database_url: str, place: Callable[..., None]
) -> None:
    """What the URL says is not taken from elsewhere, parameters included."""
    place(PGDATABASE="nowhere", PGUSER="nobody")
    database = open_database(database_url=f"{database_url}&application_name=by%20url")
    assert queries.setting(database, name="application_name") == "by url"
    assert database.client_environment() == {"PGAPPNAME": "by url"}


def test_text_is_utf_8_whatever_the_client_s_locale_says(
    open_database: Opener, queries: Any, place: Callable[..., None], database_url: str
) -> None:
    """Neither PGCLIENTENCODING nor the URL changes how text and JSON travel."""
    place(PGCLIENTENCODING="LATIN1")
    for url in (None, f"{database_url}&client_encoding=SQL_ASCII"):
        row = queries.echo(open_database(database_url=url), text="Surf 🏄 é", json=Json('{"é":"🏄"}'), moment=None)
        assert row == ("Surf 🏄 é", {"é": "🏄"}, None)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql://u:{secret}@127.0.0.1:1/x", "connection refused"),
        ("postgresql://u:{secret}@localhost:1,127.0.0.1:1/x", "connection refused"),
        ("postgresql://u:{secret}@nowhere.invalid/x", "unknown host"),
        (f"postgresql://u:{{secret}}@{'a' * 64}/x", "unknown host"),
        ("postgresql://u:{secret}@/x?host=/nowhere/at/all", "no server at that socket"),
        ("host=/nowhere/at/all user=u password={secret}", "no server at that socket"),
    ],
)
def test_a_server_that_is_not_there_has_a_reason(
    open_database: Opener, refused: Callable[..., Any], url: str, cause: str
) -> None:
    """A refused connection, an unknown host and a missing socket are distinguished."""
    database = open_database(database_url=url.format(secret=SECRET))
    assert reason(database, refused) == cause


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"dbname": "nowhere"}, "the database does not exist"), ({"user": "nobody"}, "the role does not exist")],
    ids=["database", "role"],
)
def test_a_server_that_does_not_let_us_in_has_a_reason(
    open_database: Opener, watcher: Connection, refused: Callable[..., Any], change: dict[str, str], cause: str
) -> None:
    """An unknown database and an unknown role are distinguished."""
    info = watcher.info
    conninfo = psycopg.conninfo.make_conninfo(
        **{"host": info.host, "port": info.port, "user": info.user, "dbname": info.dbname, **change}
    )
    assert reason(open_database(database_url=conninfo), refused) == cause


def test_a_password_is_asked_for(
    open_database: Opener,
    private_server: Any,
    refused: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The password comes from the URL, from PGPASSWORD or from the password file; a wrong one is reported as such."""
    private_server.execute(f"CREATE ROLE kai LOGIN PASSWORD '{SECRET} @%'")
    private_server.execute("CREATE ROLE lou LOGIN CONNECTION LIMIT 0")
    private_server.execute("CREATE ROLE stranger LOGIN")
    private_server.let_in("local all kai scram-sha-256\nlocal all stranger reject\nlocal all all trust\n")

    def opened(user: str) -> DatabaseManager:
        url = f"postgresql://{user}@/surf_data?host={quote(private_server.socket_folder, safe='')}"
        return open_database(database_url=url)

    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "nothing"))
    assert opened(f"kai:{quote(SECRET + ' @%', safe='')}").ping() > 0
    assert reason(opened("kai:wrong"), refused) == "authentication failed"
    assert reason(opened("kai"), refused) == "authentication failed"
    assert reason(opened("stranger"), refused) == "refused by pg_hba.conf"
    assert reason(opened("lou"), refused) == "too many connections"
    (tmp_path / "passwords").write_text(f"*:*:*:kai:{SECRET} @%\n")
    (tmp_path / "passwords").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "passwords"))
    assert opened("kai").ping() > 0
    monkeypatch.setenv("PGPASSWORD", "wrong")
    assert reason(opened("kai"), refused) == "authentication failed"
    monkeypatch.setenv("PGPASSWORD", f"{SECRET} @%")
    database = opened("kai")
    assert database.ping() > 0
    assert SECRET not in repr(database.connection_info())
    assert opened(f"kai:{quote(SECRET + ' @%', safe='')}").client_environment() == {"PGPASSWORD": f"{SECRET} @%"}


def test_a_session_that_cannot_be_set_up_has_a_reason(
    open_database: Opener, database_url: str, watcher: Connection, refused: Callable[..., Any], eventually: Any
) -> None:
    """A role that may not even set its own session up gets an error, and the connection is closed."""
    watcher.execute("REVOKE EXECUTE ON FUNCTION set_config(text, text, boolean) FROM PUBLIC")
    watcher.execute("CREATE ROLE meek LOGIN")
    try:
        database = open_database(database_url=database_url.replace("surf_data@", "meek@"))
        said = reason(database, refused)
        assert said == "kernel.session_configure failed: InsufficientPrivilege (SQLSTATE 42501)"
        database.close()
        eventually(lambda: not watcher.execute("SELECT 1 FROM pg_stat_activity WHERE usename = 'meek'").fetchone())
    finally:
        watcher.execute("DROP ROLE meek")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:{secret}@x@host/db",
        "postgresql://u:x@{secret}@host/db",
        "postgresql://u:x/{secret}@host/db",
        "postgresql://u:{secret}/x@host/db",
        "postgresql://u:{secret}/x@host/db?sslmode=disable",
        "postgresql://u:12/{secret}@host/db",
        "postgresql://u:x?{secret}@y@host/db",
        "postgresql://u:{secret}",
        "postgresql://u:{secret}%zz@host/db",
        "postgresql://u:p@[{secret}/db",
        "postgres://u:p@host@{secret}/db",
        "postgresql://u:p@host/db?pasword={secret}",
        "host=x password={secret} y",
        "password='{secret}",
        "host=x pasword={secret}",
        "host={secret}@host user=u",
        "port={secret}",
        "mysql://u:{secret}@host/db",
        "{secret}",
    ],
)
def test_a_malformed_url_is_refused_and_not_repeated(
    open_database: Opener, refused: Callable[..., Any], caplog: pytest.LogCaptureFixture, url: str
) -> None:
    """A URL that would be misread, and so show a part of the password, is refused without a word of it."""
    caplog.set_level(0)
    error = refused(lambda: open_database(database_url=url.format(secret=SECRET)), ConfigurationError)
    assert error.setting == "database_url"
    assert SECRET not in repr([str(error), error.args, vars(error)]) + caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgresql://",
        "postgres://host",
        "postgresql://u:p%40%2F%3F%23%20@host:5432/db",
        "postgresql://u:p?q#r@host/db",
        "postgresql://h1:5432,h2:5433/db?target_session_attrs=read-write",
        "postgresql:///db?host=/var/run/postgresql",
        "postgresql://[2001:db8::1]:5432/db",
        "postgresql://u@host/db?options=-c%20search_path%3Da%40b",
        "host=/tmp dbname='my db' password='p@ss w/o\\'rd'",
    ],
)
def test_a_good_url_is_not_refused(open_database: Opener, url: str) -> None:
    """Every form that libpq takes is taken, with special characters percent-encoded or quoted."""
    open_database(database_url=url)


def test_embedded_servers_are_not_the_kernel_s_to_start(open_database: Opener, refused: Callable[..., Any]) -> None:
    """A database manager made by hand says who starts embedded servers, instead of looking for one of that name."""
    error = refused(lambda: open_database(database_url="embedded:"), ConfigurationError)
    assert (error.setting, str(error)) == ("database_url", "database_url: only surf_data.open starts embedded servers")


@pytest.fixture
def pooled_url(watcher: Connection, open_folder: Path) -> Iterator[str]:
    """Return a URL of the empty database that leads through a middlebox, which hides the backend's number."""
    info = watcher.info
    with Relay(f"{info.host}/.s.PGSQL.{info.port}", open_folder / ".s.PGSQL.5432", as_pooler):
        yield f"postgresql://{info.user}@/{info.dbname}?host={quote(str(open_folder), safe='')}"


@pytest.mark.parametrize(("setting", "prepared"), [("auto", 0), ("on", 2), ("off", 0)])
def test_behind_a_pooler_nothing_is_prepared_unasked(
    open_database: Opener, pooled_url: str, queries: Any, setting: str, prepared: int
) -> None:
    """Behind a pooler statements are prepared only if the setting says on, and the session is left as it is."""
    database = open_database(
        database_url=pooled_url, pool_max_size=1, prepared_statements=setting, statement_timeout=1.25
    )
    assert queries.backend(database) > 0
    assert queries.prepared(database) == prepared
    assert database._connector.behind_pooler
    assert queries.setting(database, name="statement_timeout") == "0"
    assert database.ping() > 0


def test_a_server_that_is_too_old(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server before the oldest that is supported is refused at once, by its version, before anything is asked."""
    monkeypatch.setattr(connector, "OLDEST_SERVER", 190_000)
    connecting = connector.Connector(settings.load({}, database_url=database_url))
    with pytest.raises(DatabaseUnavailable, match=r"PostgreSQL 1\d\.\d+ is too old: 19 or newer is needed"):
        connecting.direct()
    assert connecting.permanent_failures == 1
    database = DatabaseManager(settings.load({}, database_url=database_url, pool_min_size=0))
    with pytest.raises(PoolTimeout) as caught:
        database.ping()
    assert "is too old" in str(caught.value.cause)
    database.close()


@pytest.mark.parametrize("extra", ["pgbouncer=true", "schema=public", "sslmode=require&pool=5", "a", "sslmode=%zz"])
def test_a_parameter_of_another_tool_is_said_to_be_one(
    open_database: Opener, refused: Callable[..., Any], extra: str
) -> None:
    """A URL whose parameter libpq does not know is not said to be no URL."""
    url = f"postgresql://surf@db.example.com/surf?{extra}"
    error = refused(lambda: open_database(database_url=url), ConfigurationError)
    assert "database_url has a parameter that libpq does not know" in str(error)
