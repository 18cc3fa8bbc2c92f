"""What a caller learns when a worker is lost: never that something was not done that may have been."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from surf_data import mining
from surf_data.errors import CommitUnknown

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def cycle(number: int) -> mining.CycleRecord:
    """Return a closed cycle that is not stored yet."""
    return mining.CycleRecord(
        asset_guid="lorry-1",
        cycle_number=number,
        cycle_status="COMPLETE",
        site_guid="site",
        current_work_state_id=1,
        created_date=NOON,
        updated_date=NOON,
    )


@pytest.fixture
def data(spread: Callable[[str], str]) -> Iterator[mining.MiningDataLayer]:
    """Open the mining assets, spread over a cluster."""
    with mining.open(spread("mining")) as opened:
        yield opened


@pytest.fixture
def lose_workers(cluster_url: str) -> Callable[[], None]:
    """Return a function that ends the coordinator's sessions on all workers, as a crash of them would."""

    def lose() -> None:
        with psycopg.connect(cluster_url) as coordinator:
            nodes = coordinator.execute("SELECT nodename, nodeport FROM pg_dist_node WHERE groupid <> 0").fetchall()
        for host, port in nodes:
            with psycopg.connect(make_conninfo(cluster_url, host=host, port=str(port)), autocommit=True) as worker:
                worker.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name LIKE 'citus_internal%'"
                )

    return lose


def test_a_worker_is_lost_before_the_commit(
    data: mining.MiningDataLayer, lose_workers: Callable[[], None], cluster_url: str
) -> None:
    """The coordinator cannot tell what a lost worker has committed, and so the caller is not told that nothing was."""
    with pytest.raises(CommitUnknown), data.transaction() as tx:
        tx.cycles.insert(cycle(1))
        lose_workers()
    assert data.cycles.insert(cycle(2)) is not None
    with psycopg.connect(cluster_url) as connection:
        found = connection.execute("SELECT array_agg(cycle_number) FROM mining.asset_cycles")
        assert found.fetchone() == ([2],)


def test_a_commit_that_got_no_answer_is_looked_up(data: mining.MiningDataLayer, cluster_url: str) -> None:
    """What is written on workers alone has an id on the coordinator, which says that it was committed."""
    with data.transaction() as tx:
        tx.cycles.insert(cycle(1))
        probe = tx.session._commit_probe(tx.session._connection)
    assert probe is not None
    assert probe.is_cluster
    with psycopg.connect(cluster_url) as connection:
        status = connection.execute("SELECT pg_xact_status(%s::xid8)", [probe.transaction])
        assert status.fetchone() == ("committed",)
