"""The library where there is nothing of what only Linux has: see docs/dependencies.md, "Where it runs"."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import elsewhere
import json, os, sys, time
import psycopg
import surf_data
from surf_data.kernel.postgres.deadlines import deadline
from surf_data.kernel.storage import LocalStore

# What libpq's trace depends on.
sys.platform = "darwin"
url, folder = sys.argv[1:]
RUNNING = "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'"
nowhere = "postgresql://127.0.0.1:9/none"
entry = {"activity_type": "a", "status": "b"}
seen = {}
with surf_data.open(nowhere, pool_min_size=0, pool_timeout=0.1, journal_spool=folder) as data:
    seen["reason"] = data.health().database.reason
    data.activity.log_activity(None, "a", "b")
with surf_data.open(url, pool_max_size=2, journal_spool=folder) as data:
    seen["lamps"] = data.lamps.get_all_active_lamps()
    with data.transaction() as tx:
        seen["logged"] = tx.activity.log_activities([entry] * 2)
    with data.database.connect() as own, data.database.connect() as watcher:
        try:
            with deadline(0.1):
                own.execute("SELECT pg_sleep(600)")
        except psycopg.OperationalError as error:
            seen["ended"] = str(error)
        # Cancelled by a thread of its own.
        while watcher.execute(RUNNING).fetchone():
            time.sleep(0.01)
        if (child := os.fork()) == 0:
            os._exit(len(data.lamps.get_all_active_lamps()))
        seen["child"] = os.waitpid(child, 0)[1]
        data.activity.log_activity(None, "a", "b")
        seen["entries"] = watcher.execute("SELECT count(*) FROM activity_log").fetchone()[0]
store = LocalStore(folder + "/objects")
store.initialize()
store.put("a/b", b"wave")
seen["stored"] = store.get_range("a/b", 1, 2).decode()
print(json.dumps(seen))
"""


def test_without_what_linux_alone_has(migrated_url: str, open_folder: Path) -> None:
    """Statements end in time, why there is no connection is known, and entries, files and forks are safe."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, migrated_url, str(open_folder)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "reason": "connection refused",
        "lamps": [],
        "logged": 2,
        "ended": "deadline",
        "child": 0,
        "entries": 4,
        "stored": "av",
    }
