"""Transactions that were prepared and never ended: the health and the maintenance name them."""

from collections.abc import Iterator

import psycopg
import pytest
from click.testing import CliRunner

from rig.postgres import other_postgres
from surf_data import screenshot
from surf_data.cli.commands import surf_data_command
from surf_data.embedded.postgres import installations
from surf_data.kernel.postgres import remains


@pytest.fixture
def preparing_url() -> Iterator[str]:
    """Start a server that lets transactions be prepared, and return its URL."""
    with other_postgres(installations()[18], "-c", "max_prepared_transactions=2") as server:
        yield server.url


def test_what_never_ended_is_named(preparing_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was prepared a while ago holds locks, and who looks after the database reads how to find it."""
    with screenshot.open(preparing_url) as data, psycopg.connect(preparing_url, autocommit=True) as connection:
        data.migrations.up()
        for name in ("first", "second"):
            connection.execute(f"BEGIN; SELECT 1; PREPARE TRANSACTION '{name}'".encode())
        assert remains.remaining_transactions(data.database) == []
        monkeypatch.setattr(remains, "_DUE", 0)
        said = "2 prepared transactions never ended: SELECT gid FROM pg_prepared_xacts"
        assert remains.remaining_transactions(data.database) == [said]
        assert data.health().database.reason == said
        connection.execute("ROLLBACK PREPARED 'first'")
    arguments = ["--database-url", preparing_url, "maintain", "--domain", "screenshot", "--dry-run"]
    done = CliRunner().invoke(surf_data_command, arguments, catch_exceptions=False)
    assert (done.exit_code, done.stderr.split()[:5]) == (0, ["1", "prepared", "transaction", "never", "ended:"])
