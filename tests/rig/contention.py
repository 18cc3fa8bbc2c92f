"""Locks that others hold, readers that go on meanwhile, and what was counted."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg

import surf_data
from rig import PostgresServer, Relay

Admin = psycopg.Connection[Any]
OpenData = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]
Relayed = Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]]
StartServer = Callable[..., PostgresServer]

WAITING = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'surfboard_lamp_backend' AND wait_event_type = 'Lock' AND datname = current_database()
"""


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Keep everybody else from the lamps."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE lamp_registry IN ACCESS EXCLUSIVE MODE")
        yield


def errors(data: surf_data.LampsDataLayer, query: str) -> int:
    """Return how often a query failed."""
    number: int = data.stats()["queries"][query]["errors"]
    return number


def readers(data: surf_data.LampsDataLayer, stop: threading.Event, slowest: list[float]) -> Callable[[int], int]:
    """Return a function for a thread, which reads until ``stop``, and returns how often."""

    def read(_: int) -> int:
        for number in count():
            if stop.is_set():
                return number
            started = time.monotonic()
            assert data.lamps.get_lamp_configuration(uuid4()) is None
            slowest.append(time.monotonic() - started)
        raise AssertionError

    return read
