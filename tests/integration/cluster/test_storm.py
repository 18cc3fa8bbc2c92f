"""A worker is killed while clients write: nothing that was acknowledged is lost or doubled, and the rest goes on."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Event
from typing import Any

import attrs
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rig.citus import node_down
from surf_data import daylight, mining
from surf_data.errors import CommitUnknown, DatabaseError, DatabaseUnavailable

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
CLIENTS = 4
HERE = {"lat": 21.66, "lng": -158.05}
#: The table in shards, and the column that decides the shard.
TABLES = {"mining": ("mining.asset_cycles", "asset_guid"), "daylight": ("daylight.location_history", "user_id")}

#: Writes one row, by the name that decides the shard and a number.
Write = Callable[[str, int], object]


def cycle(asset: str, number: int) -> mining.CycleRecord:
    """Return a closed cycle that is not stored yet."""
    return mining.CycleRecord(
        asset_guid=asset,
        cycle_number=number,
        cycle_status="COMPLETE",
        site_guid="site",
        current_work_state_id=1,
        created_date=NOON,
        updated_date=NOON,
    )


@attrs.frozen
class Spread:
    """A domain on a cluster."""

    url: str
    table: str
    column: str
    #: Stores a row by itself.
    write: Write
    #: Stores two rows, of two shards, in one transaction.
    write_both: Callable[[tuple[str, str], int], object]

    def node_of(self, name: str) -> str:
        """Return the URL of the node that has the shard of a name."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "SELECT nodename, nodeport FROM citus_shards "
                "WHERE shardid = get_shard_id_for_distribution_column(%s, %s::text)",
                [self.table, name],
            ).fetchone()
        assert row is not None
        return make_conninfo(self.url, host=row[0], port=str(row[1]))

    def names(self) -> tuple[str, str]:
        """Return two names whose shards are on different nodes."""
        first = "name-1"
        return first, next(name for n in count(2) if self.node_of(name := f"name-{n}") != self.node_of(first))

    def rows(self, number: str) -> dict[tuple[str, int], int]:
        """Return how often each row is there, by its name and what of it has its number."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(
                f"SELECT {self.column}, {number}::bigint, count(*) FROM {self.table} GROUP BY 1, 2".encode()
            )
            return {(name, of): times for name, of, times in found}


@pytest.fixture(params=TABLES)
def spread_domain(request: pytest.FixtureRequest, spread: Callable[[str], str], redis_url: str) -> Iterator[Spread]:
    """Open a domain that is spread over a cluster."""
    url = spread(request.param)
    opened: AbstractContextManager[Any]
    if request.param == "mining":
        opened = mining.open(url, pool_max_size=CLIENTS + 1)
    else:
        opened = daylight.open(url, redis_url, pool_max_size=CLIENTS + 1)
    with opened as data:

        def write(name: str, number: int, on: Any = data) -> None:
            if request.param == "mining":
                on.cycles.insert(cycle(name, number))
            else:
                moment = NOON + timedelta(microseconds=number)
                on.history.add_location_history(name, HERE, "surf", id=str(number), recorded_at=moment)

        def write_both(names: tuple[str, str], number: int) -> None:
            with data.transaction() as tx:
                for name in names:
                    write(name, number, tx)

        yield Spread(url, *TABLES[request.param], write, write_both)


def test_storm(spread_domain: Spread) -> None:
    """Each row that was acknowledged is there once, each of a refused one is not, and a transaction is whole."""
    names = spread_domain.names()
    column = "cycle_number" if spread_domain.table.startswith("mining") else "id"
    is_over, numbers = Event(), count(1)
    acknowledged: list[tuple[str, int]] = []
    refused: list[tuple[str, int]] = []

    def client(of: int) -> None:
        while not is_over.is_set():
            number = next(numbers)
            written = names if number % 2 else (names[of % 2],)
            try:
                if len(written) == 1:
                    spread_domain.write(written[0], number)
                else:
                    spread_domain.write_both(names, number)
            except CommitUnknown:
                continue
            except DatabaseError:
                refused.extend((name, number) for name in written)
                time.sleep(0.01)
            else:
                acknowledged.extend((name, number) for name in written)

    def wait(more: int) -> None:
        until = len(acknowledged) + more
        while len(acknowledged) < until:
            assert not any(each.done() for each in clients)
            time.sleep(0.01)

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client, number) for number in range(CLIENTS)]
        try:
            wait(100)
            with node_down(spread_domain.node_of(names[1])):
                wait(100)
            wait(100)
        finally:
            is_over.set()
        for each in clients:
            each.result()
    with psycopg.connect(spread_domain.url, autocommit=True) as connection:
        connection.execute("SELECT recover_prepared_transactions()")
    rows = spread_domain.rows(column)
    assert set(rows.values()) == {1}
    assert set(acknowledged) - rows.keys() == set()
    assert set(refused) & rows.keys() == set()
    halves = {number for name, number in rows if number % 2 and (names[0], number) in rows}
    assert halves == {number for name, number in rows if number % 2}


def test_a_worker_is_down(spread_domain: Spread) -> None:
    """Rows of the other worker's shards are stored, those of its own are refused as unavailable until it is back."""
    healthy, down = spread_domain.names()
    for name in (healthy, down):
        spread_domain.write(name, 1)
    with node_down(spread_domain.node_of(down)):
        spread_domain.write(healthy, 2)
        with pytest.raises((DatabaseUnavailable, CommitUnknown)):
            spread_domain.write(down, 2)
        spread_domain.write(healthy, 3)
    spread_domain.write(down, 3)
    column = "cycle_number" if spread_domain.table.startswith("mining") else "id"
    assert spread_domain.rows(column).keys() >= {(healthy, 1), (healthy, 2), (healthy, 3), (down, 1), (down, 3)}
