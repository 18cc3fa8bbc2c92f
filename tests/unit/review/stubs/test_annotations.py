"""Types as annotations."""

import collections
import datetime as dt
import decimal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar, Union
from uuid import UUID

import psycopg.types.json
import pytest

from surf_data.kernel.postgres import Json, Stream
from surf_data.review.stubs.annotations import Imports, takes

LampId = NewType("LampId", UUID)
T = TypeVar("T")


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (int, "int"),
        (None, "None"),
        (Any, "Any"),
        (None | int, "int | None"),
        (Optional[UUID], "UUID | None"),  # noqa: UP045 - people write it
        (list[str | None], "list[str | None]"),
        (list[str] | list[str | None] | None, "list[str] | list[str | None] | None"),
        (tuple[Any, ...], "tuple[Any, ...]"),
        (tuple[()], "tuple[()]"),
        (AbstractContextManager[Stream], "AbstractContextManager[Stream]"),
    ],
)
def test_written(kind: Any, written: str) -> None:
    """A type is written as people write it."""
    assert Imports().written(kind) == written


def test_imports() -> None:
    """What a type is written with is imported, Python's own modules first; a second class of a name gets another."""
    imports = Imports()
    kinds = [UUID, dt.datetime, dt.date, Json, psycopg.types.json.Json, Json, str]
    assert [imports.written(kind) for kind in kinds] == ["UUID", "datetime", "date", "Json", "Json_", "Json", "str"]
    assert list(imports.lines()) == [
        "from datetime import date, datetime",
        "from uuid import UUID",
        "",
        "from psycopg.types.json import Json as Json_",
        "from surf_data.kernel.postgres import Json",
    ]


def test_taken_names() -> None:
    """Where a query is called like a type, the type gets another name."""
    imports = Imports(frozenset({"list", "date"}))
    assert imports.written(list[dt.date]) == "_list[_date]"
    assert list(imports.lines()) == ["from builtins import list as _list", "from datetime import date as _date"]


def test_nothing_to_import() -> None:
    """Without types of others there is nothing to import."""
    assert list(Imports().lines()) == []


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (int, int),
        (float, int),
        (int | None, int),
        (int | None, None),
        (Union[int, None], int | None),  # noqa: UP007 - people write it
        (Any, int),
        (object, int),
        (dict[str, Any], Any),
        (IPv4Address | IPv6Address | None, IPv4Address | IPv6Address),
        (dt.date, dt.datetime),
        (list[str], list[str | None]),
        (list[str | None], list[str | None]),
        (list[Any], list[str | None]),
        (list, list[str | None]),
        (collections.abc.Sequence[str], list[str | None]),
        (LampId, UUID),
        (Annotated[UUID, "of a lamp"], UUID),
        (Annotated[LampId | None, "of a lamp"], UUID),
        (Literal["a", "b"], str),
        (T, str),
        ("Later", str),
        (None, None),
    ],
    ids=str,
)
def test_takes(declared: Any, given: Any) -> None:
    """An annotation takes the values of what it names, of less, and of what cannot be known."""
    assert takes(declared, given)


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (str, int),
        (int, float),
        (int, None),
        (int, int | None),
        (bool, int),
        (float, decimal.Decimal),
        (IPv4Address, IPv4Address | IPv6Address),
        (IPv4Address | None, IPv4Network),
        (list[int], list[str | None]),
        (tuple[str, ...], list[str | None]),
        (Iterator[str], list[str | None]),
        (LampId, str),
        (int, T),
    ],
    ids=str,
)
def test_takes_not(declared: Any, given: Any) -> None:
    """An annotation does not take values of other types, nor of more types than it names."""
    assert not takes(declared, given)
