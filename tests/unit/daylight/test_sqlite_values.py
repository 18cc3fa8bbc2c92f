"""Values of SQLite, which has types by value and not by column: converted exactly, or refused with a reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from surf_data.daylight.sqlite import values
from surf_data.daylight.sqlite.values import Refused, Value


@pytest.mark.parametrize(
    ("convert", "value", "expected"),
    [
        (values.text, (b"integer", 7), "7"),
        (values.limited(3, None, least=0), (b"null", None), None),
        (values.limited(3, "x"), (b"text", b""), "x"),
        (values.boolean(None), (b"text", b" Yes "), True),
        (values.boolean(None), (b"real", 0.0), False),
        (values.moment, (b"text", b"1790000000000"), datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        (values.moment, (b"real", 1_790_000_000.0), datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
    ],
)
def test_what_has_one_meaning_is_converted(convert: Callable[[Value], Any], value: Value, expected: object) -> None:
    """Numbers as they are written, words for booleans, moments by their number of digits."""
    assert convert(value) == expected


@pytest.mark.parametrize(
    ("convert", "value", "reason"),
    [
        (values.text, (b"text", b"\xff"), "is not UTF-8"),
        (values.text, (b"text", b"a\0"), "has a NUL character"),
        (values.text, (b"blob", b"a"), "is binary"),
        (values.limited(3, None), (b"null", None), "is missing"),
        (values.limited(3, None), (b"text", b"four"), "must have 1 to 3 characters"),
        (values.boolean(None), (b"integer", 2), "is no boolean"),
        (values.real, (b"text", b"nan"), "is no finite number"),
        (values.real, (b"blob", b"1"), "is no finite number"),
        (values.moment, (b"text", b"never"), "is no moment from 1970 to 2100"),
        (values.moment, (b"text", b"1969-12-31"), "is no moment from 1970 to 2100"),
        (values.moment, (b"text", b"0001-01-01T00:00:00+14:00"), "is no moment from 1970 to 2100"),
        (values.moment, (b"text", b"12345"), "is no moment from 1970 to 2100"),
        (values.moment, (b"real", 0.5), "is no moment from 1970 to 2100"),
        (values.moment, (b"blob", b"1790000000"), "is no moment from 1970 to 2100"),
    ],
)
def test_what_has_none_is_refused(convert: Callable[[Value], Any], value: Value, reason: str) -> None:
    """The reason names what is wrong and not the value."""
    with pytest.raises(Refused, match=reason):
        convert(value)
