"""``surf-data mining``, and the domain's demo."""

import io
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import redis
from click.testing import CliRunner, Result
from rich.console import Console

from surf_data.cli import mining_demo
from surf_data.cli.mining import group
from surf_data.cli.target import Target
from surf_data.kernel import resources
from surf_data.migrate import seed
from surf_data.mining import MiningDataLayer, RedisSourceDAO, RegionData

Admin = psycopg.Connection[Any]
Cli = Callable[..., Result]


@pytest.fixture
def sample_mine(admin: Admin) -> None:
    """Fill the database with the sample mine, twice: the second time changes nothing."""

    def connect() -> Admin:
        info = admin.info
        return psycopg.connect(host=info.host, port=info.port, user=info.user, dbname=info.dbname, autocommit=True)

    for _ in range(2):
        seed(connect, resources.directory("migrations") / "mining", "mining")


@pytest.fixture
def cli(mining_url: str, redis_url: str) -> Cli:
    """Return a function that runs a command of the group."""

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(group, arguments, obj=Target(mining_url, redis_url), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result

    return run


@pytest.mark.usefixtures("sample_mine")
def test_tables(cli: Cli) -> None:
    """The tables that may be read are listed with columns and types."""
    assert "asset_cycle_tmp_vlx" in cli("tables").output
    found = json.loads(cli("tables", "--json").output)
    assert found["asset"] == {
        "guid": "text",
        "site_guid": "text",
        "asset_type_guid": "text",
        "client_guid": "text",
    }
    assert len(found) == 9


@pytest.mark.usefixtures("sample_mine")
def test_pull(cli: Cli) -> None:
    """Rows come as a table or as JSON, by filter, values, columns, order and limit."""
    options = ("--filter", "asset_guid = %s", "--value", "truck-123", "--order", "cycle_number DESC", "--limit", "1")
    found = json.loads(cli("pull", "asset_cycles", *options, "--json").output)
    assert [(row["cycle_number"], row["created_date"]) for row in found] == [(2, "2026-11-02T05:28:00+00:00")]
    shown = cli("pull", "asset_cycles", *options, "--columns", "cycle_number AS n, cycle_end_utc, created_date").output
    assert shown.split()[:3] == ["n", "cycle_end_utc", "created_date"]
    assert "2026-11-02 05:28:00 UTC" in shown
    regions = json.loads(cli("pull", "region", "--json", "--columns", "fence_area", "--order", "fence_area").output)
    assert regions == [{"fence_area": 41000.25}, {"fence_area": 52000.5}, {"fence_area": 61000.5}]
    assert cli("pull", "asset", "--filter", "guid = 'none'").output == "No rows.\n"
    assert cli("pull", "asset", "--filter", "guid = 'none'", "--json").output == "[]\n"


@pytest.mark.usefixtures("sample_mine")
def test_finalize(cli: Cli) -> None:
    """What is over and not archived is archived, in portions, once."""
    assert cli("finalize", "--limit", "1").output == "Archived 2 cycles.\n"
    assert json.loads(cli("finalize", "--json").output) == {"archived": 0}
    assert len(json.loads(cli("pull", "asset_cycle_vlx", "--json").output)) == 2


def test_regions(cli: Cli, data: MiningDataLayer, redis_url: str) -> None:
    """Regions of an asset come from either layout, the newest or all."""
    with redis.Redis.from_url(redis_url) as client:
        client.sadd("asset:truck-1:regions", "a", "b")
        for name, date in (("a", "2026-01-01"), ("b", "2026-01-02")):
            client.hset(f"region:{name}", mapping={"region_guid": "north", "created_date": date})
    RedisSourceDAO(data, layout="versioned").put_region("truck-1", RegionData("south", None, "2026-01-03"), 7)
    assert [region["created_date"] for region in json.loads(cli("regions", "truck-1", "--json").output)] == [
        "2026-01-02"
    ]
    assert len(json.loads(cli("regions", "truck-1", "--all", "--json").output)) == 2
    assert "south" in cli("regions", "truck-1", "--versioned").output
    assert cli("regions", "truck-2").output == "No regions.\n"


@pytest.mark.usefixtures("sample_mine")
def test_story(data: MiningDataLayer) -> None:
    """The demo reads, writes and refuses, and says so."""
    console = Console(file=io.StringIO(), record=True, width=200)
    mining_demo.story(data, console)
    said = console.export_text()
    assert "written in one transaction" in said
    assert "at character 26" in said
    assert [row["cycle_number"] for row in data.tables.pull({"table": "asset_cycle_vlx"}) or []] == [2]
