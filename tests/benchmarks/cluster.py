"""The same statements on one PostgreSQL and on a Citus cluster: ``python -m benchmarks.cluster COORDINATOR``.

Both are databases on the coordinator's server, so the difference is the way to the shards. What is printed are the
tables of docs/how-to/grow.md. The servers are on this machine, whose kernel says what their processes cost.
"""

import argparse
import itertools
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import attrs
import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.cluster_model import Costs, table
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
_READ = """SELECT updated_date, finalized_date IS NOT NULL AS is_archived
FROM mining.asset_cycles
WHERE asset_cycle_vlx_id = -101 AND asset_guid = :asset::text AND service_type = 'realtime';
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


def server_seconds(url: str) -> float:
    """Return the seconds of a processor that a server on this machine has spent on sessions that have ended."""
    with psycopg.connect(url) as connection:
        parent = _process(connection.info.backend_pid)[1]
        return sum(map(int, _process(int(parent))[11:15])) / os.sysconf("SC_CLK_TCK")


def _process(pid: int) -> list[str]:
    # What is in parentheses, the program's name, may have blanks.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@attrs.frozen
class Load:
    """What running one statement for some seconds came to."""

    #: Statements a second.
    rate: float
    #: Microseconds of a processor for each: of the server that the clients are connected to, and of the others.
    entered: float
    others: float

    @classmethod
    def of(cls, program: Path, script: str, url: str, others: Sequence[str] = (), clients: int = 8) -> "Load":
        """Run a statement for ten seconds.

        Arguments:
            program: pgbench.
            script: what it is to run.
            url: of the database.
            others: the URLs of databases on the other servers that have a part in it.
            clients: how many at once.
        """
        servers = [url, *others]
        before = [server_seconds(each) for each in servers]
        with NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            counts = ["-c", str(clients), "-j", "2", "-T", "10", "-D", "asset=truck-1"]
            command = [program, "-n", "-M", "prepared", *counts, "-f", file.name, url]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        # Sessions end, those of the coordinator on workers after its own.
        time.sleep(2)
        spent = [server_seconds(each) - was for each, was in zip(servers, before, strict=True)]
        rate = float(_RATE.findall(output)[0])
        return cls(rate, *(seconds * 1e6 / rate / 10 for seconds in (spent[0], sum(spent[1:]))))


def workers_of(url: str) -> list[str]:
    """Return the URLs of a database on the workers of its cluster."""
    with psycopg.connect(url) as connection:
        nodes = connection.execute("SELECT nodename, nodeport FROM pg_dist_node WHERE groupid <> 0").fetchall()
    return [make_conninfo(url, host=host, port=str(port)) for host, port in nodes]


def compared(measure: Measure, name: str, sides: Sequence[Callable[[], object]]) -> str:
    """Return a line of the table: a statement on one PostgreSQL and on the cluster."""
    found = measure(side("plain", sides[0]), side("cluster", sides[1]))
    ratio = found.ratio("cluster", "plain", "time")
    took = [f"{found.median(each).wall:,.0f}" for each in ("plain", "cluster")]
    return f"| {name} | {' | '.join(took)} | {ratio.value:.1f} ({ratio.low:.1f} to {ratio.high:.1f}) |"


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
        print("| statement | one PostgreSQL, µs | cluster, µs | ratio |\n|---|--:|--:|--:|")  # noqa: T201 - what it is for
        sides = [calls(stack.enter_context(mining.open(url))) for url in (plain, cluster)]
        for name in sides[0]:
            print(compared(measure, name, [each[name] for each in sides]), flush=True)  # noqa: T201
        # A worker is sent text and plans it each time, which one PostgreSQL need not do with what it has prepared.
        off = [calls(stack.enter_context(mining.open(url, prepared_statements="off"))) for url in (plain, cluster)]
        name, *_ = off[0]
        print(compared(measure, f"{name}, prepared by neither", [each[name] for each in off]), flush=True)  # noqa: T201
        if given.pgbench:
            workers = workers_of(cluster)
            one, many = Load.of(given.pgbench, _INSERT, plain), Load.of(given.pgbench, _INSERT, cluster, workers)
            told = " | ".join(f"{each.rate:,.0f}/s" for each in (one, many))
            print(f"| ingestion by 8 clients, rows | {told} | {many.rate / one.rate:.2f} |\n")  # noqa: T201
            reads = [Load.of(given.pgbench, _READ, url, at, 1) for url, at in ((plain, ()), (cluster, workers))]
            print("| of processors, µs | one PostgreSQL | coordinator | worker |\n|---|--:|--:|--:|")  # noqa: T201
            for name, (alone, spread) in {"a read of one shard": reads, "a row that is inserted": (one, many)}.items():
                figures = (alone.entered, spread.entered, spread.others)
                print(f"| {name} | {' | '.join(f'{each:,.0f}' for each in figures)} |")  # noqa: T201
            print()  # noqa: T201
            costs = Costs(coordinator=many.entered / 1e6, worker=many.others / 1e6)
            print("\n".join(table(costs, one.entered / 1e6)))  # noqa: T201


if __name__ == "__main__":
    main()
