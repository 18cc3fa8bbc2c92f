"""What callers hand in: taken if it can be stored unchanged, refused by name otherwise."""

import math
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum
from functools import partial
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import ValidationError
from surf_data.kernel import validation

SECRET = "planted-7f3a"
IDENTIFIER = "0b6c6c0e-1f3b-4a53-9d57-0a6f5a4f7a11"
CHECKS: dict[str, Callable[[object], object]] = {
    "uuid": lambda value: validation.uuid("the_field", value),
    "text": lambda value: validation.text("the_field", value, maximum=10),
    "integer": lambda value: validation.integer("the_field", value, minimum=0),
    "number": lambda value: validation.number("the_field", value),
    "aware_datetime": lambda value: validation.aware_datetime("the_field", value),
    "address": lambda value: validation.ip_address("the_field", value),
    "mapping": lambda value: validation.mapping("the_field", value),
    "json_text": lambda value: validation.json_text("the_field", value),
    "jsonb_text": lambda value: validation.jsonb_text("the_field", value),
    "jsonb_object": lambda value: validation.jsonb_object("the_field", value),
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.complex_numbers()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.uuids()
    | st.ip_addresses()
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(SCALARS, max_size=3)
        | st.dictionaries(SCALARS, inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


class Color(IntEnum):
    """A whole number with a name."""

    RED = 1


def nested(depth: int, inner: object) -> object:
    """Return ``inner`` within this many lists and mappings."""
    for level in range(depth):
        inner = [inner] if level % 2 else {"a": inner}
    return inner


@pytest.mark.parametrize("check", CHECKS)
@given(value=ANYTHING)
def test_nothing_but_a_validation_error_comes_of_anything(check: str, value: object) -> None:
    """Whatever is handed in, it is taken or refused with the one error, which begins with the name of the field."""
    refusal = None
    try:
        CHECKS[check](value)
    except ValidationError as error:
        refusal = error
    if refusal is not None:
        assert (refusal.field or "").startswith("the_field")
        assert str(refusal).startswith(f"{refusal.field} must")
        assert refusal.__cause__ is None


@pytest.mark.parametrize("value", [UUID(IDENTIFIER), IDENTIFIER, IDENTIFIER.upper(), IDENTIFIER.replace("-", "")])
def test_a_uuid_is_taken_as_such_or_as_its_digits(value: object) -> None:
    """Ids are accepted as UUID or text, with hyphens or without, in either case."""
    assert UUID(IDENTIFIER) == validation.uuid("lamp_id", value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"{{{IDENTIFIER}}}",
        f"urn:uuid:{IDENTIFIER}",
        f" {IDENTIFIER}",
        f"{IDENTIFIER}\n",
        IDENTIFIER[:-1],
        IDENTIFIER.replace("0", "٠"),
        "0" * 31 + "_",
        int(UUID(IDENTIFIER)),
        UUID(IDENTIFIER).bytes,
        None,
    ],
)
def test_other_spellings_of_a_uuid_are_refused(value: object, refused: Callable[..., Any]) -> None:
    """Braces, URNs, spaces, foreign digits, numbers and bytes are no ids."""
    error = refused(lambda: validation.uuid("lamp_id", value))
    assert (str(error), error.field) == ("lamp_id must be a UUID", "lamp_id")


@given(value=st.text(min_size=1, max_size=10))
def test_text_is_taken_unchanged(value: str) -> None:
    """Text within its limits that PostgreSQL can store is returned as it is."""
    if "\0" not in value:
        assert value == validation.text("name", value, maximum=10)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (b"bytes", "must be text"),
        (None, "must be text"),
        ("", "must have 1 to 3 characters"),
        ("four", "must have 1 to 3 characters"),
        ("a\0b", "must not contain NUL characters or lone surrogates"),
        ("a\udfff", "must not contain NUL characters or lone surrogates"),
    ],
)
def test_bad_text_is_refused(value: object, problem: str, refused: Callable[..., Any]) -> None:
    """No text, too short, too long, NUL and lone surrogates: each refusal says which."""
    assert f"name {problem}" == str(refused(lambda: validation.text("name", value, maximum=3)))


def test_a_character_is_what_postgresql_counts() -> None:
    """Limits count code points, as PostgreSQL's varchar does, and not bytes."""
    assert validation.text("name", "🏄🏄🏄", maximum=3) == "🏄🏄🏄"
    assert validation.text("name", "", minimum=0, maximum=3) == ""


def test_a_whole_number_is_taken_within_its_range() -> None:
    """Both ends of a range are in it, and a number with a name is its number."""
    assert validation.integer("limit", 1, minimum=1, maximum=5) == 1
    assert validation.integer("limit", 5, minimum=1, maximum=5) == 5
    assert type(validation.integer("limit", Color.RED, minimum=1)) is int
    assert validation.integer("limit", 2**31 - 1, minimum=0) == 2147483647


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (0, "must be from 1 to 5"),
        (6, "must be from 1 to 5"),
        (10**5000, "must be from 1 to 5"),
        (True, "must be a whole number"),
        (1.0, "must be a whole number"),
        ("1", "must be a whole number"),
        (None, "must be a whole number"),
    ],
    ids=lambda value: str(type(value).__name__) if isinstance(value, int) and value > 10 else None,
)
def test_other_numbers_are_refused(value: object, problem: str, refused: Callable[..., Any]) -> None:
    """Numbers out of range, booleans, floats and texts are no such whole number."""
    assert f"limit {problem}" == str(refused(lambda: validation.integer("limit", value, minimum=1, maximum=5)))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (math.nan, "must be finite"),
        (math.inf, "must be finite"),
        (-math.inf, "must be finite"),
        (2**63, "must fit 64 bits"),
        (-(2**63), "must fit 64 bits"),
        (True, "must be a number"),
        ("1.5", "must be a number"),
        (None, "must be a number"),
    ],
)
def test_what_is_no_number_is_refused(value: object, problem: str, refused: Callable[..., Any]) -> None:
    """Neither NaN and infinities nor numbers beyond 64 bits nor other types are numbers here."""
    assert f"height {problem}" == str(refused(lambda: validation.number("height", value)))


@pytest.mark.parametrize("value", [0, -1.5, 2**63 - 1, 1 - 2**63, 5e-324, 1.7e308])
def test_a_number_is_taken_unchanged(value: float) -> None:
    """Finite floats and 64-bit whole numbers are returned as they are."""
    assert value == validation.number("height", value)


@given(moment=st.datetimes(timezones=st.timezones()))
def test_a_moment_is_taken_in_utc(moment: datetime) -> None:
    """An aware datetime comes back as the same moment in UTC."""
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        return
    taken = validation.aware_datetime("since", moment)
    assert expected == taken
    assert taken.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (datetime(2025, 1, 1), "must have a time zone"),  # noqa: DTZ001 - that is the point
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "must lie in the years 1 to 9999 of UTC"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "must lie in the years 1 to 9999 of UTC"),
        ("2025-01-01T00:00:00Z", "must be a datetime"),
        (1735689600, "must be a datetime"),
    ],
    ids=str,
)
def test_other_moments_are_refused(value: object, problem: str, refused: Callable[..., Any]) -> None:
    """A datetime without a zone, one outside Python's years in UTC, a text and a number are no moments."""
    assert f"since {problem}" == str(refused(lambda: validation.aware_datetime("since", value)))


@pytest.mark.parametrize("value", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
def test_an_address_is_taken_as_such_or_as_text(value: str) -> None:
    """An IPv4 or IPv6 address is accepted as text and as an object of the ipaddress module."""
    taken = validation.ip_address("ip_address", value)
    assert value == str(taken).replace("::ffff:c000:201", "::ffff:192.0.2.1")
    assert taken == validation.ip_address("ip_address", taken)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "192.0.2.1/24",
        "192.0.2.01",
        "192.0.2.256",
        "fe80::1%eth0",
        IPv6Address("fe80::1%eth0"),
        IPv4Interface("192.0.2.1/24"),
        IPv6Interface("2001:db8::1/64"),
        3221225985,
        b"\xc0\0\2\1",
        None,
    ],
)
def test_other_addresses_are_refused(value: object, refused: Callable[..., Any]) -> None:
    """A mask, a scope id, a number and bytes are more or less than an address."""
    error = refused(lambda: validation.ip_address("ip_address", value))
    assert (str(error), error.field) == ("ip_address must be an IP address", "ip_address")


def test_a_mapping_is_any_with_text_keys(refused: Callable[..., Any]) -> None:
    """Every kind of mapping is taken as it is, if its keys are texts."""
    for value in ({}, {"a": 1}, OrderedDict(a=1), types.MappingProxyType({"a": 1})):
        assert validation.mapping("data", value) is value
    for check in (validation.mapping, validation.jsonb_object):
        assert str(refused(partial(check, "data", [("a", 1)]))) == "data must be a mapping"
    assert str(refused(lambda: validation.mapping("data", {1: 2}))) == "data must have text keys"


def test_keys_are_all_there_and_known(refused: Callable[..., Any]) -> None:
    """A missing and an unknown key are refused by name; a long unknown one is not repeated in full."""
    validation.check_keys("user", {"email": 1, "name": 2}, required=["email"], optional=["name"])
    error = refused(lambda: validation.check_keys("user", {}, required=["email"]))
    assert (str(error), error.field) == ("user lacks email", "email")
    error = refused(lambda: validation.check_keys("user", {"email": 1, "x" * 60: SECRET}, required=["email"]))
    assert (f"user has an unknown key {'x' * 40!r}", "x" * 40) == (str(error), error.field)


def test_json_is_compact_and_complete() -> None:
    """What is accepted is written without needless spaces and escapes, tuples as lists, mappings as objects."""
    value: Mapping[str, Any] = types.MappingProxyType(
        {"é": [1, 2.5, None, True], "t": ("a", Color.RED), "m": OrderedDict(x={})}
    )
    assert validation.json_text("details", value) == '{"é":[1,2.5,null,true],"t":["a",1],"m":{"x":{}}}'
    assert validation.jsonb_text("details", value) == validation.json_text("details", value)


@pytest.mark.parametrize(
    ("value", "path", "problem"),
    [
        (math.nan, "details", "must be finite"),
        ({"a": [1, {"b": math.inf}]}, "details.a[1].b", "must be finite"),
        ({"a": {1: 2}}, "details.a", "must have text keys"),
        ({"a": b""}, "details.a", "must be JSON: text, a number, a boolean, None, a list or a mapping"),
        ({"a": {1}}, "details.a", "must be JSON: text, a number, a boolean, None, a list or a mapping"),
        (["a\0"], "details[0]", "must not contain NUL characters or lone surrogates"),
        ({"a\ud800": 1}, "details", "must not contain NUL characters or lone surrogates"),
        ({"k" * 60: {1}}, f"details.{'k' * 40}", "must be JSON: text, a number, a boolean, None, a list or a mapping"),
        ([2**63], "details[0]", "must fit 64 bits"),
    ],
    ids=["nan", "infinity", "key", "bytes", "set", "nul", "surrogate", "long key", "65 bits"],
)
def test_what_json_cannot_carry_is_refused_with_its_path(
    value: object, path: str, problem: str, refused: Callable[..., Any]
) -> None:
    """A refusal within a document says where."""
    error = refused(lambda: validation.json_text("details", value))
    assert (f"{path} {problem}", path) == (str(error), error.field)


def test_only_jsonb_has_a_limit_for_floats(refused: Callable[..., Any]) -> None:
    """Floats that PostgreSQL would give back as other numbers are refused for jsonb, and fine elsewhere."""
    below = math.nextafter(validation.MAX_JSONB_FLOAT, 0)
    assert validation.jsonb_text("x", [below, -below, 2**60]) == f"[{below!r},{-below!r},{2**60}]"
    assert validation.json_text("x", 1e16) == "1e+16"
    for value in (1e16, -1e16, 1.5e300):
        assert str(refused(lambda value=value: validation.jsonb_text("x", value))) == "x must be smaller than 1e+16"


@pytest.mark.parametrize("inner", [0, "text", [], {}])
def test_documents_may_be_64_levels_deep(inner: object, refused: Callable[..., Any]) -> None:
    """Sixty-four lists and mappings within one another are accepted, whatever the innermost holds, and no more."""
    containers = int(isinstance(inner, (list, dict)))
    validation.json_text("x", nested(64 - containers, inner))
    error = refused(lambda: validation.json_text("x", nested(65 - containers, inner)))
    assert str(error).endswith(" must not be nested deeper than 64 levels")


def test_a_document_that_holds_itself_is_refused(refused: Callable[..., Any]) -> None:
    """A list within itself has no end, and is refused for its depth."""
    endless: list[object] = []
    endless.append(endless)
    assert "deeper than 64" in str(refused(lambda: validation.json_text("x", endless)))


@pytest.mark.parametrize(
    "value",
    ["x" * 1_000_001, "é" * 500_000, "\n" * 500_000, [0] * 1_000_000, ["x" * 1000] * 1001, {"k" * 1_000_000: 1}],
    ids=["text", "bytes", "escapes", "list", "repeated", "key"],
)
def test_documents_have_a_megabyte_at_the_most(value: object, refused: Callable[..., Any]) -> None:
    """More than a million bytes are refused, counted as they would be sent."""
    error = refused(lambda: validation.json_text("x", value))
    assert str(error).endswith(" must not be larger than 1000000 bytes of JSON")


def test_a_small_document_that_would_be_written_large_is_refused(refused: Callable[..., Any]) -> None:
    """A few lists that refer to one another many times are refused before they are written out."""
    value: list[object] = []
    for _ in range(60):
        value = [value, value]
    assert "must not be larger" in str(refused(lambda: validation.json_text("x", value)))


def test_a_megabyte_is_accepted() -> None:
    """A document of exactly a million bytes is accepted."""
    assert len(validation.json_text("x", "x" * 999_998)) == validation.MAX_JSON_BYTES
    assert isinstance(validation.ip_address("a", "192.0.2.1"), IPv4Address)
