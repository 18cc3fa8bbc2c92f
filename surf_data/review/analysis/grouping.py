"""Rows of the catalogs, by the relation that they belong to."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class _OfRelation(Protocol):
    @property
    def relation(self) -> int: ...


class _Numbered(_OfRelation, Protocol):
    @property
    def number(self) -> int: ...


R = TypeVar("R", bound=_OfRelation)
N = TypeVar("N", bound=_Numbered)


def by_relation(rows: Iterable[R]) -> dict[int, tuple[R, ...]]:
    """Return the rows of each relation, in their order."""
    found: dict[int, list[R]] = {}
    for row in rows:
        found.setdefault(row.relation, []).append(row)
    return {relation: tuple(each) for relation, each in found.items()}


def by_number(rows: Iterable[N]) -> dict[int, dict[int, N]]:
    """Return the columns of each relation, by their numbers."""
    found: dict[int, dict[int, N]] = {}
    for row in rows:
        found.setdefault(row.relation, {})[row.number] = row
    return found
