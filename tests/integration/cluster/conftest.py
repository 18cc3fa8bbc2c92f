"""A Citus cluster: the one whose coordinator ``SURF_DATA_TEST_CITUS`` names, or none, and then nothing here is run."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count

import pytest

from rig.citus import citus_database

COORDINATOR = os.environ.get("SURF_DATA_TEST_CITUS")
_NUMBERS = count(1)


@pytest.fixture(scope="session")
def new_cluster_database() -> Callable[[], AbstractContextManager[str]]:
    """Return a function that creates an empty database on a cluster for a block, and returns its URL."""
    if COORDINATOR is None:
        pytest.skip("SURF_DATA_TEST_CITUS does not name the coordinator of a Citus cluster")
    return lambda: citus_database(COORDINATOR, f"surf_data_test_{os.getpid()}_{next(_NUMBERS)}")


@pytest.fixture
def cluster_url(new_cluster_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Return the URL of an empty database on a cluster."""
    with new_cluster_database() as url:
        yield url
