"""The near cache by itself: what it keeps, for how long, and what it does not keep."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from rig.caching import value_of
from surf_data.kernel.cache.json_values import copy_json, json_copier
from surf_data.kernel.cache.near import NearCache, NearEntry


def test_a_time_to_live_ends() -> None:
    """Also when it is not forgotten."""
    near = NearCache(1000)
    near.trust(float("inf"))
    reading = near.begin("k")
    assert reading is not None
    near.finish("k", reading, kept(expires_at=time.monotonic() - 1))
    assert near.find("k", value_of) is None


def test_trust_ends() -> None:
    """What was kept is not used after that, also when that is not announced, and used again when trust is renewed."""
    near = NearCache(1000)
    near.trust(float("inf"))
    reading = near.begin("k")
    assert reading is not None
    near.finish("k", reading, kept())
    assert near.find("k", value_of) is not None
    near.trust(time.monotonic() - 1)
    assert near.find("k", value_of) is None
    assert near.begin("k") is None
    near.trust(float("inf"))
    assert near.find("k", value_of) is not None


def kept(*, expires_at: float = float("inf"), size: int = 1, version: int = 1) -> NearEntry:
    """Return something to keep."""
    return NearEntry(
        value={}, copy=copy_json, decode=value_of, stored_at=0.0, expires_at=expires_at, size=size, version=version
    )


def test_its_size_is_bounded() -> None:
    """What was read first goes first, and what is larger than everything is not kept."""
    near = NearCache(30)
    near.trust(float("inf"))
    for place, (name, size) in enumerate([("a", 9), ("b", 9), ("a", 9), ("c", 9), ("d", 30), ("e", 9)]):
        reading = near.begin(name)
        assert reading is not None
        near.finish(name, reading, kept(size=size, version=place))
    assert [name for name in "abcde" if near.find(name, value_of)] == ["a", "c", "e"]
    assert near.hits == 3
    assert near.hits == 3


@pytest.mark.parametrize(
    "event",
    [lambda near: near.forget(["k"]), lambda near: near.clear(), lambda near: near.distrust()],
    ids=["forgotten", "cleared", "distrusted"],
)
def test_a_change_while_reading_wins(event: Callable[[NearCache], object]) -> None:
    """What was read before a change is not kept after it, also when there is trust again."""
    near = NearCache(1000)
    near.trust(float("inf"))
    reading = near.begin("k")
    assert reading is not None
    event(near)
    near.trust(float("inf"))
    near.finish("k", reading, kept())
    assert near.find("k", value_of) is None


@pytest.mark.parametrize(
    ("versions", "is_kept"),
    [([1, 1, 1], True), ([1, 2], False), ([1, None], False), ([None, 1], False), ([1, 2, 2], False), ([None], False)],
)
def test_readers_at_the_same_time(versions: list[int | None], *, is_kept: bool) -> None:
    """What they all got is kept; after two versions were seen none is, lest a reader see the earlier one again."""
    near = NearCache(1000)
    near.trust(float("inf"))
    readings = [near.begin("k") for _ in versions]
    for reading, version in zip(readings, versions, strict=True):
        assert reading is not None
        near.finish("k", reading, None if version is None else kept(version=version))
    assert (near.find("k", value_of) is not None) is is_kept


@pytest.mark.parametrize("late_first", [True, False])
def test_a_reader_of_before_a_change(*, late_first: bool) -> None:
    """A reader that began before a change, and got a later version, does not see the earlier one of another reader."""
    near = NearCache(1000)
    near.trust(float("inf"))
    late = near.begin("k")
    near.forget(["k"])
    other = near.begin("k")
    assert late is not None
    assert other is not None
    finished = [(late, kept(version=2)), (other, kept(version=1))]
    for reading, value in finished if late_first else reversed(finished):
        near.finish("k", reading, value)
    assert near.find("k", value_of) is None


def test_without_trust_nothing_is_kept() -> None:
    """A reader that begins then need not finish."""
    assert NearCache(1000).begin("k") is None


@pytest.mark.parametrize("value", [1, "text", None, [1, [2]], {"a": [{}]}, {"a": 1}])
def test_copies(value: Any) -> None:
    """A copy is equal, whatever JSON can say, and shares nothing that can be changed."""
    for copy in (copy_json, json_copier(value)):
        assert copy(value) == value
        assert (copy(value) is value) is not isinstance(value, dict | list)
