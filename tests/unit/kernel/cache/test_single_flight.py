"""Single flight: who computes, who waits, and what becomes of those who wait when it fails."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from surf_data.errors import PoolTimeout, ValidationError
from surf_data.kernel.cache.single_flight import Flight, Pilot, SingleFlight

Flights = SingleFlight[str]


@pytest.fixture
def flights() -> Flights:
    """Return no computations."""
    return SingleFlight(lambda: math.inf)


def begun(flights: Flights, key: str) -> tuple[Flight[str], Pilot]:
    """Begin or join a computation."""
    pilot = Pilot()
    return flights.begin(key, pilot), pilot


def under_way(flights: Flights, key: str) -> tuple[Future[str], Callable[[str | BaseException], None]]:
    """Begin a computation in another thread; return its future, and a function that says how it ends."""
    ended = threading.Event()
    said: list[str | BaseException] = []

    def compute(_: Flight[str]) -> str:
        assert ended.wait(30)
        [outcome] = said
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    flight, pilot = begun(flights, key)
    assert flight.is_of(pilot)
    future: Future[str] = Future()

    def run() -> None:
        try:
            future.set_result(flights.complete(key, flight, compute))
        except BaseException as error:  # noqa: BLE001 - told to the test
            future.set_exception(error)
        finally:
            pilot.is_over = True

    threading.Thread(target=run).start()

    def end(outcome: str | BaseException) -> None:
        said.append(outcome)
        ended.set()

    return future, end


def test_others_get_the_outcome(flights: Flights) -> None:
    """Twenty threads join one computation, and get what it returns."""
    future, end = under_way(flights, "key")
    with ThreadPoolExecutor(20) as threads:
        joined = [begun(flights, "key") for _ in range(20)]
        waiting = [threads.submit(flight.join, 30) for flight, _ in joined]
        end("value")
    assert not any(flight.is_of(pilot) for flight, pilot in joined)
    assert [one.result() for one in waiting] == [("value",)] * 20
    assert future.result(30) == "value"


def test_others_get_the_error(flights: Flights) -> None:
    """What the computation raises is raised in each thread that waits, with all that it says and nothing chained."""
    future, end = under_way(flights, "key")
    flight, _ = begun(flights, "key")
    end(PoolTimeout("no connection", query="a.b", holders=["one"]))
    with pytest.raises(PoolTimeout, match="no connection") as caught:
        flight.join(30)
    assert (caught.value.query, caught.value.holders) == ("a.b", ("one",))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert isinstance(future.exception(30), PoolTimeout)


def test_what_one_thread_was_handling_stays_with_it(flights: Flights) -> None:
    """The error that one who waits was handling is not chained to what the others get."""
    future, end = under_way(flights, "key")
    flight, _ = begun(flights, "key")
    end(PoolTimeout())
    try:
        int("sesame")
    except ValueError:
        with pytest.raises(PoolTimeout) as first:
            flight.join(30)
    with pytest.raises(PoolTimeout) as second:
        flight.join(30)
    assert isinstance(first.value.__context__, ValueError)
    assert second.value.__context__ is None
    computing = future.exception(30)
    assert computing is not None
    assert computing.__context__ is None


class Singular(Exception):
    """An error that cannot be made again from what it says."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


class Changeling(Exception):
    """An error whose copy is something else."""

    def __reduce__(self) -> tuple[type[list[int]], tuple[()]]:
        """Return how to make another one, wrongly."""
        return list, ()


@pytest.mark.parametrize("error", [Singular("a", "b"), Changeling()], ids=lambda error: type(error).__name__)
def test_an_error_that_cannot_be_copied_is_shared(flights: Flights, error: Exception) -> None:
    """A thread that waits gets the very error then."""
    future, end = under_way(flights, "key")
    flight, _ = begun(flights, "key")
    end(error)
    with pytest.raises(type(error)) as caught:
        flight.join(30)
    assert caught.value is error
    assert future.exception(30) is error


@pytest.mark.parametrize("past_deadline", [False, True], ids=["interrupt", "deadline"])
def test_what_concerns_one_thread_is_not_shared(*, past_deadline: bool) -> None:
    """When the computing thread has to end, those who wait get no outcome, and may begin."""
    flights: Flights = SingleFlight(lambda: -math.inf if past_deadline else math.inf)
    future, end = under_way(flights, "key")
    flight, _ = begun(flights, "key")
    end_of_one = PoolTimeout() if past_deadline else KeyboardInterrupt()
    end(end_of_one)
    assert flight.join(30) is None
    flight, pilot = begun(flights, "key")
    assert flight.is_of(pilot)
    assert future.exception(30) is end_of_one


def test_no_thread_waits_indefinitely(flights: Flights) -> None:
    """A thread that has waited long enough gets no outcome."""
    flight, pilot = begun(flights, "key")
    assert flight.is_of(pilot)
    assert flight.join(0.001) is None


def test_keys_are_apart(flights: Flights) -> None:
    """Another key is another computation, and so is the same one after it has ended."""
    future, end = under_way(flights, "one")
    flight, pilot = begun(flights, "two")
    assert flight.is_of(pilot)
    end("value")
    future.result(30)
    flight, pilot = begun(flights, "one")
    assert flight.is_of(pilot)
    assert flights.completed == 1


def test_a_forgotten_computation_is_joined_by_nobody(flights: Flights) -> None:
    """What was forgotten learns that it is out of date, ends in peace, and leaves the one that began after it alone."""
    future, end = under_way(flights, "key")
    old, _ = begun(flights, "key")
    flights.forget(["other", "key"])
    younger, pilot = begun(flights, "key")
    assert (younger.is_of(pilot), old.outdated, younger.outdated) == (True, True, False)
    end("value")
    assert future.result(30) == "value"
    assert begun(flights, "key")[0] is younger


def test_a_computation_that_nobody_has_is_taken_over(flights: Flights) -> None:
    """When the computing thread was torn away between two steps, those who wait are let go, and the next one begins."""
    flight, pilot = begun(flights, "key")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(flight.join, 30)
        del pilot
        assert waiting.result(30) is None
    flight, pilot = begun(flights, "key")
    assert flight.is_of(pilot)
    pilot.is_over = True
    younger, other = begun(flights, "key")
    assert younger.is_of(other)


def test_threads_that_wait_for_each_other(flights: Flights, refused: Callable[..., Any]) -> None:
    """A thread that would wait for itself, directly or through two others, fails at once."""
    mine, pilot = begun(flights, "mine")
    assert refused(lambda: flights.join(mine, 3600)).field == "source"
    barrier = threading.Barrier(3)

    def chain(key: str, other: str) -> str:
        pilot = Pilot()
        flight = flights.begin(key, pilot)

        def compute(_: Flight[str]) -> str:
            barrier.wait(30)
            awaited = flights.begin(other, Pilot())
            return (flights.join(awaited, 30) or ("abandoned",))[0]

        try:
            return flights.complete(key, flight, compute)
        except ValidationError as error:
            return str(error.field)
        finally:
            pilot.is_over = True

    with ThreadPoolExecutor(3) as threads:
        ended = [threads.submit(chain, *keys) for keys in (("a", "b"), ("b", "c"), ("c", "a"))]
        assert [one.result(30) for one in ended] == ["source"] * 3
    assert flights.begin("mine", Pilot()) is mine
    del pilot


def test_what_an_interruption_left_is_no_circle(flights: Flights) -> None:
    """A thread that was torn away while it waited does not wait any more once it computes."""
    other, pilot = begun(flights, "other")
    flights._waits[threading.get_ident()] = other
    mine, _ = begun(flights, "mine")
    assert flights.complete("mine", mine, lambda _: "value") == "value"
    assert flights._waits == {}
    del pilot
