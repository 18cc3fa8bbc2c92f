"""The activity log while PostgreSQL is away: nothing is lost, and nothing is there twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

import surf_data
from rig import PostgresServer, Relay

Measure = Callable[..., None]
Relayed = Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]]


def test_a_spool(relayed: Relayed, tmp_path: Path, measure: Measure) -> None:
    """31. With a spool every entry is there exactly once and in order, whether PostgreSQL is down or loses answers."""
    server, line, data = relayed(
        journal_spool=str(tmp_path / "spool"), pool_min_size=1, pool_max_size=2, pool_timeout=0.2
    )
    names = [str(number) for number in range(120)]

    def log(names: list[str]) -> None:
        for name in names:
            data.activity.log_activity(None, "storm", "success", user_agent=name)

    log(names[:30])
    server.kill()
    log(names[30:40])
    server.start()
    log(names[40:70])
    for name in names[70:]:
        # The entry is stored, and no client receives the answer: nor when it is sent again, nor after that.
        line.lose_replies(b"activity_insert_once", 3)
        log([name])
    line.lose_replies(b"", 0)
    data.activity.replay_spool()
    data.activity.replay_spool()
    with psycopg.connect(server.url) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            "SELECT user_agent FROM activity_log ORDER BY created_at"
        ).fetchall()
    assert [name for (name,) in rows] == names
    assert data.stats()["activity"] == {"failures": 0}
    measure("PostgreSQL is killed for 10 entries, and the answers to 50 are lost", ("entries", 120, "of 120"))
