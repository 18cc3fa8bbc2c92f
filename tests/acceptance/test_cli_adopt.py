"""``surf-data adopt`` as those with SQL of their own use it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from surf_data.cli.adopt import adopt_files

Cli = Callable[..., Any]

USER = "-- name: user-find^\nselect name from users where id = :id;\n"
MANY = "-- name: many*!\n-- Many.\ninsert into t values (:x);\n"


def test_adopt(cli: Cli, tmp_path: Path) -> None:
    """First it is shown what would be written; then it is written; what a person must decide is listed until it is."""
    (tmp_path / "users.sql").write_text(USER + MANY, "utf-8")
    shown = cli("adopt", str(tmp_path))
    assert shown.code == 1
    assert "+-- name: user_find(id)^\n+-- To be described.\n" in shown.out
    assert "2 headers of 2 queries to be written, by --write.\n1 query still to be described" in shown.out
    assert (tmp_path / "users.sql").read_text("utf-8") == USER + MANY
    written = cli("adopt", str(tmp_path), "--write")
    assert written.error(1).endswith(
        "users.sql:4: *! would send a statement for each row; use COPY, or unnest() over arrays"
    )
    assert "users.sql: 2 headers written" in written.out
    text = (tmp_path / "users.sql").read_text("utf-8")
    (tmp_path / "users.sql").write_text(text.partition("-- name: many")[0].replace("To be described", "One"), "utf-8")
    assert cli("adopt", str(tmp_path)).out == "0 headers of 1 query to be written, by --write.\n"


def test_descriptions(tmp_path: Path) -> None:
    """Descriptions are asked for, beside the query that lacks one."""
    (tmp_path / "users.sql").write_text(USER, "utf-8")
    done = CliRunner().invoke(adopt_files, [str(tmp_path), "--ask"], input="A user.\n")
    assert done.exit_code == 0, done.output
    assert "+-- A user.\n" in done.stdout
    assert "select name from users where id = :id" in " ".join(done.stderr.split())
