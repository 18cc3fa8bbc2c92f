"""What comes back of a value is what JSON says, the same whether it was computed or found; or it is refused."""

import datetime as dt
import decimal
import enum
import uuid
from collections import ChainMap, OrderedDict, UserDict, namedtuple
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

from rig.caching import value_of
from surf_data.kernel.cache import JsonCache

Point = namedtuple("Point", "x y")  # noqa: PYI024 - as callers write them


class Color(enum.StrEnum):
    """Text with a name."""

    RED = "red"


class OldColor(str, enum.Enum):  # noqa: UP042 - as callers have them
    """The same, as it was written before there was StrEnum."""

    RED = "red"


class Level(enum.IntEnum):
    """A number with a name."""

    HIGH = 3


class Flags(enum.IntFlag):
    """A number of bits."""

    A = 1
    B = 2


class Plain(enum.Enum):
    """A name that JSON does not know."""

    A = 1


class Text(str):
    """Text that is shown as something else."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


class Number(int):
    """A number that is shown as something else."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "0"


class Part(float):
    """The same with a point."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "0.0"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ((1, 2), [1, 2]),
        (((),), [[]]),
        (Point(1, 2), [1, 2]),
        (Color.RED, "red"),
        (OldColor.RED, "red"),
        (Level.HIGH, 3),
        (Flags.A | Flags.B, 3),
        (Text("text"), "text"),
        (Number(7), 7),
        (Part(1.5), 1.5),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (UserDict({"a": (1,)}), {"a": [1]}),
        (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
        ({Color.RED: 1}, {"red": 1}),
        ({Text("text"): 1}, {"text": 1}),
    ],
    ids=range(16),
)
def test_it_comes_back_as_json(cache: JsonCache, given: Any, found: Any) -> None:
    """Tuples as lists, subclasses and enums as what they contain, mappings as dictionaries."""
    computed = cache.get_or_load("computed", value_of, lambda: {"a": [given]}, 60)
    assert cache.set("set", {"a": [given]}, 60)
    assert cache.set_many({"many": {"a": [given]}}, 60) == 1
    answers = [computed, *(cache.get(key, value_of) for key in ("computed", "set", "many"))]
    assert answers == [{"a": [found]}] * 4
    for answer in answers:
        assert answer is not None
        assert type(answer["a"][0]) is type(found)


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        {1},
        Plain.A,
        decimal.Decimal(1),
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        uuid.UUID(int=1),
        1j,
        {5: 1},
        {(1,): 1},
        {None: 1},
        float("nan"),
        2**64,
    ],
    ids=repr,
)
def test_what_json_cannot_say_is_refused(cache: JsonCache, refused: Callable[..., Any], value: Any) -> None:
    """It is refused by its place, and nothing is stored."""
    for store in (
        lambda: cache.set("key", {"a": [value]}, 60, field="value"),
        lambda: cache.set_many({"key": {"a": [value]}}, 60, fields={"key": "value"}),
        lambda: cache.get_or_load("key", value_of, lambda: {"a": [value]}, 60),
    ):
        assert refused(store).field.startswith("value.a[0]")
    assert cache.get("key", value_of) is None
