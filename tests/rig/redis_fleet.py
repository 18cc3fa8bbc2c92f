"""Redis servers that stand in for each other: a service that Sentinels watch, and a cluster."""

import random
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import redis

from rig.redis import RedisServer
from rig.waiting import eventually

# A node of a cluster listens on its port and on this many further on.
_BUS = 10_000


def free_port() -> int:
    """Return a port that is free, and so is its cluster bus; below those that the system hands out to clients."""
    while True:
        port = random.randrange(15_000, 22_000)  # noqa: S311 - many tests look at the same time
        with suppress(OSError), ExitStack() as taken:
            for one in (port, port + _BUS):
                taken.enter_context(socket.create_server(("127.0.0.1", one)))
            return port


class _Fleet:
    """Servers on ports of this machine."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        #: The servers by port.
        self.servers: dict[int, RedisServer] = {}

    def __enter__(self) -> Self:
        try:
            self._assemble()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _assemble(self) -> None:
        raise NotImplementedError

    def _start(self, *options: str, configuration: Callable[[], str] | None = None) -> int:
        folder = self._stack.enter_context(TemporaryDirectory(prefix="surf"))
        port = free_port()
        arguments = ["--port", str(port), "--bind", "127.0.0.1", *options]
        if configuration:
            path = Path(folder, "sentinel.conf")
            path.write_text(configuration())
            arguments = [str(path), "--sentinel", *arguments]
        server = self.servers[port] = RedisServer(folder, *arguments)
        self._stack.callback(server.stop)
        server.start()
        return port

    def _ask(self, port: int, *command: str | int) -> Any:
        with redis.Redis(port=port, decode_responses=True) as client:
            return client.execute_command(*command)


class SentinelService(_Fleet):
    """A primary, a replica, and three Sentinels that put the one in the other's place after a second."""

    def _assemble(self) -> None:
        self.primary = self._start()
        self.primaries = [self.primary]
        self.replica = self._start("--replicaof", "127.0.0.1", str(self.primary))
        eventually(lambda: self._ask(self.replica, "ROLE")[3] == "connected")
        self.sentinels = [self._start(configuration=self._configuration) for _ in range(3)]
        eventually(lambda: all(self._knows(port) for port in self.sentinels))
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        #: The URL of the service.
        self.url = f"redis+sentinel://{hosts}/surf"

    def _configuration(self) -> str:
        return (
            f"sentinel monitor surf 127.0.0.1 {self.primary} 2\n"
            "sentinel down-after-milliseconds surf 1000\nsentinel failover-timeout surf 5000\n"
        )

    def _knows(self, port: int) -> bool:
        with redis.Redis(port=port) as client:
            state: Any = client.sentinel_master("surf")
        return state["num-slaves"] == 1 and state["num-other-sentinels"] == 2


class ClusterService(_Fleet):
    """Three primaries with a replica each, which takes over after a second."""

    def _assemble(self) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        ports = [self._start(*options, "--cluster-config-file", "nodes.conf") for _ in range(6)]
        self.primaries, self.replicas = ports[:3], ports[3:]
        for number, port in enumerate(self.primaries):
            slots = range(16384 * number // 3, 16384 * (number + 1) // 3)
            self._ask(port, "CLUSTER ADDSLOTS", *slots)
        for number, port in enumerate(ports):
            self._ask(port, "CLUSTER SET-CONFIG-EPOCH", number + 1)
            self._ask(ports[0], "CLUSTER MEET", "127.0.0.1", port)
        names = {port: self._ask(port, "CLUSTER MYID") for port in ports}
        eventually(lambda: all(len(self._nodes(port)) == 6 for port in ports))
        for primary, replica in zip(self.primaries, self.replicas, strict=True):
            self._ask(replica, "CLUSTER REPLICATE", names[primary])
        eventually(lambda: all(self._is_settled(port) for port in ports))
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.primaries)
        #: The URL of the cluster.
        self.url = f"redis+cluster://{hosts}"

    def _nodes(self, port: int) -> dict[str, Any]:
        return {
            name: node for name, node in self._ask(port, "CLUSTER NODES").items() if "handshake" not in node["flags"]
        }

    def _is_settled(self, port: int) -> bool:
        roles = ["slave" in node["flags"] for node in self._nodes(port).values()]
        return roles.count(True) == 3 and self._ask(port, "CLUSTER INFO")["cluster_state"] == "ok"
