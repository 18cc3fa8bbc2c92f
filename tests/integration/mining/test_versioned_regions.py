"""The versioned layout of regions: written atomically, newest first, in whatever order versions come."""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from surf_data import SurfDataError, ValidationError
from surf_data.mining import (
    DataAccessError,
    MiningDataLayer,
    RedisSourceDAO,
    RegionData,
    versioned_regions,
)

Refused = Callable[..., SurfDataError]


@pytest.fixture
def source(data: MiningDataLayer) -> RedisSourceDAO:
    """Return an access object for the versioned layout."""
    return RedisSourceDAO(data, layout="versioned")


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client of the same Redis."""
    with redis.Redis.from_url(redis_url) as opened:
        yield opened


def region(version: int, guid: str = "north") -> RegionData:
    """Return a region as it was in a version."""
    return RegionData(guid, f"points {version}", f"2026-01-{version:02d}", "client", "site")


def versions(source: RedisSourceDAO, *, every: bool = False) -> list[tuple[str, int]]:
    """Return the regions of a truck with their versions."""
    found = source.get_asset_regions("truck:1 {x}", include_all_versions=every) or []
    return [(each["region_guid"], each["version"]) for each in found]


def put(source: RedisSourceDAO, version: int, guid: str = "north") -> bool:
    """Store a version."""
    return source.put_region("truck:1 {x}", region(version, guid), version)


def test_versions(source: RedisSourceDAO) -> None:
    """The newest version of each region is read alone, or all of them, newest first; an older one comes behind."""
    assert [put(source, version) for version in (2, 1, 3)] == [True] * 3
    assert put(source, 5, "a south") is True
    assert versions(source) == [("a south", 5), ("north", 3)]
    assert versions(source, every=True) == [("a south", 5), ("north", 3), ("north", 2), ("north", 1)]
    latest = source.pull_region_based_asset("truck:1 {x}")
    assert latest is not None
    assert latest[1] == {**region(3).to_dict(), "version": 3}
    assert source.get_asset_regions("another") is None


def test_the_same_again(source: RedisSourceDAO) -> None:
    """The same version again changes nothing; another document under its number is refused."""
    put(source, 1)
    assert put(source, 1) is False
    with pytest.raises(DataAccessError, match="another document"):
        source.put_region("truck:1 {x}", region(2), 1)
    assert versions(source, every=True) == [("north", 1)]


def test_removal(source: RedisSourceDAO) -> None:
    """A removed region is gone, its earlier versions stay, and a newer one brings it back."""
    put(source, 1)
    assert source.remove_region("truck:1 {x}", region(2), 2) is True
    assert source.pull_region_based_asset("truck:1 {x}") is None
    assert versions(source, every=True) == [("north", 1)]
    put(source, 3)
    assert versions(source) == [("north", 3)]
    # Late news of what was gone before.
    assert source.remove_region("truck:1 {x}", region(2), 4) is True
    put(source, 2 + 3)
    assert versions(source) == [("north", 5)]


def test_how_many_are_kept(source: RedisSourceDAO, client: redis.Redis) -> None:
    """A region keeps its 50 newest versions; an older one that comes late is not among them."""
    for version in range(2, 62):
        put(source, version)
    put(source, 1)
    assert [version for _, version in versions(source, every=True)] == list(range(61, 11, -1))
    [key] = list(client.scan_iter("*versions"))
    assert client.hlen(key) == versioned_regions.KEEP_VERSIONS


def test_one_slot(source: RedisSourceDAO, client: redis.Redis) -> None:
    """All keys of an asset have one hash tag, whatever its id is, so that a cluster keeps them together."""
    put(source, 1)
    assert sorted(client.keys()) == [
        b"asset:{truck%3A1%20%7Bx%7D}:region_numbers",
        b"asset:{truck%3A1%20%7Bx%7D}:region_versions",
        b"asset:{truck%3A1%20%7Bx%7D}:regions",
    ]


def test_racing_writers(source: RedisSourceDAO, data: MiningDataLayer) -> None:
    """Writers that store the versions of a region in any order, some twice, leave the newest as the latest."""

    def write(seed: int) -> int:
        order = list(range(1, 31))
        random.Random(seed).shuffle(order)  # noqa: S311 - an example
        own = RedisSourceDAO(data, layout="versioned")
        return sum(put(own, version) for version in order)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(write, range(6))) == 30
    assert versions(source) == [("north", 30)]
    assert [version for _, version in versions(source, every=True)] == list(range(30, 0, -1))


@pytest.mark.parametrize(
    "document",
    [
        b"\xff",
        b"{",
        b"[]",
        b"[" * 100_000,
        b"{}",
        json.dumps({"v": 2, "version": 1, "deleted": False, **region(1).to_dict()}).encode(),
        json.dumps({"v": 1, "version": 0, "deleted": False, **region(1).to_dict()}).encode(),
        json.dumps({"v": 1, "version": 1, "deleted": False, **region(1).to_dict(), "region_guid": 5}).encode(),
    ],
    ids=range(8),
)
def test_documents_of_strangers(
    source: RedisSourceDAO, client: redis.Redis, caplog: pytest.LogCaptureFixture, document: bytes
) -> None:
    """A document that is not as it should be is skipped and logged by its key, never returned."""
    put(source, 1)
    client.hset("asset:{truck%3A1%20%7Bx%7D}:regions", "strange", document)  # type: ignore[arg-type]
    assert versions(source) == [("north", 1)]
    [record] = [record for record in caplog.records if record.msg == "region skipped"]
    assert record.key == "asset:{truck%3A1%20%7Bx%7D}:regions"  # type: ignore[attr-defined]


def test_what_is_refused(source: RedisSourceDAO, data: MiningDataLayer, refused: Refused) -> None:
    """Arguments are checked, and the layout of others is not written."""
    wrong: Any = (
        lambda: source.put_region("", region(1), 1),
        lambda: source.put_region("x", {"region_guid": "x"}, 1),  # type: ignore[arg-type]
        lambda: source.put_region("x", region(1), 0),
        lambda: source.put_region("x", region(1), True),  # noqa: FBT003 - a wrong one
        lambda: source.put_region("x", region(1), 2**70),
        lambda: RedisSourceDAO(data).put_region("x", region(1), 1),
        lambda: RedisSourceDAO(data).remove_region("x", region(1), 1),
        lambda: RedisSourceDAO(data, layout="other"),  # type: ignore[arg-type]
        lambda: source.get_asset_regions(None),  # type: ignore[arg-type]
        lambda: RegionData("", None, None),
        lambda: RegionData("x", 5, None),  # type: ignore[arg-type]
        lambda: RegionData("x", "\0", None),
    )
    for call in wrong:
        assert isinstance(refused(call), ValidationError)
