"""Sessions in PostgreSQL, which Redis makes fast: revoked means gone."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis

from rig import RedisServer, Relay
from surf_data import screenshot
from surf_data.errors import ValidationError
from surf_data.screenshot import ScreenshotDataLayer, Session, SessionStatus, SessionType, User


@pytest.fixture(params=["with Redis", "without Redis"])
def both(request: pytest.FixtureRequest, app_url: str, redis_url: str) -> Iterator[ScreenshotDataLayer]:
    """Open the data layer with and without Redis."""
    url = redis_url if request.param == "with Redis" else None
    with screenshot.open(app_url, url, pool_min_size=1, pool_max_size=4) as opened:
        yield opened


@pytest.fixture
def owner(both: ScreenshotDataLayer) -> User:
    """Return a user of it."""
    return both.users.save(User(email="a@example.com"))


def queries(data: ScreenshotDataLayer) -> int:
    """Return how often PostgreSQL was asked for a session."""
    return int(data.stats()["queries"].get("screenshot.session_by_session_id", {"count": 0})["count"])


def test_a_session(both: ScreenshotDataLayer, owner: User, admin: psycopg.Connection[Any]) -> None:
    """A session is known by its token, of which the hash alone is stored, with what was noted of it."""
    new = both.sessions.create(
        owner.id or "",
        ttl_seconds=3_600,
        type="mobile",
        ip_address="192.168.1.1",
        user_agent="Mozilla/5.0",
        city="Berlin",
        session_data={"cart": [1]},
    )
    for _ in range(2):
        found = both.sessions.get(new.token)
        assert found == new.session
        assert found is not None
        assert (found.type, str(found.ip_address), found.session_data) == (
            SessionType.MOBILE,
            "192.168.1.1",
            {"cart": [1]},
        )
    [stored] = admin.execute("SELECT session_id FROM screenshot.sessions").fetchall()
    assert new.token.reveal() not in str(stored) + repr(new) + repr(new.session)
    assert both.sessions.get("unknown") is None
    assert both.sessions.find(new.session.id or "") == new.session
    assert both.sessions.find(uuid4()) is None


def test_a_session_needs_an_active_user(both: ScreenshotDataLayer, owner: User) -> None:
    """An unknown user, and one that may not sign in, gets no session; one of a suspended user is no longer valid."""
    with pytest.raises(ValidationError, match="not an active user"):
        both.sessions.create(uuid4())
    token = both.sessions.create(owner.id or "").token
    both.users.set_status(owner.id or "", "suspended")
    with pytest.raises(ValidationError, match="not an active user"):
        both.sessions.create(owner.id or "")
    assert both.sessions.get(token) is None


def test_revoked_means_gone(both: ScreenshotDataLayer, owner: User) -> None:
    """A session that was revoked is gone at once, also where Redis knew it."""
    new = both.sessions.create(owner.id or "")
    both.sessions.get(new.token)
    assert both.sessions.revoke(new.token, "logout") is True
    assert both.sessions.revoke(new.token) is False
    assert both.sessions.get(new.token) is None
    found = both.sessions.find(new.session.id or "")
    assert found is not None
    assert (found.status, found.revoked_reason, found.is_revoked) == (SessionStatus.REVOKED, "logout", True)


def test_all_of_a_user(both: ScreenshotDataLayer, owner: User) -> None:
    """All sessions of a user are ended at once, but for the one that is kept."""
    news = [both.sessions.create(owner.id or "") for _ in range(4)]
    for new in news:
        both.sessions.get(new.token)
    assert len(both.sessions.list_active(owner.id or "")) == 4
    assert both.sessions.revoke_all(owner.id or "", keep=news[0].token) == 3
    assert [both.sessions.get(new.token) is not None for new in news] == [True, False, False, False]
    assert both.sessions.revoke_all(owner.id or "") == 1
    assert both.sessions.list_active(owner.id or "") == []


def test_extend_and_rotate(both: ScreenshotDataLayer, owner: User) -> None:
    """A session can go on for longer and be given another token; one that was ended cannot."""
    new = both.sessions.create(owner.id or "", ttl_seconds=100)
    both.sessions.get(new.token)
    ends = both.sessions.extend(new.token, 7_200)
    found = both.sessions.get(new.token)
    assert found is not None
    assert ends == found.expires_at > datetime.now(UTC) + timedelta(seconds=7_000)
    fresh = both.sessions.rotate(new.token)
    assert fresh is not None
    assert both.sessions.get(new.token) is None
    assert both.sessions.get(fresh) is not None
    both.sessions.revoke(fresh)
    assert both.sessions.extend(fresh) is None
    assert both.sessions.rotate(fresh) is None


def test_data(both: ScreenshotDataLayer, owner: User) -> None:
    """What a session holds is replaced unless it has changed since it was read."""
    token = both.sessions.create(owner.id or "").token
    both.sessions.get(token)
    assert both.sessions.set_data(token, {"a": 1}, expected={}) is True
    assert both.sessions.set_data(token, {"a": 2}, expected={}) is False
    found = both.sessions.get(token)
    assert found is not None
    assert found.session_data == {"a": 1}
    assert both.sessions.set_data(token, {"a": 3}) is True
    assert both.sessions.set_data("unknown", {"a": 3}) is False


def test_touching_is_throttled(both: ScreenshotDataLayer, owner: User, admin: psycopg.Connection[Any]) -> None:
    """A session in use is noted once in a while; the requests meanwhile are counted with it."""
    new = both.sessions.create(owner.id or "")
    admin.execute("UPDATE screenshot.sessions SET last_active_at = now() - interval '1 hour'")
    assert [both.sessions.touch(new.token) for _ in range(5)] == [True, False, False, False, False]
    admin.execute("UPDATE screenshot.sessions SET last_active_at = now() - interval '1 hour'")
    both.sessions._touched = {key: (0.0, waiting) for key, (_, waiting) in both.sessions._touched.items()}
    assert both.sessions.touch(new.token) is True
    found = both.sessions.find(new.session.id or "")
    assert found is not None
    assert found.request_count == 6


def test_a_long_memory_is_cleared(data: ScreenshotDataLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of touched sessions has a bound."""
    monkeypatch.setattr("surf_data.screenshot.sessions._MAX_REMEMBERED", 2)
    for number in range(5):
        data.sessions.touch(f"token-{number}")
    assert len(data.sessions._touched) <= 2


def test_purge(both: ScreenshotDataLayer, owner: User, admin: psycopg.Connection[Any]) -> None:
    """Sessions whose time is up are marked, and deleted when they are old."""
    new = both.sessions.create(owner.id or "")
    assert (both.sessions.expire(), both.sessions.purge()) == (0, 0)
    admin.execute("UPDATE screenshot.sessions SET expires_at = now() - interval '1 second'")
    assert both.sessions.expire() == 1
    found = both.sessions.find(new.session.id or "")
    assert found is not None
    assert (found.status, found.is_expired) == (SessionStatus.EXPIRED, True)
    admin.execute("UPDATE screenshot.sessions SET expires_at = now() - interval '31 days'")
    assert both.sessions.purge() == 1


def test_redis_makes_it_fast(data: ScreenshotDataLayer, user: User) -> None:
    """PostgreSQL is asked once, and Redis from then on."""
    token = data.sessions.create(user.id or "").token
    for _ in range(5):
        assert data.sessions.get(token) is not None
    assert queries(data) == 1


def test_trust_ends(app_url: str, redis_url: str) -> None:
    """What Redis says counts for the seconds that were set, and never with 0."""
    with screenshot.open(app_url, redis_url, session_trust_seconds=0) as always:
        user = always.users.save(User(email="a@example.com"))
        token = always.sessions.create(user.id or "").token
        for _ in range(3):
            always.sessions.get(token)
        assert queries(always) == 3
        with redis.Redis.from_url(redis_url) as client:
            assert client.keys() == []
            always.sessions.revoke(token)
            assert client.keys() == []
    with screenshot.open(app_url, redis_url, session_trust_seconds=7) as other:
        token = other.sessions.create(user.id or "").token
        other.sessions.get(token)
        with redis.Redis.from_url(redis_url) as client:
            [name] = client.keys("stc:session-row:*")
            assert 5 <= client.ttl(name) <= 7
        short = other.sessions.create(user.id or "", ttl_seconds=1).token
        other.sessions.get(short)
        with redis.Redis.from_url(redis_url) as client:
            assert len(client.keys("stc:session-row:*")) == 1


def test_a_reader_cannot_bring_back_a_revoked_session(data: ScreenshotDataLayer, user: User) -> None:
    """A reader of a session from before it was revoked cannot store it in Redis afterwards."""
    new = data.sessions.create(user.id or "")
    data.sessions.revoke(new.token)
    name = data.sessions._prefix + new.session.session_id
    data.sessions._keep(name, new.session)
    assert data.sessions.get(new.token) is None


def test_revoked_while_redis_was_away(app_url: str, own_redis: Callable[..., RedisServer]) -> None:
    """A revocation that could not reach Redis is known as soon as what Redis says is no longer trusted."""
    server = own_redis()
    with Relay(server.path) as relay, screenshot.open(app_url, server.url_through(relay)) as data:
        user = data.users.save(User(email="a@example.com"))
        token = data.sessions.create(user.id or "").token
        assert data.sessions.get(token) is not None
        relay.lose_request(b"null")
        assert data.sessions.revoke(token) is True
        with server.client() as client:
            [name] = client.keys("stc:session-row:*")
            assert 0 < client.ttl(name) <= 60
            client.delete(name)
        assert data.sessions.get(token) is None


def test_in_a_transaction(data: ScreenshotDataLayer, user: User) -> None:
    """In a transaction PostgreSQL decides, and a revocation that is rolled back was none."""
    token = data.sessions.create(user.id or "").token
    data.sessions.get(token)
    with pytest.raises(ZeroDivisionError), data.transaction() as tx:
        assert tx.sessions.revoke(token)
        assert tx.sessions.get(token) is None
        raise ZeroDivisionError
    assert data.sessions.get(token) is not None
    with data.transaction() as tx:
        tx.sessions.revoke_all(user.id or "")
    assert data.sessions.get(token) is None


def test_what_is_no_session(data: ScreenshotDataLayer, user: User, redis_url: str) -> None:
    """What others have written into Redis is no session; PostgreSQL is asked."""
    new = data.sessions.create(user.id or "")
    with redis.Redis.from_url(redis_url) as client:
        for document in (b"{", b"[]", b"\xff", b'{"id":"x"}', b"{}", b"null", b"7", b'{"status":"active"}'):
            client.set(data.sessions._prefix + new.session.session_id, document)
            assert data.sessions.get(new.token) == new.session


BAD: list[tuple[str, Callable[[ScreenshotDataLayer], Any]]] = [
    ("token", lambda data: data.sessions.get("")),
    ("token", lambda data: data.sessions.get("x" * 256)),
    ("token", lambda data: data.sessions.get(7)),  # type: ignore[arg-type]
    ("user_id", lambda data: data.sessions.create("user-123")),
    ("ttl_seconds", lambda data: data.sessions.create(uuid4(), ttl_seconds=0)),
    ("ttl_seconds", lambda data: data.sessions.create(uuid4(), ttl_seconds=31_622_401)),
    ("ttl_seconds", lambda data: data.sessions.extend("t", -1)),
    ("ip_address", lambda data: data.sessions.create(uuid4(), ip_address="nowhere")),
    ("type", lambda data: data.sessions.create(uuid4(), type="tv")),
    ("status", lambda data: data.sessions.create(uuid4(), status="active")),  # type: ignore[call-arg]
    ("session_data", lambda data: data.sessions.create(uuid4(), session_data={"a": {1}})),
    ("session_data", lambda data: data.sessions.set_data("t", "x")),  # type: ignore[arg-type]
    ("expected", lambda data: data.sessions.set_data("t", {}, expected=[])),  # type: ignore[arg-type]
    ("every", lambda data: data.sessions.touch("t", every=0)),
    ("reason", lambda data: data.sessions.revoke("t", "x" * 256)),
    ("days", lambda data: data.sessions.purge(-1)),
    ("limit", lambda data: data.sessions.expire(1_001)),
]


def test_bad_input(data: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """What is refused is named, and nothing is sent."""
    for field, call in BAD:
        assert refused(lambda call=call: call(data)).field.partition(".")[0] == field


def test_entity_methods() -> None:
    """Methods of a session change the object alone."""
    now = datetime.now(UTC)
    session = Session(expires_at=now + timedelta(hours=2), last_active_at=now, created_at=now - timedelta(hours=1))
    assert (session.is_active, session.is_valid, session.is_expired) == (True, True, False)
    assert 7_190_000 < session.remaining_time <= 7_200_000
    assert session.duration == 3_600_000
    assert (round(session.remaining_time_hours, 1), session.duration_hours) == (2.0, 1.0)
    session.extend_expiration(30)
    assert session.expires_at == now + timedelta(minutes=150)
    session.update_activity()
    assert session.request_count == 1
    session.set_session_data("a", 1)
    assert (session.get_session_data("a"), session.get_session_data("b", 2)) == (1, 2)
    session.mark_as_expired()
    assert session.is_expired
    session.mark_as_invalid()
    assert session.status is SessionStatus.INVALID
    session.reactivate(10)
    assert session.is_active
    session.revoke("stolen")
    session.reactivate()
    assert (session.is_revoked, session.revoked_reason) == (True, "stolen")
    assert "sessionData" not in session.to_dict()
    secure = session.to_secure()
    assert (secure["requestCount"], secure["durationHours"]) == (2, session.duration_hours)
    with pytest.raises(ValidationError):
        session.extend_expiration(0)
