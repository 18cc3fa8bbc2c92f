"""What would outlast a statement's transaction is refused when its file is loaded, with file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres import aftereffects, load_queries
from surf_data.kernel.postgres.scanner import significant_tokens, tokens

REFUSED = {
    "COMMIT;": "COMMIT would begin or end a transaction",
    "END WORK;": "END would begin or end a transaction",
    "ABORT;": "ABORT would begin or end a transaction",
    "ROLLBACK TO SAVEPOINT a;": "ROLLBACK would begin or end a transaction",
    "begin isolation level serializable;": "BEGIN would begin or end a transaction",
    "START TRANSACTION;": "START would begin or end a transaction",
    "SAVEPOINT a;": "SAVEPOINT would begin or end a transaction",
    "RELEASE a;": "RELEASE would begin or end a transaction",
    "PREPARE TRANSACTION 'a';": "PREPARE TRANSACTION would begin or end a transaction",
    "SET search_path = a;": "SET would outlast the transaction, and the next caller of this connection would feel it",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;": "SET would outlast",
    "SET ROLE a;": "write SET LOCAL",
    "/* SET LOCAL */ SET SESSION AUTHORIZATION a;": "SET would outlast",
    "RESET ALL;": "RESET would outlast",
    "DISCARD ALL;": "DISCARD would outlast",
    "LISTEN a;": "LISTEN would outlast",
    "UNLISTEN *;": "UNLISTEN would outlast",
    "LOAD 'auto_explain';": "LOAD would outlast",
    "PREPARE a AS SELECT 1;": "PREPARE would outlast",
    "UPDATE pg_settings SET setting = '1' WHERE name = 'work_mem';": "UPDATE pg_settings would outlast",
    "UPDATE ONLY pg_catalog.pg_settings AS s SET setting = '1';": "UPDATE pg_settings would outlast",
    "DEALLOCATE ALL;": "DEALLOCATE would outlast",
    "DECLARE a CURSOR WITH HOLD FOR SELECT 1;": "a cursor WITH HOLD would outlast",
    "CREATE TEMP TABLE a (n int);": "a temporary table would outlast the transaction; write ON COMMIT DROP",
    "CREATE LOCAL TEMPORARY TABLE a (n int) ON COMMIT DELETE ROWS;": "a temporary table would outlast",
    "CREATE OR REPLACE TEMP VIEW a AS SELECT 1;": "a temporary table would outlast",
    "SELECT 1 AS n INTO TEMPORARY a;": "a temporary table would outlast",
    "CREATE TABLE pg_temp.a (n int);": "what is in pg_temp would outlast",
    "SELECT pg_advisory_lock(1);": "write pg_advisory_xact_lock",
    "SELECT pg_catalog.pg_try_advisory_lock_shared(1, 2);": "write pg_try_advisory_xact_lock_shared",
    'SELECT "pg_advisory_unlock_all"();': "pg_advisory_unlock_all is for locks that outlast the transaction",
    "SELECT set_config('a.b', coalesce('x', 'y'), false);": "set_config(..., false) would outlast the transaction",
    "SELECT 1 FROM t WHERE set_config('a.b', (ARRAY['x', 'y'])[1], 'off') = '';": "set_config(..., false)",
}
FINE = (
    "SET LOCAL search_path = a;",
    "SET CONSTRAINTS ALL DEFERRED;",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
    "COMMIT PREPARED 'a';",
    "ROLLBACK PREPARED 'a';",
    "DECLARE a CURSOR WITHOUT HOLD FOR SELECT 1;",
    "CREATE TEMP TABLE a (n int) ON COMMIT DROP;",
    "CREATE TABLE temp (temporary int);",
    "CREATE FUNCTION a() RETURNS int LANGUAGE plpgsql AS $$ BEGIN COMMIT; RETURN 1; END $$;",
    "SELECT pg_advisory_xact_lock(1);",
    "SELECT set_config('a.b', 'x', true);",
    "SELECT set_config('a.b', 'x');",
    "NOTIFY a;",
    "SELECT 'SET search_path = a' AS hint, end_at FROM \"commit\";",
)


@pytest.mark.parametrize("sql", REFUSED)
def test_what_outlasts_its_transaction_is_refused(sql_folder: Callable[..., Path], sql: str) -> None:
    """A statement that would end its caller's transaction, or be felt by the next caller, is refused with its line."""
    folder = sql_folder(shop=f"-- name: a()#\n-- Answers.\n\n{sql}\n")
    with pytest.raises(QueryFileError) as caught:
        load_queries(folder)
    assert str(caught.value).startswith(f"{folder / 'shop.sql'}:4: ")
    assert REFUSED[sql] in str(caught.value)


@pytest.mark.parametrize("sql", FINE)
def test_what_ends_with_its_transaction_is_loaded(sql_folder: Callable[..., Path], sql: str) -> None:
    """What ends with the transaction, or is no command at all, is loaded."""
    assert load_queries(sql_folder(shop=f"-- name: a()#\n-- Answers.\n{sql}\n")).a


def test_a_session_of_its_own_may_be_changed(sql_folder: Callable[..., Path]) -> None:
    """With ``-- session: keeps`` a file may change the session; the transaction stays its caller's."""
    for sql, problem in REFUSED.items():
        folder = sql_folder(shop=f"-- name: a()#\n-- Answers.\n-- session: keeps\n{sql}\n")
        if "begin or end" in problem:
            with pytest.raises(QueryFileError):
                load_queries(folder)
        else:
            assert load_queries(folder).a


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT count(*), lower(a), gen_random_uuid(), pg_sleep(1) FROM t;", ()),
        ("INSERT INTO shop.wave (a) SELECT b FROM x JOIN (SELECT 1) AS y ON CONFLICT (a) DO NOTHING;", ()),
        ("INSERT INTO wave (a) VALUES (tide(1));", ("tide",)),
        ("CALL shop.tide(1);", ("tide",)),
        ('SELECT "Tide"(1);', ("Tide",)),
        ("COPY t (a) FROM STDIN;", ()),
        ("COPY (SELECT tide(1)) TO STDOUT;", ("tide",)),
        ("CREATE TABLE t (n int, PRIMARY KEY (n));", ()),
        ("DO $$ BEGIN NULL; END $$;", ()),
        ("DO $$ BEGIN PERFORM pg_advisory_lock(1); END $$;", ("",)),
        ("SELECT set_config('a.b', 'x', true);", ()),
        ("SELECT set_config('a.b', 'x', $1);", ("",)),
        ("SELECT a INTO", ()),
    ],
)
def test_what_only_the_server_can_say(sql: str, names: tuple[str, ...]) -> None:
    """Functions that are not PostgreSQL's own are found by name, and DO blocks by their words."""
    assert aftereffects.suspects(significant_tokens(tokens(sql))) == names


def test_nothing_leaves_nothing_behind() -> None:
    """A statement without words leaves nothing behind."""
    assert list(aftereffects.lasting(())) == []
    assert list(aftereffects.lasting(significant_tokens(tokens(";")))) == []
