"""Servers that hang and networks that end: a caller that waits gets an error by its deadline."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

import surf_data
from rig import PostgresServer, eventually
from rig.secrecy import LOGIN
from rig.users import user_data
from surf_data import CommitUnknown, DeadlineExceeded, PoolTimeout

OpenData = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]
StartServer = Callable[..., PostgresServer]

#: What a deadline may be missed by. On a shared machine a thread may have to wait for its turn.
MARGIN = 0.5


def test_a_server_that_hangs(
    own_postgres: StartServer, open_data: OpenData, refused: Callable[..., Any], measure: Measure
) -> None:
    """9. A read of a server that hangs ends at its deadline, and its connection serves no other caller."""
    server = own_postgres()
    data = open_data(server.url_for(LOGIN), pool_min_size=1, pool_max_size=1)
    assert data.lamps.get_all_active_lamps() == []
    server.halt()
    took = []
    for seconds, kind in ((0.5, DeadlineExceeded), (1.0, PoolTimeout)):
        started = time.monotonic()
        with data.deadline(seconds):
            error = refused(data.lamps.get_all_active_lamps, kind)
        took.append(time.monotonic() - started)
        assert took[-1] < seconds * 1.1 + MARGIN
    assert "before the deadline" in str(error)
    server.resume()
    assert data.lamps.get_all_active_lamps() == []
    measure(
        "The server hangs; deadlines of 0.5 s, with a connection, and of 1 s, without",
        ("ended after", took[0], "s"),
        ("ended after", took[1], "s"),
    )


def test_a_hanging_session(
    own_postgres: StartServer, open_data: OpenData, refused: Callable[..., Any], measure: Measure
) -> None:
    """9. When one session of the server hangs, its statement ends at the deadline and is cancelled at the server."""
    server = own_postgres()
    data = open_data(server.url_for(LOGIN), pool_min_size=1, pool_max_size=1)
    assert data.lamps.get_all_active_lamps() == []
    pid = server.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'surfboard_lamp_backend'")
    [session] = [process for process in server.processes() if process.pid == pid]
    waits = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"

    def suspend() -> None:
        # What is cancelled before it is read would be run all the same.
        eventually(lambda: server.execute(waits, pid))
        session.suspend()

    suspension = threading.Thread(target=suspend)
    with psycopg.connect(server.url) as other:
        other.execute("LOCK TABLE lamp_registry IN ACCESS EXCLUSIVE MODE")
        suspension.start()
        started = time.monotonic()
        with data.deadline(1):
            error = refused(data.lamps.get_all_active_lamps, DeadlineExceeded)
        took = time.monotonic() - started
        suspension.join()
        session.resume()
        eventually(lambda: "canceling statement due to user request" in server.log())
    assert took < 1.1 + MARGIN
    assert str(error) == "lamps.lamp_active_list failed: no answer before the deadline"
    assert error.query == "lamps.lamp_active_list"
    assert data.lamps.get_all_active_lamps() == []
    measure("One session of the server hangs; a deadline of 1 s", ("ended after", took, "s"))


def test_a_commit_that_hangs(
    own_postgres: StartServer, open_data: OpenData, refused: Callable[..., Any], measure: Measure
) -> None:
    """9. A COMMIT that hangs ends at the deadline, with an error that says that it may have been applied."""
    server = own_postgres("-c", "synchronous_standby_names=ghost")
    data = open_data(server.url_for(LOGIN), pool_min_size=1, pool_max_size=1, pool_timeout=60)
    started = time.monotonic()
    with data.deadline(0.5):
        refused(lambda: data.run(lambda tx: tx.users.register_user(user_data())), CommitUnknown)
    took = time.monotonic() - started
    assert took < 0.55 + MARGIN
    measure("COMMIT waits for a standby that is not there; a deadline of 0.5 s", ("ended after", took, "s"))


def test_a_network_that_ends(
    own_postgres: StartServer, pytestconfig: pytest.Config, tmp_path: Path, measure: Measure
) -> None:
    """10. When the network ends, idle connections and those in flight end by TCP's own times, or at the deadline."""
    unshare = shutil.which("unshare")
    if not unshare or not shutil.which("ip"):
        pytest.skip("unshare and ip are not installed")
    command = [unshare, *([] if os.getuid() == 0 else ["--map-root-user"]), "--net"]
    if subprocess.run([*command, "ip", "link"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespaces here")
    # Shorter by far than the library's own, unless there is time.
    short = "&tcp_user_timeout=1000&keepalives_idle=1&keepalives_interval=1&keepalives_count=2"
    safeguards, idle, in_flight = short, 2.0, 4.0
    if pytestconfig.getoption("--full-length"):
        safeguards, idle, in_flight = "", 6.0, 12.0
    server = own_postgres()
    script = Path(__file__).with_name("partition.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parent.parent)}
    done = subprocess.run(
        [*command, sys.executable, str(script), server.path, LOGIN, safeguards],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    took = json.loads(done.stdout)
    assert took["idle"] < idle + MARGIN
    assert took["in flight"] < in_flight + MARGIN
    assert took["with a deadline"] < 1.1 + MARGIN
    measure(
        f"The network is taken away{'' if safeguards == '' else ', with shorter times than by default'}",
        ("idle connection noticed after", took["idle"], "s"),
        ("statement in flight ended after", took["in flight"], "s"),
        ("with a deadline of 1 s", took["with a deadline"], "s"),
    )
