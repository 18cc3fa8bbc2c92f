"""Tables are spread over a cluster; on a PostgreSQL that is none, the message says so."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from surf_data.errors import MigrationError, SurfDataError
from surf_data.migrate import Distribution, Placement

Refused = Callable[[Callable[[], Any], type[SurfDataError]], SurfDataError]


def test_no_cluster(database_url: str, refused: Refused) -> None:
    """On plain PostgreSQL nothing is spread or taken back, and the message says what is missing."""
    spread = Distribution(
        lambda: psycopg.connect(database_url, autocommit=True), {"t": Placement(is_reference=True)}, "cluster"
    )
    for call in (spread.distribute, spread.undistribute, lambda: spread.distribute(dry_run=True)):
        assert str(refused(call, MigrationError)).startswith("this database has no Citus")


@pytest.mark.parametrize("wrong", [{"lock_wait": -1}, {"lock_timeout": 0}])
def test_limits(refused: Callable[[Callable[[], Any]], Any], wrong: dict[str, float]) -> None:
    """Limits out of their ranges are refused by name."""
    [name] = wrong
    assert refused(lambda: Distribution(psycopg.connect, {}, "cluster", **wrong)).field == name
