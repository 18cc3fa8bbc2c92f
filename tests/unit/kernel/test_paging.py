"""Pages by number, and pages after the last item of the one before."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import ValidationError
from surf_data.kernel.paging import Page, keyset, limit_offset, uuid_keyset

MOMENT = datetime(2026, 7, 1, 12, tzinfo=UTC)
IDENTIFIER = UUID("0b6c6c0e-1f3b-4a53-9d57-0a6f5a4f7a11")


@attrs.frozen
class _Item:
    id: object
    started_at: object


@given(total=st.integers(0, 5000), per_page=st.integers(1, 100))
def test_walking_the_pages_shows_every_item_once(total: int, per_page: int) -> None:
    """As long as a page says that one follows, and no longer, there are items to come."""
    everything = range(total)
    seen: list[int] = []
    number = 0
    has_next = True
    while has_next:
        number += 1
        limit, offset = limit_offset(number, per_page)
        page = Page(list(everything[offset : offset + limit]), total, number, per_page)
        assert page.has_prev == (number > 1)
        seen += page.items
        has_next = page.has_next
    assert (seen, page.pages) == (list(everything), -(-total // per_page))


def test_a_page_beyond_the_end_has_one_before_and_none_after() -> None:
    """It is empty and knows the total."""
    page = Page[str](items=[], total=25, page=9, per_page=10)
    assert (page.pages, page.has_prev, page.has_next) == (3, True, False)


def test_a_page_that_a_caller_makes_without_a_size_has_no_pages() -> None:
    """Nothing is divided by nothing."""
    assert Page[str](items=[], total=25, page=1, per_page=0).pages == 0


@pytest.mark.parametrize(
    ("page", "per_page", "field"),
    [
        (0, 10, "page"),
        (-1, 10, "page"),
        (True, 10, "page"),
        ("1", 10, "page"),
        (2**40, 10, "page"),
        (1, 0, "per_page"),
        (1, 1001, "per_page"),
        (1, None, "per_page"),
        (101, 1000, "page"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_name(page: object, per_page: object, field: str) -> None:
    """So is one so far behind that the server would read 100,000 rows for it."""
    with pytest.raises(ValidationError) as caught:
        limit_offset(page, per_page)
    assert caught.value.field == field


def test_a_caller_may_allow_smaller_or_larger_pages() -> None:
    """The limit is the caller's."""
    assert limit_offset(2, 5000, max_per_page=5000) == (5000, 5000)
    with pytest.raises(ValidationError, match="per_page must be from 1 to 20"):
        limit_offset(1, 21, max_per_page=20)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, (None, None)),
        (MOMENT, (MOMENT, 0)),
        (MOMENT.astimezone(timezone(timedelta(hours=9))), (MOMENT, 0)),
        ({"started_at": MOMENT, "id": 7, "more": "x"}, (MOMENT, 7)),
        (_Item(7, MOMENT), (MOMENT, 7)),
    ],
)
def test_a_page_begins_after_an_item_or_before_a_moment(last: Any, expected: Any) -> None:
    """The item may be a mapping or an object."""
    assert keyset("after", last, by="started_at") == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, (None, None)),
        (MOMENT, (MOMENT, UUID(int=0))),
        ({"started_at": MOMENT, "id": str(IDENTIFIER)}, (MOMENT, IDENTIFIER)),
        (_Item(IDENTIFIER, MOMENT), (MOMENT, IDENTIFIER)),
    ],
)
def test_ids_may_be_uuids(last: Any, expected: Any) -> None:
    """Then a moment alone stands for the nil UUID, which comes before all others."""
    assert uuid_keyset("after", last, by="started_at") == expected


@pytest.mark.parametrize(
    ("last", "field"),
    [
        ("2026-07-01", "after"),
        (datetime(2026, 7, 1), "after"),  # noqa: DTZ001 - refused because of it
        ({}, "after.started_at"),
        ({"started_at": MOMENT}, "after.id"),
        ({"started_at": MOMENT, "id": True}, "after.id"),
        (_Item(-1, MOMENT), "after.id"),
        (_Item(1, "x"), "after.started_at"),
        (Page([], 0, 1, 1), "after.started_at"),
    ],
)
def test_what_is_no_last_item_is_refused_by_name(last: object, field: str) -> None:
    """Each refusal says which part of it was wrong."""
    with pytest.raises(ValidationError) as caught:
        keyset("after", last, by="started_at")
    assert caught.value.field == field


def test_an_item_without_a_uuid_is_refused() -> None:
    """A number is no UUID."""
    with pytest.raises(ValidationError, match=r"after\.id must be a UUID"):
        uuid_keyset("after", _Item(7, MOMENT), by="started_at")
