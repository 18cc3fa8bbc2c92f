"""The client of a cluster, which callers share: created once, anew after an interruption, closed when it is due."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from surf_data.kernel.redis.lines import SharedLines
from surf_data.kernel.redis.permits import Permit


class Cluster:
    """Makes clients that never connect, and keeps count of what is done with them."""

    def __init__(self) -> None:
        self.made: list[redis.Redis] = []
        self.closed: list[redis.Redis] = []
        self.lines = SharedLines(self.connect, 30, close=self.closed.append, abandon=self.closed.append)

    def connect(self) -> redis.Redis:
        """Return another client."""
        self.made.append(redis.Redis())
        return self.made[-1]


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster of which nothing is known yet."""
    return Cluster()


def test_it_is_made_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits while another caller makes it gets that one."""
    opening = cluster.lines._opening
    permit = opening.take()
    assert permit is not None
    take, asked = opening.take, threading.Event()

    def take_later(timeout: float) -> Permit | None:
        asked.set()
        return take(timeout)

    monkeypatch.setattr(opening, "take", take_later)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cluster.lines.take)
        assert asked.wait(30)
        made = cluster.lines._client = cluster.connect()
        opening.give_back(permit)
        assert waiting.result(30) is made
    assert cluster.lines.take() is made
    assert cluster.made == [made]


def test_an_interruption_makes_it_anew(cluster: Cluster) -> None:
    """The driver may have been torn out of anything; after a failure alone it goes on."""
    first = cluster.lines.take()
    cluster.lines.drop(first)
    assert cluster.lines.take() is first
    cluster.lines.drop(first, interrupted=True)
    second = cluster.lines.take()
    assert second is not first
    cluster.lines.drop(first, interrupted=True)
    assert cluster.lines.take() is second


def test_what_is_in_use_closes_later(cluster: Cluster) -> None:
    """Closing closes what is idle, and again when the last caller gives its client back."""
    client = cluster.lines.take()
    cluster.lines.give_back(client)
    assert cluster.closed == []
    cluster.lines.close()
    cluster.lines.give_back(client)
    assert cluster.closed == [client, client]
