"""Rate limits: exactly the limit is admitted, whichever store counts, and something sensible happens without any."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from rig import RedisServer
from surf_data import daylight
from surf_data.daylight import DaylightDataLayer, rate_limits
from surf_data.daylight.errors import RateLimitExceededError
from surf_data.daylight.rate_limits import ALGORITHMS, RateLimiter
from surf_data.errors import SurfDataError

Refused = Callable[..., SurfDataError]

HOUR = 3_600_000


@pytest.fixture
def limiter(data: DaylightDataLayer, admin: psycopg.Connection[Any]) -> RateLimiter:
    """Return the rate limiter without the limits that the schema comes with."""
    admin.execute("DELETE FROM daylight.rate_limits")
    return data.limits


@pytest.fixture(params=["redis", "postgresql"])
def counted(request: pytest.FixtureRequest, data: DaylightDataLayer, limiter: RateLimiter) -> RateLimiter:
    """Return the rate limiter over each of both stores."""
    return limiter if request.param == "redis" else RateLimiter(data.database)


def _limit(algorithm: str = "fixed_window", **changes: Any) -> dict[str, Any]:
    return {"id": "l", "name": "L", "algorithm": algorithm, "requests": 3, "window_ms": HOUR, **changes}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_exactly_the_limit_is_admitted_by_eight_threads(counted: RateLimiter, algorithm: str) -> None:
    """Of 160 calls by eight threads within the window exactly 50 are admitted."""
    counted.set_limit(_limit(algorithm, requests=50))
    barrier = threading.Barrier(8)

    def call(_: int) -> list[bool]:
        barrier.wait()
        return [counted.check("kai").allowed for _ in range(20)]

    with ThreadPoolExecutor(8) as threads:
        outcomes = [each for part in threads.map(call, range(8)) for each in part]
    # A bucket of 50 an hour gets one more every 72 seconds.
    assert sum(outcomes) == 50


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_decision_says_what_remains_and_when(counted: RateLimiter, algorithm: str) -> None:
    """What remains goes down to nothing; then it says after how long another try is worth it."""
    counted.set_limit(_limit(algorithm))
    assert counted.check("kai", cost=0).remaining == 3
    decisions = [counted.check("kai") for _ in range(4)]
    assert [decision.remaining for decision in decisions] == [2, 1, 0, 0]
    assert [decision.allowed for decision in decisions] == [True, True, True, False]
    assert decisions[2].retry_after == 0
    most = 1200 if algorithm.endswith("bucket") else 3604
    assert 0 < decisions[3].retry_after <= most
    assert decisions[3].reset_at is not None
    assert decisions[3].source == ("redis" if counted._redis else "postgresql")
    assert counted.check("eve").allowed is (counted.list_limits()[0].scope != "global")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_window_that_has_passed_allows_again(counted: RateLimiter, algorithm: str) -> None:
    """After a window of a millisecond all is there again."""
    counted.set_limit(_limit(algorithm, window_ms=1, scope="user"))
    for _ in range(20):
        while not counted.check("kai", cost=3).allowed:
            pass
    assert counted.check("kai", cost=0).limit_id == "l"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_cost_counts_as_often(counted: RateLimiter, algorithm: str) -> None:
    """A call may count for several; one that is too much counts for nothing."""
    counted.set_limit(_limit(algorithm, requests=10))
    assert counted.check("kai", cost=4).remaining == 6
    assert counted.check("kai", cost=4).remaining == 2
    refused = counted.check("kai", cost=4)
    assert (refused.allowed, refused.remaining) == (False, 2)
    assert refused.retry_after > 0
    assert counted.check("kai", cost=2).remaining == 0


def test_what_one_limit_refuses_counts_in_none(counted: RateLimiter) -> None:
    """Several limits are decided in one call, all of them or none; the tightest is reported."""
    counted.set_limit(_limit("sliding_window", id="wide", requests=10, scope="user"))
    counted.set_limit(_limit("token_bucket", id="tight", requests=2, scope="ip"))
    who = {"user": "kai", "ip": "10.0.0.1"}
    assert [counted.check(who).limit_id for _ in range(3)] == ["tight"] * 3
    assert counted.check({"user": "kai"}, cost=0).remaining == 8
    assert counted.check({"api_key": "x"}).source == "none"


def test_a_refusal_may_block_for_longer(counted: RateLimiter) -> None:
    """One a minute, then a quarter of an hour: once refused, an identifier stays so."""
    counted.set_limit(_limit("fixed_window", scope="ip", window_ms=60_000, requests=1, block_ms=900_000))
    counted.set_limit(_limit("sliding_window", id="s", scope="user", window_ms=60_000, requests=1, block_ms=900_000))
    for who in ({"ip": "10.0.0.1"}, {"user": "kai"}):
        decision = counted.check(who)
        # At the seam of two windows a second one is admitted.
        while decision.allowed:
            decision = counted.check(who)
        assert 899 < decision.retry_after <= 900
        for _ in range(5):
            assert counted.check(who).allowed is False
        counted.reset(who)
        assert counted.check(who).allowed is True


def test_a_limit_may_throttle_instead(counted: RateLimiter) -> None:
    """The call is allowed, and the decision says how long to wait before it."""
    counted.set_limit(_limit("leaky_bucket", requests=1, action="throttle"))
    assert counted.check("kai").retry_after == 0
    late = counted.check("kai")
    assert late.allowed
    assert 3500 < late.retry_after <= 3600


def test_limits_apply_to_endpoints_and_methods(limiter: RateLimiter) -> None:
    """Patterns exact or with a star; a limit for each endpoint counts each by itself; disabled limits do not apply."""
    limiter.set_limit(_limit(id="login", requests=1, endpoints=["/login*"], methods=["POST"], scope="endpoint"))
    limiter.set_limit(_limit(id="off", requests=1, enabled=False))
    assert limiter.check("kai", endpoint="/plans", method="POST").source == "none"
    assert limiter.check("kai", endpoint="/login", method="GET").source == "none"
    assert limiter.check("kai", endpoint="/login", method="POST").allowed
    assert limiter.check("kai", endpoint="/login/2", method="POST").allowed
    with pytest.raises(RateLimitExceededError) as caught:
        limiter.enforce("kai", endpoint="/login", method="POST")
    assert caught.value.status_code == 429
    assert caught.value.retry_after > 0
    assert limiter.enforce("kai").source == "none"
    assert limiter.delete_limit("login") is True
    assert limiter.delete_limit("login") is False
    assert limiter.check("kai", endpoint="/login", method="POST").source == "none"


def test_states_that_mean_nothing_any_more_are_deleted(data: DaylightDataLayer, admin: psycopg.Connection[Any]) -> None:
    """What was used in a window that has passed is no row for long."""
    admin.execute("DELETE FROM daylight.rate_limits")
    limiter = RateLimiter(data.database)
    limiter.set_limit(_limit(window_ms=1))
    limiter.check("kai")
    admin.execute("UPDATE daylight.rate_limit_states SET expires_at = now()")
    assert (limiter.clean_up(), limiter.clean_up()) == (1, 0)


def test_without_redis_postgresql_counts_or_the_limit_says(
    app_url: str, owner_url: str, own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    """Redis killed: the default counts in PostgreSQL, others allow or deny at once; a change is one warning."""
    server = own_redis()
    with daylight.open(owner_url, server.url) as owner, daylight.open(app_url, server.url) as data:
        with owner.database.transaction() as session:
            session._connection.execute("DELETE FROM daylight.rate_limits")
        for name, choice in (("count", "postgresql"), ("allow", "allow"), ("deny", "deny")):
            data.limits.set_limit(_limit(id=name, requests=1, endpoints=[f"/{name}"], on_failure=choice))
        assert data.limits.check("kai", endpoint="/count").source == "redis"
        server.kill()
        assert [data.limits.check("kai", endpoint="/count").allowed for _ in range(2)] == [True, False]
        assert data.limits.check("kai", endpoint="/count").source == "postgresql"
        assert (
            data.limits.check("kai", endpoint="/allow").allowed,
            data.limits.check("kai", endpoint="/deny").allowed,
        ) == (True, False)
        assert data.limits.check("kai", endpoint="/allow").source == "default"
    assert [record.msg for record in caplog.records].count("rate limits decided elsewhere") == 2


def test_without_both_the_limit_says(
    app_url: str, admin: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Limits that were read once are gone by; each says what happens when nothing can count."""
    with daylight.open(app_url) as data:
        admin.execute("DELETE FROM daylight.rate_limits")
        data.limits.set_limit(_limit(id="plain", endpoints=["/plain"]))
        data.limits.set_limit(_limit(id="login", endpoints=["/login"], on_failure_last="deny"))
        data.limits.check("kai", cost=0)
        data.close()
        assert data.limits.check("kai", endpoint="/plain") == daylight.Decision(
            allowed=True, limit_id="plain", source="default"
        )
        assert data.limits.check("kai", endpoint="/login").allowed is False
        data.limits._read_at = None
        assert data.limits.check("kai", endpoint="/plain").allowed is True
    assert "rate limits not read" in [record.msg for record in caplog.records]


def test_a_script_that_redis_has_forgotten_is_sent_again(data: DaylightDataLayer, limiter: RateLimiter) -> None:
    """After SCRIPT FLUSH, as after a failover, the call is decided all the same."""
    limiter.set_limit(_limit())
    limiter.check("kai")
    data.redis.call(lambda client: client.script_flush(), read=False, otherwise=None)
    assert limiter.check("kai").source == "redis"


def test_bad_limits_and_calls_are_refused(limiter: RateLimiter, refused: Refused) -> None:
    """What can never be allowed, and what is no limit, is refused by name."""
    limiter.set_limit(_limit())
    assert "cost" in str(refused(lambda: limiter.check("kai", cost=4)))
    assert "identifier" in str(refused(lambda: limiter.check("")))
    assert "identifier must be one of" in str(refused(lambda: limiter.check({"planet": "mars"})))
    assert "identifier.ip" in str(refused(lambda: limiter.check({"ip": ""})))
    assert "lacks algorithm" in str(refused(lambda: limiter.set_limit({"name": "x"})))
    assert "requests" in str(refused(lambda: limiter.set_limit(_limit(requests=0))))
    assert "action must be one of" in str(refused(lambda: limiter.set_limit(_limit(action="queue"))))
    assert "methods must be a list" in str(refused(lambda: limiter.set_limit(_limit(methods="GET"))))


def test_one_thread_reads_the_limits_and_the_others_do_not_wait(
    limiter: RateLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they are read again, the old ones count."""
    limiter.set_limit(_limit(requests=1))
    assert limiter.check({"ip": "a"}).allowed
    monkeypatch.setattr(rate_limits, "POLICY_SECONDS", 0)
    with limiter._reading:
        assert not limiter.check({"ip": "a"}).allowed
