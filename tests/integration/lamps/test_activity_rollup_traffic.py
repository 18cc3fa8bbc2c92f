"""Statistics under traffic: exact in each snapshot, whatever is written and rolled up at the same time."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import psycopg
from psycopg import IsolationLevel
from psycopg.errors import DeadlockDetected, ForeignKeyViolation, SerializationFailure

from rig import eventually
from rig.activity_rollup import ROLL_UP, differences, rolled_up

Connection = psycopg.Connection[Any]

ENTRY = "INSERT INTO activity_log (lamp_id, activity_type, status, created_at) VALUES (%s, %s, %s, %s)"
COPY = "COPY activity_log (lamp_id, activity_type, status, created_at) FROM STDIN"
LAMPS = (
    "INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index) "
    "SELECT id, id::text, id::text, 'Kai', 'hash', 0 FROM unnest(%s::uuid[]) AS id ON CONFLICT DO NOTHING"
)
SOME = "id IN (SELECT id FROM activity_log ORDER BY created_at DESC OFFSET %s LIMIT 2)"
CHANGES = (
    f"DELETE FROM activity_log WHERE {SOME}",
    f"UPDATE activity_log SET created_at = created_at - interval '90 seconds' WHERE {SOME}",
    f"UPDATE activity_log SET status = 'changed', lamp_id = NULL WHERE {SOME}",
)


@attrs.define(eq=False)
class Traffic:
    """Threads that each do one thing again and again, while a clock of their own goes on."""

    url: str
    lamps: list[UUID]
    #: What is before is over.
    now: datetime
    #: For each check, whether something was counted.
    checks: list[bool] = attrs.field(factory=list)
    stopped: threading.Event = attrs.field(factory=threading.Event)
    failures: list[BaseException] = attrs.field(factory=list)
    _threads: list[threading.Thread] = attrs.field(factory=list)

    def start(self, work: Callable[[Connection, random.Random], None], isolation: IsolationLevel | None = None) -> None:
        """Have a thread do ``work`` on a connection of its own."""
        chance = random.Random(len(self._threads))  # noqa: S311 - it only mixes the traffic
        thread = threading.Thread(target=self._repeat, args=(work, isolation, chance))
        self._threads.append(thread)
        thread.start()

    def _repeat(
        self,
        work: Callable[[Connection, random.Random], None],
        isolation: IsolationLevel | None,
        chance: random.Random,
    ) -> None:
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.isolation_level = isolation
                while not self.stopped.is_set():
                    with suppress(SerializationFailure, DeadlockDetected):
                        work(connection, chance)
        except BaseException as error:  # noqa: BLE001 - raised by the test
            self.failures.append(error)
            self.stopped.set()

    def stop(self) -> None:
        """End all threads."""
        self.stopped.set()
        for thread in self._threads:
            thread.join()

    def entry(self, chance: random.Random) -> list[Any]:
        """Return an entry that is new, a little late or very late."""
        back = timedelta(minutes=chance.random() * chance.choice([2, 2, 2, 8, 300]))
        lamp_id = chance.choice([None, *self.lamps])
        return [lamp_id, f"type {chance.randrange(4)}", chance.choice("ab"), self.now + timedelta(minutes=1.5) - back]

    def insert(self, connection: Connection, chance: random.Random) -> None:
        """Insert a few entries, some of them rolled back alone, and sometimes all."""
        with connection.transaction(force_rollback=chance.random() < 0.2):
            for _ in range(chance.randrange(6)):
                undone = chance.random() < 0.2
                with suppress(ForeignKeyViolation), connection.transaction(force_rollback=undone):
                    connection.execute(ENTRY, self.entry(chance))

    def copy(self, connection: Connection, chance: random.Random) -> None:
        """Import some entries."""
        with connection.cursor() as cursor, cursor.copy(COPY) as rows:
            for _ in range(chance.randrange(30)):
                rows.write_row([None, *self.entry(chance)[1:]])

    def linger(self, connection: Connection, chance: random.Random) -> None:
        """Insert an entry that is new, and commit when it is old."""
        with connection.transaction():
            connection.execute(ENTRY, [None, "slow", "a", self.now + timedelta(minutes=1)])
            ends = self.now + timedelta(minutes=chance.random() * 30)
            eventually(lambda: self.now >= ends or self.stopped.is_set(), seconds=240)

    def change(self, connection: Connection, chance: random.Random) -> None:
        """Change or delete entries, by themselves or with their lamp, and forget what is counted."""
        with connection.transaction(force_rollback=chance.random() < 0.2):
            connection.execute(chance.choice(CHANGES).encode(), [chance.randrange(200)])
            if chance.random() < 0.1:
                lamp_id = chance.choice(self.lamps)
                connection.execute("DELETE FROM lamp_registry WHERE lamp_id = %s", [lamp_id])
                connection.execute(LAMPS, [[lamp_id]])
            if chance.random() < 0.02:
                connection.execute("SELECT activity_rollup_forget(%s)", [self.now - timedelta(hours=2)])

    def roll_up(self, connection: Connection, chance: random.Random) -> None:
        """Roll up a portion."""
        connection.execute(ROLL_UP, [chance.choice([2, 24]), chance.choice([10, 1000]), self.now])

    def check(self, connection: Connection, chance: random.Random) -> None:
        """Compare, and let time go by."""
        assert differences(connection, chance.randrange(1, 25)) == []
        counted = connection.execute("SELECT began FROM activity_rollup_count LIMIT 1").fetchone()
        self.checks.append(counted is not None)
        self.now += timedelta(minutes=chance.random() * 8)


def test_it_is_exact_under_traffic(admin: Connection, migrated_url: str) -> None:
    """Statistics are those of the entries in each snapshot that anyone takes.

    Meanwhile entries come, come late, change and go, in short and long transactions of either isolation, roll-ups go on
    beside them and against each other, and twelve hours go by.
    """
    lamps = [uuid4() for _ in range(20)]
    admin.execute(LAMPS, [lamps])
    [(begin,)] = admin.execute("SELECT date_trunc('minute', now() - interval '12 hours')").fetchall()
    traffic = Traffic(migrated_url, lamps, begin)
    for isolation in (IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ):
        traffic.start(traffic.insert, isolation)
        traffic.start(traffic.change, isolation)
        traffic.start(traffic.roll_up)
        traffic.start(traffic.check, IsolationLevel.REPEATABLE_READ)
    traffic.start(traffic.copy)
    traffic.start(traffic.linger)
    try:
        eventually(lambda: traffic.stopped.is_set() or traffic.now - begin > timedelta(hours=12), seconds=240)
    finally:
        traffic.stop()
    for failure in traffic.failures:
        raise failure
    assert sum(traffic.checks) > len(traffic.checks) / 2
    rolled_up(admin)
    admin.isolation_level = IsolationLevel.REPEATABLE_READ
    assert [differences(admin, hours) for hours in range(1, 25)] == [[]] * 24
