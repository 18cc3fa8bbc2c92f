"""A client in a network namespace of its own, which ends: ``partition.py SOCKET LOGIN KEEPALIVES``. Prints JSON.

The server is outside, so that it can be reached by its Unix socket only; a relay within gives it a port.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import surf_data
from rig import Relay
from surf_data import DatabaseError
from surf_data.kernel.postgres import load_queries

QUERY = """
-- name: nap(seconds)$
-- Takes a while.
SELECT pg_sleep(:seconds::float8);
"""


def main(path: str, login: str, safeguards: str) -> None:
    """Take the network away, once from an idle connection and once from one that waits for an answer."""
    loopback("up")
    with tempfile.TemporaryDirectory() as folder, Relay(path) as relay:
        Path(folder, "nap.sql").write_text(QUERY, "utf-8")
        nap = load_queries(Path(folder)).nap
        url = f"postgresql://{login}@127.0.0.1:{relay.port}/surf_data?sslmode=disable{safeguards}"
        took = {}
        for name, seconds, deadline in (("idle", 0, 60), ("in flight", 600, 60), ("with a deadline", 600, 1)):
            loopback("up")
            with surf_data.open(url, pool_min_size=1, pool_max_size=1, pool_timeout=0.1) as data:
                took[name] = lost(data, nap, seconds, deadline)
    sys.stdout.write(json.dumps(took))


def loopback(state: str) -> None:
    """Set the namespace's network up or down."""
    subprocess.run([str(shutil.which("ip")), "link", "set", "lo", state], check=True)


def lost(data: surf_data.LampsDataLayer, nap: object, seconds: float, deadline: float) -> float:
    """Return after how many seconds a statement failed whose network was taken away."""
    with data.database.connection() as session:
        nap(session, seconds=0)
        down = threading.Timer(0.5, loopback, ["down"])
        down.start()
        if not seconds:
            down.join()
        started = time.monotonic()
        try:
            with data.deadline(deadline):
                nap(session, seconds=seconds)
        except DatabaseError:
            took = time.monotonic() - started
        down.join()
    return took


if __name__ == "__main__":
    main(*sys.argv[1:])
