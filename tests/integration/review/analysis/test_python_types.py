"""What the review says that values are in Python, compared with what they are."""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import GenericAlias
from typing import Any

import psycopg
import pytest
from psycopg.adapt import PyFormat, Transformer
from psycopg.types import json
from psycopg.types.range import Range

from surf_data.kernel.postgres import Json, Session, Statement
from surf_data.kernel.postgres.adaptation import ADAPTERS
from surf_data.review import Facts, QuerySource
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.analysis.python_types import given, read, sent
from surf_data.review.stubs.annotations import takes

Queries = Callable[[str], list[QuerySource]]

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE address AS (street text, number int4);
CREATE DOMAIN positive AS int4 CHECK (value > 0);
CREATE DOMAIN positives AS positive[];
"""
#: Values of every type that one may meet in a table.
VALUES = """
'x'::"char", 1::int8, true, 'a'::bytea, 'a'::varchar(3), 'a'::char(3), '10.0.0.0/8'::cidr, '::/0'::cidr, now()::date,
'[2020-01-01,2021-01-01)'::daterange, '{[2020-01-01,2021-01-01)}'::datemultirange, 1.5::float8, '::1'::inet,
'10.0.0.1'::inet, '10.0.0.1/8'::inet, int4range(1, 2), int8range(1, 2), '{[1,2)}'::int4multirange, 1,
'1 day'::interval, '{"a": 1}'::json, '[1]'::jsonb, 'x'::name, 1.5, numrange(1, 2),
1::oid, 1.5::float4, row(1, 'x'), 1::int2, 'x'::text,
now()::timetz, now()::time, now(), now()::timestamp, tsrange(now()::timestamp, null), tstzrange(now(), null),
gen_random_uuid(), 'ok'::mood, row('x', 1)::address, 1::positive, '{1,2}'::positives, B'101', '1'::money,
'{1,NULL}'::int4[], '{a}'::text[], '{}'::uuid[], ARRAY['ok'::mood], ARRAY[int4range(1, 2)],
'08:00:2b:01:02:03'::macaddr, 'a'::tsvector, '0/0'::pg_lsn, 'mood'::regtype, '(1,2)'::point, ARRAY['{}'::jsonb],
'1'::xid, '1 2'::int2vector, ARRAY['1 2'::oidvector]
"""
#: What a caller gives for parameters, by type.
GIVEN: dict[str, list[Any]] = {
    "bool": [True],
    "bytea": [b"a"],
    "char(3)": ["abc"],
    "cidr": [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::/0")],
    "date": [dt.date(2020, 1, 1)],
    "daterange": [Range(dt.date(2020, 1, 1))],
    "float4": [1.5],
    "float8": [1.5],
    "inet": [ipaddress.ip_address("::1"), ipaddress.ip_interface("10.0.0.1/8")],
    "int2": [1],
    "int4": [1],
    "int4[]": [[1], [1, None], []],
    "int8": [1],
    "interval": [dt.timedelta(1)],
    "json": [json.Json({})],
    "jsonb": [Json("{}"), json.Jsonb({})],
    "mood": ["ok"],
    "mood[]": [["ok"]],
    "numeric": [Decimal("1.5"), 1],
    "oid": [1],
    "point": ["(1,2)"],
    "positive": [1],
    "text": ["a"],
    "text[]": [["a"], [None]],
    "time": [dt.time(1)],
    "timestamp": [dt.datetime(2020, 1, 1)],  # noqa: DTZ001 - that is the type
    "timestamptz": [dt.datetime(2020, 1, 1, tzinfo=dt.UTC)],
    "timetz": [dt.time(1, tzinfo=dt.UTC)],
    "tstzrange": [Range(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))],
    "uuid": [uuid.UUID(int=1)],
    "uuid[]": [[uuid.UUID(int=1)]],
    "varchar": ["a"],
}


@pytest.fixture(scope="module")
def connection(server: str, new_database: Callable[[str, str], Any]) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection with this library's adapters, to a database with some types of its own."""
    with new_database(server, "types") as plain:
        plain.execute(SCHEMA.encode(), prepare=False)
        with psycopg.connect(plain.info.dsn, autocommit=True, context=ADAPTERS) as adapted:
            yield adapted


@pytest.fixture(scope="module")
def analyst(connection: psycopg.Connection[Any]) -> Analyst:
    """Return what analyses queries there."""
    return Analyst(connection)


def fits(value: Any, kind: Any) -> bool:
    """Return whether a value is of a type, its elements included."""
    if isinstance(value, list):
        return takes(kind, list[Any]) and all(takes(kind, GenericAlias(list, (type(each),))) for each in value)
    return takes(kind, type(value))


def test_read(connection: psycopg.Connection[Any], analyst: Analyst, queries: Queries) -> None:
    """A value is of the type that the review says, whatever PostgreSQL's type is."""
    [query] = queries(f"SELECT {VALUES}")
    facts = analyst.outcome(query)
    assert isinstance(facts, Facts)
    statement = Statement(name="types", sql=query.wire.encode(), is_plain=False)
    row = Session(connection).run(statement, {}, lambda cursor: cursor.fetchone())
    assert row is not None
    assert facts.columns is not None
    wrong = [
        (column.type.name, read(column.type), value)
        for column, value in zip(facts.columns, row, strict=True)
        if not fits(value, read(column.type))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", GIVEN)
def test_given(name: str, connection: psycopg.Connection[Any], analyst: Analyst, queries: Queries) -> None:
    """What may be given for a parameter is taken, and arrives as the type that the review says."""
    [query] = queries(f"SELECT :x::{name}")
    facts = analyst.outcome(query)
    assert isinstance(facts, Facts)
    [parameter] = facts.parameters
    for value in GIVEN[name]:
        assert fits(value, given(parameter.type))
        dumper = Transformer(connection).get_dumper(value, PyFormat.AUTO)
        if isinstance(value, list):
            dumper = dumper.upgrade(value, PyFormat.AUTO)
        # An int for a numeric may as well be a bigint; an empty list is of no type.
        if value != 1 and dumper.oid:
            assert dumper.oid == sent(parameter.type) or sent(parameter.type) == 0
        connection.execute(f"SELECT %s::{name}".encode(), [value])


def test_composite_parameter(analyst: Analyst, queries: Queries) -> None:
    """Of a composite parameter nothing is said."""
    [query] = queries("SELECT :x::address")
    facts = analyst.outcome(query)
    assert isinstance(facts, Facts)
    assert given(facts.parameters[0].type) is Any


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            "SELECT make_interval(hours => :hours)",
            "function make_interval(hours => bigint) does not exist: :hours comes as bigint, write :hours::integer",
        ),
    ],
)
def test_problems(sql: str, problem: str, analyst: Analyst, queries: Queries) -> None:
    """What the driver sends otherwise than the server wants it is reported."""
    [query] = queries(sql)
    facts = analyst.outcome(query)
    assert isinstance(facts, Facts)
    assert facts.problems == (problem,)


@pytest.mark.parametrize("sql", ["SELECT pg_sleep(0)", "SELECT 'a'::bytea", "SELECT :x::int4, :y::text, :x + 1"])
def test_no_problems(sql: str, analyst: Analyst, queries: Queries) -> None:
    """What arrives as it should is no problem."""
    [query] = queries(sql)
    facts = analyst.outcome(query)
    assert isinstance(facts, Facts)
    assert facts.problems == ()
