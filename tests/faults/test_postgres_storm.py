"""Everything at once: a load of writes while PostgreSQL is killed, restarted and cut off, again and again."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID, uuid4

import psutil
import psycopg
import pytest

import surf_data
from rig import PostgresServer, Relay
from rig.users import user_data
from surf_data import CommitUnknown, DatabaseError, DeadlineExceeded, LampsTransaction

Measure = Callable[..., None]
Relayed = Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]]

#: What the caller of a write learned.
DONE, NOT_DONE, UNKNOWN = "done", "not done", "unknown"


#: What may happen, some of it more often.
FAULTS = ["cut", "cut", "lose a COMMIT", "lose a COMMIT", "kill a session", "kill", "restart"]


def outcome_of(call: Callable[[], object]) -> str:
    """Return what the caller of a write sees of it."""
    try:
        call()
    except (CommitUnknown, DeadlineExceeded):
        return UNKNOWN
    except DatabaseError:
        return NOT_DONE
    return DONE


def register(data: surf_data.LampsDataLayer, key: UUID) -> None:
    """Register a user, in a statement of its own."""
    data.users.register_user(user_data(lamp_id=key))


def register_and_log(data: surf_data.LampsDataLayer, key: UUID) -> None:
    """Register a user and log it, as a unit."""

    def work(tx: LampsTransaction) -> None:
        tx.users.register_user(user_data(lamp_id=key))
        tx.activity.log_activities([{"lamp_id": key, "activity_type": "unit", "status": "success"}])

    data.run(work)


def log(data: surf_data.LampsDataLayer, key: UUID) -> None:
    """Log an entry; nothing in the schema would refuse it twice."""
    entry = {"activity_type": "log", "status": "success", "user_agent": str(key)}
    data.activity.log_activities([entry])


def session_of(server: PostgresServer) -> psutil.Process | None:
    """Return the process of one of the data layer's sessions."""
    with suppress(psycopg.Error):
        pid = server.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'surfboard_lamp_backend'")
        return next((process for process in server.processes() if process.pid == pid), None)
    return None


def break_something(server: PostgresServer, line: Relay, how: str) -> None:
    """Do the server or its connections some harm."""
    if how == "cut":
        line.cut()
    elif how == "lose a COMMIT":
        line.lose_replies(b"COMMIT")
    elif how == "kill a session" and (process := session_of(server)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    elif how == "kill":
        server.kill()
        server.start()
    elif how == "restart":
        server.stop()
        server.start()


def test_a_storm(
    relayed: Relayed,
    pytestconfig: pytest.Config,
    measure: Measure,
) -> None:
    """30. Each write that was acknowledged under every fault is there once, and others are unknown at most."""
    seconds = 120 if pytestconfig.getoption("--full-length") else 12
    server, line, data = relayed(pool_min_size=4, pool_max_size=10, pool_timeout=20)
    lamps = [uuid4() for _ in range(3)]
    for key in lamps:
        register(data, key)
    stop = threading.Event()

    def write(call: Callable[[surf_data.LampsDataLayer, UUID], None]) -> list[tuple[UUID, str]]:
        outcomes = []
        while not stop.is_set():
            key = uuid4()
            outcomes.append((key, outcome_of(lambda key=key: call(data, key))))
        return outcomes

    def switch(key: UUID) -> list[tuple[bool, str]]:
        outcomes = []
        while not stop.is_set():
            state = not (outcomes and outcomes[-1][0])
            word = "active" if state else "inactive"
            outcomes.append((state, outcome_of(lambda word=word: data.lamps.update_lamp_status(key, word))))
        return outcomes

    chance = random.Random(4)  # noqa: S311 - no secret hangs on it
    faults = Counter[str]()
    calls = [register, register_and_log, log]
    with ThreadPoolExecutor(9) as threads:
        writing = [(call, threads.submit(write, call)) for call in calls * 2]
        switching = [(key, threads.submit(switch, key)) for key in lamps]
        try:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                how = chance.choice(FAULTS)
                faults[how] += 1
                break_something(server, line, how)
                stop.wait(chance.uniform(0.05, 0.4))
        finally:
            stop.set()
    totals = Counter[str]()
    stored = {
        register: counted(server, "SELECT lamp_id::text FROM lamp_registry"),
        register_and_log: counted(server, "SELECT lamp_id::text FROM activity_log WHERE activity_type = 'unit'"),
        log: counted(server, "SELECT user_agent FROM activity_log WHERE activity_type = 'log'"),
    }
    for call, outcomes in writing:
        for key, outcome in outcomes.result():
            totals[outcome] += 1
            times = stored[call][str(key)]
            assert times in {DONE: {1}, NOT_DONE: {0}, UNKNOWN: {0, 1}}[outcome], (call.__name__, outcome, times)
            if call is register_and_log:
                assert stored[register][str(key)] == times
    for key, outcomes in switching:
        history = outcomes.result()
        totals.update(outcome for _, outcome in history)
        # What the last acknowledged one has set, unless a later one may have been applied.
        last = max(place for place, (_, outcome) in enumerate(history) if outcome == DONE)
        possible = {history[last][0], *(state for state, outcome in history[last:] if outcome == UNKNOWN)}
        assert server.execute("SELECT is_active FROM lamp_registry WHERE lamp_id = %s", key) in possible
    assert totals[DONE] > 100
    measure(
        f"For {seconds} s: {', '.join(f'{how} ({number})' for how, number in sorted(faults.items()))}",
        ("writes acknowledged", totals[DONE], ""),
        ("refused", totals[NOT_DONE], ""),
        ("unknown", totals[UNKNOWN], ""),
        ("lost or doubled", 0, ""),
    )


def counted(server: PostgresServer, query: str) -> Counter[str]:
    """Return how often each value is in the first column of a query."""
    with psycopg.connect(server.url) as connection:
        return Counter(value for (value,) in connection.execute(query.encode()).fetchall())
