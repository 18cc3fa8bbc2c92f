"""What reaches an observer and ``stats()`` beside statements: waits, retries, transactions, Redis and the cache."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

import surf_data
from rig.users import user_data
from rig.waiting import eventually
from surf_data import LampsDataLayer, PoolTimeout, QueryEvent

Admin = psycopg.Connection[Any]
Seen = list[QueryEvent]


@pytest.fixture
def seen() -> Seen:
    """Return the events."""
    return []


@pytest.fixture
def data(migrated_url: str, redis_url: str, seen: Seen) -> Iterator[LampsDataLayer]:
    """Open the data layer with one connection and an observer."""
    with surf_data.open(migrated_url, redis_url, observer=seen.append, pool_max_size=1, cache_timeout=20) as data:
        data.lamps.get_all_active_lamps()
        seen.clear()
        yield data


def of(seen: Seen, kind: str) -> list[tuple[str, str | None]]:
    """Return names and errors of the events of a kind."""
    return [(event.query, event.error) for event in seen if event.kind == kind]


def test_who_waits_for_a_connection_is_seen(data: LampsDataLayer, seen: Seen) -> None:
    """A caller that was served late is a wait, by its query, and one that waited in vain an error of it."""
    with ThreadPoolExecutor(1) as threads, data.transaction():
        waiting = threads.submit(data.lamps.get_all_active_lamps)
        eventually(lambda: data.database._pool._waiting)
        with pytest.raises(PoolTimeout):
            data.lamps.get_all_active_lamps()
    assert waiting.result() == []
    assert of(seen, "wait") == [("lamps.lamp_active_list", "PoolTimeout"), ("lamps.lamp_active_list", None)]
    assert all(event.duration_ms > 0 for event in seen if event.kind == "wait")
    waits = data.stats()["waits"]["lamps.lamp_active_list"]
    assert (waits["count"] >= 2, waits["errors"]) == (True, 1)
    assert data.stats()["queries"]["lamps.lamp_active_list"]["errors"] == 0


def test_an_observer_that_is_interrupted_loses_no_connection(migrated_url: str) -> None:
    """What interrupts the observer of a wait reaches the caller, and the connection goes back."""

    def interrupt(event: QueryEvent) -> None:
        if event.kind == "wait":
            raise KeyboardInterrupt

    with surf_data.open(migrated_url, observer=interrupt, pool_min_size=0, pool_max_size=1) as data:
        # Connecting takes longer than lending does.
        with pytest.raises(KeyboardInterrupt):
            data.lamps.get_all_active_lamps()
        assert data.database._pool._borrowers == {}
        assert data.lamps.get_all_active_lamps() == []


def test_what_is_run_again_is_seen(data: LampsDataLayer, seen: Seen, admin: Admin) -> None:
    """A transaction whose server process was killed is an error, then a retry with its reason, then a transaction."""
    tries: list[bool] = []

    def work(tx: surf_data.LampsTransaction) -> bool:
        tries.append(tx.users.register_user(user_data()))
        if len(tries) == 1:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database() AND backend_type = 'client backend'"
            )
        return tries[-1] and tx.lamps.get_all_active_lamps() != []

    assert data.run(work)
    assert of(seen, "transaction") == [("transaction", "DatabaseUnavailable"), ("transaction", None)]
    assert of(seen, "retry") == [("transaction", "DatabaseUnavailable")]
    stats = data.stats()
    assert (stats["transactions"]["count"], stats["transactions"]["errors"]) == (2, 1)
    assert stats["retries"]["transaction"]["count"] == 1


def test_a_savepoint_is_no_transaction(data: LampsDataLayer, seen: Seen) -> None:
    """Blocks within a transaction are part of it; what rolls it back is its error."""
    with pytest.raises(ZeroDivisionError), data.transaction() as tx, tx.transaction():
        raise ZeroDivisionError
    assert of(seen, "transaction") == [("transaction", "ZeroDivisionError")]


def test_the_cache_is_seen(data: LampsDataLayer, seen: Seen) -> None:
    """Each exchange with Redis has its time; hits, misses and writes are events, too."""
    assert data.cache.get_surf_data_cache(1) is None
    data.cache.set_surf_data_cache(1, {"wave_height_m": 1.5})
    assert data.cache.get_surf_data_cache(1) is not None
    assert of(seen, "redis") == [("read", None), ("write", None), ("read", None)]
    assert of(seen, "cache") == [("misses", None), ("writes", None), ("hits", None)]
    redis = data.stats()["redis"]
    assert (redis["read"]["count"], redis["write"]["count"], redis["read"]["errors"]) == (2, 1, 0)
    assert redis["read"]["p50_ms"] > 0


def test_a_redis_that_is_away_is_seen(migrated_url: str, seen: Seen, tmp_path: Any) -> None:
    """A failure of Redis is an error of the exchange, though the caller sees a miss; without Redis there is none."""
    away = f"unix://{tmp_path}/absent.sock"
    for url, errors in ((away, [("read", "RedisUnavailable")]), (None, [])):
        seen.clear()
        with surf_data.open(migrated_url, url, observer=seen.append, pool_min_size=0) as data:
            assert data.cache.get_surf_data_cache(1) is None
        assert of(seen, "redis") == errors
        assert of(seen, "cache") == [("misses", None)]
