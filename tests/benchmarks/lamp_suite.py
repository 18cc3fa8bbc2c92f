"""The rows of the lamps, in the order in which they are measured."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks import activity, cache, imports, lamps, retention, threads
from benchmarks.ground import Ground, prepare
from benchmarks.measuring import Measure
from benchmarks.results import Row
from benchmarks.sizes import Sizes
from surf_data import embedded

ROWS: dict[int, Callable[[Ground], Row]] = {
    1: lamps.one_lamp,
    2: lamps.query_path,
    3: lamps.many_lamps,
    4: threads.mixed,
    5: activity.log_many,
    6: activity.log_one,
    7: cache.cache_hit,
    8: activity.growth,
    9: retention.retention,
    10: activity.insert_rate,
    11: lamps.streamed_lamps,
    12: imports.importing,
}


def data(sizes: Sizes) -> str:
    """Return a sentence on how much data there is."""
    return f"{sizes.lamps:,} lamps, 20 API configurations, {sizes.activity:,} entries of activity over 90 days."


@contextmanager
def opened(sizes: Sizes, measure: Measure) -> Iterator[Ground]:
    """Yield what the rows are given: servers with lamps."""
    with embedded.start() as servers:
        prepare(servers.database_url, sizes.lamps)
        yield Ground(servers=servers, sizes=sizes, measure=measure)
