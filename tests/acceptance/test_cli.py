"""The command line: what it answers, with which exit code, and what it keeps to itself."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import psycopg
import pytest

from surf_data import LampsDataLayer
from surf_data.cli import main
from surf_data.cli.reference import reference

Admin = psycopg.Connection[Any]
Cli = Callable[..., Any]

ROOT = Path(__file__).parents[2]
PASSWORD = "tube-ride-8211"
#: Nothing listens there.
NOWHERE = f"postgresql://surfer:{PASSWORD}@127.0.0.1:1/waves"
LATEST = f"{len(list((ROOT / 'migrations' / 'lamps').glob('[0-9]*.sql')))}"
NO_REDIS = f"redis://surfer:{PASSWORD}@127.0.0.1:1/0"


def lines(text: str) -> list[str]:
    """Return the lines of ``text`` without trailing space."""
    return [line.rstrip() for line in text.splitlines()]


def test_module_and_script_are_the_same(cli: Cli) -> None:
    """``python -m surf_data`` and ``surf-data`` both state the version."""
    script = (str(Path(sys.executable).with_name("surf-data")),)
    for done in (cli("--version"), cli("--version", command=script)):
        assert (done.code, done.out, done.err) == (0, f"surf-data {version('surf-data')}\n", "")


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_extra(cli: Cli, package: str) -> None:
    """Without the extra the command line says how to get it."""
    program = f"import sys; sys.modules[{package!r}] = None; from surf_data.cli import main; sys.exit(main())"
    done = cli("health", command=(sys.executable, "-c", program))
    assert done.error() == 'the command line needs: pip install "surf-data[cli]"'


def test_a_broken_installation_is_not_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else cannot be imported is not blamed on the extra."""
    monkeypatch.setitem(sys.modules, "surf_data.cli.program", None)
    with pytest.raises(ModuleNotFoundError, match=r"surf_data\.cli\.program"):
        main()


def test_reference_is_current(cli: Cli) -> None:
    """The reference says what the commands say."""
    done = cli(command=(sys.executable, "-m", "surf_data.cli.reference"))
    assert reference() == done.out
    assert (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8") == done.out


def test_usage(cli: Cli) -> None:
    """What is typed wrongly ends with 2 and an explanation that does not repeat a password."""
    done = cli("health", NOWHERE)
    assert (done.code, done.out) == (2, "")
    assert "unexpected extra argument (postgresql://***@127.0.0.1:1/waves)" in done.err


def test_health(cli: Cli, migrated_url: str, redis_url: str) -> None:
    """Health is 0 when all is well, and says how long each answer took."""
    document = json.loads(cli("health", "--json", database=migrated_url, redis=redis_url).out)
    version = document.pop("schema_version")
    assert list(document) == ["database", "cache", "overall"]
    assert [part["ok"] for part in document.values()] == [True, True, True]
    assert all(part["latency_ms"] > 0 for part in document.values())
    shown = cli("health", database=migrated_url, redis=redis_url)
    assert (shown.code, shown.err) == (0, "")
    assert [line.split()[1] for line in lines(shown.out)[2:]] == ["ok", f"{version}", "ok", "ok"]


def test_options_win_over_variables(cli: Cli, migrated_url: str, redis_url: str) -> None:
    """Servers that are named by options are taken, whatever the variables say."""
    urls = ["--database-url", migrated_url, "--redis-url", redis_url]
    done = cli(*urls, "health", "--json", database=NOWHERE, redis=NO_REDIS)
    assert json.loads(done.out)["overall"] == {"ok": True, "latency_ms": ANY, "reason": None}


def test_health_without_database(cli: Cli, redis_url: str) -> None:
    """Health is 1 when the database does not answer, with the reason."""
    done = cli("health", "--json", database=NOWHERE, redis=redis_url)
    document = json.loads(done.out)
    assert (done.code, done.err) == (1, "")
    assert document.pop("schema_version") is None
    assert [part["ok"] for part in document.values()] == [False, True, False]
    assert document["overall"]["reason"] == "connection refused"


def test_health_without_cache(cli: Cli, migrated_url: str) -> None:
    """The cache is never the reason for an outage: health is 0 and says that it is degraded."""
    done = cli("health", database=migrated_url, redis=NO_REDIS)
    assert (done.code, done.err) == (0, "")
    assert "degraded: cache connection refused" in done.out
    assert [line.split()[1] for line in lines(done.out)[2:]] == ["ok", LATEST, "failed", "ok"]


def test_health_of_no_cache(cli: Cli, migrated_url: str) -> None:
    """A cache that is not configured is off, not failed."""
    done = cli("health", database=migrated_url)
    assert (done.code, done.err) == (0, "")
    assert [line.split()[1] for line in lines(done.out)[2:]] == ["ok", LATEST, "off", "ok"]


def test_passwords_that_are_refused(cli: Cli, guarded_url: str, redis_user: Callable[..., str]) -> None:
    """Neither the right password nor the wrong one is shown."""
    good = cli("health", database=guarded_url, redis=redis_user("+@all"))
    assert (good.code, good.err) == (0, "")
    wrong = {"database": guarded_url.replace(PASSWORD, "wrong-pier"), "redis": redis_user().replace(PASSWORD, "w-pier")}
    bad = cli("health", "--json", **wrong)
    document = json.loads(bad.out)
    assert (bad.code, bad.err) == (1, "")
    assert [document[part]["reason"] for part in ("database", "cache")] == ["authentication failed"] * 2
    status = cli("migrate", "status", **wrong)
    assert "authentication failed" in status.error()
    assert "pier" not in bad.out + status.err


def test_stats(cli: Cli, data: LampsDataLayer, migrated_url: str, redis_url: str) -> None:
    """Statistics count what services have logged, and say what it took to find out."""
    data.activity.log_activities([{"activity_type": "tide", "status": "success"}] * 3)
    data.activity.log_activity(None, "\x1b[31mred", "failure")
    data.cache.set_system_stats({"lamps": 12000, "by": "night service", "beaches": [0, 2]})
    done = cli("stats", "--json", "--hours", "3", database=migrated_url, redis=redis_url)
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert list(document) == ["activity", "system_stats", "process"]
    assert document["activity"]["total"] == 4
    assert datetime.fromisoformat(document["activity"]["per_hour"][0]["hour"]).tzinfo is not None
    assert document["system_stats"] == {"lamps": 12000, "by": "night service", "beaches": [0, 2]}
    assert list(document["process"]["queries"]) == ["lamps.activity_roll_up", "lamps.activity_statistics"]
    assert document["process"]["cache"]["hits"] == 1
    shown = cli("stats", database=migrated_url, redis=redis_url)
    assert (shown.code, shown.err) == (0, "")
    for part in ("75.0% successful", "night service", "12,000", "[0, 2]", "type \\x1b[31mred", "████"):
        assert part in shown.out
    assert "\x1b" not in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100


def test_stats_of_long_times(cli: Cli, migrated_url: str) -> None:
    """Long times are shown by day, and where nothing happened there is no success rate."""
    shown = cli("stats", "--hours", "8784", database=migrated_url)
    assert (shown.code, shown.err) == (0, "")
    assert "Activity of the last 8784 hours: 0 lamps" in lines(shown.out)
    days = [line for line in lines(shown.out) if line.startswith("20") and line.endswith(" 0")]
    assert len(days) in {367, 368}


def test_stats_without_a_schema(cli: Cli, database_url: str) -> None:
    """A failure is one line on standard error, and nothing on standard output."""
    done = cli("stats", "--json", database=database_url)
    assert done.out == ""
    assert done.error()


def test_migrate(cli: Cli, database_url: str) -> None:
    """Migrations are pending, then applied with their durations, then there is nothing to apply."""
    files = sorted(path.stem for path in (ROOT / "migrations" / "lamps").glob("*.sql"))
    before = json.loads(cli("migrate", "status", "--json", database=database_url).out)
    assert [f"{entry['number']:04d}_{entry['name']}" for entry in before] == files
    assert {(entry["state"], entry["applied_at"], entry["duration_ms"]) for entry in before} == {
        ("pending", None, None)
    }

    up = cli("migrate", "up", database=database_url)
    assert (up.code, up.err) == (0, "")
    assert [line.rsplit(maxsplit=2)[0] for line in lines(up.out)] == [f"applied {file} in" for file in files]

    after = json.loads(cli("migrate", "status", "--json", database=database_url).out)
    assert {entry["state"] for entry in after} == {"applied"}
    assert all(entry["duration_ms"] > 0 and datetime.fromisoformat(entry["applied_at"]).tzinfo for entry in after)
    shown = cli("migrate", "status", database=database_url)
    assert shown.code == 0
    assert [line.split()[:2] for line in lines(shown.out)[2:]] == [[file, "applied"] for file in files]

    assert cli("migrate", "up", database=database_url).out == "There is nothing to apply.\n"
    assert json.loads(cli("migrate", "up", "--json", database=database_url).out) == {"applied": [], "dry_run": False}


def test_migrate_as_json(cli: Cli, database_url: str) -> None:
    """Every migration that was applied is in the answer, as status shows it."""
    done = cli("migrate", "up", "--json", database=database_url)
    status = cli("migrate", "status", "--json", database=database_url)
    assert json.loads(done.out)["applied"] == json.loads(status.out)


def test_migrate_in_trouble(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """What stands in the way of migrations is shown by status, fails its check and ends up with 1."""
    assert cli("migrate", "status", "--check", database=migrated_url).code == 0
    admin.execute("UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE number = 2")
    status = cli("migrate", "status", database=migrated_url)
    assert (status.code, status.err) == (0, "")
    assert "edited" in status.out
    assert cli("migrate", "status", "--check", database=migrated_url).code == 1
    up = cli("migrate", "up", "--json", database=migrated_url)
    assert "0002" in up.error()
    assert json.loads(up.out) == {"applied": [], "dry_run": False}
