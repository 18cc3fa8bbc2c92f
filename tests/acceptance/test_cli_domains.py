"""Commands say which domain they are about by ``--domain``, by a variable, or are about all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surf_data import domain
from surf_data.kernel import resources

Cli = Callable[..., Any]


def files(name: str) -> int:
    """Return how many migrations a domain has."""
    return len(list(resources.migrations_folder(domain.find(name)).glob("*.sql")))


@pytest.mark.parametrize(
    "arguments",
    [
        ["migrate", "--domain", "lmaps", "status"],
        ["migrate", "status", "--domain", "lmaps"],
        ["seed", "--domain", "lmaps"],
        ["reset", "--domain", "lmaps"],
        ["health", "--domain", "lmaps"],
        ["stats", "--domain", "lmaps"],
        ["demo", "--domain", "lmaps"],
        ["review", "--domain", "lmaps"],
        ["stubs", "--domain", "lmaps"],
        ["format", "--domain", "lmaps"],
    ],
)
def test_an_unknown_domain_is_answered_with_the_nearest(cli: Cli, arguments: list[str]) -> None:
    """Who mistypes a domain reads its right name, and nothing is done."""
    assert cli(*arguments).error(2) == "unknown domain 'lmaps': did you mean lamps?"


def test_the_domain_comes_from_the_environment(cli: Cli) -> None:
    """Where no option names the domain, the variable does."""
    found = cli("migrate", "status", variables={"SURF_DATA_DOMAIN": "lmaps"})
    assert found.error(2) == "unknown domain 'lmaps': did you mean lamps?"


@pytest.mark.parametrize("arguments", [["--domain", "lamps", "status"], ["status", "--domain", "lamps"], ["status"]])
def test_the_option_stands_before_or_behind_the_command(cli: Cli, database_url: str, arguments: list[str]) -> None:
    """An option of the group counts for its commands, and one of the command wins."""
    found = json.loads(cli("migrate", *arguments, "--json", database=database_url).out)
    assert len(found) == files("lamps")


def test_a_folder_of_the_group_and_a_name_of_the_command(cli: Cli, database_url: str, tmp_path: Any) -> None:
    """What the command does not say is what its group says."""
    (tmp_path / "0001_tide.sql").write_text("-- migrate:up\nCREATE TABLE tide (id int);\n", "utf-8")
    folder = ["--folder", str(tmp_path)]
    assert "applied 0001_tide" in cli("migrate", *folder, "up", "--domain", "kiosk", database=database_url).out
    assert "applied" in cli("migrate", "--domain", "kiosk", "status", *folder, "--check", database=database_url).out


@pytest.fixture
def with_a_kiosk(tmp_path: Path) -> dict[str, str]:
    """Install a domain without sample data, and return an environment in which it is."""
    package = "import attrs, pathlib\nfrom surf_data.mining import DOMAIN as MINING\n"
    package += "DOMAIN = attrs.evolve(MINING, name='kiosk', root=pathlib.Path(__file__).parent)\n"
    (tmp_path / "kiosk.py").write_text(package, "utf-8")
    (tmp_path / "kiosk-1.dist-info").mkdir()
    (tmp_path / "kiosk-1.dist-info" / "METADATA").write_text("Name: kiosk\nVersion: 1\n", "utf-8")
    entry = "[surf_data.domains]\nkiosk = kiosk:DOMAIN\n"
    (tmp_path / "kiosk-1.dist-info" / "entry_points.txt").write_text(entry, "utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])}


def test_all_domains(cli: Cli, database_url: str, with_a_kiosk: dict[str, str]) -> None:
    """One call migrates every domain, shows where each stands, seeds each that has samples, and asks for its health."""
    done = cli("migrate", "up", "--all", database=database_url)
    assert (done.code, done.err) == (0, "")
    for name in domain.names():
        assert f"{name}: applied 0001_" in done.out
    found = json.loads(cli("migrate", "status", "--all", "--check", "--json", database=database_url).out)
    assert {name: len(statuses) for name, statuses in found.items()} == {name: files(name) for name in domain.names()}
    again = cli("migrate", "up", "--all", "--json", database=database_url)
    assert again.out.count('"domain"') == len(domain.names())
    seeded = json.loads(cli("seed", "--all", "--json", database=database_url, variables=with_a_kiosk).out)["files"]
    assert {file.partition("/")[0] for file in seeded} == {*domain.NAMES}
    health = json.loads(cli("health", "--all", "--json", database=database_url).out)
    assert {name: state["overall"]["ok"] for name, state in health.items()} == dict.fromkeys(domain.names(), True)


def test_all_and_one(cli: Cli) -> None:
    """To ask for one and for all is a mistake."""
    found = cli("migrate", "up", "--all", "--domain", "lamps")
    assert found.code == 2
    assert "--all does not go with --folder and --domain" in found.err


@pytest.mark.parametrize("command", ["stubs", "format"])
def test_queries_of_the_domain(cli: Cli, database_url: str, command: str) -> None:
    """Without queries that are named, those of the domain are taken, with its migrations."""
    done = cli(command, "--check", "--scratch", database_url, variables={"SURF_DATA_DOMAIN": "lamps"})
    assert (done.code, done.err) == (0, "")


def test_review_of_the_domain(cli: Cli, database_url: str) -> None:
    """The review of a domain takes its folder, its migrations and its scale."""
    done = cli("review", "--domain", "lamps", "--query", "lamp_insert", "--json", "--scratch", database_url)
    assert done.code == 0
    assert [each["query"]["name"] for each in json.loads(done.out)["queries"]] == ["lamp_insert"]


def test_a_domain_s_own_variables_count(cli: Cli, database_url: str) -> None:
    """What the requirement of a domain calls its database is where its migrations go, for that domain alone."""
    assert domain.find("specify").variables["database_url"] == ("DATABASE_URL",)
    variables = {"DATABASE_URL": database_url, "PGHOST": "127.0.0.1", "PGPORT": "1"}
    assert cli("migrate", "status", "--domain", "specify", variables=variables).code == 0
    assert "cannot connect" in cli("migrate", "status", "--domain", "lamps", variables=variables).error()


def test_stats_of_a_domain_without_figures_of_its_own(cli: Cli, database_url: str) -> None:
    """Of a domain that keeps no statistics, those of the process are shown."""
    done = cli("stats", "--domain", "mining", "--json", database=database_url)
    assert (done.code, [*json.loads(done.out)]) == (0, ["process"])
    shown = cli("stats", "--domain", "mining", database=database_url)
    assert (shown.code, shown.err, "Activity" in shown.out) == (0, "", False)
