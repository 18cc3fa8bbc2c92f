"""Runs retention in processes that kill themselves at a message to PostgreSQL or a request to the store.

Each line of standard input is a run: JSON with ``url``, ``archive`` (settings), ``place`` (``postgresql``, ``store`` or
``s3``) and ``point``. The answer is a line with the signal that ended the run, 0 when it came to its end.
"""

import json
import os
import signal
import sys
from typing import Any

import psycopg

from surf_data import daylight
from surf_data.kernel.storage import CloudStore, LocalStore

left = [0]


def step() -> None:
    """Count one down, and die at zero."""
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def run(order: dict[str, Any]) -> None:
    """Run retention until it is killed, or done."""
    if order["place"] == "postgresql":
        wait = psycopg.Connection.wait

        def dying(self: Any, gen: Any, *arguments: Any) -> Any:
            found = wait(self, gen, *arguments)
            step()
            return found

        psycopg.Connection.wait = dying  # type: ignore[method-assign]
    else:
        kind = CloudStore if order["place"] == "s3" else LocalStore
        for name in ("put", "get", "get_range", "delete_many"):
            original = getattr(kind, name)

            def dying_request(self: Any, *arguments: Any, _original: Any = original, **keywords: Any) -> Any:
                found = _original(self, *arguments, **keywords)
                step()
                return found

            setattr(kind, name, dying_request)
    with daylight.open(order["url"], **order["archive"], pool_min_size=0) as data:
        left[0] = order["point"]
        jobs = data.retention.run_daily_retention()
        assert all(job.status == "completed" for job in jobs), jobs


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(json.loads(line))
        os._exit(0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
    sys.stdout.flush()
