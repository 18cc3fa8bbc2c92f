"""A healthy Redis, as the kernel and as another client see it."""

from collections.abc import Iterator

import pytest
import redis

from rig import Relay
from rig.caching import manager_of, relay_to
from surf_data.kernel.redis import RedisManager


@pytest.fixture
def manager(redis_url: str) -> Iterator[RedisManager]:
    """Return a manager on the healthy server."""
    manager = manager_of(redis_url)
    yield manager
    manager.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client that sees the healthy server as it is."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def between(redis_url: str) -> Iterator[Relay]:
    """Return a relay in front of the healthy server."""
    with relay_to(redis_url) as relay:
        yield relay
