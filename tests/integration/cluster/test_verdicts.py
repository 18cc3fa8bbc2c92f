"""Where the review says that a query runs is where a cluster runs it, by its own plan."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rig.citus_plans import observed
from rig.spread import PLACES, QUERIES, SCHEMA
from surf_data import migrate
from surf_data.domain import NAMES
from surf_data.kernel import resources
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.migrate import Distribution, Placement
from surf_data.review import Scale, TableScale, read_queries, read_scale
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.distribution.layout import Layout
from surf_data.review.distribution.verdicts import verdicts

# What a cluster's plan looks like for each verdict.
SEEN = {
    "one shard": {"one", "pulled"},
    "all shards": {"several", "pulled"},
    "reference": {"one"},
    "local": {"local"},
    "refused": {"refused"},
}


def disagreements(url: str, queries: Sequence[QuerySource], scale: Scale) -> Iterator[str]:
    """Yield the queries of which a cluster does something else than the review says."""
    with psycopg.connect(url, autocommit=True) as connection:
        analyst = Analyst(connection)
        outcomes = [analyst.outcome(query) for query in queries]
        said = verdicts(outcomes, analyst.catalog, Layout.of(analyst.catalog, scale))
        for query in queries:
            # COPY and scripts have no plan.
            if query.name in said and query.verb != "COPY":
                found = observed(connection, query)
                if found.partition(":")[0] not in SEEN[said[query.name].kind]:
                    yield f"{query.name}: {said[query.name]}, but {found}"


def test_each_kind_of_query(cluster_url: str, tmp_path: Path) -> None:
    """Each case that the review tells apart is one that a cluster tells apart."""

    def connect(**options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(cluster_url, autocommit=True, **options)

    (tmp_path / "0001_spread.sql").write_text(f"-- migrate:up\n{SCHEMA}", "utf-8")
    migrate.Runner(connect, tmp_path, "spread").up()
    Distribution(connect, PLACES, "spread").distribute()
    texts = [f"-- name: q{number}\n-- A query.\n{sql};\n" for number, (sql, _) in enumerate(QUERIES)]
    (tmp_path / "queries.sql").write_text("\n".join(texts), "utf-8")
    scale = Scale(tables={name: TableScale(rows=1, placement=place) for name, place in PLACES.items()})
    found = list(disagreements(cluster_url, read_queries(tmp_path / "queries.sql"), scale))
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("name", NAMES)
def test_each_query_of_a_domain(cluster_url: str, name: str) -> None:
    """Of each query of each domain the review says what a cluster does."""

    def connect(**options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(cluster_url, autocommit=True, **options)

    folder = resources.directory("migrations") / name
    scale = read_scale(folder / "scale.toml")
    places: dict[str, Placement] = scale.placements()
    if not places:
        pytest.skip(f"{name} declares nothing that is to be spread")
    migrate.Runner(connect, folder, name).up()
    Distribution(connect, places, name).distribute()
    assert list(disagreements(cluster_url, read_queries(resources.directory("sql") / name), scale)) == []
