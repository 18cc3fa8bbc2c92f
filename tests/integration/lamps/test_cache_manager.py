"""The Surf Lamp's cache on a real Redis."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import ValidationError
from surf_data.kernel import settings
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.redis import RedisManager
from surf_data.lamps.cache_manager import RedisCacheManager
from surf_data.lamps.interfaces import ICacheManager
from surf_data.lamps.types import SurfData

LAMP = uuid.UUID("6f1c9f0e-2b5a-4c3d-8e7f-0123456789ab")
SURF = SurfData(wave_height_m=1.5, wave_period_s=9.0, wind_speed_mps=3.25, wind_deg=270, location_name="Honolulu")
META: dict[str, Any] = {"name": "Honolulu", "coordinates": {"lat": 21.3099, "lon": -157.8581}}


@pytest.fixture
def manager(redis_url: str) -> Iterator[RedisManager]:
    """Return the way to the server, patient because the server shares a machine."""
    manager = RedisManager(settings.load({}, redis_url=redis_url, cache_timeout=20))
    yield manager
    manager.close()


@pytest.fixture
def cache(manager: RedisManager) -> RedisCacheManager:
    """Return the cache."""
    return RedisCacheManager(JsonCache(manager))


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client that sees the server as it is."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


def test_implements_the_interface(cache: RedisCacheManager) -> None:
    """The class is what the back end asks for."""
    interface: ICacheManager = cache
    assert interface is cache


def test_surf_data_round_trip(cache: RedisCacheManager) -> None:
    """Surf data comes back as it was stored, with the time at which that happened."""
    before = time.time()
    cache.set_surf_data_cache(2, SURF)
    found = cache.get_surf_data_cache(2)
    assert found is not None
    assert found.cache_timestamp is not None
    assert before <= found.cache_timestamp <= time.time()
    assert found.to_dict() == {**SURF.to_dict(), "cache_timestamp": found.cache_timestamp}
    assert found.is_complete
    cache.invalidate_cache(2)
    assert cache.get_surf_data_cache(2) is None


def test_surf_data_from_a_mapping(cache: RedisCacheManager, client: redis.Redis) -> None:
    """The specification's flat format is accepted, keys unknown here survive, and its cache time does not."""
    cache.set_surf_data_cache(0, {"wave_height_m": 2, "tide": {"m": 0.4}, "extra": [1], "cache_timestamp": 5.0})
    found = cache.get_surf_data_cache(0)
    assert found is not None
    assert found.wave_height_m == 2
    assert found.extra == {"tide": {"m": 0.4}, "extra": [1]}
    document = json.loads(client.get("surf_data:0") or b"")
    assert found.cache_timestamp == document["stored_at"]
    assert "cache_timestamp" not in document["value"]


def test_keys_and_times_to_live(cache: RedisCacheManager, client: redis.Redis) -> None:
    """The keys are the specification's, and each family has its own default time to live."""
    cache.set_surf_data_cache(0, SURF)
    cache.warm_surf_data({2147483647: SURF})
    cache.set_location_meta(3, META)
    cache.set_lamp_status(LAMP, {"on": True})
    cache.set_system_stats({"lamps": 5})
    assert {key.decode(): client.ttl(key) for key in client.scan_iter()} == {
        "surf_data:0": pytest.approx(1800, abs=60),
        "surf_data:2147483647": pytest.approx(1800, abs=60),
        "location_meta:3": pytest.approx(3600, abs=60),
        f"lamp_status:{LAMP}": pytest.approx(1800, abs=60),
        "system_stats": pytest.approx(60, abs=60),
    }


@pytest.mark.parametrize(
    ("store", "find", "forget"),
    [
        (
            lambda cache, value: cache.set_location_meta(1, value, 10),
            lambda cache: cache.get_location_meta(1),
            lambda cache: cache.invalidate_location_meta(1),
        ),
        (
            lambda cache, value: cache.set_lamp_status(LAMP, value, 10),
            lambda cache: cache.get_lamp_status(LAMP),
            lambda cache: cache.invalidate_lamp_status(LAMP),
        ),
        (
            lambda cache, value: cache.set_system_stats(value, 10),
            lambda cache: cache.get_system_stats(),
            lambda cache: cache.invalidate_system_stats(),
        ),
    ],
    ids=["location_meta", "lamp_status", "system_stats"],
)
def test_other_families(
    cache: RedisCacheManager,
    store: Callable[[RedisCacheManager, Any], None],
    find: Callable[[RedisCacheManager], Any],
    forget: Callable[[RedisCacheManager], None],
) -> None:
    """Location metadata, lamp status and system statistics are stored, found and forgotten alike."""
    assert find(cache) is None
    store(cache, META)
    assert find(cache) == META
    forget(cache)
    forget(cache)
    assert find(cache) is None


@pytest.mark.parametrize("spelling", [LAMP, str(LAMP), str(LAMP).upper(), LAMP.hex])
def test_lamp_ids_have_one_spelling(cache: RedisCacheManager, spelling: Any) -> None:
    """However a lamp's id is written, its status is under one key."""
    cache.set_lamp_status(spelling, {"on": True})
    assert cache.get_lamp_status(LAMP) == {"on": True}
    cache.invalidate_lamp_status(spelling)
    assert cache.get_lamp_status(LAMP) is None


def test_warm_and_get_many(cache: RedisCacheManager, manager: RedisManager) -> None:
    """Many locations are warmed and read at once; those without data are left out."""
    assert cache.warm_surf_data({1: SURF, 2: {"wave_height_m": 3}, 5: {}}, ttl_seconds=10) == 3
    found = cache.get_surf_data_many([5, 4, 2, 5])
    assert list(found) == [5, 2]
    assert found[2].wave_height_m == 3
    assert cache.get_surf_data_many(iter([])) == {}
    assert cache.warm_surf_data({}) == 0
    stats = cache._cache.stats()
    assert (stats["hits"], stats["misses"], stats["writes"]) == (2, 1, 3)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (5, "data"),
        ({1: SURF, 7: {"wave_height_m": "high"}}, "data[7].wave_height_m"),
        ({1: SURF, 7: {"tide": [0, float("nan")]}}, "data[7].extra.tide[1]"),
        ({1: SURF, 7: None}, "data[7]"),
        ({1: SURF, 7: {8: 9}}, "data[7]"),
        ({1: SURF, 7: {"a": "x" * 600_000, "b": "x" * 400_000}}, "data[7].extra"),
        ({1: SURF, 7: {"a": "x" * 999_950}}, "data[7]"),
        ({1: SURF, -1: SURF}, "location_index"),
        ({1: SURF, "7": SURF}, "location_index"),
    ],
)
def test_warming_is_all_or_nothing(cache: RedisCacheManager, client: redis.Redis, data: Any, field: str) -> None:
    """When one location's data is refused nothing is stored, and the error names the place."""
    with pytest.raises(ValidationError) as raised:
        cache.warm_surf_data(data)
    assert (raised.value.field or "").startswith(field)
    assert str(raised.value).startswith(field)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert client.dbsize() == 0


FAMILIES: list[Any] = [
    pytest.param("surf_data", (2,), {"wave_height_m": 1.5}, id="surf_data"),
    pytest.param("location_meta", (2,), {"name": "Honolulu"}, id="location_meta"),
    pytest.param("lamp_status", ("6f9f0b4c-7a40-4a61-9d1f-0d0a5a3c2b10",), {"is_active": True}, id="lamp_status"),
    pytest.param("system_stats", (), {"total": 3}, id="system_stats"),
]


@pytest.mark.parametrize(("family", "place", "value"), FAMILIES)
def test_what_is_missing_is_computed_once(
    cache: RedisCacheManager, family: str, place: tuple[Any, ...], value: dict[str, Any]
) -> None:
    """What the cache has not is computed, stored, and found from then on; what does not exist is not stored."""
    load, get = getattr(cache, f"get_or_load_{family}"), getattr(cache, f"get_{family}", cache.get_surf_data_cache)
    assert load(*place, lambda: None) is None
    assert get(*place) is None
    computed = load(*place, lambda: value)
    assert load(*place, lambda: {"another": 1}) == computed == get(*place)
    shown = computed.to_dict() if isinstance(computed, SurfData) else computed
    assert value.items() <= shown.items()


@pytest.mark.parametrize(("family", "place", "value"), FAMILIES)
def test_what_is_computed_is_checked(
    cache: RedisCacheManager, family: str, place: tuple[Any, ...], value: dict[str, Any], refused: Callable[..., Any]
) -> None:
    """A computed value that cannot be stored is an error that names what is wrong with it."""
    error = refused(lambda: getattr(cache, f"get_or_load_{family}")(*place, lambda: {"bad": {1}}))
    assert error.field.endswith(".bad")


def test_surf_data_may_be_computed_as_such(cache: RedisCacheManager) -> None:
    """A source may return surf data or a mapping; a caller that waits gets the time it was stored."""
    surf = cache.get_or_load_surf_data(2, lambda: SurfData(wave_height_m=1.5))
    assert surf is not None
    assert (surf.wave_height_m, surf.cache_timestamp is None) == (1.5, False)


@pytest.mark.parametrize(
    "value", [{"wave_height_m": "high"}, {"location_name": 5}, {"wind_deg": True}, {"data_source": "x" * 256}]
)
def test_foreign_surf_data_is_corrupt(
    cache: RedisCacheManager, manager: RedisManager, client: redis.Redis, value: dict[str, Any]
) -> None:
    """Stored JSON that is no surf data is a miss and deleted, among others too."""
    document = json.dumps({"version": 1, "stored_at": time.time(), "ttl_seconds": 60, "value": value})
    client.set("surf_data:1", document)
    client.set("surf_data:2", document)
    cache.set_surf_data_cache(3, SURF)
    assert cache.get_surf_data_cache(1) is None
    assert list(cache.get_surf_data_many([2, 3])) == [3]
    assert list(client.scan_iter()) == [b"surf_data:3"]
    assert cache._cache.stats()["corrupt"] == 2


def test_specifications_own_format_is_corrupt(cache: RedisCacheManager, client: redis.Redis) -> None:
    """What an older release stored without an envelope is a miss and deleted."""
    client.set("surf_data:1", json.dumps({**SURF.to_dict(), "cache_timestamp": time.time(), "ttl_seconds": 1800}))
    assert cache.get_surf_data_cache(1) is None
    assert client.dbsize() == 0


def test_flush_deletes_only_its_own(redis_url: str, client: redis.Redis) -> None:
    """Flushing forgets the four families under the prefix and touches nothing else."""
    manager = RedisManager(settings.load({}, redis_url=redis_url, cache_timeout=20, cache_prefix="lamps:"))
    cache = RedisCacheManager(JsonCache(manager))
    cache.warm_surf_data({0: SURF, 2147483647: SURF})
    cache.set_location_meta(1, META)
    cache.set_lamp_status(LAMP, {})
    cache.set_system_stats({})
    others = [
        "surf_data:1",
        "system_stats",
        "lamps:surf_data:x",
        "lamps:surf_data:01",
        "lamps:surf_data:1:forecast",
        "lamps:surf_data:",
        "lamps:location_meta:all",
        "lamps:lamp_status:1",
        f"lamps:lamp_status:{str(LAMP).upper()}",
        "lamps:system_stats:old",
        "lamps:other",
    ]
    client.mset(dict.fromkeys(others, "x"))
    assert cache.flush() == 5
    assert sorted(key.decode() for key in client.scan_iter()) == sorted(others)
    assert cache.flush() == 0
    manager.close()


@pytest.mark.parametrize("url", [None, "unix:///nowhere/redis.sock"])
def test_without_redis(url: str | None) -> None:
    """Without a server every call answers, and refuses bad input all the same."""
    cache = RedisCacheManager(JsonCache(RedisManager(settings.load({}, redis_url=url))))
    cache.set_surf_data_cache(1, SURF)
    cache.set_location_meta(1, META)
    cache.set_lamp_status(LAMP, {})
    cache.set_system_stats({})
    assert cache.get_surf_data_cache(1) is None
    assert cache.get_surf_data_many([1, 2]) == {}
    assert cache.warm_surf_data({1: SURF}) == 0
    assert cache.get_location_meta(1) is None
    assert cache.get_lamp_status(LAMP) is None
    assert cache.get_system_stats() is None
    cache.invalidate_cache(1)
    cache.invalidate_location_meta(1)
    cache.invalidate_lamp_status(LAMP)
    cache.invalidate_system_stats()
    assert cache.flush() == 0
    with pytest.raises(ValidationError):
        cache.set_surf_data_cache(1, SURF, 0)
    with pytest.raises(ValidationError):
        cache.get_surf_data_cache(-1)


# Bad input

NOT_A_NUMBER = st.none() | st.booleans() | st.floats() | st.text() | st.binary() | st.lists(st.integers())
BAD_INDEX = NOT_A_NUMBER | st.integers(max_value=-1) | st.integers(min_value=2**31)
BAD_TTL = NOT_A_NUMBER | st.integers(max_value=0) | st.integers(min_value=31_536_001)
BAD_LAMP = (
    st.none() | st.integers() | st.text(max_size=31) | st.binary(min_size=16, max_size=16) | st.just(f"{{{LAMP}}}")
)
NOT_JSON = (
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 2**64, "\0", "\ud800", "x" * 1_000_001, b"", {1: 2}])
    | st.builds(object)
    | st.datetimes()
    | st.sets(st.integers())
)
BAD_VALUE = (
    st.none()
    | st.integers()
    | st.text()
    | st.lists(st.integers())
    | st.builds(lambda bad: {"key": bad}, NOT_JSON)
    | st.builds(lambda bad: {"key": [{"inner": bad}]}, NOT_JSON)
    | st.builds(lambda key: {key: 1}, st.integers() | st.binary() | st.sampled_from(["\0", "\ud800"]))
)
BAD_SURF = BAD_VALUE | st.builds(
    lambda field, bad: {field: bad},
    st.sampled_from(["wave_height_m", "wave_period_s", "wind_speed_mps", "wind_deg", "timestamp", "cache_timestamp"]),
    st.sampled_from([True, "1", [], {}, float("nan"), float("inf"), 2**63]),
)

#: Calls that take one bad argument, and what the error's field begins with.
CALLS: dict[str, tuple[st.SearchStrategy[Any], Callable[[RedisCacheManager, Any], object], str]] = {
    "get_surf_data_cache": (BAD_INDEX, RedisCacheManager.get_surf_data_cache, "location_index"),
    "invalidate_cache": (BAD_INDEX, RedisCacheManager.invalidate_cache, "location_index"),
    "get_location_meta": (BAD_INDEX, RedisCacheManager.get_location_meta, "location_index"),
    "invalidate_location_meta": (BAD_INDEX, RedisCacheManager.invalidate_location_meta, "location_index"),
    "set_surf_data_cache": (BAD_INDEX, lambda c, bad: c.set_surf_data_cache(bad, SURF), "location_index"),
    "set_location_meta": (BAD_INDEX, lambda c, bad: c.set_location_meta(bad, META), "location_index"),
    "get_surf_data_many, one": (BAD_INDEX, lambda c, bad: c.get_surf_data_many([0, bad]), "location_indexes[1]"),
    "get_surf_data_many": (st.none() | st.integers(), RedisCacheManager.get_surf_data_many, "location_indexes"),
    "get_lamp_status": (BAD_LAMP, RedisCacheManager.get_lamp_status, "lamp_id"),
    "invalidate_lamp_status": (BAD_LAMP, RedisCacheManager.invalidate_lamp_status, "lamp_id"),
    "set_lamp_status": (BAD_LAMP, lambda c, bad: c.set_lamp_status(bad, {}), "lamp_id"),
    "ttl of surf_data": (BAD_TTL, lambda c, bad: c.set_surf_data_cache(1, SURF, bad), "ttl_seconds"),
    "ttl of warm": (BAD_TTL, lambda c, bad: c.warm_surf_data({1: SURF}, bad), "ttl_seconds"),
    "ttl of nothing": (BAD_TTL, lambda c, bad: c.warm_surf_data({}, bad), "ttl_seconds"),
    "ttl of location_meta": (BAD_TTL, lambda c, bad: c.set_location_meta(1, META, bad), "ttl_seconds"),
    "ttl of lamp_status": (BAD_TTL, lambda c, bad: c.set_lamp_status(LAMP, {}, bad), "ttl_seconds"),
    "ttl of system_stats": (BAD_TTL, lambda c, bad: c.set_system_stats({}, bad), "ttl_seconds"),
    "surf_data": (BAD_SURF, lambda c, bad: c.set_surf_data_cache(1, bad), "data"),
    "warm": (BAD_SURF, lambda c, bad: c.warm_surf_data({0: SURF, 1: bad}), "data[1]"),
    "warm with": (BAD_VALUE.filter(lambda bad: not isinstance(bad, dict)), RedisCacheManager.warm_surf_data, "data"),
    "location_meta": (BAD_VALUE, lambda c, bad: c.set_location_meta(1, bad), "meta"),
    "lamp_status": (BAD_VALUE, lambda c, bad: c.set_lamp_status(LAMP, bad), "status"),
    "system_stats": (BAD_VALUE, RedisCacheManager.set_system_stats, "stats"),
}


@pytest.mark.parametrize("call", CALLS)
def test_bad_input_is_refused(redis_url: str, call: str) -> None:
    """Bad input of any kind is a ValidationError that names the field; nothing is sent and nothing is stored."""
    manager = RedisManager(settings.load({}, redis_url=redis_url, cache_timeout=20))
    cache = RedisCacheManager(JsonCache(manager))
    strategy, refuse, field = CALLS[call]

    @given(bad=strategy)
    def check(bad: Any) -> None:
        with pytest.raises(ValidationError) as raised:
            refuse(cache, bad)
        assert (raised.value.field or "").startswith(field)
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None

    check()
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
    assert set(manager.stats().values()) == {0, "closed"}
    manager.close()
