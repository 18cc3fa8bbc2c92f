"""Runs the benchmarks: ``python -m benchmarks --help``."""

import argparse
import logging
import sys
from pathlib import Path

from benchmarks import daylight, document, lamp_suite, mining, screenshot, specify
from benchmarks.measuring import Measure
from benchmarks.results import Row
from benchmarks.sizes import Sizes

_SUITES = {"lamps": lamp_suite, "mining": mining, "specify": specify, "screenshot": screenshot, "daylight": daylight}


def main() -> None:
    """Measure what is asked for, and write the document if it is whole domains."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little data and few rounds; writes nothing")
    parser.add_argument("--full", action="store_true", help="as much data as the goals are set for; takes hours")
    parser.add_argument("--domain", nargs="+", choices=_SUITES, default=list(_SUITES), help="these domains (all)")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="these rows; writes nothing")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds that count (21; 5 with --quick)")
    parser.add_argument("--seconds", type=float, help="for one turn of one side (0.1; 0.02 with --quick)")
    parser.add_argument("--document", type=Path, default=document.PAGE, help="what is written to")
    for name, meaning in Sizes.meanings().items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=meaning)
    given = parser.parse_args()
    if given.only and len(given.domain) > 1:
        parser.error("--only goes with one --domain")
    # Slow statements are what is asked for here.
    logging.getLogger("surf_data").addHandler(logging.NullHandler())

    sizes = Sizes.chosen("quick" if given.quick else "full" if given.full else "usual", vars(given))
    measure = Measure(given.rounds or (5 if given.quick else 21), given.seconds or (0.02 if given.quick else 0.1))
    measured = {name: (_SUITES[name].data(sizes), _measured(name, sizes, measure, given.only)) for name in given.domain}
    if not given.only and not given.quick:
        document.write(given.document, measured)


def _measured(domain: str, sizes: Sizes, measure: Measure, only: list[int] | None) -> list[Row]:
    suite, found = _SUITES[domain], []
    with suite.opened(sizes, measure) as ground:
        for number in only or suite.ROWS:
            found.append(suite.ROWS[number](ground))
            sys.stdout.write("\n".join([f"{domain} {number}. {found[-1].title}", *document.lines(found[-1]), ""]))
            sys.stdout.flush()
    return sorted(found, key=lambda row: row.number)


if __name__ == "__main__":
    main()
