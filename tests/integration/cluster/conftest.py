"""A Citus cluster: the one whose coordinator ``SURF_DATA_TEST_CITUS`` names, or none, and then nothing here is run."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

import psycopg
import pytest

from rig.citus import citus_database
from surf_data import migrate
from surf_data.kernel import resources
from surf_data.migrate import Distribution
from surf_data.review import read_scale

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def new_cluster_database(citus_coordinator: str) -> Callable[[], AbstractContextManager[str]]:
    """Return a function that creates an empty database on a cluster for a block, and returns its URL."""
    return lambda: citus_database(citus_coordinator, f"surf_data_test_{os.getpid()}_{next(_NUMBERS)}")


@pytest.fixture
def cluster_url(new_cluster_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Return the URL of an empty database on a cluster."""
    with new_cluster_database() as url:
        yield url


@pytest.fixture
def spread(cluster_url: str) -> Callable[[str], str]:
    """Return a function that spreads the tables of a domain over the cluster, and returns the database's URL."""

    def connect(**options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(cluster_url, autocommit=True, **options)

    def spread(domain: str) -> str:
        folder = resources.directory("migrations") / domain
        migrate.Runner(connect, folder, domain).up()
        Distribution(connect, read_scale(folder / "scale.toml").placements(), domain).distribute()
        return cluster_url

    return spread
