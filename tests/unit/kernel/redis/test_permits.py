"""Permits: so many at a time, and none that is lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from surf_data.kernel.redis.permits import Permit, Permits


def taken(permits: Permits) -> Permit:
    """Take a permit that is free."""
    permit = permits.take()
    assert permit is not None
    return permit


def test_so_many_at_a_time() -> None:
    """What is held is not given again, and what was given back is."""
    permits = Permits(2)
    first, second = taken(permits), taken(permits)
    assert permits.take() is None
    assert permits.take(0.01) is None
    permits.give_back(first)
    permits.give_back(first)
    third = taken(permits)
    assert permits._value == 0
    permits.give_back(second)
    permits.give_back(third)
    assert permits._value == 2


def drop(permits: Permits, held: list[Permit]) -> None:
    """Lose it, as the frames of an interrupted call do."""
    held.clear()


def leave(permits: Permits, held: list[Permit]) -> None:
    """Be done with it, as at the first step of a ``finally`` that is interrupted, while a traceback is kept."""
    held[0].is_over = True


@pytest.mark.parametrize("lose", [drop, leave])
def test_what_is_lost_comes_back(lose: Callable[[Permits, list[Permit]], None]) -> None:
    """A permit that was never given back is free again, and a thread that waits for one gets it."""
    permits = Permits(1)
    held = [taken(permits)]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(permits.take, 30)
        lose(permits, held)
        assert waiting.result(30) is not None
    del waiting
    assert permits._value == 1


def test_an_interruption_while_one_is_taken() -> None:
    """It is free at once, also while the traceback keeps the frame."""
    permits = Permits(1)

    class Interrupting:
        def __enter__(self) -> None:
            return

        def __exit__(self, *_: object) -> None:
            raise KeyboardInterrupt

    lock, permits._lock = permits._lock, Interrupting()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt) as caught:
        permits.take()
    permits._lock = lock
    assert permits._value == 1
    assert caught.value.__traceback__ is not None


def test_many_threads() -> None:
    """Never more than the limit, and all of them have their turn."""
    permits, barrier, lock = Permits(3), threading.Barrier(12), threading.Lock()
    held = most = 0

    def work(_: int) -> int:
        nonlocal held, most
        barrier.wait(30)
        turns = 0
        for _ in range(100):
            permit = permits.take(30)
            assert permit is not None
            with lock:
                held += 1
                most = max(most, held)
            with lock:
                held -= 1
            permits.give_back(permit)
            turns += 1
        return turns

    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(work, range(12))) == [100] * 12
    assert 1 <= most <= 3
    assert permits._value == 3
