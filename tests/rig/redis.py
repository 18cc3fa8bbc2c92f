"""A Redis server of a test's own."""

import signal
import subprocess
from contextlib import suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from rig.relay import Relay
from rig.waiting import eventually
from surf_data.embedded.redis import program


class RedisServer:
    """A Redis server that can be stopped, started again, halted and killed.

    Arguments:
        folder: a folder with a short path, as sockets must have one.
        options: for its command line.
        password: what it asks clients for, if anything.
    """

    def __init__(self, folder: str, *options: str, password: str | None = None) -> None:
        #: The path of its socket.
        self.path = f"{folder}/redis.sock"
        self._password = password
        # A Sentinel's options are in a file, which comes first.
        file = [option for option in options[:1] if not option.startswith("-")]
        self._command = [str(program()), *file, "--port", "0", "--unixsocket", self.path, "--save", "", "--dir", folder]
        self._command += options[len(file) :]
        self._command += ["--requirepass", password] if password else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"unix://{self._login}{self.path}"

    def url_through(self, relay: Relay) -> str:
        """Return a URL that leads through a relay."""
        return f"redis://{self._login}127.0.0.1:{relay.port}"

    @property
    def _login(self) -> str:
        return f":{self._password}@" if self._password else ""

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        eventually(self._answers)

    def stop(self) -> None:
        """Stop, and wait until it is gone."""
        if self._process:
            self.signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(30)

    def halt(self) -> None:
        """Let it hang: its connections stay, and nothing is answered."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `halt`."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a warning, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(30)

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def client(self, **keywords: Any) -> redis.Redis:
        """Return a client that sees the server as it is."""
        keywords = {"password": self._password, **keywords}
        return redis.Redis(unix_socket_path=self.path, retry=Retry(NoBackoff(), 0), **keywords)

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError), self.client() as client:
            try:
                return client.ping() is True
            except redis.AuthenticationError:
                return True
        return False
