"""The envelope of cached values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.cache.json_values import (
    MAX_TTL_SECONDS,
    Absence,
    Entry,
    document_of,
    dump,
    dump_absence,
    is_doubtful,
    load,
    validated_ttl,
)

NOW = 1_767_225_600.25

WHOLE: dict[str, Any] = {"version": 1, "stored_at": NOW, "ttl_seconds": 60, "value": {"wave_height_m": 1.5}}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0")), inner, max_size=4)
    ),
    max_leaves=20,
)


def document(**changes: Any) -> bytes:
    """Return a whole document, with some members changed."""
    return json.dumps({**WHOLE, **changes}).encode()


def without(member: str) -> bytes:
    """Return a document that lacks a member."""
    return json.dumps({key: value for key, value in WHOLE.items() if key != member}).encode()


def test_format_is_fixed() -> None:
    """What is stored is compact JSON: version, time, time to live and value."""
    assert dump("value", {"a": "ö"}, 60, NOW) == (
        '{"version":1,"stored_at":1767225600.25,"ttl_seconds":60,"value":{"a":"ö"}}'.encode()
    )


@given(value=st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0")), JSON, max_size=5))
def test_round_trip(value: dict[str, Any]) -> None:
    """Whatever may be stored comes back unchanged."""
    assert load(dump("value", value, 60, NOW)) == Entry(value=value, stored_at=NOW, ttl_seconds=60)


@pytest.mark.parametrize(
    ("passed", "is_doubted"), [(0, False), (59.999, False), (60, True), (61, True), (-59.999, False), (-60, True)]
)
def test_when_redis_is_asked(*, passed: float, is_doubted: bool) -> None:
    """An entry is in doubt once its time has passed by this clock, or it seems to come from as far in the future."""
    entry = load(document())
    assert isinstance(entry, Entry)
    assert is_doubtful(entry, NOW + passed) is is_doubted


def test_absence_is_remembered() -> None:
    """That there is no value comes back as that, and is no entry."""
    assert load(dump_absence(60, NOW)) == Absence(stored_at=NOW, ttl_seconds=60)
    assert load(document(value=None)) == Absence(stored_at=NOW, ttl_seconds=60)


def test_jitter_only_shortens() -> None:
    """A time to live is shortened by up to the part that was asked for, not below a second, and not without it."""
    ttls = [document_of("value", {}, 1000, 0.9).ttl_seconds for _ in range(500)]
    assert 100 <= min(ttls) < 500 < max(ttls) <= 1000
    assert {document_of("value", None, 1, 0.9).ttl_seconds for _ in range(50)} == {1}
    assert document_of("value", {}, 1000, 0.0).ttl_seconds == 1000


def test_an_entry_belongs_to_its_reader() -> None:
    """What one reader does to a value, another reader of the same document does not see."""
    stored = dump("value", {"a": [{"b": 1}]}, 60, NOW)
    for _ in range(2):
        entry = load(stored)
        assert isinstance(entry, Entry)
        assert entry.value == {"a": [{"b": 1}]}
        entry.value["a"][0]["b"] = 2


CORRUPT: dict[str, object] = {
    "not bytes": 5,
    "nothing": b"",
    "not JSON": b"wave_height_m=1.5",
    "a pickle": b"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.",
    "not UTF-8": document().replace(b"wave", b"w\xffve"),
    "UTF-16": document().decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + document(),
    "truncated": document()[:-3],
    "two documents": document() + document(),
    "null": b"null",
    "a number": b"1",
    "a list": b"[1, 2, 3, 4]",
    "bare value": b'{"wave_height_m": 1.5}',
    "no version": without("version"),
    "no time": without("stored_at"),
    "no time to live": without("ttl_seconds"),
    "no value": without("value"),
    "one member too many": document(more=1),
    "version 2": document(version=2),
    "version true": document(version=True),
    "version 1.0": document(version=1.0),
    "version as text": document(version="1"),
    "time as text": document(stored_at="now"),
    "time null": document(stored_at=None),
    "time true": document(stored_at=True),
    "time NaN": document(stored_at=float("nan")),
    "time infinite": document(stored_at=float("inf")),
    "time to live 0": document(ttl_seconds=0),
    "time to live 1.5": document(ttl_seconds=1.5),
    "time to live true": document(ttl_seconds=True),
    "time to live too long": document(ttl_seconds=MAX_TTL_SECONDS + 1),
    "value list": document(value=[1]),
    "value text": document(value="{}"),
    "NaN": document(value={"a": float("nan")}),
    "infinite": document(value={"a": [float("-inf")]}),
    "infinite in disguise": document(value={"a": 0}).replace(b'"a": 0', b'"a": 1e999'),
    "number too large": document(value={"a": 2**64}),
    "number far too large": document(value={"a": 0}).replace(b'"a": 0', b'"a": ' + b"9" * 5000),
    "NUL": document(value={"a": "\0"}),
    "lone surrogate": document(value={"a": "\ud800"}),
    "too deep": document(value={"a": 0}).replace(b'"a": 0', b'"a": ' + b"[" * 70 + b"]" * 70),
    "depth bomb": b"[" * 200_000,
    "depth bomb inside": document(value={"a": 0}).replace(b'"a": 0', b'"a": ' + b"[" * 100_000 + b"]" * 100_000),
    "huge": document(value={"a": "x" * 2 * validation.MAX_JSON_BYTES}),
}


@pytest.mark.parametrize("corrupt", CORRUPT.values(), ids=CORRUPT.keys())
def test_anything_else_is_corrupt(corrupt: object) -> None:
    """A document that could not have been written here is corrupt, whatever is wrong with it."""
    assert load(corrupt) is None


@given(corrupt=st.binary())
def test_no_bytes_raise(corrupt: bytes) -> None:
    """No bytes whatsoever make reading fail."""
    assert load(corrupt) is None


def test_largest_value_can_be_read_back() -> None:
    """The largest value that may be stored is not taken for a corrupt one."""
    value = {"a": "x" * (validation.MAX_JSON_BYTES - 8)}
    entry = load(dump("value", value, MAX_TTL_SECONDS, NOW))
    assert isinstance(entry, Entry)
    assert entry.value == value


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "meta"),
        ([1], "meta"),
        ({1: 2}, "meta"),
        ({"a": float("nan")}, "meta.a"),
        ({"a": [0, {"b": b"bytes"}]}, "meta.a[1].b"),
        ({"a": "x" * validation.MAX_JSON_BYTES}, "meta.a"),
    ],
)
def test_refused_values_are_named(value: Any, field: str) -> None:
    """A value that JSON cannot hold is refused, with the path to what is wrong."""
    with pytest.raises(ValidationError) as raised:
        dump("meta", value, 60, NOW)
    assert raised.value.field == field


@pytest.mark.parametrize("ttl_seconds", [0, -1, True, 1.0, "60", None, MAX_TTL_SECONDS + 1])
def test_time_to_live_is_checked(ttl_seconds: Any) -> None:
    """A time to live is a whole number of seconds, from one to a year."""
    with pytest.raises(ValidationError) as raised:
        validated_ttl(ttl_seconds)
    assert raised.value.field == "ttl_seconds"


def test_time_to_live_is_a_plain_number() -> None:
    """A time to live comes back as it is, in bounds."""
    assert [validated_ttl(1), validated_ttl(MAX_TTL_SECONDS)] == [1, MAX_TTL_SECONDS]
