"""What a caller does wrong is the caller's error: it is raised at once, and no other caller's cache is turned off."""

import enum
from collections.abc import Callable
from typing import Any

import pytest
import redis

from rig.caching import VALUE, figures, value_of
from surf_data import DataLayer
from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.cache import JsonCache, LoadOptions
from surf_data.kernel.cache.names import MAX_KEY
from surf_data.kernel.redis import RedisManager

Refused = Callable[..., Any]

KEYS = {
    "lone surrogate": "a\ud800",
    "number": 5,
    "bytes": b"key",
    "nothing": None,
    "list": ["key"],
    "empty": "",
    "NUL": "a\0b",
    "too long": "x" * (MAX_KEY + 1),
}
CALLS: dict[str, Callable[[JsonCache, Any], object]] = {
    "get": lambda cache, key: cache.get(key, value_of),
    "get_many": lambda cache, key: cache.get_many(iter([key]), value_of),
    "get_or_load": lambda cache, key: cache.get_or_load(key, value_of, lambda: VALUE, 60),
    "set": lambda cache, key: cache.set(key, VALUE, 60),
    "delete": lambda cache, key: cache.delete(key),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_keys_are_text(cache: JsonCache, refused: Refused, call: Callable[[JsonCache, Any], object], key: Any) -> None:
    """A key that is no text of a sensible length, or that UTF-8 cannot encode, is refused before anything is sent."""
    for _ in range(4):
        assert refused(lambda: call(cache, key)).field == "key"
    assert figures(cache) == {}


class Name(str):
    """Text that is shown as something else."""

    __slots__ = ()

    def __format__(self, _: str) -> str:
        return "something else"

    def __str__(self) -> str:
        return "something else"


class Key(enum.StrEnum):
    """Keys with names."""

    STATS = "stats"


@pytest.mark.parametrize("key", ["stats", Name("stats"), Key.STATS], ids=["str", "subclass", "enum"])
def test_a_subclass_of_text_is_what_it_contains(cache: JsonCache, client: redis.Redis, key: str) -> None:
    """Not what it is shown as."""
    assert cache.set(key, VALUE, 60)
    assert list(client.scan_iter()) == [b"stats"]
    assert cache.get(key, value_of) == VALUE


@pytest.mark.parametrize("keys", [None, 5, object()])
def test_many_keys_are_iterable(cache: JsonCache, refused: Refused, keys: Any) -> None:
    """What is no collection of keys is refused."""
    assert refused(lambda: cache.get_many(keys, value_of)).field == "keys"


@pytest.mark.parametrize("values", [None, 5, [("key", VALUE)], {5: VALUE}, {"a\ud800": VALUE}])
def test_many_values_are_a_mapping(cache: JsonCache, refused: Refused, values: Any) -> None:
    """What is no mapping of keys is refused."""
    assert refused(lambda: cache.set_many(values, 60)).field in {"values", "key"}
    assert figures(cache) == {}


def at_the_end_of_the_stack(call: Callable[[], object]) -> None:
    """Make a call with too little room for it, then with a little more, and so on until there is enough."""
    try:
        at_the_end_of_the_stack(call)
    except RecursionError:
        call()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_the_end_of_the_stack(
    cache: JsonCache, manager: RedisManager, call: Callable[[JsonCache, Any], object]
) -> None:
    """A call for which there is no room left fails in the caller; nothing is taken for corrupt, and nothing is lost."""
    deep: Any = VALUE
    for _ in range(20):
        deep = {"a": deep}
    cache.set("deep", deep, 60)
    at_the_end_of_the_stack(lambda: call(cache, "deep"))
    assert manager.stats()["breaker"] == "closed"
    assert cache.stats()["corrupt"] == 0
    assert cache.set("key", VALUE, 60)
    assert cache.get("key", value_of) == VALUE


class Faulty(Exception):
    """What an operation raises."""


def fault(error: BaseException) -> Callable[[redis.Redis], Any]:
    """Return an operation that raises."""

    def operation(_: redis.Redis) -> Any:
        raise error

    return operation


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (fault(KeyError("sesame")), KeyError),
        (fault(Faulty()), Faulty),
        (fault(MemoryError()), MemoryError),
        (fault(RecursionError()), RecursionError),
        (fault(DatabaseUnavailable()), DatabaseUnavailable),
        (lambda client: client.get(), TypeError),
        (lambda client: client.nothing(), AttributeError),
    ],
    ids=lambda value: value.__name__,
)
def test_an_operations_own_errors(
    manager: RedisManager, operation: Callable[[redis.Redis], Any], kind: type[Exception]
) -> None:
    """What an operation raises before anything has arrived is raised, and says nothing against the server."""
    for _ in range(4):
        with pytest.raises(kind):
            manager.call(operation, read=True, otherwise=None)
        with pytest.raises(kind):
            manager.demand(operation, read=True)
    assert figures(manager) == {}
    assert manager._slots._value == manager.settings.cache_max_connections


@pytest.mark.parametrize(
    "operation",
    [
        lambda client: client.get("\ud800"),
        lambda client: client.set("key", None),
        lambda client: client.set("key", bool(client)),
        lambda client: client.set("key", {"a": 1}),
        lambda client: client.mset({"key": object()}),
        lambda client: client.pipeline().set("key", [1]).execute(),
    ],
    ids=["surrogate", "None", "bool", "dict", "object", "pipeline"],
)
def test_what_redis_cannot_take(
    manager: RedisManager, refused: Refused, operation: Callable[[redis.Redis], Any]
) -> None:
    """What the driver cannot send is refused, without a word of the driver's."""
    for _ in range(4):
        assert refused(lambda: manager.call(operation, read=False, otherwise=None)).field == "operation"
        assert refused(lambda: manager.demand(operation, read=False)).field == "operation"
    assert figures(manager) == {}
    assert manager.call(lambda client: client.ping(), read=True, otherwise=False) is True


MISTAKES: list[dict[str, Any]] = [
    {"refresh_second": 5},
    {"across_process": True},
    {"once_per_flet": True},
    {"ttl": 5},
    {"wait": 1},
    {"jitter": 0.1},
    {"field": "x"},
    {"copy": dict},
    {"across_processes": "no"},
    {"across_processes": 1},
    {"across_processes": None},
    {"refresh_seconds": "5"},
    {"refresh_seconds": True},
    {"wait_seconds": None},
    {"wait_seconds": "1"},
    {"ttl_jitter": "a lot"},
    {"ttl_jitter": 1},
    {"ttl_jitter": -0.1},
    {"none_ttl_seconds": 0},
    {"none_ttl_seconds": 1.5},
    {"none_ttl_seconds": True},
]
LAMP = "6f1c9f0e-2b5a-4c3d-8e7f-0123456789ab"
LOADERS: dict[str, Callable[..., object]] = {
    "surf_data": lambda data, **options: data.cache.get_or_load_surf_data(1, dict, **options),
    "location_meta": lambda data, **options: data.cache.get_or_load_location_meta(1, dict, **options),
    "lamp_status": lambda data, **options: data.cache.get_or_load_lamp_status(LAMP, dict, **options),
    "system_stats": lambda data, **options: data.cache.get_or_load_system_stats(dict, **options),
}


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS.keys())
def test_options_are_checked(data: DataLayer, refused: Refused, load: Callable[..., object]) -> None:
    """An option that does not exist, or is of the wrong type, is refused by its name, and nothing is computed."""
    for mistake in MISTAKES:
        assert refused(lambda options=mistake: load(data, **options)).field == next(iter(mistake))
    assert data.stats()["cache"]["loads"] == 0


@pytest.mark.parametrize("mistake", [one for one in MISTAKES if one.keys() - {"field", "copy"}], ids=str)
def test_options_of_the_cache_itself(cache: JsonCache, refused: Refused, mistake: LoadOptions) -> None:
    """The same where a domain is not in between."""
    error = refused(lambda: cache.get_or_load("key", value_of, dict, 60, **mistake))
    assert error.field == next(iter(mistake))


def test_an_option_by_its_former_name(cache: JsonCache, refused: Refused) -> None:
    """What was called otherwise once is understood, with a warning that says what it is called."""
    options: dict[str, Any] = {"once_per_fleet": True}
    with pytest.warns(DeprecationWarning, match="once_per_fleet is called across_processes"):
        assert cache.get_or_load("key", value_of, lambda: {"n": 1}, 60, **options) == {"n": 1}
    both = {**options, "across_processes": True}
    assert refused(lambda: cache.get_or_load("key", value_of, dict, 60, **both)).field == "once_per_fleet"
