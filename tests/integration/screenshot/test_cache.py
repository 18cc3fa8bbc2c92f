"""Values and sessions in Redis: plain JSON under known keys, on one server, behind Sentinels and in a cluster."""

import json
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from rig import ClusterService, RedisServer, SentinelService
from surf_data import screenshot
from surf_data.data_layer import load_settings
from surf_data.kernel.redis import RedisManager
from surf_data.screenshot import DOMAIN, ScreenshotSettings, User
from surf_data.screenshot.cached_values import dump, load
from surf_data.screenshot.caching import CacheManager


def open_cache(url: str | None, **settings: Any) -> CacheManager:
    """Return a cache at a URL."""
    loaded = load_settings(ScreenshotSettings, DOMAIN, None, {}, redis_url=url, **settings)
    return CacheManager(RedisManager(loaded), loaded)


@pytest.fixture(scope="module")
def sentinel_service() -> Iterator[SentinelService]:
    """Start a service that Sentinels watch."""
    with SentinelService() as service:
        yield service


@pytest.fixture(scope="module")
def cluster_service() -> Iterator[ClusterService]:
    """Start a cluster."""
    with ClusterService() as service:
        yield service


@pytest.fixture(params=["single", "sentinel", "cluster"])
def cache(request: pytest.FixtureRequest) -> Iterator[CacheManager]:
    """Return an empty cache on one server, behind Sentinels, and in a cluster."""
    if request.param == "single":
        url = request.getfixturevalue("redis_url")
    else:
        url = request.getfixturevalue(f"{request.param}_service").url
    opened = open_cache(url, cache_timeout=2.0)
    opened.flush()
    yield opened
    opened.flush()
    opened._manager.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return another client of the one server."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def single(redis_url: str) -> Iterator[CacheManager]:
    """Return an empty cache on one server."""
    opened = open_cache(redis_url)
    yield opened
    opened._manager.close()


def test_values(cache: CacheManager) -> None:
    """A value of any JSON type comes back until it is deleted."""
    for value in ({"name": "John", "n": [1, 2.5, None, True]}, [1], "text", 7, 2.5, True, "", 0, {}, []):
        assert cache.set("user:123", value, 3600) is True
        assert cache.get("user:123") == value
    assert cache.exists("user:123") is True
    assert cache.delete("user:123", "user:124") == 1
    assert cache.get("user:123") is None
    assert cache.exists("user:123") is False
    assert cache.delete() == 0


def test_times_to_live(cache: CacheManager) -> None:
    """A value lives for the seconds that were asked for, or for good."""
    cache.set("a", 1, 100)
    cache.set("b", 1)
    assert 98 <= (cache.ttl("a") or 0) <= 100
    assert cache.ttl("b") is None
    assert cache.ttl("none") is None
    assert cache.expire("b", 50) is True
    assert cache.expire("none", 50) is False
    assert 48 <= (cache.ttl("b") or 0) <= 50


def test_many_at_once(cache: CacheManager) -> None:
    """Many values go and come in one round trip."""
    values = {f"k{number}": {"n": number} for number in range(50)}
    assert cache.set_many(values, 100) == 50
    assert cache.get_many([*values, "none"]) == values
    assert cache.get_many([]) == {}
    assert cache.set_many({}) == 0


def test_pipelines(cache: CacheManager) -> None:
    """Commands of a block are sent together, and each has its result afterwards."""
    cache.set("a", {"x": 1})
    with cache.pipeline() as pipeline:
        found, missing = pipeline.get("a"), pipeline.get("none")
        stored, deleted = pipeline.set("b", 2, 60), pipeline.delete("a")
        number, expired = pipeline.increment("n", 5), pipeline.expire("b", 30)
        wrong = pipeline.increment("b2")
        assert found.value is None
    assert (found.value, missing.value, stored.value, deleted.value) == ({"x": 1}, None, True, True)
    assert (number.value, expired.value, wrong.value) == (5, True, 1)
    with cache.pipeline():
        pass


def test_counters(cache: CacheManager) -> None:
    """A number that eight threads add to is exact; its time begins with it."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cache.increment("n", 2, ttl=100), range(100)))
    assert cache.get("n") == 200
    assert cache.ttl("n") is not None
    cache.set("text", "x")
    assert cache.increment("text") is None


def test_patterns(cache: CacheManager) -> None:
    """Keys are deleted by pattern, and no others; flushing leaves what is another application's."""
    for key in ("user:1", "user:2", "user:22", "project:1"):
        cache.set(key, 1)
    assert sorted(cache.keys("user:*")) == ["stc:user:1", "stc:user:2", "stc:user:22"]
    assert len(cache.keys("user:*", limit=2)) == 2
    assert cache.delete_pattern("user:?") == 2
    assert cache.get("user:22") == 1
    other = open_cache(cache._manager.settings.redis_url.reveal(), redis_key_prefix="stc2", cache_timeout=2.0)  # type: ignore[union-attr]
    other.set("user:22", 2)
    assert cache.flush() == 2
    assert other.get("user:22") == 2
    other.flush()


def test_sessions(cache: CacheManager) -> None:
    """A session is set, read, extended and ended, as in the original."""
    data = {"userId": "user-123", "role": "user", "permissions": ["read", "write"]}
    assert cache.set_session("session-456", data, 3600) is True
    assert cache.get_session("session-456") == data
    assert cache.extend_session("session-456", 7200) is True
    assert cache.update_session("session-456", {**data, "role": "admin"}, expected=data) is True
    assert cache.update_session("session-456", data, expected=data) is False
    assert cache.get_session("session-456") == {**data, "role": "admin"}
    assert cache.delete_session("session-456") is True
    assert cache.delete_session("session-456") is False
    assert cache.get_session("session-456") is None


def test_a_session_that_was_ended_stays_so(cache: CacheManager) -> None:
    """A slow request that still holds a session cannot bring it back after the logout."""
    cache.set_session("s", {"a": 1})
    cache.delete_session("s")
    assert cache.set_session("s", {"a": 1}) is False
    assert cache.update_session("s", {"a": 2}) is False
    assert cache.extend_session("s") is False
    assert cache.get_session("s") is None
    assert cache.update_session("unknown", {"a": 2}) is False
    assert cache.extend_session("unknown") is False


def test_sessions_of_a_user(cache: CacheManager) -> None:
    """All sessions of a user are found, and ended, by its id."""
    for number in range(3):
        cache.set_session(f"s{number}", {"userId": "user-1", "n": number})
    cache.set_session("other", {"user_id": "user-2"})
    cache.set_session("nobody", {"userId": 7})
    cache.delete_session("s0")
    assert cache.get_user_sessions("user-1") == {f"s{n}": {"userId": "user-1", "n": n} for n in (1, 2)}
    assert cache.delete_user_sessions("user-1") == 2
    assert cache.get_user_sessions("user-1") == {}
    assert cache.get_session("other") == {"user_id": "user-2"}


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_sessions_of_the_database(request: pytest.FixtureRequest, app_url: str, kind: str) -> None:
    """Those that PostgreSQL decides about are as fast behind Sentinels and in a cluster, and revoked means gone."""
    url = request.getfixturevalue(f"{kind}_service").url
    with screenshot.open(app_url, url, pool_min_size=1, cache_timeout=2.0) as data:
        user = data.users.save(User(email="a@example.com"))
        tokens = [data.sessions.create(user.id or "").token for _ in range(4)]
        for token in tokens * 3:
            assert data.sessions.get(token) is not None
        assert data.stats()["queries"]["screenshot.session_by_session_id"]["count"] == len(tokens)
        assert data.sessions.revoke(tokens[0]) is True
        assert data.sessions.get(tokens[0]) is None
        assert data.sessions.revoke_all(user.id or "", keep=tokens[1]) == 2
        assert [data.sessions.get(token) is None for token in tokens] == [True, False, True, True]
        data.sessions.set_data(tokens[1], {"cart": [1]})
        found = data.sessions.get(tokens[1])
        assert found is not None
        assert found.session_data == {"cart": [1]}


def test_touching_is_throttled(single: CacheManager) -> None:
    """A session that is in use is extended once in a while, and not at each request."""
    single.set_session("s", {"a": 1}, 100)
    assert single.touch_session("s", 1_000) is True
    assert single.touch_session("s", 2_000) is False
    assert 990 <= (single.ttl(":s", prefix="session") or 0) <= 1_000


def test_a_long_memory_is_cleared(single: CacheManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of touched sessions has a bound."""
    monkeypatch.setattr("surf_data.screenshot.redis_sessions._MAX_REMEMBERED", 2)
    for number in range(5):
        single.touch_session(f"s{number}")
    assert len(single._touched) <= 2


def test_keys_of_the_original(single: CacheManager, client: redis.Redis) -> None:
    """Keys and values are those of the original, so that sessions survive the change and others can read them."""
    single.set("user:123", {"name": "John"}, 3600)
    single.set("a", 1, {"ttl": 60, "prefix": "p"})
    single.set("b", 1, prefix="session:")
    single.set_session("abc", {"userId": "u"})
    names = {b"stc:user:123", b"stc:p:a", b"stc:session::b", b"stc:session::abc", b"stc:session-user:u"}
    assert set(client.keys()) == names
    assert json.loads(client.get("stc:user:123") or b"") == {"name": "John"}
    client.set("stc:session::theirs", '{"userId":"x"}')
    assert single.get_session("theirs") == {"userId": "x"}
    client.set("stc:null", "null")
    client.set("stc:broken", "{")
    assert single.get("null") is None
    assert single.get("broken") is None
    assert single.get_session("null") is None


def test_long_values_are_compressed(single: CacheManager, client: redis.Redis) -> None:
    """A value above the threshold takes a fraction of the memory; one below is plain."""
    page = {"html": "<p>hello</p>" * 2_000}
    single.set("page", page)
    single.set("short", {"a": 1})
    assert client.strlen("stc:page") < 2_000
    assert client.get("stc:short") == b'{"a":1}'
    assert single.get("page") == page
    plain = open_cache(single._manager.settings.redis_url.reveal(), cache_compress_bytes=0)  # type: ignore[union-attr]
    plain.set("page", page)
    assert client.strlen("stc:page") > 24_000
    assert single.get("page") == page


def test_what_is_no_value() -> None:
    """Torn, false and explosive documents read as nothing."""
    whole = dump("value", "x" * 10_000, 1)
    assert load(whole) == "x" * 10_000
    assert dump("value", list(range(9)), 1) == b"[0,1,2,3,4,5,6,7,8]"
    bomb = b"\x01" + (1_000).to_bytes(4) + zlib.compress(bytes(10_000_000))
    huge = b"\x01" + (2**31).to_bytes(4) + zlib.compress(b"x")
    for broken in (
        whole[:-3],
        whole[:3],
        bomb,
        huge,
        b"\x01",
        b"",
        b"\xff",
        b"[" * 100_000,
        None,
        "x",
    ):
        assert load(broken) is None
    assert load(b"x" * 2_000_000) is None


def test_statistics(single: CacheManager) -> None:
    """What happened is counted, and Redis tells of itself."""
    single.set("a", 1)
    single.get("a")
    single.get("b")
    stats = single.stats()
    assert (stats["hits"], stats["misses"], stats["writes"], stats["hit_rate"]) == (1, 1, 1, 0.5)
    assert stats["memory_used_bytes"] > 0
    assert stats["memory"]["used_memory"] == stats["memory_used_bytes"]
    assert single.health() is True


def test_statistics_of_a_cluster(cache: CacheManager) -> None:
    """Each kind of Redis tells of itself."""
    assert cache.stats()["redis_version"]


def test_without_redis() -> None:
    """Without Redis every answer is that of an empty cache, and nothing raises."""
    cache = open_cache(None)
    assert cache.set("a", 1) is False
    assert cache.get("a") is None
    assert (cache.delete("a"), cache.exists("a"), cache.expire("a", 1), cache.ttl("a")) == (0, False, False, None)
    assert (cache.get_many(["a"]), cache.set_many({"a": 1}), cache.increment("a")) == ({}, 0, None)
    assert (cache.delete_pattern("ab*"), cache.keys("ab*"), cache.flush(), cache.health()) == (0, [], 0, False)
    assert cache.set_session("s", {}) is False
    assert cache.get_session("s") is None
    assert (cache.extend_session("s"), cache.delete_session("s"), cache.touch_session("s")) == (False, False, False)
    assert (cache.get_user_sessions("u"), cache.delete_user_sessions("u")) == ({}, 0)
    assert cache.stats()["redis_version"] is None
    with cache.pipeline() as pipeline:
        result = pipeline.set("a", 1)
    assert result.value is False


def test_a_server_that_is_gone(own_redis: Callable[..., RedisServer]) -> None:
    """While Redis is gone nothing raises; what was stored before is there when it is back."""
    server = own_redis()
    cache = open_cache(server.url, cache_breaker_seconds=0.01)
    cache.set("a", 1)
    server.stop()
    assert cache.get("a") is None
    assert cache.set("a", 2) is False
    server.start()


def test_an_error_in_a_pipeline(single: CacheManager, client: redis.Redis) -> None:
    """A command that Redis refuses leaves its own result alone empty."""
    client.lpush("stc:list", "x")
    with single.pipeline() as pipeline:
        wrong, right = pipeline.get("list"), pipeline.set("a", 1)
    assert (wrong.value, right.value) == (None, True)


BAD: list[tuple[str, Callable[[CacheManager], Any]]] = [
    ("key", lambda cache: cache.get("")),
    ("key", lambda cache: cache.get("a b")),
    ("key", lambda cache: cache.get("a{b}")),
    ("key", lambda cache: cache.get("x" * 201)),
    ("key", lambda cache: cache.get(7)),  # type: ignore[arg-type]
    ("key", lambda cache: cache.delete("a\0")),
    ("keys", lambda cache: cache.get_many(f"k{number}" for number in range(100_001))),
    ("prefix", lambda cache: cache.set("a", 1, prefix="")),
    ("ttl", lambda cache: cache.set("a", 1, 0)),
    ("ttl", lambda cache: cache.set("a", 1, "x")),
    ("ttl", lambda cache: cache.set("a", 1, "60")),  # type: ignore[arg-type]
    ("seconds", lambda cache: cache.set("a", 1, {"seconds": 1})),  # type: ignore[typeddict-unknown-key]
    ("ttl", lambda cache: cache.expire("a", -1)),
    ("by", lambda cache: cache.increment("a", 1.5)),  # type: ignore[arg-type]
    ("value", lambda cache: cache.set("a", {1: 2})),
    ("value", lambda cache: cache.set("a", float("nan"))),
    ("value", lambda cache: cache.set("a", "x" * 1_000_001)),
    ("pattern", lambda cache: cache.delete_pattern("*")),
    ("pattern", lambda cache: cache.delete_pattern("a*")),
    ("pattern", lambda cache: cache.delete_pattern("ab[c]")),
    ("pattern", lambda cache: cache.keys(7)),  # type: ignore[arg-type]
    ("limit", lambda cache: cache.keys("ab*", limit=0)),
    ("session_id", lambda cache: cache.get_session("")),
    ("session_id", lambda cache: cache.get_session("x" * 256)),
    ("session_id", lambda cache: cache.get_session("a\n")),
    ("session_data", lambda cache: cache.set_session("s", "x")),  # type: ignore[arg-type]
    ("expected", lambda cache: cache.update_session("s", {}, expected="x")),  # type: ignore[arg-type]
    ("ttl", lambda cache: cache.set_session("s", {}, 0)),
    ("ttl", lambda cache: cache.extend_session("s", 31_622_401)),
    ("every", lambda cache: cache.touch_session("s", every=0)),
    ("user_id", lambda cache: cache.get_user_sessions("")),
]


@pytest.mark.parametrize(("field", "call"), BAD, ids=range(len(BAD)))
def test_bad_input(refused: Callable[..., Any], field: str, call: Callable[[CacheManager], Any]) -> None:
    """What is refused is named, and nothing is sent."""
    cache = open_cache(None)
    assert refused(lambda: call(cache)).field.partition(".")[0] == field
