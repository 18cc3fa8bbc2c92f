"""Runs migrations in processes that kill themselves between two messages to the server.

Each line of standard input is a run: JSON with ``url``, ``folder``, ``direction``, ``moment`` and ``point``. The answer
is a line with the signal that ended the run, 0 when it came to its end.
"""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from surf_data.migrate import Runner


class DyingConnection(psycopg.Connection[Any]):
    """A connection whose process dies with a message: when it was ``sent``, or when it was ``answered``."""

    moment = ""
    left = 0

    def wait(self, gen: Any, interval: float = 0.1) -> Any:
        """Wait for the answer to a message, perhaps in vain."""
        type(self).left -= 1
        try:
            return next(gen) if self.left == 0 and self.moment == "sent" else super().wait(gen, interval)
        finally:
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def run(order: dict[str, Any]) -> None:
    """Run the migrations of an order."""
    DyingConnection.moment, DyingConnection.left = order["moment"], order["point"]
    runner = Runner(partial(DyingConnection.connect, order["url"]), Path(order["folder"]), "shop")
    runner.up() if order["direction"] == "up" else runner.down(to=0)


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(json.loads(line))
        os._exit(0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
    sys.stdout.flush()
