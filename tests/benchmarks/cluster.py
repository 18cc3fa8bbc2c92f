"""The same statements on one PostgreSQL and on a Citus cluster: ``python -m benchmarks.cluster COORDINATOR``.

Both are databases on the coordinator's server, so the difference is the way to the shards. What is printed is a table
for docs/how-to/grow.md.
"""

import argparse
import itertools
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.measuring import Measure, side
from rig.citus import citus_database
from surf_data import migrate, mining
from surf_data.kernel import resources
from surf_data.mining.queries import mining_queries
from surf_data.review import read_scale

_NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
_TRUCKS, _CYCLES = 500, 10
_NAME = "surf_data_benchmark"
_RATE = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)
_INSERT = """\\set truck random(1, 500)
INSERT INTO mining.asset_cycles
    (asset_guid, cycle_number, cycle_status, site_guid, current_work_state_id, created_date, updated_date)
VALUES ('truck-' || :truck::int8, 1, 'COMPLETE', 'site', 1, now(), now());
"""


@contextmanager
def plain_database(server: str, name: str) -> Iterator[str]:
    """Create an empty database without the extension for a block, and return its URL."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("SET citus.enable_create_database_propagation TO off")
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        host, port, user = admin.info.host, admin.info.port, admin.info.user
    yield f"postgresql://{user}@{host}:{port}/{name}?sslmode=disable"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("SET citus.enable_create_database_propagation TO off")
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def prepare(url: str, *, spread: bool) -> None:
    """Bring a database to the schema of the mining assets, with some rows, spread or not."""

    def connect(**options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(url, autocommit=True, **options)

    folder = resources.directory("migrations") / "mining"
    migrate.Runner(connect, folder, "mining").up()
    if spread:
        migrate.Distribution(connect, read_scale(folder / "scale.toml").placements(), "mining").distribute()
    with connect() as connection:
        connection.execute(
            "INSERT INTO mining.asset_master (guid, site_guid, asset_type_guid) "
            "SELECT 'truck-' || g, 'site', 'truck' FROM generate_series(1, %s) AS g",
            [_TRUCKS],
        )
        connection.execute(
            "INSERT INTO mining.process_checkpoints (asset_guid, site_guid, process_name, process_date, created_date) "
            "SELECT 'truck-' || g, 'site', 'asset_cycle_vlx', now(), now() FROM generate_series(1, %s) AS g",
            [_TRUCKS],
        )
        connection.execute(
            "INSERT INTO mining.asset_cycles (asset_cycle_vlx_id, asset_guid, cycle_number, cycle_status, site_guid, "
            "current_work_state_id, created_date, updated_date) "
            "SELECT -(t * 100 + n), 'truck-' || t, n, 'COMPLETE', 'site', 1, now(), now() "
            "FROM generate_series(1, %s) AS t, generate_series(1, %s) AS n",
            [_TRUCKS, _CYCLES],
        )
        connection.execute("VACUUM ANALYZE")


def calls(data: mining.MiningDataLayer) -> dict[str, Callable[[], object]]:
    """Return what is measured, by its name."""
    queries, database = mining_queries(), data.database
    trucks = itertools.cycle(range(1, _TRUCKS + 1))
    minutes = itertools.count()

    def standing() -> object:
        truck = next(trucks)
        return queries.cycle_standing(
            database, cycle_id=-(truck * 100 + 1), asset_guid=f"truck-{truck}", service_type="realtime"
        )

    def advance() -> object:
        moment = _NOON.replace(year=2027 + next(minutes) % 5000)
        record = mining.ProcessInfoRecord(
            asset_guid=f"truck-{next(trucks)}",
            site_guid="site",
            process_name="asset_cycle_vlx",
            process_date=moment,
            created_date=moment,
        )
        return data.checkpoints.advance(record)

    def insert() -> object:
        return data.cycles.insert(
            mining.CycleRecord(
                asset_guid=f"truck-{next(trucks)}",
                cycle_number=1,
                cycle_status="INVALID",
                site_guid="site",
                current_work_state_id=1,
                created_date=_NOON,
                updated_date=_NOON,
            )
        )

    dao = mining.PgsqlActionDAO(data)
    return {
        "one shard, read: `cycle_standing`": standing,
        "one shard, write: `checkpoint_advance`": advance,
        "one shard, write: `cycle_insert`": insert,
        "reference, read: `regions_of_asset`": lambda: queries.regions_of_asset(database, asset_guid="truck-1"),
        "all shards, read: `loaders_from_process_info`": lambda: queries.loaders_from_process_info(
            database, site_guid="site", asset_type_guid="loader"
        ),
        "all shards, read: `cycle_state`": lambda: dao.cycle_state(f"truck-{next(trucks)}", "site"),
    }


def ingested(program: Path, url: str, seconds: int) -> float:
    """Return how many rows a second 8 clients insert."""
    with NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(_INSERT)
        file.flush()
        command = [program, "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", str(seconds), "-f", file.name, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(_RATE.findall(output)[0])


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("coordinator", help="the URL of a database on the coordinator")
    parser.add_argument("--pgbench", type=Path, help="the program, to measure ingestion by 8 clients")
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    measure = Measure(given.rounds, 0.1)
    with ExitStack() as stack:
        plain = stack.enter_context(plain_database(make_conninfo(given.coordinator), f"{_NAME}_plain"))
        cluster = stack.enter_context(citus_database(given.coordinator, f"{_NAME}_cluster"))
        prepare(plain, spread=False)
        prepare(cluster, spread=True)
        sides = [calls(stack.enter_context(mining.open(url))) for url in (plain, cluster)]
        lines = ["| statement | one PostgreSQL, µs | cluster, µs | ratio |", "|---|--:|--:|--:|"]
        for name, call in sides[0].items():
            found = measure(side("plain", call), side("cluster", sides[1][name]))
            ratio = found.ratio("cluster", "plain", "time")
            took = [f"{found.median(each).wall:,.0f}" for each in ("plain", "cluster")]
            lines.append(f"| {name} | {' | '.join(took)} | {ratio.value:.1f} ({ratio.low:.1f} to {ratio.high:.1f}) |")
        print("\n".join(lines), flush=True)  # noqa: T201 - what it is for
        if given.pgbench:
            rates = [ingested(given.pgbench, url, 10) for url in (plain, cluster)]
            told = " | ".join(f"{rate:,.0f}/s" for rate in rates)
            print(f"| ingestion by 8 clients, rows | {told} | {rates[1] / rates[0]:.2f} |")  # noqa: T201 - so is this


if __name__ == "__main__":
    main()
