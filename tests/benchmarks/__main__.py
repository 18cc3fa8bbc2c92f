"""Runs the benchmarks: ``python -m benchmarks --help``."""

import argparse
import logging
import sys
from pathlib import Path

from benchmarks import activity, cache, document, imports, lamps, retention, threads
from benchmarks.ground import Ground, Sizes, prepare
from benchmarks.measuring import Measure
from surf_data import embedded

_SMALL = Sizes(lamps=10_000, activity=200_000, batch=20_000, stream=100_000)
_FULL = Sizes(lamps=100_000, activity=10_000_000, batch=100_000, stream=1_000_000)
_ROWS = {
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


def main() -> None:
    """Measure the rows that are asked for, and write the document if these are all."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--full", action="store_true", help="100,000 lamps and 10,000,000 entries of activity")
    parser.add_argument("--lamps", type=int, metavar="N", help="lamps in the database")
    parser.add_argument("--activity", type=int, metavar="N", help="entries of activity, where the log is full")
    parser.add_argument("--batch", type=int, metavar="N", help="entries that are logged at once")
    parser.add_argument("--stream", type=int, metavar="N", help="lamps that are streamed")
    parser.add_argument("--rounds", type=int, default=21, metavar="N", help="rounds that count (default: 21)")
    parser.add_argument("--seconds", type=float, default=0.1, help="for one turn of one side (default: 0.1)")
    parser.add_argument("--only", type=int, nargs="+", choices=_ROWS, help="measure these rows, and write nothing")
    parser.add_argument("--document", type=Path, default=Path("docs", "benchmarks.md"), help="what is written to")
    given = parser.parse_args()
    # Slow statements are what is asked for here.
    logging.getLogger("surf_data").addHandler(logging.NullHandler())

    default = _FULL if given.full else _SMALL
    sizes = Sizes(**{name: getattr(given, name) or getattr(default, name) for name in Sizes.__annotations__})
    found = []
    with embedded.start() as servers:
        prepare(servers.database_url, sizes.lamps)
        ground = Ground(servers=servers, sizes=sizes, measure=Measure(given.rounds, given.seconds))
        for number in given.only or _ROWS:
            found.append(_ROWS[number](ground))
            sys.stdout.write("\n".join([f"{number}. {found[-1].title}", *document.lines(found[-1]), ""]))
            sys.stdout.flush()
    if not given.only:
        document.write(given.document, found, sizes, given.rounds)


if __name__ == "__main__":
    main()
