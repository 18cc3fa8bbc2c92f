"""Hashes that a caller made, compared without telling how much of them is right."""

import pytest

from surf_data.kernel.crypto import PasswordHasher


@pytest.mark.parametrize(
    ("stored", "given", "expected"),
    [
        ("hash", "hash", True),
        (b"bytes", b"bytes", True),
        ("häsh", "häsh".encode(), True),
        ("hash", "hasH", False),
        ("hash", "hash2", False),
        ("hash", "", False),
        ("\ud800", "\ud800", True),
        (None, "hash", False),
        (None, "", False),
        (None, b"bytes", False),
    ],
)
def test_a_hash_matches_itself_alone(stored: str | bytes | None, given: str | bytes, *, expected: bool) -> None:
    """An unknown user's matches nothing, not even an empty one."""
    assert PasswordHasher.matches(stored, given) is expected


def test_a_password_is_verified_by_its_hash() -> None:
    """A hash verifies its own password alone; no hash, of a user who is not there, and a corrupt one verify none."""
    hasher = PasswordHasher()
    stored = hasher.hash("correct horse")
    found = [hasher.verify(of, "correct horse") for of in (stored, hasher.hash("another"), "corrupt", None)]
    assert found == [True, False, False, False]
