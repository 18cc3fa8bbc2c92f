"""A Citus cluster for trying: a coordinator and two workers on the loopback, and databases on all three.

``PYTHONPATH=tests python -m rig.citus PROGRAMS FOLDER`` starts one with PostgreSQL's programs in PROGRAMS, beside which
Citus is installed. It prints what ``SURF_DATA_TEST_CITUS`` is to be set to, and goes on until it is interrupted. A node
that was killed is started again, unless there is a file ``hold`` in its folder.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from surf_data.embedded.account import Account, account_for

_PORT = 5_700
_HOLD = "hold"
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "shared_preload_libraries": "citus",
    "citus.node_conninfo": "sslmode=disable",
    "citus.shard_count": "8",
    "max_connections": "200",
    "fsync": "off",
    "timezone": "UTC",
}


@attrs.frozen
class Node:
    """One server of a cluster."""

    programs: Path
    folder: Path
    port: int
    account: Account

    @property
    def url(self) -> str:
        """The URL of its database ``surf_data``."""
        return f"postgresql://surf_data@127.0.0.1:{self.port}/surf_data?sslmode=disable"

    def make(self) -> None:
        """Make its data, unless they are there."""
        if self.folder.exists():
            return
        self.folder.mkdir(parents=True)
        self.account.give(self.folder)
        command = [
            "initdb",
            "-D",
            str(self.folder),
            "-U",
            "surf_data",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        done = self.account.run([str(self.programs / command[0]), *command[1:], "--no-sync"])
        assert done.returncode == 0, done.stderr

    @property
    def is_held(self) -> bool:
        """Whether it is not to be started."""
        return (self.folder / _HOLD).exists()

    def start(self, *, waits: bool = True) -> "subprocess.Popen[bytes]":
        """Start it, and wait until it answers, unless that is not wanted."""
        options = _OPTIONS | {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        command = [str(self.programs / "postgres"), "-D", str(self.folder)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            process = self.account.spawn(command, log)
        if not waits:
            return process
        ready = [str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            assert process.poll() is None, (self.folder / "log").read_text()
        return process


@contextmanager
def citus_database(coordinator: str, name: str) -> Iterator[str]:
    """Create an empty database on all nodes of a cluster for a block, and return its URL on the coordinator.

    Arguments:
        coordinator: the URL of a database on the coordinator whose nodes are known.
        name: of the database.
    """
    with psycopg.connect(coordinator, autocommit=True) as admin:
        workers = admin.execute(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid <> 0 ORDER BY nodeport"
        ).fetchall()
        host, port = admin.info.host, admin.info.port
    made = [{"host": node, "port": str(at)} for node, at in [(host, port), *workers]]
    with ExitStack() as stack:
        for at in made:
            stack.enter_context(_database(make_conninfo(coordinator, **at), name))
        url = f"postgresql://{conninfo_to_dict(coordinator)['user']}@{host}:{port}/{name}?sslmode=disable"
        join(url, [(node, at) for node, at in workers])
        yield url


@contextmanager
def _database(server: str, name: str) -> Iterator[None]:
    with psycopg.connect(server, autocommit=True) as admin:
        # Each node by itself, so that it does not matter whether the cluster hands it on.
        admin.execute("SET citus.enable_create_database_propagation TO off")
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        admin.execute(f"CREATE DATABASE {name}".encode())
    with psycopg.connect(server, dbname=name, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION citus")
    try:
        yield
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute("SET citus.enable_create_database_propagation TO off")
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


@contextmanager
def node_down(url: str) -> Iterator[None]:
    """Kill a node of a cluster that ``python -m rig.citus`` has started on this machine, for a block.

    Arguments:
        url: of a database on it.

    Raises:
        FileNotFoundError: it is not on this machine.
    """
    with psycopg.connect(url) as connection:
        [folder] = connection.execute("SHOW data_directory").fetchone() or [""]
    pid = int((Path(folder) / "postmaster.pid").read_text().split()[0])
    hold = Path(folder) / _HOLD
    hold.touch()
    try:
        os.kill(pid, signal.SIGKILL)
        yield
    finally:
        hold.unlink()
    for _ in range(600):
        with suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        time.sleep(0.1)
    raise TimeoutError("the node that was killed is not there again")


def join(url: str, workers: list[tuple[Any, ...]]) -> None:
    """Tell a coordinator's database of its workers."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT citus_set_coordinator_host(%s, %s)", [connection.info.host, connection.info.port])
        for host, port in workers:
            connection.execute("SELECT citus_add_node(%s, %s)", [host, port])


def main(programs: Path, folder: Path) -> None:
    """Start a cluster, and let it run until it is interrupted."""
    account = account_for(None)
    nodes = [Node(programs, folder / f"node{number}", _PORT + number, account) for number in range(3)]
    new = not nodes[0].folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    account.give(folder)
    for node in nodes:
        node.make()
    running = [node.start() for node in nodes]
    if new:
        for node in nodes:
            with psycopg.connect(node.url, dbname="postgres", autocommit=True) as admin:
                admin.execute("CREATE DATABASE surf_data")
            with psycopg.connect(node.url, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION citus")
        join(nodes[0].url, [("127.0.0.1", node.port) for node in nodes[1:]])
    print(f"SURF_DATA_TEST_CITUS={nodes[0].url}", flush=True)  # noqa: T201 - what it is for
    asked = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, asked)
    while not signal.sigtimedwait(asked, 0.2):
        for number, node in enumerate(nodes):
            # One that was just killed may have processes left, and then the next one ends at once.
            if running[number].poll() is not None and not node.is_held:
                running[number] = node.start(waits=False)
    for process in running:
        process.send_signal(signal.SIGINT)
        process.wait(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
