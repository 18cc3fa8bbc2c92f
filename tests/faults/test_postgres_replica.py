"""A replica takes reads off the primary; whatever becomes of it, callers see what they have written."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

import surf_data
from rig import PostgresServer, eventually
from rig.secrecy import LOGIN
from rig.users import user_data
from surf_data import DeadlineExceeded

OpenData = Callable[..., surf_data.LampsDataLayer]
Measure = Callable[..., None]


@pytest.fixture
def primary(own_postgres: Callable[..., PostgresServer]) -> PostgresServer:
    """Start a primary."""
    return own_postgres()


@pytest.fixture
def replica(primary: PostgresServer, own_standby: Callable[[PostgresServer], PostgresServer]) -> PostgresServer:
    """Start a replica of it, which has replayed everything so far."""
    server = own_standby(primary)
    lsn = primary.execute("SELECT pg_current_wal_flush_lsn()::text")
    eventually(lambda: server.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn))
    return server


@pytest.fixture
def data(primary: PostgresServer, replica: PostgresServer, open_data: OpenData) -> surf_data.LampsDataLayer:
    """Open the data layer on both, and have a connection to each."""
    opened = open_data(primary.url_for(LOGIN), replica_url=replica.url_for(LOGIN), pool_min_size=1, pool_max_size=4)
    assert opened.database.ping(timeout=60) > 0
    eventually(lambda: opened.lamps.get_all_active_lamps() == [] and replica_reads(opened))
    return opened


def replica_reads(data: surf_data.LampsDataLayer) -> int:
    """Return how many reads the replica has served."""
    number: int = data.stats()["replica"]["reads"]
    return number


def dim(primary: PostgresServer, lamp_id: UUID) -> None:
    """Change a row on the primary, as another process would."""
    primary.execute("UPDATE lamp_registry SET brightness = brightness - 1 WHERE lamp_id = %s", lamp_id)


def test_reads_go_to_the_replica(data: surf_data.LampsDataLayer, primary: PostgresServer, measure: Measure) -> None:
    """17. Queries that are marked so are read from the replica, and no others; not within a transaction."""
    before = replica_reads(data)
    user = user_data()
    assert data.lamps.get_lamp_configuration(user["lamp_id"]) is None
    assert data.activity.get_activity_statistics()["total"] == 0
    assert replica_reads(data) == before + 2
    assert data.users.validate_user_credentials(user["email"], "x") is False
    with data.transaction() as tx:
        assert tx.lamps.get_all_active_lamps() == []
    assert replica_reads(data) == before + 2
    primary.kill()
    assert data.lamps.get_lamp_configuration(user["lamp_id"]) is None
    assert data.activity.get_activity_statistics()["total"] == 0
    measure("The primary is killed; nothing was written since", ("reads served by the replica", 2, "of 2"))


def test_what_one_has_written_is_read(
    data: surf_data.LampsDataLayer, primary: PostgresServer, replica: PostgresServer, measure: Measure
) -> None:
    """17. A writer reads what it has written, in every way of writing, whether the replica has it yet or not."""
    replica.execute("SELECT pg_wal_replay_pause()")
    ways: list[Callable[[dict[str, Any]], Any]] = [
        data.users.register_user,
        lambda user: data.run(lambda tx: tx.users.register_user(user)),
    ]
    users = [user_data() for _ in range(20)]
    for number, user in enumerate(users):
        ways[number % 2](user)
        assert data.lamps.get_lamp_configuration(user["lamp_id"]) is not None
    data.activity.log_activities([{"lamp_id": users[0]["lamp_id"], "activity_type": "a", "status": "b"}])
    assert len(data.activity.get_lamp_activity_history(users[0]["lamp_id"])) == 1
    fallbacks = data.stats()["replica"]["fallbacks"]
    assert fallbacks >= 21
    replica.execute("SELECT pg_wal_replay_resume()")
    before = replica_reads(data)
    started = time.monotonic()
    eventually(lambda: data.lamps.get_lamp_configuration(users[0]["lamp_id"]) and replica_reads(data) > before)
    took = time.monotonic() - started
    for user in users:
        assert data.lamps.update_lamp_status(user["lamp_id"], "active")
        assert data.lamps.get_lamp_configuration(user["lamp_id"]).last_seen is not None
    measure(
        "The replica stops replaying, and goes on",
        ("own writes read from the primary", fallbacks, ""),
        ("replica used again after", took, "s"),
    )


def test_a_replica_that_is_down(data: surf_data.LampsDataLayer, replica: PostgresServer, measure: Measure) -> None:
    """17. While the replica is down, or away in the middle of a read, the primary serves what it would have."""
    replica.stop()
    slowest = 0.0
    for _ in range(50):
        started = time.monotonic()
        assert data.lamps.get_all_active_lamps() == []
        slowest = max(slowest, time.monotonic() - started)
    replica.start()
    before = replica_reads(data)
    started = time.monotonic()
    eventually(lambda: data.lamps.get_all_active_lamps() == [] and replica_reads(data) > before)
    measure(
        "The replica is down, and comes back",
        ("errors", 0, ""),
        ("slowest read meanwhile", slowest, "s"),
        ("used again after", time.monotonic() - started, "s"),
    )


def test_a_replica_that_lags(
    primary: PostgresServer, replica: PostgresServer, open_data: OpenData, measure: Measure
) -> None:
    """17. A replica that is further behind than the setting allows is not read from, and one that is idle is."""
    lamp_id = uuid4()
    primary.execute(
        "INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index)"
        " VALUES (%s, 'a@b', 'a@b', 'Kai', 'x', 0)",
        lamp_id,
    )
    data = open_data(
        primary.url_for(LOGIN),
        replica_url=replica.url_for(LOGIN),
        replica_max_lag=0.1,
        pool_min_size=1,
        pool_max_size=2,
    )
    eventually(lambda: data.lamps.get_lamp_configuration(lamp_id) and replica_reads(data))
    replica.execute("SELECT pg_wal_replay_pause()")
    dim(primary, lamp_id)
    eventually(lambda: data.lamps.get_lamp_configuration(lamp_id).brightness == 99)
    fallbacks = data.stats()["replica"]["fallbacks"]
    assert data.lamps.get_lamp_configuration(lamp_id).brightness == 99
    assert data.stats()["replica"]["fallbacks"] == fallbacks + 1
    replica.execute("SELECT pg_wal_replay_resume()")
    before = replica_reads(data)
    eventually(lambda: data.lamps.get_lamp_configuration(lamp_id) and replica_reads(data) > before)
    measure("The replica lags by more than replica_max_lag, 0.1 s", ("reads of old rows after that", 0, ""))


def test_a_read_that_the_replica_gives_up(
    data: surf_data.LampsDataLayer, primary: PostgresServer, replica: PostgresServer, measure: Measure
) -> None:
    """17. A replica that hangs costs one call its deadline, and then nothing."""
    replica.halt()
    with pytest.raises(DeadlineExceeded), data.deadline(0.3):
        data.lamps.get_all_active_lamps()
    started = time.monotonic()
    assert data.lamps.get_all_active_lamps() == []
    took = time.monotonic() - started
    replica.resume()
    measure("The replica hangs; a deadline of 0.3 s", ("deadlines missed", 1, ""), ("next read", took, "s"))
