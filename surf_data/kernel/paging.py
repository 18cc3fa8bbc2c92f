"""Pages of a list: by number with a total, or after the last item of the page before (keyset)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import attrs

from surf_data.kernel import validation

T = TypeVar("T")

#: The most items of a page.
MAX_PER_PAGE = 1000
#: How far into a list a page may end: OFFSET reads all that it skips, so what lies beyond is for a keyset.
MAX_PAGED = 100_000

_NIL = UUID(int=0)


@attrs.frozen
class Page(Generic[T]):
    """A page of a list, and where in it the page is."""

    #: The items of this page; none when it lies beyond the end.
    items: list[T]
    #: How many items all pages have together.
    total: int
    #: The number of this page, counted from 1.
    page: int
    #: How many items a full page has.
    per_page: int

    @property
    def pages(self) -> int:
        """How many pages there are; 0 without items."""
        return -(-self.total // self.per_page) if self.per_page > 0 else 0

    @property
    def has_next(self) -> bool:
        """Whether a page follows."""
        return self.page < self.pages

    @property
    def has_prev(self) -> bool:
        """Whether a page precedes; also ``True`` beyond the end."""
        return self.page > 1


def limit_offset(page: object, per_page: object, *, max_per_page: int = MAX_PER_PAGE) -> tuple[int, int]:
    """Return ``LIMIT`` and ``OFFSET`` of a page.

    Arguments:
        page: its number, counted from 1.
        per_page: items of a full page, 1 to ``max_per_page``.
        max_per_page: the most that the caller allows.

    Raises:
        ValidationError: one of them is no such number, or the page ends beyond item 100,000.
    """
    number = validation.integer("page", page, minimum=1)
    limit = validation.integer("per_page", per_page, minimum=1, maximum=max_per_page)
    if number * limit > MAX_PAGED:
        raise validation.invalid("page", f"must end within the first {MAX_PAGED:,} items; go on after the last item")
    return limit, (number - 1) * limit


def keyset(field: str, last: object, *, by: str = "created_at") -> tuple[datetime | None, int | None]:
    """Return moment and id after which a page begins, in a list that is ordered by both, newest first.

    Arguments:
        field: what the error names: the caller's argument.
        last: the last item of the page before, a mapping or an attrs object; or an aware datetime, to begin with what
            is strictly before that moment; ``None`` for the first page.
        by: the key or attribute of the moment.

    Returns:
        ``(None, None)`` for the first page. The id of a moment alone is 0, which no item has.

    Raises:
        ValidationError: ``last`` is none of these.
    """
    if last is None:
        return None, None
    moment, found, identifier = _position(field, last, by)
    if not found:
        return moment, 0
    return moment, validation.integer(f"{field}.id", identifier, minimum=0, maximum=validation.INT8_MAX)


def uuid_keyset(field: str, last: object, *, by: str = "created_at") -> tuple[datetime | None, UUID | None]:
    """Return the same as `keyset` for a list whose ids are UUIDs; the id of a moment alone is the nil UUID."""
    if last is None:
        return None, None
    moment, found, identifier = _position(field, last, by)
    return moment, validation.uuid(f"{field}.id", identifier) if found else _NIL


def _position(field: str, last: object, by: str) -> tuple[datetime, bool, object]:
    """Return the moment of ``last``, whether it is an item, and the item's id."""
    if isinstance(last, Mapping):
        return validation.aware_datetime(f"{field}.{by}", last.get(by)), True, last.get("id")
    if attrs.has(type(last)):
        moment = validation.aware_datetime(f"{field}.{by}", getattr(last, by, None))
        return moment, True, getattr(last, "id", None)
    return validation.aware_datetime(field, last), False, None
