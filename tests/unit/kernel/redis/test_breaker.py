"""The circuit breaker, with a clock that stands still until a test moves it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from surf_data.kernel.redis import CircuitBreaker


class Clock:
    """Seconds that pass on command."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    """Opens after three failures for ten seconds."""
    return CircuitBreaker(3, 10.0, clock=clock, jitter=lambda: 0.5)


def fail(breaker: CircuitBreaker, times: int) -> list[bool]:
    """Make calls that fail, one after the other; return what the breaker said of each."""
    return [breaker.failed(admitted(breaker)) for _ in range(times)]


def admitted(breaker: CircuitBreaker) -> int:
    """Return the ticket for a call that must be let through."""
    ticket = breaker.admit()
    assert ticket is not None
    return ticket


def test_opens_after_consecutive_failures(breaker: CircuitBreaker) -> None:
    """The third failure in a row opens the breaker, says so once, and no call is made after it."""
    assert fail(breaker, 3) == [False, False, True]
    assert breaker.admit() is None
    assert (breaker.state, breaker.opened, breaker.rejected) == ("open", 1, 1)


def test_success_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    """Failures with a success among them do not open the breaker."""
    fail(breaker, 2)
    assert breaker.succeeded(admitted(breaker)) is False
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_half_open_success_closes(breaker: CircuitBreaker, clock: Clock) -> None:
    """When its time is up one call is made, and its success closes the breaker."""
    fail(breaker, 3)
    clock.now += 10.0
    ticket = admitted(breaker)
    assert breaker.state == "half-open"
    assert breaker.admit() is None
    assert breaker.succeeded(ticket) is True
    assert breaker.state == "closed"
    assert breaker.admit() is not None


def test_half_open_failure_opens_again(breaker: CircuitBreaker, clock: Clock) -> None:
    """The failure of the one call keeps the breaker open for another period, which is not a new opening."""
    fail(breaker, 3)
    clock.now += 10.0
    assert breaker.failed(admitted(breaker)) is False
    clock.now += 9.9
    assert breaker.admit() is None
    clock.now += 0.1
    assert breaker.admit() is not None
    assert breaker.opened == 1


def test_closed_again_takes_as_many_failures(breaker: CircuitBreaker, clock: Clock) -> None:
    """A breaker that closed forgets the failures from before, and counts its next opening."""
    fail(breaker, 3)
    clock.now += 10.0
    breaker.succeeded(admitted(breaker))
    assert fail(breaker, 3) == [False, False, True]
    assert breaker.opened == 2


@pytest.mark.parametrize("report", [CircuitBreaker.succeeded, CircuitBreaker.failed])
def test_late_outcomes_are_ignored(
    breaker: CircuitBreaker, clock: Clock, report: Callable[[CircuitBreaker, int], bool]
) -> None:
    """A call that began before the breaker opened neither closes it nor decides for the one half-open call."""
    late = admitted(breaker)
    fail(breaker, 3)
    assert report(breaker, late) is False
    assert breaker.state == "open"
    clock.now += 10.0
    ticket = admitted(breaker)
    assert report(breaker, late) is False
    assert breaker.state == "half-open"
    assert breaker.succeeded(ticket) is True


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 8.0), (1.0, 12.0)])
def test_open_time_varies_by_a_fifth(clock: Clock, jitter: float, seconds: float) -> None:
    """The open time lies within a fifth of the setting."""
    breaker = CircuitBreaker(1, 10.0, clock=clock, jitter=lambda: jitter)
    fail(breaker, 1)
    clock.now += seconds - 0.1
    assert breaker.admit() is None
    clock.now += 0.2
    assert breaker.admit() is not None


def test_half_open_admits_one_of_many_threads(breaker: CircuitBreaker, clock: Clock) -> None:
    """Of twenty threads that ask at once when the time is up, exactly one is let through."""
    fail(breaker, 3)
    clock.now += 10.0
    barrier = threading.Barrier(20)

    def ask(_: Any) -> int | None:
        barrier.wait()
        return breaker.admit()

    with ThreadPoolExecutor(20) as threads:
        tickets = list(threads.map(ask, range(20)))
    assert len([ticket for ticket in tickets if ticket is not None]) == 1
    assert breaker.rejected == 19


def test_calls_are_not_made_one_after_the_other(breaker: CircuitBreaker) -> None:
    """Two calls can be under way at the same time: the breaker holds no lock during a call."""
    barrier = threading.Barrier(2, timeout=30)

    def call(_: Any) -> bool:
        ticket = admitted(breaker)
        barrier.wait()
        return breaker.succeeded(ticket)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(call, range(2))) == [False, False]


def test_defaults_are_the_systems_clock_and_chance() -> None:
    """Without a clock of its own the breaker uses the system's."""
    breaker = CircuitBreaker(1, 3600.0)
    fail(breaker, 1)
    assert breaker.admit() is None
