"""Query files of this library and of others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surf_data.errors import QueryFileError, SurfDataError
from surf_data.review import read_queries

SqlFolder = Callable[..., Path]
Refused = Callable[[Callable[[], Any], type[SurfDataError]], SurfDataError]

OTHERS = """\
-- Whatever stands before the first query.

-- name: get-user-by-name^
-- record_class: User
-- One user,
-- retry: idempotent
-- by name.
select id, :name as asked /* :not */ -- nor :this
from users
where name = :name::text and note <> ':no' and at > :since
limit 1

--name:save_user!
insert into users (name) values (:name);

-- name: nothing
-- Only a comment.
-- name: bulk(a, b)*!
-- Rows.
insert into users values (:b, :a); -- the end
"""


def test_other_layouts(sql_folder: SqlFolder) -> None:
    """Names with hyphens, no parameter lists, no descriptions and no semicolons are read as aiosql reads them."""
    user, save, bulk = read_queries(sql_folder(users=OTHERS))
    assert (user.name, user.operator, user.parameters) == ("get_user_by_name", "^", ("name", "since"))
    assert user.description == ("One user,", "by name.")
    assert user.options == (("record_class", "User"), ("retry", "idempotent"))
    assert [line for _, _, line in user.declarations] == [4, 6]
    assert user.sql.startswith("select id, :name as asked")
    assert user.sql.endswith("limit 1")
    assert user.wire.startswith("select id, $1 as asked /* :not */ -- nor :this")
    assert user.wire.splitlines()[2] == "where name = $1::text and note <> ':no' and at > $2"
    assert (user.line, user.sql_line, user.verb, user.statements) == (3, 8, "SELECT", 1)
    assert (save.name, save.operator, save.sql) == ("save_user", "!", "insert into users (name) values (:name)")
    assert (bulk.name, bulk.operator, bulk.parameters, bulk.order) == ("bulk", "*!", ("a", "b"), ("b", "a"))
    assert bulk.sql == "insert into users values (:b, :a)"


def test_lines(sql_folder: SqlFolder) -> None:
    """A place in what PostgreSQL is asked is a line of the file."""
    user, *_ = read_queries(sql_folder(users=OTHERS))
    assert user.at(user.wire.index("where") + 1) == 10


def test_statements(sql_folder: SqlFolder) -> None:
    """Several statements in one query are counted, and all of them are its SQL."""
    [query] = read_queries(sql_folder(a="-- name: a#\ncreate table x (); create index y on x (z)\n"))
    assert (query.statements, query.sql) == (2, "create table x (); create index y on x (z)")


def test_folders(sql_folder: SqlFolder) -> None:
    """A folder is part of the name; files are read in order, and other files are left alone."""
    folder = sql_folder(b="-- name: b\nselect 1;", shop__a="-- name: a\nselect 1;")
    (folder / "notes.txt").write_text("-- name: c\n", "utf-8")
    assert [query.name for query in read_queries(folder)] == ["b", "shop.a"]
    assert [query.name for query in read_queries(folder / "shop" / "a.sql")] == ["a"]


def test_twice(sql_folder: SqlFolder, refused: Refused) -> None:
    """A name that is there twice is refused, with both places."""
    folder = sql_folder(a="-- name: a\nselect 1;\n-- name: a\nselect 2;")
    error = refused(lambda: read_queries(folder), QueryFileError)
    assert str(error).endswith("a.sql:3: the name a is taken by a.sql:1")


@pytest.mark.parametrize(("name", "problem"), [("nowhere", "cannot be read"), ("a.sql", "is not UTF-8")])
def test_unreadable(name: str, problem: str, tmp_path: Path, refused: Refused) -> None:
    """A folder or a file that cannot be read is refused."""
    (tmp_path / "a.sql").write_bytes(b"\xff")
    assert problem in str(refused(lambda: read_queries(tmp_path / name), QueryFileError))


def test_files_that_are_loaded_one_by_one(sql_folder: SqlFolder) -> None:
    """Where two files have a query of the same name, the file tells them apart."""
    script = "-- name: create_schema#\ncreate table t ();"
    folder = sql_folder(a=f"{script}\n-- name: b\nselect 1;", c=script, shop__d=script)
    assert [query.name for query in read_queries(folder)] == [
        *("a.create_schema", "b"),
        "c.create_schema",
        "shop.create_schema",
    ]
