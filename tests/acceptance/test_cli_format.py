"""``surf-data format`` as DBAs and developers use it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from surf_data.cli.format import format_files

Cli = Callable[..., Any]

SCHEMA = "CREATE TABLE shop (id int8 PRIMARY KEY, name text);\n"
SPACES = "-- name: shop_find(id)^\n-- One shop.\nselect name from shop where id=:id;\n"
LAID_OUT = "-- name: shop_find(id)^\n-- One shop.\nselect name from shop where id = :id;\n"
# What sqruff makes of these with the rules that it has of its own: the first is the same, the second another query.
SAME = "-- name: shop_count()$\n-- How many.\nSELECT DISTINCT (name) FROM shop;\n"
OTHER = "-- name: shop_nameless()\n-- Those without a name.\nSELECT id FROM shop WHERE name = NULL;\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a schema and queries in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sql").mkdir()
    (tmp_path / "schema.sql").write_text(SCHEMA, "utf-8")
    (tmp_path / "sql" / "shop.sql").write_text(SPACES, "utf-8")
    (tmp_path / "sql" / "stock.sql").write_text(LAID_OUT.replace("shop_find", "stock_find"), "utf-8")
    return tmp_path


def test_layout_alone(cli: Cli, shop: Path) -> None:
    """Where nothing but spaces and line ends change, no schema is needed, nor a server; and then all is done."""
    check = cli("format", "sql", "--check", "--scratch", "postgresql:///nowhere")
    assert check.error(1) == "sql/shop.sql: is laid out otherwise: run surf-data format without --check"
    assert (shop / "sql" / "shop.sql").read_text("utf-8") == SPACES
    done = cli("format", "sql", "--scratch", "postgresql:///nowhere")
    assert (done.code, done.out) == (0, "sql/shop.sql written\n1 file laid out already.\n")
    assert (shop / "sql" / "shop.sql").read_text("utf-8") == LAID_OUT
    (shop / "sql" / "odd.sql").write_text("-- name: odd()\n-- Odd.\nSELECT FROM FROM;\n", "utf-8")
    again = cli("format", "sql", "--check")
    assert (again.code, again.out) == (1, "2 files laid out already.\n")
    assert again.err == "surf-data: sql/odd.sql:3: odd: sqruff cannot read it, and the file stays as it is\n"


def test_trees(cli: Cli, shop: Path, database_url: str) -> None:
    """A file of which PostgreSQL makes something else stays as it is, and the others are written."""
    for name, text in {"other": OTHER, "same": SAME}.items():
        (shop / "sql" / f"{name}.sql").write_text(text, "utf-8")
    done = cli("format", "sql/other.sql", "sql/same.sql", "--migrations", "schema.sql", "--scratch", database_url)
    assert done.error(1) == (
        "sql/other.sql:1: shop_nameless: sqruff would make a query of it that means something else"
    )
    assert done.out == "sql/same.sql written\n0 files laid out already.\n"
    assert (shop / "sql" / "other.sql").read_text("utf-8") == OTHER
    assert (shop / "sql" / "same.sql").read_text("utf-8") == SAME.replace("DISTINCT (name)", "DISTINCT name")


def test_without_sqruff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sqruff is not installed, it is said what to install."""
    monkeypatch.setattr("surf_data.cli.format.find_executable", lambda _name: None)
    done = CliRunner().invoke(format_files, ["."])
    assert done.exit_code == 2
    assert 'pip install "surf-data[review]"' in done.stderr
