"""Stubs of query objects that aiosql itself made, of files in any form that it takes."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import QueryFileError
from surf_data.review import analyse, find_queries, stub

Database = Callable[[str], psycopg.Connection[Any]]
SqlFolder = Callable[..., Path]

SCHEMA = """
CREATE TYPE kind AS ENUM ('a');
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, kind kind, extra jsonb, kinds kind[]);
"""
USERS = """\
-- name: user-find^
select name, kind, kinds from users where id = :id;
--- name: user_list
--- All of them.
select id from users limit :limit
-- name: user_objects
-- record_class: User
select id from users;
-- name: user_add<!
insert into users (id, name) values (1, :name) returning id;
-- name: user_put<!
insert into users (id, name, extra) values (1, :name, :extra) returning id, name;
-- name: user_many*!
insert into users (id, name) values (:id, :name);
-- name: user_delete!
delete from users;
-- name: user_count$
select count(*) from users;
-- name: create_schema#
create table x ();
-- name: user_broken
select nope from users;
"""
MODULE = """
from pathlib import Path

import aiosql

queries = aiosql.from_path(Path(__file__).parent / "sql", "{driver}", mandatory_parameters=False)
"""
EXPECTED = '''\
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

class _Queries:
    class _Inner:
        def one(self, conn: Any, /) -> int:
            ...

    inner: _Inner

    def create_schema(self, conn: Any, /) -> Any:
        ...

    def user_add(
        self,
        conn: Any,
        /,
        *,
        name: str,
    ) -> int:
        ...

    def user_broken(self, conn: Any, /) -> Any:
        ...

    def user_broken_cursor(self, conn: Any, /) -> AbstractContextManager[Any]:
        ...

    def user_count(self, conn: Any, /) -> int:
        ...

    def user_delete(self, conn: Any, /) -> int:
        ...

    def user_find(
        self,
        conn: Any,
        /,
        *,
        id: int,
    ) -> tuple[str, str | None, str | None] | None:
        ...

    def user_list(
        self,
        conn: Any,
        /,
        *,
        limit: int | None,
    ) -> Iterator[tuple[int]]:
        """All of them."""

    def user_list_cursor(
        self,
        conn: Any,
        /,
        *,
        limit: int | None,
    ) -> AbstractContextManager[Any]:
        """All of them."""

    def user_many(self, conn: Any, parameters: Iterable[Mapping[str, Any]], /) -> int: ...

    def user_objects(self, conn: Any, /) -> Any:
        ...

    def user_objects_cursor(self, conn: Any, /) -> AbstractContextManager[Any]:
        ...

    def user_put(
        self,
        conn: Any,
        /,
        *,
        name: str,
        extra: Any | None,
    ) -> tuple[int, str]:
        ...

queries: _Queries
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Return a function that makes an importable module of a text, and returns a reference to its queries."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"adopted_{tmp_path.name}"

    def make(text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        return f"{name}:queries"

    yield make
    sys.modules.pop(name, None)


def test_stub(database: Database, module: Callable[[str], str], sql_folder: SqlFolder) -> None:
    """Functions that aiosql made take psycopg's connection, and return what aiosql does, with types."""
    sql_folder(sql__users=USERS, sql__inner__one="-- name: one$\nselect 1;\n")
    objects = find_queries([module(MODULE.format(driver="psycopg"))], lenient=True)
    queries = [loaded.query for each in objects for loaded in each.queries]
    text = stub(objects, dict(zip(queries, analyse(database(SCHEMA), queries), strict=True)))
    assert text.partition("\n\n")[2] == EXPECTED
    ast.parse(text)


@pytest.mark.parametrize(
    ("text", "lenient", "problem"),
    [
        (MODULE.format(driver="psycopg"), False, "--lenient takes what aiosql.from_path returns"),
        (MODULE.format(driver="asyncpg"), True, "aiosql.from_path returns with a synchronous driver"),
        (
            "import aiosql\nqueries = aiosql.from_str('-- name: a()\\nselect 1;', 'psycopg')",
            True,
            "was not loaded from",
        ),
        ("queries = 1", True, "is not what load_queries returns"),
    ],
)
def test_what_has_no_stub(
    module: Callable[[str], str],
    sql_folder: SqlFolder,
    refused: Callable[..., Any],
    text: str,
    lenient: bool,  # noqa: FBT001 - a parameter of the test
    problem: str,
) -> None:
    """Another object is refused, and where leniency would help this is said."""
    sql_folder(sql__users=USERS)
    reference = module(text)
    assert problem in str(refused(lambda: find_queries([reference], lenient=lenient), QueryFileError))
