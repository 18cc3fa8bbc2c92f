"""What this library adds to a statement: observation by itself, and the whole path against a hand-written pool.

Run it with ``nox -s bench``. CPU time of this process, medians of alternating rounds in one run; the ratios are what
counts, since machines differ and are shared.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns, process_time_ns

from psycopg_pool import ConnectionPool

import surf_data
from surf_data import embedded
from surf_data.postgres import load_queries
from surf_data.postgres.observation import Observation

ROUNDS = 15
CALLS = 1000

QUERY = """\
-- name: answer_one(number)^
-- A row of five columns, from no table.
SELECT :number::int8 AS a, 'text'::text AS b, true AS c, now() AS d, NULL::text AS e;
"""
PLAIN = "SELECT %(number)s::int8 AS a, 'text'::text AS b, true AS c, now() AS d, NULL::text AS e"


def cpu_per_call(call: Callable[[], object]) -> float:
    """Return the CPU time of one call in microseconds."""
    started = process_time_ns()
    for _ in range(CALLS):
        call()
    return (process_time_ns() - started) / CALLS / 1000


def alternate(**calls: Callable[[], object]) -> dict[str, float]:
    """Return the median CPU time of each call, measured in turn."""
    rounds = [{name: cpu_per_call(call) for name, call in calls.items()} for _ in range(ROUNDS)]
    return {name: median(measured[name] for measured in rounds[1:]) for name in calls}


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Measure, and print a line for each comparison."""
    observation = Observation()

    def observed() -> None:
        started = perf_counter_ns()
        observation.record("query", perf_counter_ns() - started, 1)

    alone = alternate(observed=observed, nothing=lambda: None)
    say(f"observation without an observer: {alone['observed'] - alone['nothing']:.2f} us a call (promise: below 1)")

    with TemporaryDirectory() as folder, embedded.start(redis=False) as servers:
        Path(folder, "answer.sql").write_text(QUERY, encoding="utf-8")
        queries = load_queries(Path(folder), namespace="bench")
        parameters = {"number": 7}
        options = {"autocommit": True, "prepare_threshold": 0}
        with (
            surf_data.open(servers.database_url, pool_min_size=2, pool_max_size=2) as data,
            ConnectionPool(servers.database_url, min_size=2, max_size=2, kwargs=options, open=True) as pool,
            data.database.connection() as session,
            pool.connection() as connection,
        ):

            def by_hand() -> object:
                with pool.connection() as borrowed, borrowed.cursor(binary=True) as cursor:
                    return cursor.execute(PLAIN, parameters).fetchone()

            def bare() -> object:
                with connection.cursor(binary=True) as cursor:
                    return cursor.execute(PLAIN, parameters).fetchone()

            held = alternate(ours=lambda: queries.answer_one(session, **parameters), bare=bare)
            say(f"held connection: {held['ours'] / held['bare']:.2f} x a bare cursor ({held['bare']:.0f} us)")
            pooled = alternate(ours=lambda: queries.answer_one(data.database, **parameters), by_hand=by_hand)
            say(f"pooled: {pooled['ours'] / pooled['by_hand']:.2f} x a hand-written pool ({pooled['by_hand']:.0f} us)")


if __name__ == "__main__":
    main()
