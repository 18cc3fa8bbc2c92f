"""Where each query would run on a cluster: by what is declared, and by PostgreSQL's own tree of it."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from rig.spread import OF_ONE, PLACES, QUERIES, SCHEMA
from surf_data.errors import ConfigurationError
from surf_data.migrate import Placement
from surf_data.review import Scale, TableScale
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.distribution.layout import Layout
from surf_data.review.distribution.verdicts import verdicts

Queries = Callable[[str], list[Any]]


def scale(places: dict[str, Placement]) -> Scale:
    """Return what is declared: where tables are, and one row in each."""
    return Scale(tables={name: TableScale(rows=1, placement=placement) for name, placement in places.items()})


@pytest.fixture(scope="module")
def connection(server: str, new_database: Callable[..., Any]) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a database with the schema, which no test changes."""
    with new_database(server, "spread") as connected:
        connected.execute(SCHEMA.encode(), prepare=False)
        yield connected


@pytest.fixture(scope="module")
def analyst(connection: psycopg.Connection[Any]) -> Analyst:
    """Return what analyses queries for it."""
    return Analyst(connection)


@pytest.fixture(scope="module")
def catalog(analyst: Analyst) -> Catalog:
    """Return its catalogs."""
    return analyst.catalog


@pytest.mark.parametrize(("sql", "said"), QUERIES)
def test_verdict(analyst: Analyst, catalog: Catalog, queries: Queries, sql: str, said: str) -> None:
    """A query is on one shard, with the parameter that decides, on all, on any node, on the coordinator or nowhere."""
    outcomes = [analyst.outcome(query) for query in queries(sql)]
    assert [str(each) for each in verdicts(outcomes, catalog, Layout.of(catalog, scale(PLACES))).values()] == [said]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("WHEN NOT MATCHED BY SOURCE THEN DELETE", "WHEN NOT MATCHED BY SOURCE"),
        ("WHEN MATCHED THEN DELETE RETURNING m.n", "RETURNING"),
    ],
)
def test_merge_since_17(
    connection: psycopg.Connection[Any], analyst: Analyst, catalog: Catalog, queries: Queries, action: str, why: str
) -> None:
    """What PostgreSQL 17 has brought to MERGE, a cluster refuses."""
    if connection.info.server_version < 170_000:
        pytest.skip("PostgreSQL 17 has brought it")
    outcomes = [
        analyst.outcome(query) for query in queries(f"MERGE INTO s.mark AS m USING {OF_ONE} ON m.truck = t.id {action}")
    ]
    [verdict] = verdicts(outcomes, catalog, Layout.of(catalog, scale(PLACES))).values()
    assert str(verdict) == f"refused: MERGE has {why}"


def test_nothing_declared(analyst: Analyst, catalog: Catalog, queries: Queries) -> None:
    """Where no table is declared to be spread, nothing is said of any query; nor of one that cannot be analysed."""
    outcomes = [analyst.outcome(query) for query in queries("SELECT 1; SELECT nothing FROM nowhere")]
    assert verdicts(outcomes, catalog, Layout.of(catalog, scale({"s.note": Placement()}))) == {}
    assert list(verdicts(outcomes, catalog, Layout.of(catalog, scale(PLACES)))) == ["q0"]


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ({"s.lorry": Placement(is_reference=True)}, "tables.s.lorry: there is no such table"),
        ({"s.truck_1": Placement(column="id")}, "tables.s.truck_1: there is no such table"),
        ({"s.open": Placement(column="id")}, "tables.s.open: there is no such table"),
        ({"s.truck": Placement(column="name")}, "tables.s.truck.distribute: there is no column name"),
        (
            {"s.other": Placement(column="k", beside="s.truck"), "s.truck": Placement(column="id")},
            "tables.s.other.with: k is bigint, and id of s.truck is text",
        ),
    ],
)
def test_what_does_not_fit(
    catalog: Catalog, refused: Callable[..., Any], places: dict[str, Placement], problem: str
) -> None:
    """A table or a column that is not there, or columns of two types, are refused; of another schema, left out."""
    declared = scale(places)
    assert str(refused(lambda: Layout.of(catalog, declared), ConfigurationError)) == f"scale.toml: {problem}"
    assert len(Layout.of(catalog, declared, is_own=False).distributed) == len(places) - 1
