"""Health: the whole is as good as the database."""

import pytest

from surf_data.kernel.health import Check, Health

GOOD = Check(ok=True, latency_ms=1.5)
DUE = Check(ok=True, latency_ms=2.5, reason="due")
BAD = Check(ok=False, latency_ms=2.0, reason="timed out")


@pytest.mark.parametrize(
    ("database", "cache", "wanted", "overall"),
    [
        (GOOD, GOOD, True, Check(ok=True, latency_ms=3.0)),
        (GOOD, BAD, True, Check(ok=True, latency_ms=3.5, reason="degraded: cache timed out")),
        (GOOD, BAD, False, Check(ok=True, latency_ms=3.5)),
        (DUE, GOOD, True, Check(ok=True, latency_ms=4.0, reason="degraded: due")),
        (DUE, BAD, True, Check(ok=True, latency_ms=4.5, reason="degraded: due; cache timed out")),
        (BAD, GOOD, True, Check(ok=False, latency_ms=3.5, reason="timed out")),
        (BAD, BAD, True, Check(ok=False, latency_ms=4.0, reason="timed out")),
    ],
    ids=["both", "no cache", "cache not wanted", "work due", "work due and no cache", "no database", "neither"],
)
def test_the_whole_is_as_good_as_the_database(database: Check, cache: Check, wanted: object, overall: Check) -> None:
    """A missing cache degrades the whole, if it was wanted; a missing database is an outage."""
    health = Health.of(database, cache, cache_wanted=bool(wanted))
    assert health == Health(database=database, cache=cache, overall=overall)


def test_health_as_a_dictionary() -> None:
    """Each part says whether it works, how long it took, and why not."""
    assert Health.of(GOOD, BAD, cache_wanted=False).to_dict() == {
        "database": {"ok": True, "latency_ms": 1.5, "reason": None},
        "cache": {"ok": False, "latency_ms": 2.0, "reason": "timed out"},
        "overall": {"ok": True, "latency_ms": 3.5, "reason": None},
        "schema_version": None,
    }
