"""Pauses between attempts."""

import time

from hypothesis import given
from hypothesis import strategies as st

from surf_data.kernel.backoff import Backoff


@given(attempts=st.integers(1, 10_000))
def test_a_pause_doubles_up_to_its_maximum(attempts: int) -> None:
    """It is never longer, and half of it is certain, however many attempts there were."""
    whole = min(0.02 * 2 ** min(attempts - 1, 64), 0.5)
    assert whole / 2 <= Backoff(0.02, 0.5).seconds(attempts) <= whole


def test_callers_do_not_pause_in_step() -> None:
    """Two pauses are as good as never the same."""
    assert len({Backoff(1.0).seconds(3) for _ in range(100)}) > 90


def test_a_pause_ends_at_the_deadline() -> None:
    """Without time left there is no pause, and an hour's pause is over when the deadline comes."""
    backoff = Backoff(3600.0)
    for deadline in (time.monotonic() - 1, time.monotonic() + 0.001):
        backoff.pause(1, deadline)
    Backoff(0.001).pause(1)
