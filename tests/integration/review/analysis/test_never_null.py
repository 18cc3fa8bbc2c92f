"""Functions that are said never to return null of their own accord, called with everything that might make them."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from surf_data.review.analysis.never_null import BY_ARGUMENT, ROWS, never_null

#: What is known for trouble, by type: infinities, NaN, and what is empty.
VALUES: dict[str, list[str]] = {
    '"char"': ["''", "'a'"],
    "anyarray": ["'{}'::int4[]", "'{1,2}'::int4[]", "'{NULL}'::int4[]"],
    "anyelement": ["1"],
    "anyenum": ["'a'::letter", "'b'::letter"],
    "anymultirange": ["'{}'::int4multirange", "'{(,)}'::int4multirange", "'{[1,3)}'::int4multirange"],
    "anyrange": ["'empty'::int4range", "'(,)'::int4range", "'[1,5)'::int4range"],
    "bigint": ["0", "1", "-9223372036854775808"],
    "bit varying": ["''", "'1'"],
    "bit": ["''", "'1'"],
    "boolean": ["true", "false"],
    "bytea": ["''", "'\\x00'"],
    "character varying": ["''", "'a'"],
    "character": ["''", "'a'"],
    "date": ["'infinity'", "'-infinity'", "'2020-01-01'"],
    "double precision": ["'NaN'", "'Infinity'", "'-Infinity'", "0", "1.5"],
    "inet": ["'::1'", "'10.0.0.0/8'"],
    "integer": ["0", "1", "12", "-1", "2147483647"],
    "interval": ["'0'", "'1 day'", "'-1 month'"],
    "json": ["'null'", "'[]'", "'{}'", "'1'", "'\"a\"'", "'[null]'"],
    "jsonb": ["'null'", "'[]'", "'{}'", "'1'", "'\"a\"'", "'[null,1]'", "'{\"a\":null}'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "money": ["0", "1"],
    "name": ["''", "'a'"],
    "numeric": ["'NaN'", "'Infinity'", "'-Infinity'", "0", "1.5"],
    "oid": ["0", "1"],
    "oidvector": ["''"],
    "pg_lsn": ["'0/0'"],
    "real": ["'NaN'", "'Infinity'", "'-Infinity'", "0", "1.5"],
    "record": ["row(null, 1)", "row(1, 2)", "row(1, null)"],
    "regclass": ["'counter'"],
    "regconfig": ["'english'"],
    "smallint": ["0", "1", "-32768"],
    "text": ["''", "'a'", "'%'", "'UTC'", "'hour'", "'\\'", "'{}'", "'base64'", "'NFC'", "'timezone'"],
    "text[]": ["'{}'", "'{a}'", "'{NULL}'"],
    "tid": ["'(0,1)'"],
    "time with time zone": ["'00:00+00'"],
    "time without time zone": ["'00:00'", "'24:00'"],
    "timestamp with time zone": ["'infinity'", "'-infinity'", "'2020-01-01'"],
    "timestamp without time zone": ["'infinity'", "'-infinity'", "'2020-01-01'"],
    "tsquery": ["''", "'a'", "'!a'"],
    "tsvector": ["''", "'a'"],
    "uuid": ["'00000000-0000-0000-0000-000000000000'"],
    "xid": ["'1'"],
    "xid8": ["'1'"],
}
#: Types whose values say what they are.
POLYMORPHIC = ("anyelement", "record")
#: How many answers of one function are enough, and after how many calls it has given all that it will.
ANSWERS = 15
CALLS = 400

FUNCTIONS = """
SELECT
    p.proname, p.prosrc, p.proisstrict, p.prokind::text, p.proretset,
    ARRAY(SELECT format_type(a, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u (a, place) ORDER BY u.place)
FROM pg_proc AS p
INNER JOIN pg_language AS l ON l.oid = p.prolang
WHERE l.lanname = 'internal'
ORDER BY p.oid
"""


@pytest.mark.sampled(1)
def test_never_null(database: Callable[[str], psycopg.Connection[Any]]) -> None:
    """No function that is said to return null only for null returns it for anything else."""
    connection = database("CREATE TYPE letter AS ENUM ('a', 'b'); CREATE SEQUENCE counter; SELECT nextval('counter')")
    returned_null, not_called, misnamed = [], [], []
    for name, internal, strict, kind, returns_rows, types in connection.execute(FUNCTIONS).fetchall():
        if not never_null(internal):
            continue
        if not strict or kind != "f" or returns_rows:
            misnamed.append(internal)
        calls = list(itertools.product(*(VALUES[each] for each in types)))
        answers = []
        chance = random.Random(internal)  # noqa: S311 - the same at every run
        for values in chance.sample(calls, min(CALLS, len(calls))):
            given = ", ".join(
                value if each in POLYMORPHIC or "::" in value else f"({value})::{each}"
                for value, each in zip(values, types, strict=True)
            )
            call = f'"{name}"({given})'
            try:
                result = connection.execute(f"SELECT {call}".encode(), binary=True)
                answers.append(result.pgresult is None or result.pgresult.get_value(0, 0) is None)
            except psycopg.Error:
                # It refuses these values, and so returns nothing.
                continue
            if answers[-1]:
                returned_null.append(call)
            if len(answers) == ANSWERS:
                break
        if not answers:
            not_called.append(internal)
    assert misnamed == []
    assert returned_null == []
    # They have another name in SQL for these types, or take values that make no sense for any other.
    assert set(not_called) <= {"jsonb_delete_array", "make_timestamptz", "make_timestamptz_at_timezone", "to_tsvector"}


def test_names(server: str) -> None:
    """Every function that is named is one of PostgreSQL's."""
    with psycopg.connect(server) as connection:
        known = {internal for _, internal, *_ in connection.execute(FUNCTIONS).fetchall()}
    assert (ROWS | set(BY_ARGUMENT)) - known == set()
