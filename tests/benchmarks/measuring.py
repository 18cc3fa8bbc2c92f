"""Measures several ways to do the same work in turn, and compares them."""

import gc
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from time import perf_counter_ns, process_time_ns
from typing import Literal

import attrs

Quantity = Literal["time", "CPU time"]

#: Calls of which a first turn consists, from which the number of calls in the others is found.
_FIRST = 8


@attrs.frozen
class Timing:
    """What one call took."""

    #: Microseconds by the clock.
    wall: float
    #: Microseconds of this process on a processor, all its threads together; ``None`` for a program of its own.
    cpu: float | None

    def of(self, quantity: Quantity) -> float:
        """Return one of the two."""
        if quantity == "time":
            return self.wall
        if self.cpu is None:
            raise ValueError("the CPU time of another program is not measured")
        return self.cpu


@attrs.frozen
class Side:
    """One of the ways to do the work."""

    #: What the document calls it.
    name: str
    #: Does the work so many times and says what one time took.
    turn: Callable[[int], Timing]


def timed(run: Callable[[int], object]) -> Callable[[int], Timing]:
    """Return what measures ``run``, which makes as many calls as its argument says."""

    def turn(calls: int) -> Timing:
        gc.collect()
        wall, cpu = perf_counter_ns(), process_time_ns()
        run(calls)
        wall, cpu = perf_counter_ns() - wall, process_time_ns() - cpu
        return Timing(wall / calls / 1000, cpu / calls / 1000)

    return turn


def side(name: str, call: Callable[[], object]) -> Side:
    """Return a side that calls a function again and again."""

    def run(calls: int) -> None:
        for _ in range(calls):
            call()

    return Side(name, timed(run))


@attrs.frozen
class Ratio:
    """A quotient of two sides, taken in each round by itself."""

    #: The median of the rounds.
    value: float
    #: Between these lies the middle half of the rounds.
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Ratio":
        """Return the median and the quartiles."""
        low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        return cls(middle, low, high)


@attrs.frozen
class Measurement:
    """What the sides took, round by round."""

    rounds: Sequence[dict[str, Timing]]

    @property
    def names(self) -> list[str]:
        """The names of the sides, in the order in which they had their turns."""
        return list(self.rounds[0])

    def median(self, name: str) -> Timing:
        """Return the medians of one side."""
        timings = [timings[name] for timings in self.rounds]
        cpu = [timing.cpu for timing in timings if timing.cpu is not None]
        return Timing(median(timing.wall for timing in timings), median(cpu) if cpu else None)

    def ratio(self, dividend: str, divisor: str, quantity: Quantity) -> Ratio:
        """Return how many times as much one side took as the other."""
        return Ratio.of([timings[dividend].of(quantity) / timings[divisor].of(quantity) for timings in self.rounds])

    def difference(self, minuend: str, subtrahend: str, quantity: Quantity) -> Ratio:
        """Return how many microseconds more one side took than the other."""
        return Ratio.of([timings[minuend].of(quantity) - timings[subtrahend].of(quantity) for timings in self.rounds])


@attrs.frozen
class Measure:
    """How thoroughly to measure."""

    #: Rounds that count; another one comes first and does not.
    rounds: int
    #: What a turn of one side takes, roughly.
    seconds: float

    def __call__(self, *sides: Side) -> Measurement:
        """Give each side its turn, round after round, of as many calls as take `seconds`."""
        return _take_turns(sides, [self._calls(each) for each in sides], self.rounds, turning=True)

    def once(self, *sides: Side) -> Measurement:
        """Give each side turns of one call that takes long, in a third of the rounds, and always in this order."""
        return _take_turns(sides, [1] * len(sides), max(3, self.rounds // 3), turning=False)

    def _calls(self, each: Side) -> int:
        # The first calls connect and prepare.
        each.turn(_FIRST)
        return max(_FIRST, int(self.seconds * 1_000_000 / each.turn(_FIRST).wall))


def _take_turns(sides: Sequence[Side], calls: Sequence[int], rounds: int, *, turning: bool) -> Measurement:
    turns = list(zip(sides, calls, strict=True))
    measured = []
    for _ in range(rounds + 1):
        taken = {each.name: each.turn(number) for each, number in turns}
        measured.append({each.name: taken[each.name] for each in sides})
        if turning:
            # Every second round goes the other way, so that none always has to do with what the same one left behind.
            turns.reverse()
    return Measurement(measured[1:])
