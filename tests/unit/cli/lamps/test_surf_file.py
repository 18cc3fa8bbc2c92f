"""Files of surf data: what is read, and what is refused with its line."""

import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data import SurfData, ValidationError
from surf_data.cli.lamps import surf_file

KEYS = ["location_index", "wave_height_m", "location_name", "timestamp", "extra"]
GOOD = b'{"location_index": 2, "wave_height_m": 1.8}\n'


def refused(content: bytes) -> str:
    """Return what is said of a file that is refused."""
    with pytest.raises(ValidationError) as caught:
        surf_file.read(io.BytesIO(content), lambda _bytes: None)
    assert caught.value.field == str(caught.value).partition(":")[0]
    return str(caught.value)


def test_what_is_read() -> None:
    """A byte order mark, blank lines, any line ends and unknown keys are accepted."""
    content = b"\xef\xbb\xbf" + GOOD + b" \r\n" + b'{"tide": {"m": [0.4]}, "location_index": 0}'
    advanced: list[int] = []
    found = surf_file.read(io.BytesIO(content), advanced.append)
    assert found == {2: SurfData(wave_height_m=1.8), 0: SurfData(extra={"tide": {"m": [0.4]}})}
    assert sum(advanced) == len(content)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"location_index": 1, "wave_height_m": "high"}', "wave_height_m must be a number"),
        (b'{"location_index": 1, "wave_height_m": true}', "wave_height_m must be a number"),
        (b'{"location_index": 1, "wave_height_m": 1e999}', "wave_height_m must be finite"),
        (b'{"location_index": 1, "wave_height_m": NaN}', "invalid JSON: NaN is not a number"),
        (b'{"location_index": 1, "a": [-Infinity]}', "invalid JSON: -Infinity is not a number"),
        (b'{"location_index": 1, "a": "\\ud800"}', "a must not contain NUL characters or lone surrogates"),
        (b'{"location_index": 1, "a": 1, "a": 2}', "invalid JSON: an object has a key twice"),
        (b'{"location_index": 1, "a": {"b": 1, "b": 2}}', "invalid JSON: an object has a key twice"),
        (b'{"location_index": 1, "a": %s}' % (b"9" * 5000), "invalid JSON: a number has too many digits"),
        (b'{"location_index": 1, "a": %s1}' % (b"[" * 100_000), "invalid JSON: nested too deeply"),
        (b'{"location_index": 1, "a": %s}' % (b"[" * 70 + b"]" * 70), "must not be nested deeper than 64 levels"),
        (b'{"location_index": 1,}', "invalid JSON: "),
        (b"secret", "invalid JSON: Expecting value at column 1"),
        (b'{"location_index": 1, "a": "\xff"}', "is not UTF-8"),
        (b"\xef\xbb\xbf{}", "invalid JSON: "),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"{}", "lacks location_index"),
        (b'{"location_index": "2"}', "location_index must be a whole number"),
        (b'{"location_index": -1}', "location_index must be from 0 to 2147483647"),
        (b'{"location_index": 2}', "location_index 2 is already on line 1"),
        (b'{"location_index": 1, "a": "%s"}' % (b"x" * 1_000_000), "must not be longer than 1000000 bytes"),
        (
            b'{"location_index": 1, "a": [%s1]}' % (b"1e15," * 150_000),
            "must not be larger than 1000000 bytes of JSON",
        ),
    ],
)
def test_what_is_refused(line: bytes, problem: str) -> None:
    """An error names the number of the line, and not its content."""
    error = refused(GOOD + b"\n" + line + b"\n" + GOOD)
    assert error.startswith("line 3: ")
    assert problem in error
    assert "secret" not in error


class Endless(io.BytesIO):
    """A file that repeats its first line."""

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the first line."""
        self.seek(0)
        return super().readline(size)


def test_file_that_is_too_large() -> None:
    """A file is not read without limit."""
    with pytest.raises(ValidationError, match=r"^line 101: the file must not be larger than 100000000 bytes$"):
        surf_file.read(Endless(b" " * 1_000_000), lambda _bytes: None)


LINES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(KEYS), inner),
).map(lambda value: json.dumps(value).encode())


@given(st.lists(LINES | st.binary(), max_size=5))
def test_any_content(lines: list[bytes]) -> None:
    """Whatever a file has in it, it is read or refused."""
    with suppress(ValidationError):
        surf_file.read(io.BytesIO(b"\n".join(lines)), lambda _bytes: None)


def test_too_many_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has no more objects than one transaction can store."""
    monkeypatch.setattr(surf_file, "MAX_OBJECTS", 2)
    lines = b"".join(b'{"location_index": %d}\n' % index for index in range(3))
    assert refused(lines) == "line 3: the file must not have more than 2 objects"
