"""Sends the commands of a maintenance, each transaction until it has its locks."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import psycopg

from surf_data.errors import LockTimeout, TransactionConflict
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.migrate.execution import Limits

_MAINTENANCE = Translation("maintenance")


@attrs.frozen(kw_only=True)
class Commands:
    """Runs what the queries of retention return, on one connection."""

    #: A direct connection to the server, in autocommit mode.
    connection: psycopg.Connection[Any]
    #: The same connection's session, for the queries themselves.
    session: Session
    #: How long a command may wait for a lock, and how many times it is tried.
    limits: Limits
    #: Called with what is done next, in words.
    on_step: Callable[[str], object]
    #: Whether nothing is changed.
    dry_run: bool

    def send(self, commands: Sequence[str]) -> int:
        """Send commands in one transaction, again while others hold a lock; return how many rows they concern.

        Nothing is sent in a dry run.

        Raises:
            LockTimeout: a lock could not be had in all attempts.
            DatabaseError: a command is refused.
        """
        attempt = 1
        while not self.dry_run:
            try:
                with self.session.transaction():
                    return sum(map(self._send, commands))
            except (LockTimeout, TransactionConflict):
                if attempt == self.limits.attempts:
                    raise
            time.sleep(self.limits.pause(attempt))
            attempt += 1
        return 0

    def send_batches(self, command: str, size: int, name: str) -> int:
        """Send a command that deletes ``size`` rows at the most until it finds fewer; return how many rows it deleted.

        Raises:
            LockTimeout: a lock could not be had in all attempts.
            DatabaseError: the command is refused.
        """
        deleted, rows = 0, size
        while rows == size:
            rows = self.send([command])
            deleted += rows
            self.on_step(f"deleting from {name}: {deleted:,} rows")
        return deleted

    def rows(self, command: str) -> list[tuple[Any, ...]]:
        """Return the rows of a command that changes nothing.

        Raises:
            DatabaseError: it is refused.
        """
        with _MAINTENANCE:
            return self.connection.execute(command.encode(), prepare=False).fetchall()

    def _send(self, command: str) -> int:
        with _MAINTENANCE:
            # Only DDL has no number of rows.
            return max(self.connection.execute(command.encode(), prepare=False).rowcount, 0)
