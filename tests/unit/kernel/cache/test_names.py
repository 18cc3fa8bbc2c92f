"""The names of keys: those of values and those of locks are never the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.kernel.cache.names import Names

KEYS = st.text(st.sampled_from("lock:vaue\x7fé"), min_size=1, max_size=12) | st.builds(
    str.__add__, st.sampled_from(["lock:", "value:", "value:lock:", "value:value:lock:"]), st.text("lockv:", max_size=6)
).filter(bool)


@given(one=KEYS, other=KEYS, prefix=st.sampled_from(["", "app:", "lock:", "value:"]))
def test_names_are_told_apart(one: str, other: str, prefix: str) -> None:
    """No two keys have the same name, no value that of a lock; and from the name of a value its key is known."""
    names = Names(prefix)
    assert (names.value(one) == names.value(other)) is (one == other)
    assert (names.lock(one) == names.lock(other)) is (one == other)
    assert names.value(one) != names.lock(other)
    assert names.value(one) != names.identity
    assert names.lock(one) != names.identity
    assert names.key(names.value(one)) == one
    assert names.key(names.lock(one)) is None
    assert names.key(names.identity) is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("report", "app:report"),
        ("lock:report", "app:value:lock:report"),
        ("value:lock:report", "app:value:value:lock:report"),
        ("value:report", "app:value:report"),
        ("locks:report", "app:locks:report"),
    ],
)
def test_names_as_they_are(key: str, name: str) -> None:
    """A key is its name behind the prefix, unless it looks like a lock's."""
    assert Names("app:").value(key) == name
    assert Names("app:").start(key) == name


def test_many_keys() -> None:
    """However many there are, each has its name, and few are remembered."""
    names = Names("")
    for key in [*(str(number) for number in range(2500)), "x" * 500]:
        assert names.value(key) == names.value(key) == key
    assert len(names.known) <= 1000
