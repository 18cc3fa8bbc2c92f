"""``surf-data migrate`` on a folder of one's own."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

Cli = Callable[..., Any]

FIRST = "-- migrate:up\nCREATE TABLE boards (id int);\n-- migrate:down\nDROP TABLE boards;\n"
SECOND = (
    "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY boards_id ON boards (id);\n"
    "-- migrate:next\nINSERT INTO fins VALUES (1);\n-- migrate:down\nDROP INDEX boards_id;\n"
)


@pytest.fixture
def shop(cli: Cli, database_url: str, tmp_path: Path) -> Cli:
    """Return a function that runs a command on a folder of two migrations, whose second one fails half way."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "0001_boards.sql").write_text(FIRST)
    (folder / "0002_index.sql").write_text(SECOND)
    return lambda *arguments: cli("migrate", "--folder", str(folder), *arguments, database=database_url)


def test_up_and_down(shop: Cli, tmp_path: Path) -> None:
    """A folder is applied under its own name, as far as it goes, shown where it stopped, repaired and reverted."""
    assert shop("up", "--dry-run").out == "would be applied: 0001_boards\nwould be applied: 0002_index\n"
    assert shop("status", "--check").code == 1
    up = shop("up")
    assert "0002_index.sql:4: UndefinedTable" in up.error()
    assert [line.partition(" in ")[0] for line in up.out.splitlines()] == ["applied 0001_boards"]
    assert "unfinished: up, 1 statements done" in shop("status").out
    file = tmp_path / "shop" / "0002_index.sql"
    file.write_text(SECOND.replace("fins", "boards"))
    assert "0002_index was edited after it was applied" in shop("up").error()
    assert shop("repair", str(file), "--dry-run").out == "would accept 0002_index, which was edited\n"
    assert shop("repair", str(file)).out == "accepted 0002_index, which was edited\n"
    assert shop("repair", str(file)).out == "0002_index is as it was applied. There is nothing to accept.\n"
    assert [entry["name"] for entry in json.loads(shop("up", "--json").out)["applied"]] == ["index"]
    assert shop("status", "--check").code == 0
    assert (
        shop("down", "--to", "0", "--dry-run").out == "would be reverted: 0002_index\nwould be reverted: 0001_boards\n"
    )
    assert shop("down", "--to", "0").out == "reverted 0002_index\nreverted 0001_boards\n"
    assert shop("down", "--to", "0").out == "There is nothing to revert.\n"


def test_a_way_down_needs_a_target(shop: Cli) -> None:
    """Without a number nothing is reverted, and the exit code says that it was typed wrongly."""
    down = shop("down")
    assert down.code == 2
    assert "Missing option '--to'" in down.err


def test_baseline(shop: Cli) -> None:
    """What is there already is recorded under a name of one's choice, and as JSON if wanted."""
    dry = json.loads(shop("baseline", "1", "--dry-run", "--json").out)
    assert ([entry["state"] for entry in dry["recorded"]], dry["dry_run"]) == (["pending"], True)
    assert shop("baseline", "1").out == "recorded 0001_boards\n"
    assert "a baseline is its beginning" in shop("baseline", "2").error()
    states = [entry["state"] for entry in json.loads(shop("--domain", "surf", "status", "--json").out)]
    assert states == ["pending", "pending"]
    accepted = json.loads(shop("repair", "0001_boards.sql", "--json").out)
    assert accepted == {"accepted": [], "dry_run": False}


def test_the_history_is_called_after_the_folder(cli: Cli, shop: Cli, database_url: str, tmp_path: Path) -> None:
    """As it was typed, from wherever: a link that leads to another release with each deploy keeps its history."""
    assert shop("up", "--to", "1").code == 0
    (tmp_path / "shop").rename(tmp_path / "release_1")
    (tmp_path / "shop").symlink_to(tmp_path / "release_1")
    assert shop("up", "--to", "1").out == "There is nothing to apply.\n"
    inside = cli("migrate", "--folder", f"{tmp_path}/shop/../shop/.", "status", database=database_url)
    assert "applied" in inside.out


def test_new(shop: Cli, tmp_path: Path) -> None:
    """The next file is named, then written, and waits to be filled in."""
    path = tmp_path / "shop" / "0003_post_fins.sql"
    assert shop("new", "post_fins", "--dry-run").out.replace("\n", "") == f"would write {path}"
    assert not path.exists()
    assert shop("new", "post_fins").out.replace("\n", "") == f"wrote {path}"
    assert "0003_post_fins.sql:4: the up section is empty" in shop("status").error()
    assert shop("new", "Post Fins").error() == "name must be of a-z, 0-9 and single _ between them"


def test_limits(shop: Cli) -> None:
    """A limit that makes no sense is refused before anything is sent."""
    limits = ("--lock-timeout", "5", "--statement-timeout", "60", "--lock-wait", "1", "--attempts", "2")
    assert shop("up", "--to", "1", *limits).code == 0
    assert shop("up", "--lock-timeout", "0").code == 2
    assert "there is no migration 0009" in shop("up", "--to", "9").error()


def test_a_deployment_made_from_the_specification(cli: Cli, database_url: str) -> None:
    """Made by psql, it is what the first migration makes; as the baseline that is recorded, and the rest applied."""
    specification = Path(__file__).parents[1] / "integration" / "lamps" / "specification" / "surf_lamp.sql"
    deploy = partial(cli, database=database_url)
    assert deploy("psql", "--", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", str(specification)).code == 0
    verified = deploy("migrate", "verify", "--to", "1")
    assert (verified.code, verified.out) == (0, "The database is what the migrations make.\n")
    assert deploy("migrate", "baseline", "1").out == "recorded 0001_initial_schema\n"
    assert deploy("migrate", "up").out.count("applied ") == len(list((ROOT / "migrations" / "lamps").glob("*.sql"))) - 1
    assert deploy("migrate", "verify").code == 0
