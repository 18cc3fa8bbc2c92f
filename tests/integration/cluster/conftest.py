"""A Citus cluster: the one whose coordinator ``SURF_DATA_TEST_CITUS`` names, or none, and then nothing here is run."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count

import pytest

from rig.citus import citus_database

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
