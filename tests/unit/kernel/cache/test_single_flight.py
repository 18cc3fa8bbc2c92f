"""Single flight: who computes, who waits, and what becomes of those who wait when it fails."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from surf_data.errors import PoolTimeout
from surf_data.kernel.cache.single_flight import Flight, SingleFlight

Flights = SingleFlight[str]


@pytest.fixture
def flights() -> Flights:
    """Return no computations."""
    return SingleFlight(lambda: math.inf)


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

    flight, pilot = flights.begin(key)
    assert pilot is not None
    future: Future[str] = Future()

    def run() -> None:
        try:
            future.set_result(flights.complete(key, flight, pilot, compute))
        except BaseException as error:  # noqa: BLE001 - told to the test
            future.set_exception(error)

    threading.Thread(target=run).start()

    def end(outcome: str | BaseException) -> None:
        said.append(outcome)
        ended.set()

    return future, end


def test_others_get_the_outcome(flights: Flights) -> None:
    """Twenty threads join one computation, and get what it returns."""
    future, end = under_way(flights, "key")
    with ThreadPoolExecutor(20) as threads:
        joined = [flights.begin("key") for _ in range(20)]
        waiting = [threads.submit(flight.join, 30) for flight, _ in joined]
        end("value")
    assert [pilot for _, pilot in joined] == [None] * 20
    assert [one.result() for one in waiting] == [("value",)] * 20
    assert future.result(30) == "value"


def test_others_get_the_error(flights: Flights) -> None:
    """What the computation raises is raised in each thread that waits, with all that it says and nothing chained."""
    future, end = under_way(flights, "key")
    flight, _ = flights.begin("key")
    end(PoolTimeout("no connection", query="a.b", holders=["one"]))
    with pytest.raises(PoolTimeout, match="no connection") as caught:
        flight.join(30)
    assert (caught.value.query, caught.value.holders) == ("a.b", ("one",))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert isinstance(future.exception(30), PoolTimeout)


def test_what_one_thread_was_handling_stays_with_it(flights: Flights) -> None:
    """The error that one who waits was handling is not chained to what the others get."""
    future, end = under_way(flights, "key")
    flight, _ = flights.begin("key")
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
    """Whoever waits gets the very error then."""
    future, end = under_way(flights, "key")
    flight, _ = flights.begin("key")
    end(error)
    with pytest.raises(type(error)) as caught:
        flight.join(30)
    assert caught.value is error
    assert future.exception(30) is error


@pytest.mark.parametrize("past_deadline", [False, True], ids=["interrupt", "deadline"])
def test_what_concerns_one_thread_is_not_shared(*, past_deadline: bool) -> None:
    """When the computing thread has to end, those who wait are told that there is no outcome, and may begin."""
    flights: Flights = SingleFlight(lambda: -math.inf if past_deadline else math.inf)
    future, end = under_way(flights, "key")
    flight, _ = flights.begin("key")
    end_of_one = PoolTimeout() if past_deadline else KeyboardInterrupt()
    end(end_of_one)
    assert flight.join(30) is None
    assert flights.begin("key")[1]
    assert future.exception(30) is end_of_one


def test_nobody_waits_for_ever(flights: Flights) -> None:
    """Whoever has waited long enough is told that there is no outcome."""
    flight, pilot = flights.begin("key")
    assert pilot is not None
    assert flight.join(0.001) is None


def test_keys_are_apart(flights: Flights) -> None:
    """Another key is another computation, and so is the same one after it has ended."""
    future, end = under_way(flights, "one")
    assert flights.begin("two")[1]
    end("value")
    future.result(30)
    assert flights.begin("one")[1]
    assert flights.completed == 1


def test_a_forgotten_computation_is_joined_by_nobody(flights: Flights) -> None:
    """What was forgotten learns that it is out of date, ends in peace, and leaves the one that began after it alone."""
    future, end = under_way(flights, "key")
    old, _ = flights.begin("key")
    flights.forget(["other", "key"])
    younger, pilot = flights.begin("key")
    assert (pilot is not None, old.outdated, younger.outdated) == (True, True, False)
    end("value")
    assert future.result(30) == "value"
    assert flights.begin("key") == (younger, None)
