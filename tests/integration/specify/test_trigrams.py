"""The optional folder: substrings are found by indexes of trigrams, where the server has the extension."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from surf_data import migrate
from surf_data.kernel import resources
from surf_data.specify import SpecifyDataLayer, User
from surf_data.specify.statements import specify_queries

Connection = psycopg.Connection[Any]
_MANY = """
INSERT INTO specify.users (username, username_key, email, email_key, full_name, password_hash)
SELECT m.name, m.name, m.name || '@example.com', m.name || '@example.com', 'Reader ' || n, '!'
FROM generate_series(1, 20000) AS n, LATERAL (SELECT 'user' || md5(n::text) AS name) AS m
"""


@pytest.fixture
def folder(owner_url: str, admin: Connection) -> Iterator[migrate.Runner]:
    """Return what applies the folder, on a database with many users."""
    if not admin.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").fetchone():
        pytest.skip("this server has no extension pg_trgm; the session postgres17 has one")
    admin.execute(_MANY)
    admin.execute("ANALYZE specify.users")
    runner = migrate.Runner(
        lambda: psycopg.connect(owner_url, autocommit=True),
        resources.directory("migrations") / "specify_trgm",
        "specify_trgm",
    )
    yield runner
    runner.down(to=0)


def _indexes(connection: Connection, text: str) -> set[str]:
    """Return the indexes by which the search for users is planned."""
    search: Any = specify_queries().user_search
    given = {"query": text, "pattern": f"%{text}%", "row_limit": 10}
    plan = connection.execute(b"EXPLAIN " + search.sql.encode(), given).fetchall()
    return {line.split(" on ")[1].split()[0] for (line,) in plan if "Bitmap Index Scan" in line}


def test_a_search(data: SpecifyDataLayer, user: User, admin: Connection, folder: migrate.Runner) -> None:
    """It finds the same with the indexes as without, by them, and goes on when they are gone."""
    texts = ["c4ca4238", "EXAMPLE.COM", "reader 19999", user.username, "nobody", "a", "%"]
    before = [[found.id for found in data.users.queries.search_users(text)] for text in texts]
    assert [len(found) for found in before] == [1, 10, 1, 1, 0, 10, 0]
    assert not _indexes(admin, "c4ca4238")
    folder.up()
    assert [[found.id for found in data.users.queries.search_users(text)] for text in texts] == before
    by = {f"users_{column}_trgm_idx" for column in ("username", "email", "full_name")}
    assert by <= _indexes(admin, "c4ca4238")
    project = data.projects.create_project("Ontology of tides", "tides", user.id)
    assert data.projects.queries.search_projects("OF TIDE") == [project]
    folder.down(to=0)
    assert [[found.id for found in data.users.queries.search_users(text)] for text in texts] == before
