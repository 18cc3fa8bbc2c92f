"""Secrets: a planted one appears in no error, log record or representation, whatever goes wrong."""

import gc
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from surf_data.errors import DatabaseError, PoolTimeout, SurfDataError
from surf_data.kernel import settings
from surf_data.kernel.postgres import Connector, DatabaseManager, Json, Session

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]

#: In a password, in parameters, in rows.
SECRET = "planted-7f3a"
PASSWORD = f"{SECRET} @%/?#"

#: A number that is a secret, too long to be a time or a thread by chance.
NUMBER = 771_300_884_611_377_013

TABLES = """
    CREATE TABLE account (
        id bigint PRIMARY KEY, hash text NOT NULL UNIQUE CHECK (hash !~ 'bad'), age int4, details jsonb,
        parent bigint REFERENCES account
    );
    CREATE FUNCTION shout(what text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        RAISE NOTICE 'noted %', what;
        RAISE EXCEPTION 'refused %', what USING DETAIL = what, HINT = what, CONSTRAINT = 'shouting';
    END $$;
"""
QUERIES = {
    "account_insert(id, hash, age, details, parent)!": (
        "INSERT INTO account (id, hash, age, details, parent) VALUES "
        "(:id::int8, :hash::text, :age::int4, :details::jsonb, :parent::int8);"
    ),
    "account_find(hash)": "SELECT a.id FROM account AS a WHERE a.hash = :hash::text;",
    "account_list()": "SELECT a.id, a.hash, a.details FROM account AS a;",
    "account_cast()$": "SELECT a.hash::int4 FROM account AS a;",
    "account_fray()": "SELECT a.hash::int4 FROM account AS a;",
    "account_copy()#": "COPY account (id, hash, age, details) FROM STDIN;",
    "account_far(hash)$": "SELECT CASE WHEN a.hash = :hash::text THEN 'infinity'::timestamptz END FROM account AS a;",
    "shout(what)$": "SELECT shout(:what::text);",
    "cast(what)$": "SELECT :what::text::uuid;",
    "syntax(what)$": "SELECT :what::text FROM;",
    "sleep(what)$": "SELECT pg_sleep(600) WHERE :what::text <> '';",
    "die(what)$": "SELECT pg_terminate_backend(pg_backend_pid()) WHERE :what::text <> '';",
    "backend()$": "SELECT pg_backend_pid();",
}
ROW = {"id": 2, "hash": f"{SECRET}-2", "age": 1, "details": None, "parent": None}
FAILURES: dict[str, Callable[[Any, DatabaseManager], object]] = {
    "unique": lambda queries, database: queries.account_insert(database, **{**ROW, "hash": SECRET}),
    "check": lambda queries, database: queries.account_insert(database, **{**ROW, "hash": f"bad {SECRET}"}),
    "not null": lambda queries, database: queries.account_insert(database, **{**ROW, "hash": None, "details": _json()}),
    "foreign key": lambda queries, database: queries.account_insert(database, **{**ROW, "parent": NUMBER}),
    "number": lambda queries, database: queries.account_insert(database, **{**ROW, "age": NUMBER}),
    "json": lambda queries, database: queries.account_insert(database, **{**ROW, "details": Json(f'{{"{SECRET}')}),
    "raised": lambda queries, database: queries.shout(database, what=SECRET),
    "cast of a parameter": lambda queries, database: queries.cast(database, what=SECRET),
    "cast of a row": lambda queries, database: queries.account_cast(database),
    "unreadable row": lambda queries, database: queries.account_far(database, hash=SECRET),
    "syntax": lambda queries, database: queries.syntax(database, what=SECRET),
    "nul": lambda queries, database: queries.cast(database, what=f"{SECRET}\0"),
    "surrogate": lambda queries, database: queries.cast(database, what=f"{SECRET}\ud800"),
    "missing parameter": lambda queries, database: queries.shout(database, whom=SECRET),
    "mixed list": lambda queries, database: queries.cast(database, what=[SECRET, 1]),
    "unknown type": lambda queries, database: queries.cast(database, what=_Unknown()),
    "stream": lambda queries, database: _read(queries.account_fray_cursor(database)),
    "copy of a row": lambda queries, database: _write(queries.account_copy(database), (1, SECRET, 1, None)),
    "copy of a text": lambda queries, database: _write(queries.account_copy(database), (3, "x", SECRET, None)),
    "copy of a surrogate": lambda queries, database: _write(
        queries.account_copy(database), (3, f"{SECRET}\ud800", 1, None)
    ),
    "lost connection": lambda queries, database: queries.die(database, what=SECRET),
    "timeout": lambda queries, database: queries.sleep(database, what=SECRET),
}


def _json() -> Json:
    return Json(f'{{"key": "{SECRET}"}}')


class _Unknown:
    """A type that the driver does not know, and that shows itself."""

    def __repr__(self) -> str:
        return SECRET


def _read(context: Any) -> None:
    with context as rows:
        list(rows)


def _write(context: Any, row: tuple[Any, ...]) -> None:
    with context as writer:
        writer.write_row(row)


@pytest.fixture
def queries(load: Callable[..., Any], watcher: Connection) -> Any:
    """Load queries for a table of accounts, and create it."""
    watcher.execute(TABLES.encode())
    watcher.execute("INSERT INTO account (id, hash) VALUES (1, %s)", [SECRET])
    return load(QUERIES)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collect what ought to hold no secret; every log record of every logger is added, and all is looked through."""
    caplog.set_level(logging.NOTSET)
    loggers = [logging.getLogger(name) for name in ("psycopg", "psycopg.pool", "aiosql", "surf_data")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
    collected: list[str] = []
    yield collected
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    for phase in ("setup", "call"):
        for record in caplog.get_records(phase):
            collected += [record.getMessage(), repr(vars(record))]
    assert [text for text in collected if SECRET in text or str(NUMBER) in text] == []


def everything(error: BaseException) -> list[str]:
    """Return all that an error tracker takes of an error: text, arguments, attributes, notes, chain, and traceback."""
    texts = [str(error), repr(error), repr(error.args), repr(vars(error)), repr(getattr(error, "__notes__", None))]
    assert error.__cause__ is None
    assert error.__context__ is None
    return [*texts, *traceback.format_exception(error)]


@pytest.mark.parametrize("case", FAILURES)
def test_no_error_tells_a_value(
    open_database: Opener, queries: Any, told: list[str], refused: Callable[..., Any], case: str
) -> None:
    """A failure tells neither parameters nor rows: not in its text, chain or traceback, nor in any log."""
    database = open_database(pool_max_size=1, statement_timeout=0.2, slow_query_ms=0)
    error = refused(lambda: FAILURES[case](queries, database), DatabaseError)
    told += everything(error)
    told += [repr(database), repr(database.statistics()), repr(database.get_pool_status())]


@pytest.mark.parametrize("case", ["unique", "raised", "cast of a row", "surrogate", "copy of a row", "stream"])
def test_no_frame_of_ours_keeps_the_driver_s_error(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any], case: str
) -> None:
    """Tools that show the local variables of a traceback find no driver error in it, and it does not linger."""
    # Who waits for a first connection leaves errors of psycopg_pool's behind.
    assert database.ping(timeout=60) > 0
    # Whatever other tests have left is none of this one's.
    before = {id(seen) for seen in gc.get_objects() if isinstance(seen, psycopg.Error)}
    gc.disable()
    try:
        error = refused(lambda: FAILURES[case](queries, database), DatabaseError)
        values = [value for frame, _ in traceback.walk_tb(error.__traceback__) for value in frame.f_locals.values()]
        assert [value for value in values if isinstance(value, (psycopg.Error, UnicodeError))] == []
        del error, values
        after = [seen for seen in gc.get_objects() if isinstance(seen, psycopg.Error) and id(seen) not in before]
        assert after == []
    finally:
        gc.enable()


def test_no_transaction_tells_a_value(
    database: DatabaseManager, queries: Any, watcher: Connection, told: list[str], refused: Callable[..., Any]
) -> None:
    """Neither a failing transaction, nor one that ends with a lost connection, tells what was in it."""

    def failing(name: str) -> Callable[[], None]:
        def fail() -> None:
            with database.transaction() as tx, tx.transaction() as inner:
                queries.account_insert(inner, **ROW)
                FAILURES[name](queries, inner)

        return fail

    for name in ("unique", "raised", "surrogate", "lost connection"):
        told += everything(refused(failing(name), DatabaseError))

    def losing() -> None:
        with database.transaction() as tx:
            queries.account_insert(tx, **ROW)
            watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [queries.backend(tx)])
            raise _Own

    with suppress(_Own):
        losing()


class _Own(Exception):
    """An error of the caller's own."""


def test_no_exhausted_pool_tells_a_value(
    open_database: Opener, queries: Any, told: list[str], refused: Callable[..., Any]
) -> None:
    """The holders of connections are named by query and thread, and not by what they look for."""
    database = open_database(pool_max_size=1, pool_timeout=60)
    with queries.account_find_cursor(database, hash=SECRET):
        told += everything(refused(lambda: database.ping(timeout=0.01), PoolTimeout))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{quote(PASSWORD, safe='')}@127.0.0.1:1/x",
        f"postgresql://u:{quote(PASSWORD, safe='')}@nowhere.invalid,127.0.0.1:1/x",
        f"host=/nowhere user=u password='{PASSWORD}'",
        f"postgresql://u:{PASSWORD}@127.0.0.1:1/x",
        f"postgresql://u:x@{SECRET}@127.0.0.1:1/x",
        f"postgresql://u:{SECRET}",
        f"host=127.0.0.1 port=1 password={SECRET} x",
    ],
    ids=["url", "hosts", "words", "unescaped", "at", "no host", "unquoted"],
)
def test_no_failed_connection_tells_the_password(url: str, told: list[str]) -> None:
    """A server that cannot be reached, or a URL that cannot be read, is reported without the URL."""
    with pytest.raises(SurfDataError) as caught:
        database = DatabaseManager(settings.load({}, database_url=url, pool_min_size=2, pool_timeout=0.3))
        try:
            database.ping()
        finally:
            told += [repr(database), repr(database._pool), repr(database._pool._pool)]
            database.close()
    told += everything(caught.value)


def test_no_representation_tells_a_secret(
    database: DatabaseManager, queries: Any, private_server: Any, open_database: Opener, told: list[str]
) -> None:
    """Managers, pools, connections, sessions, statements and rows under way show neither password nor data."""
    private_server.execute(f"CREATE ROLE kai LOGIN PASSWORD '{PASSWORD}'")
    private_server.let_in("local all kai scram-sha-256\nlocal all all trust\n")
    host = quote(private_server.socket_folder, safe="")
    url = f"postgresql://kai:{quote(PASSWORD, safe='')}@/surf_data?host={host}"
    loaded = settings.load({}, database_url=url)
    guarded = open_database(database_url=url)
    assert guarded.ping(timeout=60) > 0
    with guarded.transaction() as session, guarded.connect() as connection:
        told += [repr(shown) for shown in (session, connection, connection.info, guarded._pool._borrowers)]
        told += [repr(shown) for shown in (Session(connection), Connector(loaded), loaded, guarded.connection_info())]
    told += [repr(shown) for shown in (guarded, guarded._pool, guarded._pool._pool, guarded._connector, _json())]
    with queries.account_list_cursor(database) as stream:
        assert SECRET in repr(list(stream))
        told += [repr(stream), repr(stream._cursor)]
    with queries.account_copy(database) as writer:
        writer.write_row((5, f"{SECRET}-5", 5, None))
        told += [repr(writer)]
    told += [repr(queries), *(repr(statement) for statement in queries.driver_adapter._statements.values())]
