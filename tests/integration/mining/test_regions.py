"""Regions in Redis: the requirement's usage block, and the layout that other services write."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from surf_data import ValidationError, mining
from surf_data.mining import (
    DataAccessError,
    MiningDataLayer,
    RedisConnectionError,
    RedisKeyPattern,
    RedisSourceDAO,
    redis_source_dao,
)

POINTS = "34.81 31.25, 34.82 31.25, 34.82 31.26, 34.81 31.25"


@pytest.fixture
def source(data: MiningDataLayer) -> RedisSourceDAO:
    """Return an access object outside ``with``."""
    return RedisSourceDAO(data)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return another service's client."""
    with redis.Redis.from_url(redis_url) as opened:
        yield opened


def write(client: redis.Redis, asset: str, **regions: dict[str, str]) -> None:
    """Write an asset's regions as other services do."""
    client.sadd(f"asset:{asset}:regions", *regions)
    for name, fields in regions.items():
        if fields:
            client.hset(f"region:{name}", mapping=fields)


def test_basic_data_retrieval(client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usage block reads the regions of an asset, all versions of them, and a status."""
    monkeypatch.setenv("SURF_DATA_REDIS_URL", redis_url)
    write(
        client,
        "truck-123",
        a={"region_guid": "north", "created_date": "2025-01-01", "region_points": "old"},
        b={"region_guid": "north", "created_date": "2025-02-01", "region_points": POINTS},
    )
    client.set("asset:truck-123:status", "driving")
    with RedisSourceDAO() as dao:
        # Get asset regions (latest versions only)
        regions = dao.pull_region_based_asset("truck-123")

        # Get all region versions
        all_regions = dao.get_asset_regions("truck-123", include_all_versions=True)

        # Flexible key pattern access
        pattern = RedisKeyPattern("asset:{asset_id}:status", {"asset_id": "truck-123"})
        status = dao.get_data_by_key_pattern(pattern, "string")
    mining.close_all_connections()
    latest = {
        "region_guid": "north",
        "region_points": POINTS,
        "created_date": "2025-02-01",
        "client_guid": None,
        "site_guid": None,
    }
    assert regions == [latest]
    assert all_regions is not None
    assert [region["region_points"] for region in all_regions] == [POINTS, "old"]
    assert status == "driving"


def test_kinds_of_values(source: RedisSourceDAO, client: redis.Redis) -> None:
    """A string, a set and a hash come as text, set and dictionary; what is missing is None or empty."""
    client.set("k:string", "ü")
    client.sadd("k:set", "a", "b")
    client.hset("k:hash", "field", "value")
    found = [
        source.get_data_by_key_pattern(RedisKeyPattern("k:{kind}", {"kind": kind}), kind)  # type: ignore[arg-type]
        for kind in ("string", "set", "hash")
    ]
    missing = [source.get_data_by_key_pattern(RedisKeyPattern("none"), kind) for kind in ("string", "set", "hash")]
    assert found == ["ü", {"a", "b"}, {"field": "value"}]
    assert missing == [None, set(), {}]


def test_many_patterns(source: RedisSourceDAO, client: redis.Redis) -> None:
    """Several keys come in the order in which they were asked for."""
    client.mset({f"n:{number}": str(number) for number in range(1_001)})
    patterns = [RedisKeyPattern("n:{number}", {"number": number}) for number in range(1_001)]
    assert source.get_data_by_key_patterns(patterns) == [str(number) for number in range(1_001)]
    assert source.get_data_by_key_patterns([]) == []


def test_another_type_of_key(source: RedisSourceDAO, client: redis.Redis) -> None:
    """A key of another type, or a value that is not text, is a DataAccessError and a RedisConnectionError."""
    client.set("k", b"\xff")
    with pytest.raises(DataAccessError) as not_text:
        source.get_data_by_key_pattern(RedisKeyPattern("k"))
    with pytest.raises(DataAccessError) as wrong_type:
        source.get_data_by_key_pattern(RedisKeyPattern("k"), "hash")
    assert isinstance(not_text.value, RedisConnectionError)
    assert isinstance(wrong_type.value, RedisConnectionError)
    assert wrong_type.value.__context__ is None
    assert wrong_type.value.original_exception is not None


@pytest.mark.parametrize(
    ("dates", "site"),
    [
        (["2025-01-01T00:00:00", "2025-02-01T00:00:00"], "site-1"),
        # As text, these are in another order.
        (["2025-9-1", "2025-10-1"], "site-1"),
        (["2025-01-01T00:30:00+02:00", "2024-12-31T23:00:00Z"], "site-1"),
        (["2025-01-01T12:00:00.5", "2025-01-01 12:00:00,75"], "site-1"),
        (["not a date", "0001-01-02"], "site-1"),
        (["2025-02-30", "2025-01-01"], "site-1"),
        (["9999-12-31T23:00-02", "2025-01-01"], "site-1"),
        # Ties go by name.
        (["2025-01-01", "2025-01-01"], "site-1"),
    ],
)
def test_site_of_an_asset(source: RedisSourceDAO, client: redis.Redis, dates: list[str], site: str) -> None:
    """The site is that of the newest region, by the moment that its date stands for; unreadable dates come first."""
    write(
        client,
        "truck-1",
        **{f"r{number}": {"created_date": date, "site_guid": f"site-{number}"} for number, date in enumerate(dates)},
        nowhere={"created_date": "2030-01-01"},
        gone={},
    )
    assert source.get_asset_site("truck-1") == site


def test_no_site(source: RedisSourceDAO, client: redis.Redis) -> None:
    """Without regions, or without a site in any of them, there is no site."""
    write(client, "truck-2", r={"created_date": "2025-01-01"})
    assert source.get_asset_site("truck-1") is None
    assert source.get_asset_site("truck-2") is None
    assert source.get_asset_regions("truck-1") is None


def test_versions(source: RedisSourceDAO, client: redis.Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Versions have one region, client and site; a deleted newest one hides the region; broken ones are logged."""
    write(
        client,
        "truck-1",
        a1={"region_guid": "a", "client_guid": "c", "created_date": "2025-01-01"},
        a2={"region_guid": "a", "client_guid": "other", "created_date": "2024-01-01"},
        b1={"region_guid": "b", "created_date": "2025-01-01"},
        b2={"region_guid": "b", "created_date": "2025-01-02", "is_deleted": "True"},
        plain={"region_points": POINTS},
        broken={"region_guid": "x" * 201},
        gone={},
    )
    latest = source.pull_region_based_asset("truck-1")
    assert latest is not None
    assert [(region["region_guid"], region["client_guid"]) for region in latest] == [
        ("a", "c"),
        ("a", "other"),
        ("plain", None),
    ]
    everything = source.get_asset_regions("truck-1", include_all_versions=True)
    assert everything is not None
    assert [region["region_guid"] for region in everything] == ["a", "a", "b", "plain"]
    assert [record.key for record in caplog.records if record.msg == "region skipped"] == [  # type: ignore[attr-defined]
        "region:broken"
    ] * 2


def test_site_regions(source: RedisSourceDAO, client: redis.Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Regions of one type come with three keys, whatever the case; broken entries are skipped and counted."""
    good: dict[str, Any] = {"region_guid": "g", "region_name": "North", "region_type": "DUMP", "points": POINTS}
    entries: dict[str, Any] = {
        "a": good,
        "b": {**good, "region_guid": "h", "region_name": None, "points": None, "region_points": "other"},
        "c": {**good, "region_type": "load"},
        "no points": {**good, "points": ""},
        "no guid": {**good, "region_guid": None},
        "no type": {**good, "region_type": None},
        "no object": [1],
    }
    client.hset("site:site-1:regions", mapping={name: json.dumps(entry) for name, entry in entries.items()})
    client.hset("site:site-1:regions", "broken", "{")
    client.hset("site:site-1:regions", "deep", "[" * 100_000)
    client.hset("site:site-1:regions", "binary", b"\xff")
    with caplog.at_level(logging.WARNING):
        found = source.get_site_regions("site-1", "Dump")
    assert found == [
        {"region_guid": "g", "region_name": "North", "region_points": POINTS},
        {"region_guid": "h", "region_name": None, "region_points": "other"},
    ]
    [record] = [record for record in caplog.records if record.msg == "regions skipped"]
    assert (record.key, record.count) == ("site:site-1:regions", 7)  # type: ignore[attr-defined]


def test_no_site_regions(source: RedisSourceDAO, client: redis.Redis) -> None:
    """Without a key, or without a usable entry, there are none."""
    client.hset("site:site-2:regions", "x", "{}")
    assert source.get_site_regions("site-1", "dump") is None
    assert source.get_site_regions("site-2", "dump") is None


def test_many_regions_in_two_round_trips(source: RedisSourceDAO, client: redis.Redis) -> None:
    """An asset with more regions than one pipeline takes is read whole."""
    write(
        client,
        "truck-1",
        **{
            f"r{number}": {"site_guid": f"s{number}", "created_date": f"{2000 + number}-01-01"} for number in range(600)
        },
    )
    assert source.get_asset_site("truck-1") == "s599"


def test_wrong_patterns(source: RedisSourceDAO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else than patterns, an unknown type of value, or too many, is refused."""
    wrong: Any = (
        lambda: source.get_data_by_key_pattern("x"),  # type: ignore[arg-type]
        lambda: source.get_data_by_key_pattern(RedisKeyPattern("x"), "list"),  # type: ignore[arg-type]
        lambda: source.get_data_by_key_patterns("x"),  # type: ignore[arg-type]
        lambda: source.get_data_by_key_patterns([RedisKeyPattern("x")] * 3),
        lambda: source.get_site_regions("x", ""),
        lambda: source.get_asset_site(""),
    )
    monkeypatch.setattr(redis_source_dao, "_MAX_PATTERNS", 2)
    for call in wrong:
        with pytest.raises(ValidationError):
            call()
