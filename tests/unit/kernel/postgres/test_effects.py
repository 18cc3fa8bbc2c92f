"""What a statement can change, as far as its text tells."""

import pytest

from surf_data.kernel.postgres import effects
from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens


def code(sql: str) -> tuple[Token, ...]:
    """Return what PostgreSQL heeds of a statement."""
    return significant_tokens(tokens(sql))


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1 WHERE 1 IN (1, 2) AND NOT (true) OR EXISTS (SELECT 1);", ()),
        ("WITH x AS (SELECT 1), y (a) AS NOT MATERIALIZED (SELECT 2) SELECT a FROM x, y;", ("y",)),
        ("WITH RECURSIVE x (a) AS MATERIALIZED (SELECT 1) SELECT * FROM x AS z (b);", ()),
        ("SELECT count(*) FILTER (WHERE true) OVER (PARTITION BY (a) ORDER BY (b)) FROM t;", ("count",)),
        ("SELECT a FROM t GROUP BY GROUPING SETS ((a), ()) HAVING (true);", ()),
        ("SELECT a::varchar(3), b::vector (3), CAST(c AS numeric(3, 1)) FROM (VALUES (1)) AS v (a);", ()),
        ("SELECT coalesce(a, 1), greatest(a, b), extract(epoch FROM c), row(1) FROM ONLY (t);", ()),
        ("SELECT x = ANY (ARRAY(SELECT 1)), LATERAL (SELECT 1) FROM t JOIN u USING (a);", ()),
        ('SELECT now(), "in"(1), pg_catalog.Now(), "a""b"(2);', ('a"b', "in", "now")),
        ("SELECT filter(1), over(2), by(3);", ("by", "filter", "over")),
        ("COPY (SELECT now(), (1)) TO STDOUT (FORMAT csv);", ("now",)),
        ("COPY word (a, b) TO STDOUT (FORMAT csv);", ()),
    ],
)
def test_a_function_is_what_is_called(sql: str, names: tuple[str, ...]) -> None:
    """A keyword, an alias or a type in front of a parenthesis is none; a name in quotes is always one."""
    assert effects.functions(code(sql)) == names


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1;", True),
        ("WITH x AS (SELECT 1) TABLE x;", True),
        ("VALUES (1);", True),
        ("COPY t TO STDOUT;", True),
        ("COPY (SELECT 1) TO STDOUT;", True),
        ("COPY (DELETE FROM t RETURNING a) TO STDOUT;", False),
        ("COPY t FROM STDIN;", False),
        ("COPY t TO PROGRAM 'rm';", False),
        ("WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x;", False),
        ("SELECT a FROM t FOR UPDATE;", False),
        ("SELECT 1 AS a INTO t;", False),
        ("INSERT INTO t VALUES (1);", False),
        ("VACUUM;", False),
    ],
)
def test_a_read_changes_nothing(sql: str, *, expected: bool) -> None:
    """It begins as a query does, and has no word of a change."""
    assert effects.is_read_only(code(sql)) is expected


@pytest.mark.parametrize(
    ("sql", "way"),
    [
        ("COPY t FROM STDIN;", "FROM"),
        ("copy t (a, b) from stdin (FORMAT binary);", "FROM"),
        ("COPY t TO STDOUT;", "TO"),
        ("COPY (SELECT a FROM stdin) TO STDOUT;", "TO"),
        ("COPY t FROM '/tmp/file';", None),
        ("COPY (SELECT 1) TO PROGRAM 'gzip';", None),
        ("COPY t;", None),
        ("SELECT a FROM stdin;", None),
    ],
)
def test_a_copy_goes_one_way(sql: str, way: str | None) -> None:
    """To or from the client; what goes to a file of the server's has nothing to do with it."""
    assert effects.copies(code(sql)) == way
