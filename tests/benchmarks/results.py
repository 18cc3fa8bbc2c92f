"""What was measured beside what should be reached."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import attrs

from benchmarks.measuring import Measurement, Quantity, Ratio
from benchmarks.plot import Curve


class Question(Enum):
    """What a reader wants to know, each with a chart of all the results that answer it."""

    HAND = "hand"
    OTHERS = "others"
    WAYS = "ways"
    GROWTH = "growth"
    LIMIT = "limit"


@attrs.frozen
class AtLeast:
    """So many times as fast as the other side."""

    times: float

    def __str__(self) -> str:
        return f"≥ {self.times:g} ×"

    def reached(self, ratio: Ratio) -> bool:
        """Whether it is."""
        return ratio.value >= self.times


@attrs.frozen
class AtMost:
    """So many times what the other side takes."""

    times: float
    unit: str = "×"

    def __str__(self) -> str:
        return f"≤ {self.times:g} {self.unit}"

    def reached(self, ratio: Ratio) -> bool:
        """Whether it is."""
        return ratio.value <= self.times


@attrs.frozen
class ShareOf:
    """Such a part of the speed of what nothing gets beyond: a client in C, a COPY without checks."""

    #: 0 to 1.
    times: float

    def __str__(self) -> str:
        return f"≥ {self.times * 100:g} %"

    def reached(self, ratio: Ratio) -> bool:
        """Whether it is."""
        return ratio.value >= self.times


Target = AtLeast | AtMost | ShareOf
_SHARE = "share of its speed"


@attrs.frozen
class Result:
    """One line of the table."""

    #: What was compared with what.
    work: str
    #: What is compared.
    quantity: str
    #: What was wanted; ``None`` for what is only there to be known.
    target: Target | None = None
    #: What it is; ``None`` if it was not measured.
    ratio: Ratio | None = None
    #: Why it was not measured.
    why_not: str = ""
    #: The question whose chart shows it; ``None`` for what is in the table alone.
    asks: Question | None = None
    #: What it is measured in.
    unit: str = attrs.field()

    @unit.default
    def _unit_of_target(self) -> str:
        return self.target.unit if isinstance(self.target, AtMost) else "×"

    @property
    def reached(self) -> bool | None:
        """Whether the target is; ``None`` without one, and where nothing was measured."""
        return self.target.reached(self.ratio) if self.target and self.ratio else None

    @property
    def value(self) -> str:
        """What was measured, with the middle half of the rounds; or why nothing was."""
        if self.ratio is None:
            return self.why_not
        scale, unit = (100, "%") if self.quantity.startswith(_SHARE) else (1, self.unit)
        value, low, high = (number(scale * part) for part in (self.ratio.value, self.ratio.low, self.ratio.high))
        return f"{value} {unit}" + (f" ({low} to {high})" if low != high else "")

    def stored(self) -> dict[str, Any]:
        """Return it for the file of measurements."""
        return {
            "work": self.work,
            "quantity": self.quantity,
            "goal": str(self.target) if self.target else None,
            "goal_times": self.target.times if self.target else None,
            "times": self.ratio.value if self.ratio else None,
            "less_is_better": isinstance(self.target, AtMost) or "ours / theirs" in self.quantity,
            "value": self.value,
            "reached": self.reached,
            "asks": self.asks.value if self.asks else None,
        }


@attrs.frozen
class Row:
    """One row of the benchmark, which may have several results."""

    number: int
    #: What it is about.
    title: str
    #: The same in the few words that a chart has room for.
    short: str
    results: Sequence[Result]
    #: What the sides took, by what one call is.
    measurements: Sequence[tuple[str, Measurement]] = ()
    #: What one has to know to read it.
    note: str = ""
    #: What became of sides that were measured at several sizes: microseconds by size.
    growth: Mapping[str, Curve] = attrs.field(factory=dict)

    def stored(self) -> dict[str, Any]:
        """Return it for the file of measurements: what the page shows, and the medians of all sides in microseconds."""
        return {
            "number": self.number,
            "title": self.title,
            "short": self.short,
            "note": self.note,
            "results": [result.stored() for result in self.results],
            "sides": [
                {"unit": unit, "times": {name: _times(measurement, name) for name in measurement.names}}
                for unit, measurement in self.measurements
            ],
            "growth": {name: list(map(list, curve)) for name, curve in self.growth.items()},
        }


def _times(measurement: Measurement, name: str) -> list[float | None]:
    timing = measurement.median(name)
    return [round(timing.wall, 3), None if timing.cpu is None else round(timing.cpu, 3)]


def compare(
    measurement: Measurement,
    work: str,
    ours: str,
    theirs: str,
    target: Target | None,
    *,
    quantity: Quantity = "time",
    asks: Question | None = None,
) -> Result:
    """Compare two sides of a measurement: how much more we take than they, or how many times as fast we are."""
    if isinstance(target, ShareOf):
        shown = f"{_SHARE}, {quantity}"
    elif isinstance(target, AtMost) or (target is None and quantity == "CPU time"):
        return Result(work, f"{quantity}, ours / theirs", target, measurement.ratio(ours, theirs, quantity), asks=asks)
    else:
        shown = f"{quantity}, theirs / ours"
    return Result(work, shown, target, measurement.ratio(theirs, ours, quantity), asks=asks)


def number(value: float) -> str:
    """Return a number with three digits that count, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
