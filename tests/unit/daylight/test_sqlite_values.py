"""Values of SQLite, which has types by value and not by column: converted exactly, or refused with a reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from surf_data.daylight.sqlite import rows, values
from surf_data.daylight.sqlite.values import Refused, Value


@pytest.mark.parametrize(
    ("convert", "value", "expected"),
    [
        (values.text, 7, "7"),
        (values.limited(3, None, least=0), None, None),
        (values.limited(3, "x"), "", "x"),
        (values.boolean(None), " Yes ", True),
        (values.boolean(None), 0.0, False),
        (values.moment, "1790000000000", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        (values.moment, 1_790_000_000.0, datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
    ],
)
def test_what_has_one_meaning_is_converted(
    convert: Callable[[str, Value], Any], value: Value, expected: object
) -> None:
    """Numbers as they are written, words for booleans, moments by their number of digits."""
    assert convert("x", value) == expected


@pytest.mark.parametrize(
    ("convert", "value", "reason"),
    [
        (values.text, "\udcff", "is not UTF-8"),
        (values.text, "a\0", "has a NUL character"),
        (values.text, b"a", "is binary"),
        (values.limited(3, None), None, "is missing"),
        (values.limited(3, None), "four", "must have 1 to 3 characters"),
        (values.boolean(None), 2, "is no boolean"),
        (values.real, "nan", "is no finite number"),
        (values.real, b"1", "is no finite number"),
        (values.moment, "never", "is no moment from 1970 to 2100"),
        (values.moment, "1969-12-31", "is no moment from 1970 to 2100"),
        (values.moment, "0001-01-01T00:00:00+14:00", "is no moment from 1970 to 2100"),
        (values.moment, "12345", "is no moment from 1970 to 2100"),
        (values.moment, 0.5, "is no moment from 1970 to 2100"),
        (values.moment, b"1790000000", "is no moment from 1970 to 2100"),
    ],
)
def test_what_has_none_is_refused(convert: Callable[[str, Value], Any], value: Value, reason: str) -> None:
    """The reason names what is wrong and not the value."""
    with pytest.raises(Refused, match=reason) as refused:
        convert("x", value)
    assert refused.value.column == "x"


@pytest.mark.parametrize(
    ("extent", "least", "greatest", "expected"),
    [
        (rows.history_extent, 1, 9, ("history_", "history`")),
        (rows.history_extent, 1, "x", None),
        (rows.history_extent, None, None, None),
        (rows.location_history_extent, "a", "b", ("a", "b")),
        (rows.location_history_extent, 1, "b", None),
        (rows.location_history_extent, "a", b"b", None),
        (rows.location_history_extent, "a", "\udcff", None),
        (rows.location_history_extent, None, None, None),
    ],
)
def test_what_ids_there_can_be_is_known_of_keys_of_one_type(
    extent: Callable[[Any, Any], tuple[str, str] | None], least: Any, greatest: Any, expected: tuple[str, str] | None
) -> None:
    """SQLite orders by type first: if the first and the last key are texts, or numbers, all are."""
    assert extent(least, greatest) == expected
