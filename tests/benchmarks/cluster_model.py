"""How many rows a second a cluster of 2 to 64 workers would take in: a simulation, as no such cluster was there.

The model. Each node has so many processors, on which work waits in line. A client inserts a row, waits until it is
told that it is stored, and inserts the next one. Half of a coordinator's work is done before it asks a worker, half
when that has answered. Every way between two machines takes the same time. Each row is of one of the shards by chance,
and worker number w has those shards whose number, divided by the number of workers, leaves w. What a row costs the
processors of a coordinator and of a worker was measured. Left out are disks, lines that are full, and nodes that fail.
"""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from random import Random

import attrs

#: A moment, in seconds, who it is about, and how far its row is: 0 comes to a coordinator, 1 to a worker, 2 back.
_Event = tuple[float, int, int]


@attrs.frozen(kw_only=True)
class Costs:
    """What was measured, and what is assumed."""

    #: Seconds of a processor that a row costs: where the client is connected, and where its shard is.
    coordinator: float
    worker: float
    #: Seconds from one machine to another.
    way: float = 0.000_1
    #: Of each machine.
    processors: int = 8
    shards: int = 128
    clients_per_worker: int = 32


class _Node:
    """A machine, on whose processors work waits in line."""

    def __init__(self, processors: int) -> None:
        self._free = [0.0] * processors

    def done(self, now: float, cost: float) -> float:
        """Return when work is done that comes now."""
        begins = max(now, heappop(self._free))
        heappush(self._free, begins + cost)
        return begins + cost


def simulated(costs: Costs, workers: int, *, is_shared: bool, rows: int = 40_000) -> float:
    """Return how many rows a second are stored.

    Arguments:
        costs: what a row costs.
        workers: how many there are.
        is_shared: whether clients are connected to the workers, evenly, and not all to one coordinator.
        rows: after so many it ends; a tenth of them before is not counted.
    """
    chance = Random(workers)  # noqa: S311 - no secret
    nodes = [_Node(costs.processors) for _ in range(workers)]
    single = _Node(costs.processors)
    events: list[_Event] = [(chance.random() / 1000, client, 0) for client in range(workers * costs.clients_per_worker)]
    heapify(events)
    stored: list[float] = []
    while len(stored) < rows:
        now, client, stage = heappop(events)
        entered = nodes[client % workers] if is_shared else single
        if stage == 1:
            after = nodes[chance.randrange(costs.shards) % workers].done(now, costs.worker)
        else:
            after = entered.done(now, costs.coordinator / 2)
        # A client's answer is one way off, and so is its next row.
        ways = 2 if stage == 2 else 1
        if stage == 2:
            stored.append(after)
        heappush(events, (after + ways * costs.way, client, (stage + 1) % 3))
    stored.sort()
    warm = rows // 10
    return (rows - warm) / (stored[-1] - stored[warm])


def table(costs: Costs, one: float, sizes: Sequence[int] = (2, 4, 8, 16, 32, 64)) -> Iterator[str]:
    """Yield the lines of a table of the simulation.

    Arguments:
        costs: what a row costs.
        one: seconds of a processor that a row costs one PostgreSQL.
        sizes: numbers of workers.
    """
    yield "| workers | clients | rows/s, one coordinator | rows/s, each worker takes clients | one PostgreSQL = 1 |"
    yield "|--:|--:|--:|--:|--:|"
    plain = costs.processors / one
    for workers in sizes:
        single, shared = (simulated(costs, workers, is_shared=each) for each in (False, True))
        clients = workers * costs.clients_per_worker
        ratios = f"{single / plain:.1f}, {shared / plain:.1f}"
        yield f"| {workers} | {clients:,} | {single:,.0f} | {shared:,.0f} | {ratios} |"
